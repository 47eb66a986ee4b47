// The storefront SDK as built (dist/assets), in a real Chromium, against an endpoint made here that
// records every request. Asserts also what must not happen. Says nothing about the Worker.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { BOWL, COPY, MUG, SOON, add, distinct, fired, leave, panel, pause, push, ready, shop, story, until } from './support/storefront.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

story('one act seen by three sources is one event; two clicks are two', {
  body: `<button id="add" data-comeback-add='${JSON.stringify({ ...MUG, currency: 'EUR' })}'>Add</button>`,
  head: `<script>
    dataLayer = [{ event: 'view_item', ecommerce: { currency: 'EUR', value: 12.5, items: [${JSON.stringify(MUG)}] } }];
    function gtag() { dataLayer.push(arguments) }
    comeback = [['track', 'begin_checkout', ${JSON.stringify(add(MUG))}]];
    addEventListener('click', (e) => { if (e.target.id === 'add') {
      gtag('event', 'add_to_cart', { currency: 'EUR', value: 12.5, items: [{ item_id: 'mug', item_name: 'Mug', price: '12.50', quantity: 1, email: 'leak@example.com' }] });
      comeback.push(['track', 'add_to_cart', ${JSON.stringify(add(MUG))}]);
    } });</script>`,
}, async ({ at, page, visit }) => {
  await visit();
  await page.click('#add');
  await page.click('#add');
  await page.evaluate(() => dataLayer.push({ event: 'gtm.click', email: 'leak@example.com' }));
  await until(() => at.events('add_to_cart').length >= 2, 'two adds');
  await pause(700);
  assert.equal(at.events('add_to_cart').length, 2);
  assert.equal(at.events('view_item').length, 1, 'an entry from before the tag is replayed');
  assert.equal(at.events('begin_checkout').length, 1, 'a command from before the tag is replayed');
  assert.equal(at.events('page_view').length, 1);
  const posts = at.posts();
  assert.ok(!JSON.stringify(posts).includes('leak@'), 'only known fields travel');
  const last = posts.at(-1);
  assert.match(last.cart, /^cart_[0-9A-Za-z]{22}$/);
  assert.match(last.events[0].id, /^evt_[0-9A-Za-z]{22}$/);
  assert.equal(last.automated, true, 'playwright sets navigator.webdriver');
  assert.deepEqual(last.consent, { storage: true, marketing: false, profiling: true, wording: '2026-01' });
  assert.equal(last.page.url, at.origin + '/');
  assert.ok(at.requests.find((r) => r.path === '/v1/events').headers['content-type'].startsWith('text/plain'));
  assert.deepEqual(at.events('add_to_cart')[0].data, { currency: 'EUR', items: [{ item_id: 'mug', quantity: 1, price: 12.5, item_name: 'Mug' }] });
  const cart = await page.evaluate(() => new Promise((done) => comeback.push(['cart', done])));
  assert.equal(cart.lines[0].quantity, 2);
  assert.ok((await fired(page, 'score')).every((s) => s.buy > 0 && s.buy < 1 && s.model === 'baseline-1'));
  assert.ok((await fired(page, 'score')).length > 0);
});

story('before consent nothing is stored and nothing but GET is asked for; then everything arrives', { config: { consent: { mode: 'required', wording: 'w1' } } }, async ({ at, page, visit }) => {
  await visit();
  await push(page, 'track', 'add_to_cart', add(MUG));
  await push(page, 'identify', { email: 'a@example.com', consent: { email: true } });
  await until(() => at.requests.some((r) => r.path.endsWith('.wasm')), 'the module');
  await pause(900);
  await page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
    delete document.visibilityState;
  });
  await leave(page);
  await pause(300);
  const allowed = /^\/(|favicon\.ico|comeback\.js|sdk\/.*|v1\/config\/pk_demo)$/;
  assert.deepEqual(at.requests.filter((r) => r.method !== 'GET' || !allowed.test(r.path)).map((r) => r.method + ' ' + r.path), []);
  assert.deepEqual(await page.evaluate(() => window.writes), []);
  await push(page, 'consent', { storage: true, marketing: true });
  await until(() => at.events('add_to_cart').length, 'the held event');
  await until(() => at.requests.some((r) => r.path === '/v1/identify'), 'the held contact');
  assert.ok((await page.evaluate(() => window.writes)).includes('comeback.v1'));
  assert.equal(at.posts()[0].consent.marketing, true);
  assert.equal(at.posts()[0].consent.profiling, false, 'not asked, not given');

  // The yes holds on the next page; a no wipes everything and stops everything.
  await visit('/next');
  await until(() => at.events('page_view').length >= 2, 'the next page view');
  await push(page, 'consent', { storage: false });
  await pause(200);
  const { sent, ...farewell } = at.posts().at(-1);
  assert.ok(Math.abs(sent - Date.now()) < 60_000);
  assert.deepEqual(farewell, { v: 1, pk: 'pk_demo', cart: null, page: {}, consent: { storage: false }, automated: true, events: [] });
  assert.equal(at.posts().filter((p) => p.consent.storage === false).length, 1);
  const count = at.requests.length;
  await push(page, 'consent', { storage: false });
  await push(page, 'track', 'add_to_cart', add(BOWL));
  await page.evaluate(() => dispatchEvent(new Event('pagehide')));
  await pause(700);
  assert.equal(at.requests.length, count, 'nothing after it');
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage).concat(Object.keys(sessionStorage))), []);
});

story('the edge is asked for nothing until the shopper does something; what was there before is told then, at its own time', {
  head: `<script>dataLayer = [{ event: 'view_item', ecommerce: { currency: 'EUR', value: 12.5, items: [${JSON.stringify(MUG)}] } }, { event: 'gtm.load' }];
    comeback = [['consent', { storage: true }], ['adapter', { read() {}, replace() {} }], ['track', 'view_cart', { currency: 'EUR', value: 0, items: [] }]]</script>`,
}, async ({ at, page }) => {
  await page.goto(at.origin);
  await until(() => at.requests.some((r) => r.path.endsWith('.wasm')), 'the module, when the page is idle');
  await pause(1_000);
  assert.deepEqual(at.requests.filter((r) => r.path.startsWith('/v1/')).map((r) => r.path), []);
  const before = Date.now();
  await page.mouse.move(500, 600);
  await until(() => at.events('view_item').length && at.events('page_view').length, 'what was there before');
  assert.deepEqual(at.events().filter((e) => e.t >= before).map((e) => e.name), [], 'nothing is dated by the move');
});

story('who was here before is not waited for: the next page is told without a move, and a leave is seen', { config: { leaving: { min_velocity_px_s: 1 } } }, async ({ at, page, visit }) => {
  await visit();
  await push(page, 'track', 'add_to_cart', add(MUG));
  await until(() => at.events('add_to_cart').length, 'the cart');
  await page.goto(at.origin + '/cart');
  await until(() => distinct(at.events('page_view')) === 2, 'the second page');
  await pause(500);
  await leave(page);
  await panel(page, 'exit').waitFor();
});

for (const [what, visited, head, seen] of [
  ['an order', '/', `<script>dataLayer = [{ event: 'purchase', ecommerce: { transaction_id: 'o1', currency: 'EUR', value: 12.5, items: [${JSON.stringify(MUG)}] } }]</script>`, (at) => at.events('purchase').length],
  ['a shopper who is made known', '/', `<script>comeback = [['identify', { email: 'a@example.com' }]]</script>`, (at) => at.requests.some((r) => r.path === '/v1/identify')],
  ['a resume link', '/?comeback_restore=token', '', (at) => at.requests.some((r) => r.path === '/v1/restore/token')],
]) {
  story(what + ' waits for nothing more to be done on its page', { head }, async ({ at, page }) => {
    await page.goto(at.origin + visited);
    await until(() => seen(at), what);
  });
}

story('global privacy control turns marketing and profiling off whatever was chosen', {}, async ({ at, page, context, visit }) => {
  await context.addInitScript(() => Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { value: true }));
  await visit();
  await push(page, 'consent', { storage: true, marketing: true, profiling: true });
  await push(page, 'track', 'add_to_cart', add(MUG));
  await until(() => at.events('add_to_cart').length, 'the event');
  for (const post of at.posts()) assert.deepEqual([post.consent.marketing, post.consent.profiling], [false, false]);
});

story('leaving by the top shows one panel, once; Esc closes it and gives the focus back', {}, async ({ at, page, visit }) => {
  await visit();
  await push(page, 'track', 'add_to_cart', add(MUG));
  await ready(at);
  await page.focus('#b');
  await leave(page);
  await panel(page, 'exit').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'COMEBACK-PANEL');
  const dialog = panel(page, 'exit');
  assert.equal(await dialog.getAttribute('aria-modal'), 'true');
  // The focus goes round inside, both ways.
  for (const key of [...Array(9).fill('Tab'), ...Array(9).fill('Shift+Tab')]) {
    await page.keyboard.press(key);
    assert.ok(await page.evaluate(() => document.activeElement.shadowRoot?.activeElement?.closest('[role=dialog]') != null), 'focus left by ' + key);
  }
  for (const box of await dialog.locator('button, input[type=email], label.check').evaluateAll((all) => all.map((e) => e.offsetHeight))) assert.ok(box >= 44, 'a target of ' + box + ' px');
  await page.evaluate(axe);
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { violations } = await page.evaluate(() => axe.run('comeback-panel', { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
    assert.deepEqual(violations.map((v) => [v.id, v.nodes.map((n) => n.html)]), [], colorScheme);
  }
  assert.equal(await dialog.evaluate((e) => getComputedStyle(e).animationName), 'none', 'reduced motion');
  await page.keyboard.press('Escape');
  await panel(page, 'exit').waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement.id), 'b');
  assert.equal(await page.evaluate(() => document.querySelector('main').inert), false);
  await until(() => at.events('panel_closed').length, 'the report of closing');
  assert.equal(at.events('panel_shown').length, 1);
  assert.ok(at.events('exit_intent').length >= 1);

  await leave(page);
  await visit('/other');
  await until(() => at.events('page_view').length >= 2, 'the other page');
  await pause(150);
  await leave(page);
  await pause(400);
  assert.equal(await page.locator('comeback-panel').count(), 0);
  assert.equal(at.events('panel_shown').length, 1);
  assert.equal((await fired(page, 'panel')).at(-1).why, 'already_shown');
});

const exits = (rules) => ({ config: { panels: { ...COPY, exit: { ...COPY.exit, rules: { ...SOON, ...rules } } } } });
const FIELDS = '<button id="b">Buy</button><select id="s"><option>1</option></select><input id="i">';
for (const [why, rules, before, how] of [
  ['an open select', { body: FIELDS }, (page) => page.focus('#s'), {}],
  ['a form field in use', { body: FIELDS }, (page) => page.focus('#i'), {}],
  ['a slow move', {}, null, { speed: 'slow' }],
  ['a side exit', {}, null, { edge: 'left' }],
  ['an edge that said no', { allowed: false }, null, {}],
  ['a page just opened', exits({ dwell_ms: 60_000 }), null, {}],
  ['a shopper likely to buy', exits({ max_buy: 0 }), null, {}],
]) {
  story('no panel for ' + why, rules, async ({ at, page, visit }) => {
    await visit();
    await push(page, 'track', 'add_to_cart', add(MUG));
    await ready(at);
    await before?.(page);
    await leave(page, how);
    await pause(400);
    assert.equal(await page.locator('comeback-panel').count(), 0);
    assert.equal(at.requests.filter((r) => r.path.endsWith('panel.js')).length, 0, 'the panel is not even loaded');
  });
}

story('no panel for focus moving out of the window or a move between elements', {}, async ({ at, page, visit }) => {
  await visit();
  await push(page, 'track', 'add_to_cart', add(MUG));
  await ready(at);
  await page.mouse.move(500, 300);
  await page.evaluate(() => {
    window.dispatchEvent(new FocusEvent('blur'));
    document.querySelector('#b').dispatchEvent(new MouseEvent('mouseout', { bubbles: true, relatedTarget: document.body, clientY: -2 }));
    document.querySelector('#b').dispatchEvent(new FocusEvent('focusout', { bubbles: true, relatedTarget: null }));
  });
  await pause(300);
  assert.equal(await page.locator('comeback-panel').count(), 0);
});

story('no panel for an empty cart', {}, async ({ at, page, visit }) => {
  await visit();
  await ready(at);
  await leave(page);
  await pause(400);
  assert.equal(await page.locator('comeback-panel').count(), 0);
});

story('an address leaves the page on submit with the box ticked, never while typing', {}, async ({ at, page, visit }) => {
  await visit();
  await push(page, 'track', 'add_to_cart', add(MUG));
  await ready(at);
  await leave(page);
  const dialog = panel(page, 'exit');
  await dialog.waitFor();
  assert.equal(await dialog.locator('input[type=checkbox]').isChecked(), false);
  await dialog.locator('input[type=email]').pressSequentially('ada@example.com');
  await dialog.locator('button.main').click();
  await pause(700);
  assert.ok(!at.requests.some((r) => r.body.includes('ada')), 'without the tick it stays here');
  assert.ok(!(await page.evaluate(() => JSON.stringify({ ...localStorage }) + JSON.stringify({ ...sessionStorage }))).includes('ada'));
  await dialog.locator('input[type=checkbox]').check();
  await dialog.locator('button.main').click();
  await dialog.getByText(COPY.exit.sent).waitFor();
  assert.equal(await dialog.getByText(COPY.exit.title).count() + await dialog.getByText(COPY.exit.body).count(), 0, 'the question is answered');
  const sent = at.requests.filter((r) => r.path === '/v1/identify').map((r) => JSON.parse(r.body));
  assert.equal(sent.length, 1);
  assert.equal(sent[0].email, 'ada@example.com');
  assert.deepEqual(sent[0].consent, { email: true, sms: false, wording: '2026-01' });
  assert.match(sent[0].cart, /^cart_/);
  assert.ok(!at.posts().some((p) => JSON.stringify(p).includes('ada')), 'events never carry it');
});

story('a declined card brings other ways to pay and a visible contact', {}, async ({ at, page, visit }) => {
  await visit();
  await ready(at);
  await push(page, 'track', 'checkout_error', { step: 'shipping', code: 'invalid_postcode' });
  await pause(200);
  assert.equal(await page.locator('comeback-panel').count(), 0, 'another error needs another help');
  await push(page, 'track', 'checkout_error', { step: 'payment', code: 'card_declined', method: 'card' });
  const dialog = panel(page, 'declined');
  await dialog.waitFor();
  assert.equal(await dialog.locator('a[href="mailto:help@shop.example"]').isVisible(), true);
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run('comeback-panel'));
  assert.deepEqual(violations.map((v) => v.id), []);
  await dialog.getByRole('button', { name: 'Invoice' }).click();
  await dialog.waitFor({ state: 'detached' });
  assert.equal((await fired(page, 'assist'))[0].method, 'Invoice');
  await until(() => at.events('checkout_error').length === 2, 'both errors');
  assert.deepEqual(at.events('checkout_error')[1].data, { step: 'payment', code: 'card_declined', method: 'card' });
});

story('a cart and its events outlive failures, a reload and a crash, each event counted once', { status: 503 }, async ({ at, page, context, visit }) => {
  await visit();
  await push(page, 'track', 'add_to_cart', add(MUG));
  await until(() => at.posts().length >= 2, 'a retry');
  const first = at.posts()[0];
  assert.deepEqual(at.posts()[1].events.slice(0, first.events.length), first.events, 'the same events under the same ids');
  // The tab dies without a goodbye; nothing was acknowledged yet.
  const stored = await page.evaluate(() => Object.keys(localStorage).filter((k) => k.startsWith('comeback.v1.e.')).length);
  assert.ok(stored >= 2, 'page_view and add_to_cart are kept');
  at.rules.status = 0;
  at.requests.length = 0;
  const other = await context.newPage();
  await page.close();
  await other.goto(at.origin + '/again');
  await until(() => at.events('add_to_cart').length, 'the event of the dead tab');
  await pause(700);
  const ids = at.events().map((e) => e.id);
  assert.equal(new Set(ids).size, ids.length, 'nothing twice');
  assert.equal(at.events('add_to_cart')[0].id, first.events.find((e) => e.name === 'add_to_cart').id);
  const cart = await other.evaluate(() => new Promise((done) => comeback.push(['cart', done])));
  assert.equal(cart.lines[0].item_id, 'mug');
  assert.equal(cart.id, first.cart, 'the same cart');
  await until(() => other.evaluate(() => Object.keys(localStorage).every((k) => !k.startsWith('comeback.v1.e.'))), 'an empty outbox');
});

story('offline events go out once when the network is back', {}, async ({ at, page, context, visit }) => {
  await visit();
  await ready(at);
  await context.setOffline(true);
  await push(page, 'track', 'add_to_cart', add(MUG));
  await push(page, 'track', 'add_to_cart', add(BOWL));
  await pause(600);
  assert.equal(at.events('add_to_cart').length, 0);
  await context.setOffline(false);
  await until(() => at.events('add_to_cart').length >= 2, 'both');
  await pause(1500);
  assert.equal(at.events('add_to_cart').length, 2);
});

story('a hidden page flushes by beacon, and the order closes the cart', {}, async ({ at, page, visit }) => {
  await visit();
  await ready(at);
  await push(page, 'track', 'add_to_cart', add(MUG));
  await page.goto('about:blank');
  await until(() => at.events('page_hide').length, 'the goodbye');
  assert.equal(at.events('add_to_cart').length, 1);
  await visit('/thanks');
  await push(page, 'track', 'purchase', { transaction_id: 'T1', ...add(MUG) });
  await until(() => at.events('purchase').length, 'the order');
  const bought = at.posts().find((p) => p.events.some((e) => e.name === 'purchase')).cart;
  await pause(600);
  await push(page, 'track', 'purchase', { transaction_id: 'T1', ...add(MUG) });
  await push(page, 'track', 'add_to_cart', add(BOWL));
  await until(() => distinct(at.events('add_to_cart')) === 2, 'the next cart');
  const next = at.posts().at(-1).cart;
  assert.match(next, /^cart_/);
  assert.notEqual(next, bought, 'a new cart after the order');
  assert.equal(at.events('purchase').length, 1, 'a reloaded thank-you page is no second order');
});

story('a router changes pages', {}, async ({ at, page, visit }) => {
  await visit();
  await ready(at);
  await page.evaluate(() => {
    history.pushState({}, '', '/p/1');
    history.replaceState({}, '', '/p/1?colour=blue#x');
  });
  await until(() => distinct(at.events('page_view')) === 2, 'the second page view');
  await pause(600);
  assert.equal(at.events('page_view').length, 2, 'a query is no page');
});

const RESTORED = {
  cart: {
    id: 'cart_0000000000000000000000',
    version: 3,
    currency: 'EUR',
    exponent: 2,
    lines: [
      { item_id: 'mug', item_variant: null, title: 'Mug', quantity: 2, unit_price_minor: 1250, image_url: null, item_url: null },
      { item_id: 'bowl', item_variant: 'blue', title: 'Bowl', quantity: 1, unit_price_minor: 3000, image_url: null, item_url: null },
    ],
  },
  report: [{ kind: 'price_changed', item_id: 'mug', was_minor: 1000, now_minor: 1250 }],
};
const ADAPTER = `<script>
  shopCart = JSON.parse(localStorage.shop || '[]'); replaced = 0;
  (comeback = window.comeback || []).push(['adapter', {
    read: async () => ({ currency: 'EUR', lines: shopCart }),
    replace: async (lines) => { replaced += 1; shopCart = lines.map(({ item_id, item_variant, quantity }) => ({ item_id, item_variant, quantity })); localStorage.shop = JSON.stringify(shopCart) },
    checkoutUrl: '/checkout' }]);</script>`;
const contents = (lines) => lines.map((l) => [l.item_id, l.item_variant || '', l.quantity]).sort();
const restored = (page) => until(async () => (await fired(page, 'restore'))[0], 'comeback:restore');

for (const [how, csp] of [['', undefined], [', where wasm is forbidden', "script-src 'self' 'unsafe-inline'"]])
story('a link fills an empty cart, a second click changes nothing' + how, { restore: RESTORED, head: ADAPTER, csp }, async ({ at, page, visit }) => {
  await visit('/cart?comeback_restore=tok.en&utm=x');
  const first = await restored(page);
  assert.equal(first.mode, 'replace');
  assert.deepEqual(first.report, RESTORED.report);
  assert.equal(first.cart.id, RESTORED.cart.id);
  assert.equal(new URL(page.url()).search, '?utm=x', 'the token is gone from the address');
  assert.deepEqual(contents(await page.evaluate(() => shopCart)), [['bowl', 'blue', 1], ['mug', '', 2]]);
  await visit('/cart?comeback_restore=tok.en');
  const second = await restored(page);
  assert.equal(second.mode, 'replace');
  assert.deepEqual(contents(await page.evaluate(() => shopCart)), [['bowl', 'blue', 1], ['mug', '', 2]]);
  assert.equal(await page.locator('comeback-panel').count(), 0, 'equal carts need no question');
  await until(() => at.events('cart_set').length >= 1, 'the whole cart');
  assert.ok(!at.posts().some((p) => JSON.stringify(p).includes('tok.en')), 'the token is in no event');
  assert.equal(at.posts().find((p) => p.events.some((e) => e.name === 'cart_set')).cart, RESTORED.cart.id);
});

for (const [mode, button, expect] of [
  ['keep', 'Keep what is here', [['mug', '', 3], ['vase', '', 1]]],
  ['merge', 'Put both together', [['bowl', 'blue', 1], ['mug', '', 3], ['vase', '', 1]]],
  ['replace', 'Use the cart from the link', [['bowl', 'blue', 1], ['mug', '', 2]]],
]) {
  story(`two different carts: the shopper may ${mode}`, { restore: RESTORED, head: ADAPTER.replace("localStorage.shop || '[]'", `localStorage.shop || '[{"item_id":"mug","quantity":3},{"item_id":"vase","quantity":1}]'`) }, async ({ at, page, visit }) => {
    await visit('/cart?comeback_restore=t');
    await panel(page, 'restore').getByRole('button', { name: button }).click();
    assert.equal((await restored(page)).mode, mode);
    assert.deepEqual(contents(await page.evaluate(() => shopCart)), expect);
    if (mode === 'keep') {
      await pause(700);
      assert.equal(at.events('cart_set').length, 0, 'nothing changed, nothing is said');
    } else {
      await until(() => at.events('cart_set').length, 'the whole cart');
      assert.deepEqual(contents(at.events('cart_set')[0].data.items), expect);
    }
    const last = at.posts().at(-1).cart;
    if (mode === 'replace') assert.equal(last, RESTORED.cart.id);
    else assert.ok(!at.posts().some((p) => p.cart === RESTORED.cart.id), 'the linked cart is not written to');
    if (mode === 'merge') assert.match(last, /^cart_[0-9A-Za-z]{22}$/);
    if (mode !== 'keep') {
      await visit('/cart?comeback_restore=t');
      if (mode === 'merge') await panel(page, 'restore').getByRole('button', { name: button }).click();
      await restored(page);
      assert.deepEqual(contents(await page.evaluate(() => shopCart)), expect, 'twice is once');
    }
  });
}

story('an order made elsewhere ends the cart here; what was added since goes on under another id', {}, async ({ at, page, visit }) => {
  await visit();
  await push(page, 'track', 'add_to_cart', add(MUG));
  const first = (await until(() => at.posts().find((p) => p.cart && p.events.some((e) => e.name === 'add_to_cart')), 'the cart')).cart;
  await pause(200);
  at.rules.closed = first;
  let release;
  at.rules.hold = new Promise((done) => (release = done));
  await push(page, 'track', 'add_to_cart', add(BOWL));
  await until(() => distinct(at.events('add_to_cart')) === 2, 'the second add');
  // Captured under the old id while the answer is on its way.
  await push(page, 'track', 'add_to_cart', { currency: 'EUR', items: [{ item_id: 'vase', price: 9, quantity: 1 }] });
  await pause(400);
  at.rules.hold = null;
  release();
  const set = await until(() => at.posts().find((p) => p.events.some((e) => e.name === 'cart_set')), 'the new cart');
  assert.match(set.cart, /^cart_[0-9A-Za-z]{22}$/);
  assert.notEqual(set.cart, first);
  assert.deepEqual(contents(set.events.find((e) => e.name === 'cart_set').data.items), [['bowl', '', 2], ['vase', '', 1]]);
  assert.equal(at.posts().find((p) => p.events.some((e) => e.data.items?.[0].item_id === 'vase')).cart, set.cart, 'nothing more goes to the closed cart');
  await visit('/next');
  await until(() => distinct(at.events('page_view')) === 2, 'the next page');
  assert.equal(at.posts().at(-1).cart, set.cart);
  const cart = await page.evaluate(() => new Promise((done) => comeback.push(['cart', done])));
  assert.deepEqual(contents(cart.lines), [['bowl', '', 2], ['vase', '', 1]]);
});

story('a cart ordered elsewhere with nothing added since is gone here', {}, async ({ at, page, visit }) => {
  await visit();
  await push(page, 'track', 'add_to_cart', add(MUG));
  at.rules.closed = (await until(() => at.posts().find((p) => p.cart), 'the cart')).cart;
  await pause(200);
  await visit('/next');
  await until(async () => (await page.evaluate(() => JSON.parse(localStorage['comeback.v1']).lines.length)) === 0, 'the empty cart');
  await pause(600);
  assert.equal(at.events('cart_set').length, 0);
  await push(page, 'track', 'add_to_cart', add(BOWL));
  const post = await until(() => at.posts().find((p) => p.events.some((e) => e.data.items?.[0].item_id === 'bowl')), 'the next item');
  assert.ok(post.cart && post.cart !== at.rules.closed);
});

story('a cart the edge has no trace of goes on whole under another id', {}, async ({ at, page, visit }) => {
  await visit();
  await push(page, 'track', 'add_to_cart', add(MUG));
  at.rules.forgotten = (await until(() => at.posts().find((p) => p.cart), 'the cart')).cart;
  await pause(200);
  await push(page, 'track', 'add_to_cart', add(BOWL));
  const set = await until(() => at.posts().find((p) => p.events.some((e) => e.name === 'cart_set')), 'the new cart');
  assert.notEqual(set.cart, at.rules.forgotten);
  assert.deepEqual(contents(set.events.find((e) => e.name === 'cart_set').data.items), [['bowl', '', 2], ['mug', '', 1]]);
});

story('an adapter that comes late gets the restored cart', { restore: RESTORED }, async ({ at, page, visit }) => {
  await visit('/cart?comeback_restore=t');
  await until(() => at.requests.some((r) => r.path.startsWith('/v1/restore/')), 'the fetch');
  await pause(400);
  assert.deepEqual(await fired(page, 'restore'), [], 'nothing is claimed before');
  await page.evaluate(() => {
    window.shopCart = [{ item_id: 'vase', quantity: 1 }];
    comeback.push(['adapter', { read: async () => ({ currency: 'EUR', lines: shopCart }), replace: async (lines) => (shopCart = lines), checkoutUrl: '/' }]);
  });
  await panel(page, 'restore').getByRole('button', { name: 'Put both together' }).click();
  assert.equal((await restored(page)).mode, 'merge');
  assert.deepEqual(contents(await page.evaluate(() => shopCart)), [['bowl', 'blue', 1], ['mug', '', 2], ['vase', '', 1]]);
});

story('a restore is tried again where that may help', { restore: RESTORED, head: ADAPTER, failures: [503] }, async ({ at, page, visit }) => {
  await visit('/cart?comeback_restore=t');
  await restored(page);
  assert.equal(at.requests.filter((r) => r.path.startsWith('/v1/restore/')).length, 2);
  assert.deepEqual(await fired(page, 'error'), []);
});

story('one bad command does not swallow those behind it', {
  head: `<script>comeback = [['track'], null, ['cart', () => { throw new Error('theirs') }], ['track', 'add_to_cart', ${JSON.stringify(add(MUG))}]]</script>`,
}, async ({ at, page, visit }) => {
  await visit();
  await until(() => at.events('add_to_cart').length, 'the command at the end');
  assert.ok((await fired(page, 'error')).some((e) => e.kind === 'capture' && /theirs/.test(e.message)));
});

story('leaving while a flush is under way takes along what is queued behind it', {}, async ({ at, page, visit }) => {
  let release;
  at.rules.hold = new Promise((done) => (release = done));
  await visit();
  await until(() => at.events('page_view').length, 'the flush');
  await push(page, 'track', 'add_to_cart', add(MUG));
  await page.goto('about:blank');
  await until(() => at.events('page_hide').length && at.events('add_to_cart').length, 'the rest');
  release();
});

story('each event is later than the one before, even when the clock goes back, and each batch says when it was sent', {}, async ({ at, page, visit }) => {
  await visit();
  await ready(at);
  await page.evaluate((mug) => {
    const { now } = Date;
    for (let n = 0; n < 3; n += 1) comeback.push(['track', 'view_item', { ...mug, items: [{ item_id: 'v' + n }] }]);
    Date.now = () => now() - 3_600_000;
    comeback.push(['track', 'add_to_cart', mug]);
    Date.now = now;
  }, add(MUG));
  await until(() => at.events('add_to_cart').length, 'the last');
  const times = at.events().map((e) => e.t);
  times.slice(1).forEach((t, n) => assert.ok(t > times[n], times.join()));
  for (const post of at.posts()) assert.ok(Number.isInteger(post.sent) && Math.abs(post.sent - Date.now()) < 60_000);
});

story('help for a declined card is offered once per way to pay', {}, async ({ at, page, visit }) => {
  await visit();
  await ready(at);
  await push(page, 'track', 'checkout_error', { step: 'payment', code: 'card_number_missing', method: 'card' });
  await pause(300);
  assert.equal(await page.locator('comeback-panel').count(), 0, 'a slip of the fingers is no refusal');
  await push(page, 'track', 'checkout_error', { step: 'payment', code: 'insufficient_funds', method: 'card' });
  await panel(page, 'declined').waitFor();
  await page.keyboard.press('Escape');
  await visit('/again');
  await until(() => distinct(at.events('page_view')) === 2, 'the next page');
  await push(page, 'track', 'checkout_error', { step: 'payment', code: 'card_declined', method: 'card' });
  await pause(400);
  assert.equal(await page.locator('comeback-panel').count(), 0);
  await push(page, 'track', 'checkout_error', { step: 'payment', code: 'card_declined', method: 'invoice' });
  await panel(page, 'declined').waitFor();
});

story('without wasm: a contact, the cart and the choice work, and outlive an order', { csp: "script-src 'self' 'unsafe-inline'", config: { consent: { mode: 'required', wording: 'w1' } } }, async ({ at, page, visit }) => {
  await visit();
  await push(page, 'identify', { email: 'a@example.com', consent: { email: true } });
  await until(async () => (await fired(page, 'error')).length, 'the note');
  await push(page, 'track', 'add_to_cart', add(MUG));
  assert.deepEqual(contents((await page.evaluate(() => new Promise((done) => comeback.push(['cart', done])))).lines), [['mug', '', 1]]);
  assert.ok(!at.requests.some((r) => r.method === 'POST'));
  await push(page, 'consent', { storage: true });
  const identify = await until(() => at.requests.find((r) => r.path === '/v1/identify'), 'the contact');
  assert.deepEqual(JSON.parse(identify.body).consent, { email: true, sms: false, wording: 'w1' });
  await push(page, 'track', 'purchase', { transaction_id: 'T1', ...add(MUG) });
  await until(() => at.events('purchase').length, 'the order');
  await visit('/2');
  await until(() => distinct(at.events('page_view')) === 2, 'the yes still holds');
  await push(page, 'consent', { storage: false });
  await until(() => at.posts().filter((p) => p.consent.storage === false).length === 1, 'the farewell');
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
});

story('a dead link is told, not thrown', {}, async ({ page, visit }) => {
  await visit('/cart?comeback_restore=t');
  const [error] = await until(async () => (await fired(page, 'error')).length && fired(page, 'error'), 'comeback:error');
  assert.deepEqual([error.kind, error.status], ['restore', 410]);
});

story('a page that forbids wasm is still captured and keeps its cart', {
  csp: "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self'",
  body: `<button id="add" data-comeback-add='${JSON.stringify({ ...MUG, currency: 'EUR' })}'>Add</button>`,
}, async ({ at, page, visit }) => {
  await visit();
  await page.click('#add', { noWaitAfter: true });
  await page.evaluate(() => dataLayer.push({ event: 'view_item', ecommerce: { currency: 'EUR', items: [{ item_id: 'mug', price: 12.5 }] } }));
  await until(() => at.events('add_to_cart').length && at.events('view_item').length && at.events('page_view').length, 'events without wasm');
  const errors = await fired(page, 'error');
  assert.deepEqual(errors.map((e) => e.kind), ['module'], 'said once');
  assert.match(at.posts().at(-1).cart, /^cart_[0-9A-Za-z]{22}$/);
  const first = at.posts().find((p) => p.cart).cart;
  await visit('/2');
  await page.click('#add');
  await until(() => distinct(at.events('add_to_cart')) === 2, 'the second add');
  assert.equal(at.posts().at(-1).cart, first, 'the cart survives the page');
  assert.equal(await page.evaluate(() => JSON.parse(localStorage['comeback.v1']).lines[0].quantity), 2);
});

story('a page that forbids wasm waits for consent too', { csp: "script-src 'self' 'unsafe-inline'", config: { consent: { mode: 'required', wording: 'w1' } } }, async ({ at, page, visit }) => {
  await visit();
  await push(page, 'track', 'add_to_cart', add(MUG));
  await until(async () => (await fired(page, 'error')).length, 'the note');
  await pause(700);
  assert.deepEqual(at.requests.filter((r) => r.method !== 'GET'), []);
  assert.deepEqual(await page.evaluate(() => window.writes), []);
  await push(page, 'consent', { storage: true });
  await until(() => at.events('add_to_cart').length, 'the held event');
});

story('a page that lets in no script but the tag is left alone: said once, nothing is thrown', { csp: "script-src http://127.0.0.1:*/comeback.js 'unsafe-inline'" }, async ({ at, page, visit }) => {
  await visit();
  await push(page, 'track', 'add_to_cart', add(MUG));
  await until(async () => (await fired(page, 'error')).length, 'the note');
  await pause(700);
  assert.deepEqual((await fired(page, 'error')).map((e) => e.kind), ['module']);
  assert.deepEqual(at.requests.filter((r) => r.method !== 'GET'), []);
});

story('a strict policy that allows wasm needs nothing else: panel styles included', { csp: "default-src 'self'; script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'self'" }, async ({ at, page, visit }) => {
  const refused = [];
  page.on('console', (message) => /Content Security Policy/.test(message.text()) && !/style="min-height|Applying inline style/.test(message.text()) && refused.push(message.text()));
  await visit();
  await push(page, 'track', 'add_to_cart', add(MUG));
  await ready(at);
  await leave(page);
  await panel(page, 'exit').waitFor();
  assert.equal(await panel(page, 'exit').evaluate((e) => getComputedStyle(e).position), 'relative', 'the sheet is applied');
  assert.deepEqual(refused, []);
});

story('a batch is at most 16 KB', {}, async ({ at, page, visit }) => {
  await visit();
  await page.evaluate(() => {
    for (let n = 0; n < 120; n += 1) comeback.push(['track', 'view_item', { currency: 'EUR', items: [{ item_id: 'i' + n, item_name: 'ö'.repeat(200), price: 1 }] }]);
    comeback.push(['track', 'view_cart', { currency: 'EUR', items: Array.from({ length: 100 }, (_, n) => ({ item_id: 'i' + n, item_name: 'ö'.repeat(500), image_url: 'https://x.example/' + 'y'.repeat(400), price: 1 })) }]);
  });
  await until(() => at.events('view_item').length === 120 && at.events('view_cart').length === 1, 'all of them');
  for (const request of at.requests.filter((r) => r.path === '/v1/events')) assert.ok(Buffer.byteLength(request.body) <= 16_384, Buffer.byteLength(request.body) + ' bytes');
  assert.equal(at.events('view_cart')[0].data.items.length, 100);
});

story('data attributes: what is there is reported when it is there, once, and again when it is another', { body: `<div data-comeback-view='{"item_id":"mug","currency":"EUR","price":12}'></div><button id="b">Buy</button>` }, async ({ at, page, visit }) => {
  await visit();
  await until(() => at.events('view_item').length, 'the product that is there');
  assert.deepEqual(at.events('view_item')[0].data.items.map((item) => item.item_id), ['mug']);
  await page.evaluate(() => {
    document.body.append(document.createElement('p'));
    document.querySelector('[data-comeback-view]').setAttribute('data-comeback-view', '{"item_id":"bowl","currency":"EUR","price":30}');
    const refused = document.createElement('p');
    refused.setAttribute('data-comeback-checkout-error', '{"step":"payment","code":"card_declined","method":"card"}');
    document.body.append(refused);
  });
  await until(() => at.events('checkout_error').length, 'the refusal');
  await until(() => distinct(at.events('view_item')) === 2, 'another product');
  await pause(500);
  assert.equal(distinct(at.events('view_item')), 2);
  assert.equal(distinct(at.events('checkout_error')), 1);
  assert.equal(at.events('checkout_error')[0].data.code, 'card_declined');
});

story('data-endpoint: configuration and events go to another origin, which may answer and set its cookie', {}, async ({ at, page, visit }) => {
  const edge = await shop({ cors: 'cb_visitor=v_1; Path=/' });
  try {
    at.rules.tag = `data-endpoint="${edge.origin}/"`;
    await visit();
    await push(page, 'track', 'add_to_cart', add(MUG));
    await until(() => edge.events('add_to_cart').length, 'the add, at the edge');
    await push(page, 'track', 'add_to_cart', add(MUG));
    await until(() => distinct(edge.events('add_to_cart')) === 2, 'and the next');
    assert.deepEqual(at.requests.filter((r) => r.path.startsWith('/v1/')), [], 'the shop is asked for nothing of it');
    const config = edge.requests.find((r) => r.path.startsWith('/v1/config/'));
    assert.equal(config.cookies, undefined);
    assert.equal(edge.requests.filter((r) => r.path === '/v1/events').at(-1).cookies, 'cb_visitor=v_1');
    assert.deepEqual(edge.requests.filter((r) => r.method === 'OPTIONS'), [], 'no preflight');
    assert.deepEqual(edge.wrong, []);
  } finally {
    await edge.close();
  }
});

story('a page that the browser makes ready in advance is asked about and told of once it is a visit', {}, async ({ at, page, context }) => {
  await page.goto(at.origin);
  await page.evaluate(() => localStorage.setItem('comeback.v1', '{}'));
  await context.addInitScript(() => Object.defineProperty(document, 'prerendering', { value: location.pathname === '/ahead', configurable: true }));
  const from = at.requests.length;
  await page.goto(at.origin + '/ahead?comeback_restore=tok.en');
  await until(() => at.requests.slice(from).some((r) => /sdk_bg/.test(r.path)), 'the module');
  await pause(800);
  assert.deepEqual(at.requests.slice(from).filter((r) => r.path.startsWith('/v1/')), []);
  await page.evaluate(() => {
    delete document.prerendering;
    document.dispatchEvent(new Event('prerenderingchange'));
  });
  await until(() => at.events('page_view').length === 1, 'the visit');
});
