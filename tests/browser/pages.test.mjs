// Pages as a shopper goes through them: routers, history, the back/forward cache, hidden and several
// tabs; with the module, and where wasm is forbidden. What is counted once must not be counted twice.
import assert from 'node:assert/strict';
import { BOWL, MUG, add, distinct, pause, push, ready, story, until } from './support/storefront.mjs';

const views = (at) => at.events('page_view').length;
const NO_WASM = { csp: "script-src 'self' 'unsafe-inline'" };
const cartOf = (page) => page.evaluate(() => new Promise((done) => comeback.push(['cart', done])));
const contents = (cart) => cart.lines.map((line) => [line.item_id, line.quantity]).sort();
/** As a browser does it when another tab comes to the front. */
const hide = (page, hidden) =>
  page.evaluate((hidden) => {
    if (hidden) Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
    else delete document.visibilityState;
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);

for (const [how, before, rules] of [
  ['by the Navigation API', undefined, {}],
  ['where there is no Navigation API', () => Object.defineProperty(window, 'navigation', { value: undefined }), {}],
  ['where wasm is forbidden', undefined, NO_WASM],
]) {
  story(`a router's pages are counted once each, ${how}`, rules, async ({ at, page, context, visit }) => {
    if (before) await context.addInitScript(before);
    await visit('/?a=1');
    await until(() => views(at) === 1, 'the page');
    await pause(100);
    const steps = [
      ['/products/mug', () => history.pushState({}, '', '/products/mug'), 1],
      ['the same again', () => history.pushState({}, '', '/products/mug'), 0],
      ['another variant', () => history.replaceState({}, '', '/products/mug?variant=2'), 0],
      ['an anchor', () => (location.hash = 'reviews'), 0],
      ['a state', () => history.replaceState({ scroll: 1 }, ''), 0],
      ['a path in the hash', () => (location.hash = '#/cart'), 1],
      ['its query', () => (location.hash = '#/cart?step=2'), 0],
      ['another of an older kind', () => (location.hash = '#!/checkout'), 1],
      ['/cart', () => history.replaceState({}, '', '/cart'), 1],
      ['back', () => history.back(), 1],
    ];
    let expected = 1;
    for (const [what, step, counts] of steps) {
      await page.evaluate(step);
      expected += counts;
      await until(() => views(at) >= expected, what);
      if (!counts) await pause(400);
      assert.equal(views(at), expected, what);
    }
    await pause(400);
    assert.equal(views(at), expected);
  });
}

story('what navigates by itself is counted too', {}, async ({ at, page, visit }) => {
  await visit();
  await ready(at);
  await page.evaluate(() => {
    navigation.addEventListener('navigate', (event) => event.intercept({ handler: async () => {} }));
    return navigation.navigate('/routed').finished.then(() => {});
  });
  await until(() => views(at) === 2, 'the routed page');
});

for (const [how, rules] of [['', {}], [', where wasm is forbidden', NO_WASM]]) {
  story('a page out of the back/forward cache is a page, with the cart as it is now' + how, rules, async ({ at, page, visit }) => {
    await visit('/one');
    await push(page, 'track', 'add_to_cart', add(MUG));
    await until(() => at.events('add_to_cart').length, 'the add');
    await page.evaluate(() => (window.mark = 'kept'));
    await visit('/two');
    await push(page, 'track', 'add_to_cart', add(BOWL));
    await until(() => distinct(at.events('add_to_cart')) === 2, 'the second add');
    await page.goBack({ waitUntil: 'commit' });
    assert.equal(await page.evaluate(() => window.mark), 'kept', 'this browser has the cache');
    await until(() => views(at) === 3, 'the page again');
    assert.deepEqual(contents(await cartOf(page)), [['bowl', 2], ['mug', 1]]);
    await push(page, 'track', 'add_to_cart', add(MUG));
    await until(() => distinct(at.events('add_to_cart')) === 3, 'the third add');
    assert.deepEqual(contents(await cartOf(page)), [['bowl', 2], ['mug', 2]], 'nothing of the other page is undone');
    const ids = at.events().map((event) => event.id);
    assert.equal(new Set(ids).size, ids.length, 'nothing is sent twice');
  });

  story('a yes or a no that is said in one tab holds in the other' + how, { ...rules, config: { consent: { mode: 'required', wording: 'w1' } } }, async ({ at, page, context, visit }) => {
    await visit('/one');
    await push(page, 'track', 'add_to_cart', add(MUG));
    const other = await context.newPage();
    await other.goto(at.origin + '/two');
    await other.mouse.move(500, 600);
    await until(() => at.requests.filter((r) => /sdk_bg|plain/.test(r.path)).length >= (how ? 2 : 1), 'both run');
    await pause(600);
    assert.deepEqual(at.requests.filter((r) => r.method !== 'GET'), []);
    await push(other, 'consent', { storage: true, marketing: true });
    await until(() => at.events('add_to_cart').length, 'what the first tab held');
    await push(other, 'consent', { storage: false });
    await pause(1_200);
    const count = at.posts().filter((post) => post.events.length).length;
    await push(page, 'track', 'add_to_cart', add(BOWL));
    await pause(800);
    assert.equal(at.posts().filter((post) => post.events.length).length, count);
    assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
  });
}

/** Two tabs of a shop that asks, and a yes that both know of. */
const twoTabs = async ({ at, page, context, visit }, said = true) => {
  await visit('/one');
  const other = await context.newPage();
  await other.goto(at.origin + '/two');
  await other.mouse.move(500, 600);
  if (said) await push(other, 'consent', { storage: true });
  await until(() => distinct(at.events('page_view')) === 2, 'the yes in both');
  return other;
};

story('a yes that another tab writes late does not undo a no', { config: { consent: { mode: 'required', wording: 'w1' } } }, async (given) => {
  const { at, page } = given;
  const other = await twoTabs(given);
  const late = await page.evaluate(() => localStorage['comeback.v1']);
  await push(other, 'consent', { storage: false });
  await until(() => at.posts().some((post) => post.consent.storage === false), 'the no');
  await pause(300);
  const count = at.posts().filter((post) => post.events.length).length;
  // As a tab does that was at work while the no was on its way to it.
  await page.evaluate((late) => (localStorage['comeback.v1'] = late), late);
  await pause(300);
  await push(other, 'track', 'add_to_cart', add(BOWL));
  await push(page, 'track', 'add_to_cart', add(BOWL));
  await pause(900);
  assert.equal(at.posts().filter((post) => post.events.length).length, count);
  for (const tab of [page, other]) assert.deepEqual(await tab.evaluate(() => Object.keys(localStorage)), []);
});

for (const [how, mode] of [['', 'required'], [', where silence is a yes', 'implied']])
story('a yes straight after a no is a yes in both tabs, and for another cart' + how, { config: { consent: { mode, wording: 'w1' } } }, async (given) => {
  const { at, page } = given;
  const other = await twoTabs(given, !how);
  await push(page, 'track', 'add_to_cart', add(MUG));
  const before = (await until(() => at.posts().find((post) => post.cart), 'a cart')).cart;
  await pause(400);
  await other.evaluate(() => comeback.push(['consent', { storage: false }], ['consent', { storage: true }]));
  await pause(600);
  const from = at.posts().length;
  await push(other, 'track', 'add_to_cart', add(BOWL));
  await push(page, 'track', 'add_to_cart', add(MUG));
  const after = () => at.posts().slice(from).filter((post) => post.events.some((event) => event.name === 'add_to_cart'));
  await until(() => distinct(after().flatMap((post) => post.events.filter((event) => event.name === 'add_to_cart'))) === 2, 'what both saw');
  assert.ok(after().every((post) => post.cart && post.cart !== before));
});

story('times that no clock told lock nobody in', { config: { consent: { mode: 'required', wording: 'w1' } } }, async ({ at, page, context, visit }) => {
  for (const time of [1e18, -5, '"x"', '1e400', 'null']) {
    await visit('/one');
    await page.evaluate((time) => (localStorage['comeback.v1'] = `{"at":1,"lines":[],"consent":{"storage":true,"wording":"w1","at":${time}}}`), time);
    const from = at.posts().length;
    await page.reload();
    await page.mouse.move(400, 500);
    await until(() => at.posts().slice(from).some((post) => post.events.length), 'the yes that was kept, ' + time);
    const other = await context.newPage();
    await other.goto(at.origin + '/two');
    await other.mouse.move(500, 600);
    await until(() => at.posts().slice(from).some((post) => post.page.url?.endsWith('/two')), 'both run');
    await push(other, 'consent', { storage: false });
    await pause(600);
    const count = at.posts().length;
    for (const tab of [page, other]) await push(tab, 'track', 'add_to_cart', add(BOWL));
    await pause(700);
    assert.equal(at.posts().length, count, 'the no holds in both, ' + time);
    for (const tab of [page, other]) assert.deepEqual(await tab.evaluate(() => Object.keys(localStorage)), [], String(time));
    await other.close();
  }
});

const ASKS = { consent: { mode: 'required', wording: 'w1' } };
const PHONE = { context: { viewport: { width: 390, height: 700 }, isMobile: true, hasTouch: true }, config: { ...ASKS, leaving: { away_ms: 1 } } };
for (const [how, rules] of [['', { config: ASKS }], [' on a phone that counts it as a return', PHONE]])
story('a no that is said while a page lies in the back/forward cache holds there too' + how, rules, async ({ at, page, visit }) => {
  await visit('/one');
  await push(page, 'consent', { storage: true });
  await push(page, 'track', 'add_to_cart', add(MUG));
  await until(() => at.events('add_to_cart').length, 'the add');
  await page.evaluate(() => (window.same = true));
  await visit('/two');
  await until(() => distinct(at.events('page_view')) === 2, 'the next page');
  await push(page, 'consent', { storage: false });
  await until(() => at.posts().some((post) => post.consent.storage === false), 'the no');
  await page.goBack({ waitUntil: 'commit' });
  assert.equal(await page.evaluate(() => window.same), true, 'it is the same page');
  await pause(900);
  const count = at.posts().filter((post) => post.events.length).length;
  await push(page, 'track', 'add_to_cart', add(BOWL));
  await pause(900);
  assert.equal(at.posts().filter((post) => post.events.length).length, count);
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
});

for (const [how, config] of [['', ASKS], [', where silence is a yes', { consent: { mode: 'implied', wording: 'w1' } }]])
story('a no and a yes while a page lies in the back/forward cache: nothing of before is tied to what follows' + how, { config }, async ({ at, page, visit }) => {
  await visit('/one');
  if (!how) await push(page, 'consent', { storage: true });
  await push(page, 'track', 'add_to_cart', add(MUG));
  const before = (await until(() => at.posts().find((post) => post.cart), 'the add')).cart;
  await page.evaluate(() => (window.same = true));
  await visit('/two');
  await until(() => distinct(at.events('page_view')) === 2, 'the next page');
  await push(page, 'consent', { storage: false });
  await until(() => at.posts().some((post) => post.consent.storage === false), 'the no');
  await push(page, 'consent', { storage: true });
  await pause(600);
  const from = at.posts().length;
  await page.goBack({ waitUntil: 'commit' });
  assert.equal(await page.evaluate(() => window.same), true, 'it is the same page');
  await push(page, 'track', 'add_to_cart', add(BOWL));
  const after = (await until(() => at.posts().slice(from).find((post) => post.events.some((event) => event.name === 'add_to_cart')), 'the next add')).cart;
  assert.ok(after && after !== before, 'another cart');
});

story('a yes that is said while a page lies in the back/forward cache is heard there', { config: ASKS }, async ({ at, page, visit }) => {
  await visit('/one');
  await push(page, 'track', 'add_to_cart', add(MUG));
  await page.evaluate(() => (window.same = true));
  await visit('/two');
  await push(page, 'consent', { storage: true });
  await until(() => at.events('page_view').length, 'the yes');
  await page.goBack({ waitUntil: 'commit' });
  assert.equal(await page.evaluate(() => window.same), true, 'it is the same page');
  await until(() => at.events('add_to_cart').length, 'what it held');
});

story('where wasm is forbidden: two tabs have one cart', NO_WASM, async ({ at, page, context, visit }) => {
  await visit('/one');
  await push(page, 'track', 'add_to_cart', add(MUG));
  await until(() => at.events('add_to_cart').length, 'the add');
  const other = await context.newPage();
  await other.goto(at.origin + '/two');
  await other.mouse.move(500, 600);
  await push(other, 'track', 'add_to_cart', add(BOWL));
  await until(() => distinct(at.events('add_to_cart')) === 2, "the other tab's add");
  await until(async () => (await cartOf(page)).lines.length === 2, 'the first tab knows');
  await push(page, 'track', 'remove_from_cart', add(MUG));
  await until(async () => (await cartOf(other)).lines.length === 1, 'and the other way round');
  assert.deepEqual(contents(await cartOf(other)), [['bowl', 2]]);
  assert.equal(new Set(at.posts().map((post) => post.cart).filter(Boolean)).size, 1);
});

for (const [how, rules] of [['', {}], [', where wasm is forbidden', NO_WASM]]) {
  story('a product is looked at only while it is in sight, and a look goes on' + how, rules, async ({ at, page, visit }) => {
    await visit('/product');
    await until(() => views(at) === 1, 'the page');
    await push(page, 'track', 'view_item', { currency: 'EUR', items: [MUG] });
    await pause(300);
    await hide(page, true);
    const first = await until(() => at.events('page_hide')[0], 'the tab is left');
    assert.equal(first.data.items[0].item_id, 'mug');
    assert.ok(first.data.dwell_ms >= 250 && first.data.dwell_ms <= first.t - at.events('view_item')[0].t, String(first.data.dwell_ms));
    await pause(1_500);
    await hide(page, false);
    await pause(300);
    await hide(page, true);
    const second = await until(() => at.events('page_hide')[1], 'the tab is left again');
    const more = second.data.dwell_ms - first.data.dwell_ms;
    assert.ok(more >= 250 && more < second.t - first.t - 1_200, `${first.data.dwell_ms} then ${second.data.dwell_ms}`);
    await hide(page, false);
    await page.evaluate(() => history.pushState({}, '', '/next'));
    const next = await until(() => at.events('page_view')[1], 'the next page');
    assert.ok(next.data.dwell_ms >= second.data.dwell_ms, 'the whole look ends with its page');
    await hide(page, true);
    const last = await until(() => at.events('page_hide')[2], 'the tab is left');
    assert.equal(last.data.dwell_ms, undefined, 'nothing is looked at any more');
  });

  story('a tab in the background looks at nothing until it is shown' + how, rules, async ({ at, page, context, visit }) => {
    await context.addInitScript(() => {
      if (!location.pathname.startsWith('/behind')) return;
      Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
      Object.defineProperty(document, 'hidden', { get: () => document.visibilityState === 'hidden', configurable: true });
    });
    await visit('/behind');
    await push(page, 'track', 'view_item', { currency: 'EUR', items: [MUG] });
    await until(() => at.events('view_item').length, 'the look');
    await pause(1_200);
    await hide(page, false);
    await pause(300);
    await hide(page, true);
    const left = await until(() => at.events('page_hide')[0], 'the tab is left');
    assert.ok(left.data.dwell_ms >= 250 && left.data.dwell_ms <= left.t - at.events('view_item')[0].t - 1_100, String(left.data.dwell_ms));
  });
}
