// The cart is kept: where storage is full, blocked or cleared, the clock is wrong, another device changed it, or
// the shopper wants it forgotten.
import assert from 'node:assert/strict';
import { BOWL, COPY, MUG, add, distinct, fired, leave, pause, push, ready, story, until } from './support/storefront.mjs';

const cartOf = (page) => page.evaluate(() => new Promise((done) => comeback.push(['cart', done])));
const contents = (cart) => cart.lines.map((line) => [line.item_id, line.quantity, line.price]).sort();
const line = (item_id, quantity, unit_price_minor) => ({ item_id, item_variant: null, title: item_id, quantity, unit_price_minor, image_url: null, item_url: null });
const truth = (id, version, lines) => ({ id, version, currency: 'EUR', exponent: 2, closed: false, lines });

const BROKEN = {
  'storage is full': () => {
    Storage.prototype.setItem = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
  },
  'storage is blocked': () => {
    for (const name of ['localStorage', 'sessionStorage'])
      Object.defineProperty(window, name, {
        get() {
          throw new DOMException('blocked', 'SecurityError');
        },
      });
  },
  'storage holds nonsense': () => {
    localStorage['comeback.v1'] = '{"at":9e15,"cart":"<img>","lines":"x","shown":7,"consent":{"storage":"yes"}';
    localStorage['comeback.v1.e.evt_1'] = 'no line end';
    localStorage['comeback.v1.e.evt_2'] = '\n{"t":';
    sessionStorage['comeback.v1'] = '[1,2';
  },
  'storage holds something of another version': () => {
    localStorage['comeback.v1'] = '{"at":"later","cart":7,"lines":{"a":1},"shown":null}';
    sessionStorage['comeback.v1'] = '[2,0,1,3,4]';
  },
};
for (const [what, breaks] of Object.entries(BROKEN)) {
  story(`${what}: the page goes on and is told`, {}, async ({ at, page, context, visit }) => {
    await context.addInitScript(breaks);
    await visit();
    await push(page, 'track', 'add_to_cart', add(MUG));
    await push(page, 'track', 'add_to_cart', add(BOWL));
    await until(() => distinct(at.events('add_to_cart')) === 2, 'both');
    assert.deepEqual(contents(await cartOf(page)), [['bowl', 2, 30], ['mug', 1, 12.5]]);
    assert.match(at.posts().find((p) => p.cart).cart, /^cart_\w{22}$/);
    assert.deepEqual((await fired(page, 'error')).map((e) => e.kind), []);
  });
}

story('a browser that cleared its storage gets its cart back by the cookie', {}, async ({ at, page, visit }) => {
  // As after Safari's seven days: nothing is stored, the edge's cookie is still there.
  at.rules.serve = (entry, url, reply) => {
    if (url.pathname === '/v1/events' && !JSON.parse(entry.body).cart) return reply(200, 'application/json', JSON.stringify({ cart: { id: 'cart_kept', version: 7, closed: false }, bucket: 1, panel: { allowed: true } })) || true;
    if (url.pathname === '/v1/cart') return reply(200, 'application/json', JSON.stringify(truth('cart_kept', 7, [line('mug', 3, 1250)]))) || true;
  };
  await visit();
  await until(async () => (await cartOf(page)).lines.length, 'the cart');
  const cart = await cartOf(page);
  assert.equal(cart.id, 'cart_kept');
  assert.deepEqual(contents(cart), [['mug', 3, 12.5]]);
  assert.equal(at.requests.filter((r) => r.path === '/v1/cart').length, 1, 'asked once');
  await visit('/next');
  await push(page, 'track', 'add_to_cart', add(MUG));
  await until(() => at.posts().some((p) => p.cart === 'cart_kept' && p.events.some((e) => e.name === 'add_to_cart')), 'it goes on');
  assert.deepEqual(contents(await cartOf(page)), [['mug', 4, 12.5]]);
});

story('what another device did to the cart is taken over when this one did nothing meanwhile', {}, async ({ at, page, visit }) => {
  let version = 1;
  at.rules.serve = (entry, url, reply) => {
    if (url.pathname === '/v1/events') {
      const { cart, events } = JSON.parse(entry.body);
      if (events.some((e) => /cart/.test(e.name))) version += 1;
      return reply(200, 'application/json', JSON.stringify({ cart: cart && { id: cart, version, closed: false }, bucket: 1, panel: { allowed: true } })) || true;
    }
    if (url.pathname === '/v1/cart') return reply(200, 'application/json', JSON.stringify(truth(at.posts().find((p) => p.cart).cart, version, [line('mug', 1, 1250), line('vase', 1, 900)]))) || true;
  };
  await visit();
  await push(page, 'track', 'add_to_cart', add(MUG));
  await until(() => at.events('add_to_cart').length, 'the cart');
  await pause(300);
  await push(page, 'track', 'view_item', add(MUG));
  await until(() => at.events('view_item').length, 'a look');
  await pause(300);
  assert.ok(!at.requests.some((r) => r.path === '/v1/cart'), 'the same version is no news');
  version += 5;
  await push(page, 'track', 'begin_checkout', add(MUG));
  await until(async () => (await cartOf(page)).lines.length === 2, 'the other device put a vase in');
  assert.deepEqual(contents(await cartOf(page)), [['mug', 1, 12.5], ['vase', 1, 9]]);
  assert.equal(at.events('cart_set').length, 0, 'what the edge knows is not told it again');
});

story('what the shopper does while the edge is asked stands', {}, async ({ at, page, visit }) => {
  let answer;
  at.rules.serve = async (entry, url, reply) => {
    if (url.pathname === '/v1/events' && !JSON.parse(entry.body).cart) return reply(200, 'application/json', JSON.stringify({ cart: { id: 'cart_kept', version: 7, closed: false }, bucket: 1, panel: { allowed: true } })) || true;
    if (url.pathname !== '/v1/cart') return false;
    await new Promise((done) => (answer = done));
    return reply(200, 'application/json', JSON.stringify(truth('cart_kept', 7, [line('vase', 1, 900)]))) || true;
  };
  await visit();
  await until(() => answer, 'the question');
  await push(page, 'track', 'add_to_cart', add(MUG));
  answer();
  await until(() => at.events('add_to_cart').length, 'the add');
  await pause(300);
  assert.deepEqual(contents(await cartOf(page)), [['mug', 1, 12.5]]);
});

story('a cart is forgotten: here, in other tabs, at the edge, and the next one is another', {}, async ({ at, page, context, visit }) => {
  at.rules.serve = (entry, url, reply) => entry.method === 'DELETE' && (reply(204, 'text/plain', '') || true);
  await visit();
  await push(page, 'track', 'add_to_cart', add(MUG));
  const first = (await until(() => at.posts().find((p) => p.cart), 'the cart')).cart;
  const other = await context.newPage();
  await other.goto(at.origin + '/two');
  await other.mouse.move(500, 600);
  await until(async () => (await cartOf(other)).lines.length === 1, 'the other tab has it');
  await push(page, 'forget');
  const asked = await until(() => at.requests.find((r) => r.method === 'DELETE'), 'the edge is told');
  assert.deepEqual([asked.path, asked.query.get('pk')], ['/v1/cart', 'pk_demo']);
  assert.deepEqual((await cartOf(page)).lines, []);
  await until(async () => {
    await push(other, 'track', 'view_item', add(MUG));
    return !(await cartOf(other)).lines.length;
  }, 'the other tab too');
  await push(page, 'track', 'add_to_cart', add(BOWL));
  const next = await until(() => at.posts().find((p) => p.events.some((e) => e.data.items?.[0].item_id === 'bowl')), 'the next item');
  assert.ok(next.cart && next.cart !== first);
});

story('events wait a week for the network and no longer; a clock that is wrong loses nothing', {}, async ({ at, page, visit }) => {
  await visit();
  await ready(at);
  await page.evaluate(() => {
    const now = Date.now();
    for (const [id, t] of [['evt_' + 'o'.repeat(22), now - 8 * 86_400_000], ['evt_' + 'y'.repeat(22), now - 86_400_000], ['evt_' + 'f'.repeat(22), now + 86_400_000]])
      localStorage['comeback.v1.e.' + id] = '\n' + JSON.stringify({ id, t, name: 'view_item', data: {} });
  });
  await visit('/next');
  await until(() => distinct(at.events('view_item')) === 2, 'those that count');
  await pause(300);
  assert.deepEqual(at.events('view_item').map((e) => e.id[4]).sort(), ['f', 'y']);
  await until(async () => (await page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes('.e.')))).length === 0, 'nothing is left');
});

story('what another tab did is not undone: an order, a panel that was shown', { config: { panels: { ...COPY } } }, async ({ at, page, context, visit }) => {
  await visit('/one');
  await push(page, 'track', 'add_to_cart', add(MUG));
  const bought = (await until(() => at.posts().find((p) => p.cart), 'the cart')).cart;
  await pause(300);
  const other = await context.newPage();
  await other.goto(at.origin + '/two');
  await other.mouse.move(500, 600);
  await until(() => distinct(at.events('page_view')) === 2, 'the other tab');
  await push(other, 'track', 'purchase', { transaction_id: 'T1', ...add(MUG) });
  await until(() => at.events('purchase').length, 'the order');
  await pause(300);
  await leave(page);
  await pause(500);
  assert.equal(await page.locator('comeback-panel').count(), 0, 'there is nothing to keep');
  await push(page, 'track', 'purchase', { transaction_id: 'T1', ...add(MUG) });
  await visit('/three');
  await push(page, 'track', 'add_to_cart', add(BOWL));
  const next = await until(() => at.posts().find((p) => p.events.some((e) => e.data.items?.[0].item_id === 'bowl')), 'the next item');
  assert.notEqual(next.cart, bought);
  assert.deepEqual(contents(await cartOf(page)), [['bowl', 2, 30]]);
  assert.equal(at.events('purchase').length, 1, 'the order is one, in whatever tab it is told again');
});

story('a no to one purpose that is said in one tab holds in the other', { config: { consent: { mode: 'implied', wording: 'w1' } } }, async ({ at, page, context, visit }) => {
  await visit('/one');
  await push(page, 'consent', { marketing: true });
  await until(() => at.posts().some((p) => p.consent.marketing), 'the yes');
  const other = await context.newPage();
  await other.goto(at.origin + '/two');
  await other.mouse.move(500, 600);
  await until(() => distinct(at.events('page_view')) === 2, 'the other tab');
  await push(other, 'consent', { marketing: false, profiling: false });
  await other.close();
  await pause(300);
  await push(page, 'track', 'add_to_cart', add(MUG));
  const told = await until(() => at.posts().find((p) => p.events.some((e) => e.name === 'add_to_cart')), 'the next batch');
  assert.deepEqual([told.consent.marketing, told.consent.profiling], [false, false]);
});

story('what the shopper did and the edge has not heard is not overwritten by what it has', {}, async ({ at, page, visit }) => {
  let version = 1, hold;
  at.rules.serve = async (entry, url, reply) => {
    if (url.pathname === '/v1/events') {
      const { cart } = JSON.parse(entry.body);
      if (hold) await hold;
      return reply(200, 'application/json', JSON.stringify({ cart: cart && { id: cart, version, closed: false }, bucket: 1, panel: { allowed: true } })) || true;
    }
    if (url.pathname === '/v1/cart') return reply(200, 'application/json', JSON.stringify(truth(at.posts().find((p) => p.cart).cart, version, [line('mug', 1, 1250)]))) || true;
  };
  await visit();
  await push(page, 'track', 'add_to_cart', add(MUG));
  await until(() => at.events('add_to_cart').length, 'the cart');
  await pause(300);
  let release;
  hold = new Promise((done) => (release = done));
  version += 5;
  await push(page, 'track', 'view_item', add(MUG));
  await until(() => at.events('view_item').length, 'a quiet flush under way');
  await push(page, 'track', 'add_to_cart', add(BOWL));
  hold = undefined;
  release();
  await until(() => distinct(at.events('add_to_cart')) === 2, 'the second add');
  await pause(400);
  assert.deepEqual(contents(await cartOf(page)), [['bowl', 2, 30], ['mug', 1, 12.5]]);
});

story('a cart that could not be forgotten at once is asked for again, and told when that is in vain', {}, async ({ at, page, visit }) => {
  let answers = [503, 204];
  at.rules.serve = (entry, url, reply) => entry.method === 'DELETE' && (reply(answers.shift() ?? 403, 'text/plain', '') || true);
  await visit();
  await push(page, 'track', 'add_to_cart', add(MUG));
  await until(() => at.posts().some((p) => p.cart), 'the cart');
  await pause(200);
  await page.evaluate(() => comeback.push(['forget', () => (window.forgotten = true)]));
  await until(() => page.evaluate(() => window.forgotten), 'heard');
  assert.equal(at.requests.filter((r) => r.method === 'DELETE').length, 2);
  assert.deepEqual(await fired(page, 'error'), []);
  await push(page, 'track', 'add_to_cart', add(BOWL));
  await until(() => distinct(at.events('add_to_cart')) === 2, 'another cart');
  await push(page, 'forget');
  await until(async () => (await fired(page, 'error')).some((e) => e.kind === 'forget' && e.status === 403), 'told');
});
