// The cart of a browser or an app by its cookie: versions, two writers at once, whose cart it is, and that it is forgotten.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { Browser, advance, demoShop, fault, hours, inbox, minutes, mug, newEvent, now, other, reset, resumePath, startShop, story } from './support/shopper.mjs';

const path = '/v1/cart?pk=pk_demo';
let rig;
before(async () => {
  rig = await startShop();
  const document = await demoShop(rig);
  const second = { ...document, shop: 'shop_second', pk: 'pk_second', hosts: ['second.example'], origins: [rig.url] };
  assert.equal((await rig.admin('/v1/admin/shops/shop_second', { method: 'PUT', body: second })).status, 200);
});
after(() => rig?.stop());
beforeEach(() => reset(rig));

const address = (name) => `${name}.${newEvent().slice(4)}@example.com`;
const put = (browser, etag, items, target = path) =>
  browser.fetch(target, { method: 'PUT', headers: etag === undefined ? {} : { 'if-match': etag }, body: typeof items === 'string' ? items : JSON.stringify({ items }) });
const drop = (browser, target = path, init = {}) => browser.fetch(target, { method: 'DELETE', ...init });

async function filled() {
  const browser = new Browser(rig);
  await browser.add();
  const seen = await browser.fetch(path);
  assert.equal(seen.status, 200);
  return { browser, etag: seen.headers.get('etag'), view: await seen.json() };
}

async function problem(answer, status, type) {
  const body = await answer.json();
  assert.deepEqual([answer.status, answer.headers.get('content-type'), body.type], [status, 'application/problem+json', type], body.detail);
  return body;
}

// ------------------------------------------------------------------------------------------------------------ versions

test('the ETag is the version, and every change counts it up', async () => {
  const { browser, etag, view } = await filled();
  assert.equal(etag, `"${view.version}"`);
  const done = await put(browser, etag, [{ ...mug, quantity: 3 }, other]);
  assert.equal(done.status, 200);
  const told = await done.json();
  assert.ok(told.version > view.version);
  assert.equal(done.headers.get('etag'), `"${told.version}"`);
  const seen = await browser.fetch(path);
  assert.equal(seen.headers.get('etag'), `"${told.version}"`);
  assert.deepEqual((await seen.json()).lines.map((l) => [l.item_variant, l.quantity]), [[mug.item_variant, 3], [other.item_variant, 2]]);
});

test('without If-Match or with one that is none: 428, and nothing changes', async () => {
  const { browser, etag } = await filled();
  for (const bad of [undefined, '*', 'W/"1"', '""', 'x', '"1.5"', '"-1"', '"1", "2"', `"${'9'.repeat(40)}"`]) {
    await problem(await put(browser, bad, [other]), 428, '/problems/precondition-required');
  }
  assert.equal((await browser.fetch(path)).headers.get('etag'), etag);
});

test('an outdated version is 412 and names the one there is', async () => {
  const { browser, etag } = await filled();
  await browser.add([other]);
  const current = (await browser.fetch(path)).headers.get('etag');
  const { detail } = await problem(await put(browser, etag, [mug]), 412, '/problems/version-conflict');
  assert.ok(detail.includes(current.replaceAll('"', '')), detail);
  assert.equal((await (await browser.fetch(path)).json()).lines.length, 2);
});

test('of writers that race one wins, and the others hear of it', async () => {
  const { browser, etag } = await filled();
  const answers = await Promise.all([1, 2, 3, 4, 5, 6].map((quantity) => put(browser, etag, [{ ...mug, quantity }])));
  const won = answers.filter((a) => a.status === 200);
  assert.equal(won.length, 1, `${answers.map((a) => a.status)}`);
  assert.deepEqual([...new Set(answers.filter((a) => a.status !== 200).map((a) => a.status))], [412]);
  const winner = answers.indexOf(won[0]) + 1;
  const { lines, version } = await (await browser.fetch(path)).json();
  assert.deepEqual([lines.length, lines[0].quantity, version], [1, winner, (await won[0].json()).version]);
});

test('bodies that are too large, cut off or of the wrong form: 4xx, and nothing changes', async () => {
  const { browser, etag } = await filled();
  const huge = JSON.stringify({ items: [{ ...mug, item_name: 'x'.repeat(17_000) }] });
  await problem(await put(browser, etag, huge), 413, '/problems/too-large');
  await problem(await put(browser, etag, 'x'.repeat(2_000_000)), 413, '/problems/too-large');
  const whole = JSON.stringify({ items: [mug] });
  for (const bad of ['', '[]', 'null', '{}', '{"items":7}', '{"items":[{}]}', whole.slice(0, -3)]) {
    await problem(await put(browser, etag, bad), 400, '/problems/malformed');
  }
  for (const item of [{ ...mug, price: -1 }, { ...mug, quantity: -1 }, { ...mug, item_id: '' }]) {
    await problem(await put(browser, etag, [item]), 400, '/problems/malformed');
  }
  assert.equal((await browser.fetch(path)).headers.get('etag'), etag);
});

test('no cart, no cookie of this shop, no shop: 404; a closed cart: 409; another origin: 403', async () => {
  const { browser, etag } = await filled();
  await problem(await rig.fetch(path), 404, '/problems/not-found');
  await problem(await put(new Browser(rig), '"1"', [mug]), 404, '/problems/not-found');
  // The same cookies at another shop of this edge lead nowhere.
  const second = '/v1/cart?pk=pk_second';
  await problem(await browser.fetch(second), 404, '/problems/not-found');
  await problem(await put(browser, etag, [mug], second), 404, '/problems/not-found');
  await problem(await browser.fetch('/v1/cart?pk=pk_nobody'), 404, '/problems/not-found');
  await problem(await browser.fetch('/v1/cart'), 400, '/problems/malformed');
  for (const method of ['PUT', 'DELETE']) {
    const headers = { origin: 'https://evil.example', 'if-match': etag };
    await problem(await browser.fetch(path, { method, headers, body: method === 'PUT' ? '{"items":[]}' : undefined }), 403, '/problems/forbidden');
  }
  const cookies = new Map(browser.cookies);
  await browser.buy();
  browser.cookies = cookies;
  const closed = (await browser.fetch(path)).headers.get('etag');
  await problem(await put(browser, closed, [mug]), 409, '/problems/cart-closed');
});

// ----------------------------------------------------------------------------------------------------------- forgotten

test('a cart that is forgotten is gone, for good: late and new events find it closed', async () => {
  const email = address('ada');
  const browser = new Browser(rig);
  const late = browser.event('add_to_cart', { currency: 'EUR', items: [other] }, { t: await now(rig) });
  await browser.add();
  await browser.identify(email);
  const held = new Map(browser.cookies);
  const answer = await drop(browser);
  assert.deepEqual([answer.status, await answer.text()], [204, '']);
  assert.ok(!browser.cookies.has('cb_cart') && browser.cookies.has('cb_vis'), 'the cart\'s cookie goes, the visitor\'s stays');
  assert.equal((await browser.fetch(path)).status, 404);
  for (const events of [[late], [late], [browser.event('view_cart', { currency: 'EUR', items: [mug] })], [browser.event('page_hide')], []]) {
    browser.cookies = new Map(held);
    const told = await browser.send(events);
    assert.deepEqual([told.cart.id, told.cart.closed, told.panel.why], [browser.cart, true, 'open']);
    assert.ok(!browser.cookies.has('cb_cart'), 'and the cookie is let go again');
  }
  browser.cookies = new Map(held);
  assert.equal((await browser.fetch(path)).status, 404, 'with the cookie that was');
  assert.equal((await put(browser, '"1"', [mug])).status, 404);
  await browser.identify(email);
  await advance(rig, 80 * hours);
  assert.deepEqual(await inbox(rig, email), []);
  const { state, log } = await story(rig, browser.cart);
  assert.equal(state.phase, 'forgotten');
  assert.deepEqual(log.map((l) => l.entry.what.type), ['forgotten']);
  assert.doesNotMatch(JSON.stringify({ state, log }), /harbour-mug|vis_/);
});

test('what was due and waits at the edge is not sent', async () => {
  const email = address('ada');
  const browser = new Browser(rig);
  await browser.add();
  await browser.identify(email);
  await fault(rig, 'sends_queue', true);
  await advance(rig, 3 * minutes);
  const { log } = await story(rig, browser.cart);
  assert.ok(log.some((l) => l.entry.what.type === 'offered'), 'a step is on its way');
  assert.equal((await drop(browser)).status, 204);
  await fault(rig, 'sends_queue', false);
  await advance(rig, 80 * hours);
  assert.deepEqual(await inbox(rig, email), []);
});

test('the link of a message that went out is dead, and nothing more comes', async () => {
  const email = address('ada');
  const browser = new Browser(rig);
  await browser.add();
  await browser.identify(email);
  await advance(rig, 3 * minutes);
  const [message] = await inbox(rig, email);
  assert.equal((await drop(browser)).status, 204);
  const link = resumePath(message);
  assert.equal((await rig.fetch(link)).status, 410);
  assert.equal((await rig.fetch(link, { method: 'POST' })).status, 410);
  assert.equal((await rig.fetch(`/v1/restore/${link.slice(3)}`)).status, 410);
  await advance(rig, 80 * hours);
  assert.equal((await inbox(rig, email)).length, 1);
  // The ledger's view follows: by the message's id nothing leads to the cart any more.
  assert.equal((await rig.admin(`/v1/admin/shops/shop_demo/sends/${message.send_id}`)).status, 404);
});

test('the next cart of the same shopper is followed as ever', async () => {
  const email = address('ada');
  const browser = new Browser(rig);
  await browser.add();
  await browser.identify(email);
  const gone = browser.cart;
  await drop(browser);
  browser.cart = new Browser(rig).cart;
  assert.equal((await browser.add()).cart.closed, false);
  await browser.identify(email);
  await advance(rig, 3 * minutes);
  const [message] = await inbox(rig, email);
  const { cart } = await (await rig.fetch(`/v1/restore/${resumePath(message).slice(3)}`)).json();
  assert.equal(cart.id, browser.cart);
  assert.notEqual(cart.id, gone);
});

test('twice, without a cart, of another shop or with a made-up cookie: 204, and nobody else is touched', async () => {
  const { browser } = await filled();
  const bystander = await story(rig, browser.cart);
  const stranger = new Browser(rig);
  assert.equal((await drop(stranger)).status, 204);
  assert.deepEqual([...stranger.cookies], [], 'nothing is set');
  stranger.cookies.set('cb_cart', stranger.cart);
  assert.equal((await drop(stranger)).status, 204);
  assert.equal((await rig.admin(`/v1/admin/shops/shop_demo/carts/${stranger.cart}`)).status, 404, 'no object is made');
  const cookies = new Map(browser.cookies);
  assert.equal((await drop(browser, '/v1/cart?pk=pk_second')).status, 204);
  assert.deepEqual(await story(rig, browser.cart), bystander, 'a cart of another shop is not reached');
  for (let time = 0; time < 2; time += 1) {
    browser.cookies = new Map(cookies);
    assert.equal((await drop(browser)).status, 204);
  }
  assert.equal((await story(rig, browser.cart)).log.length, 1);
  await problem(await drop(browser, '/v1/cart'), 400, '/problems/malformed');
  await problem(await rig.fetch(path, { method: 'DELETE' }), 403, '/problems/forbidden');
});

test('a page of another origin of the shop\'s may forget too: the preflight says so', async () => {
  const origin = 'https://elsewhere.example';
  const shop = { ...(await demoShop(rig)), origins: [origin] };
  assert.equal((await rig.admin('/v1/admin/shops/shop_demo', { method: 'PUT', body: shop })).status, 200);
  const preflight = await rig.fetch(path, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'DELETE' } });
  assert.match(preflight.headers.get('access-control-allow-methods'), /\bDELETE\b/);
  const { browser } = await filled();
  const answer = await drop(browser, path, { headers: { origin } });
  assert.deepEqual([answer.status, answer.headers.get('access-control-allow-origin'), answer.headers.get('access-control-allow-credentials')], [204, origin, 'true']);
});
