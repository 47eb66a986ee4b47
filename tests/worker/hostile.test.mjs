// Every route with input that is oversized, truncated, of the wrong type, wrongly signed, of an
// unknown shop, of another origin, or hostile: an explained 4xx, state untouched, never a panic.

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';

import { root } from '../rig/rig.mjs';
import { Browser, mug, newCart, reset, shopify, startShop, story } from './support/shopper.mjs';

let rig;
let shopper;
let untouched;
before(async () => {
  // Hundreds of bad requests from one address are the point here, not an attack.
  // A cart is left after a quarter of an hour, longer than all of this takes on a slow machine.
  rig = await startShop({ shop: { policy: 'classic' } });
  await reset(rig);
  shopper = new Browser(rig);
  await shopper.add();
  await shopper.identify('bystander@example.com');
  untouched = await story(rig, shopper.cart);
});
after(() => rig?.stop());

/** A problem, and only that. */
async function problem(answer, what, allowed = [400, 401, 403, 404, 405, 409, 412, 413, 414, 422, 428]) {
  const text = await answer.text();
  assert.ok(allowed.includes(answer.status), `${what}: ${answer.status} ${text.slice(0, 200)}`);
  assert.equal(answer.headers.get('content-type'), 'application/problem+json', what);
  const body = JSON.parse(text);
  assert.equal(body.status, answer.status);
  assert.ok(body.title && body.type.startsWith('/problems/'), what);
  return body;
}

const withOrigin = (init) => ({ ...init, headers: { origin: rig.url, ...init.headers } });
const posts = ['/v1/events', '/v1/identify', '/v1/consent', '/v1/push/subscriptions', '/v1/intake/shop_demo/shopify'];

test('bodies that are not JSON, cut off, of the wrong type or too large', async () => {
  const whole = JSON.stringify(shopper.batch([shopper.event('add_to_cart', { currency: 'EUR', items: [mug] })]));
  const bodies = ['', 'null', '[]', '{}', '"x"', '12', '{"v":1}', '{"v":1,"pk":5,"events":[]}', '\u0000', '[['.repeat(4000), 'x'.repeat(2_000_000)];
  for (let cut = 1; cut < whole.length; cut += 37) bodies.push(whole.slice(0, cut));
  for (const target of posts) {
    for (const body of bodies) {
      await problem(await rig.fetch(target, withOrigin({ method: 'POST', body })), `${target} ${body.slice(0, 30)}`);
    }
  }
});

test('the JSON test suite as bodies', async () => {
  const folder = path.join(root, 'tests/vectors/json');
  const files = (await readdir(folder, { recursive: true })).filter((f) => f.endsWith('.json'));
  assert.ok(files.length > 300);
  for (const file of files) {
    const body = await readFile(path.join(folder, file));
    await problem(await rig.fetch('/v1/events', withOrigin({ method: 'POST', body })), file);
  }
});

test('naughty strings in every field are either refused or kept as text', async () => {
  const naughty = JSON.parse(await readFile(path.join(root, 'tests/vectors/naughty/blns.json'), 'utf8'));
  for (const [i, word] of naughty.entries()) {
    const browser = new Browser(rig);
    browser.cookies = shopper.cookies;
    browser.cart = newCart();
    const item = { item_id: word || 'x', item_variant: word, item_name: word, price: 1, quantity: 1, image_url: word, item_url: word };
    const events = [
      browser.event('add_to_cart', { currency: 'EUR', items: [item] }),
      browser.event('checkout_error', { step: word, code: word, method: word }),
      browser.event('try_coupon', { coupon: word, accepted: false }),
    ];
    const answer = await browser.fetch('/v1/events', { method: 'POST', body: JSON.stringify(browser.batch(events, { page: { tz: word, locale: word } })) });
    const text = await answer.text();
    assert.ok([200, 400].includes(answer.status), `${i}: ${answer.status} ${text}`);
    if (i % 25 === 0) {
      for (const [target, body] of [
        ['/v1/identify', { pk: 'pk_demo', email: word }],
        ['/v1/identify', { pk: 'pk_demo', phone: word || 'x' }],
        ['/v1/consent', { pk: 'pk_demo', channel: word, address: word, granted: true }],
        ['/v1/events', { v: 1, pk: word, events: [] }],
        ['/v1/events', { v: 1, pk: 'pk_demo', cart: word || 'x', events: [] }],
      ]) {
        await problem(await browser.fetch(target, { method: 'POST', body: JSON.stringify(body) }), `${target} ${i}`);
      }
    }
  }
});

test('unknown shops, other origins, no origin', async () => {
  const body = (pk) => JSON.stringify({ ...shopper.batch([shopper.event('page_view')]), pk });
  await problem(await rig.fetch('/v1/events', withOrigin({ method: 'POST', body: body('pk_nobody') })), 'unknown shop', [404]);
  await problem(await rig.fetch('/v1/config/pk_nobody'), 'config of an unknown shop', [404]);
  await problem(await rig.fetch('/v1/config/..%2f'), 'a path for a key', [400, 404]);
  await problem(await shopify({ ...rig, fetch: rig.fetch }, 'orders/create', {}, { shop: 'shop_nobody' }), 'intake of an unknown shop', [404]);
  for (const origin of ['https://evil.example', 'null', `${rig.url}.evil.example`, 'http://localhost']) {
    for (const target of ['/v1/events', '/v1/identify', '/v1/consent']) {
      const said = { '/v1/events': body('pk_demo'), '/v1/identify': '{"pk":"pk_demo","email":"a@example.com"}', '/v1/consent': '{"pk":"pk_demo","channel":"email","address":"a@example.com","granted":true}' }[target];
      await problem(await rig.fetch(target, { method: 'POST', body: said, headers: { origin } }), `${target} from ${origin}`, [403]);
    }
  }
  await problem(await rig.fetch('/v1/events', { method: 'POST', body: body('pk_demo') }), 'no origin', [403]);
  const preflight = await rig.fetch('/v1/events', { method: 'OPTIONS', headers: { origin: 'https://evil.example' } });
  assert.equal(preflight.status, 204);
});

test('wrong signatures of the shop\'s server', async () => {
  const body = JSON.stringify({ pk: 'pk_demo', channel: 'email', address: 'bystander@example.com', granted: false });
  for (const signature of ['', 'sha256=', 'sha256=00', `sha256=${'0'.repeat(64)}`, 'md5=x', 'x'.repeat(5000)]) {
    const answer = await rig.fetch('/v1/consent', { method: 'POST', body, headers: { 'x-comeback-signature': signature } });
    await problem(answer, signature.slice(0, 12), [401, 403]);
  }
});

test('administration without, with a wrong, and with a broken token', async () => {
  for (const target of ['/v1/admin/shops/shop_demo/stop', '/v1/admin/shops/shop_demo/carts/cart_x', '/v1/admin', '/v1/admin/anything']) {
    for (const authorization of [undefined, '', 'Bearer', 'Bearer ', 'Bearer wrong', `Basic ${rig.secrets.adminToken}`, rig.secrets.adminToken]) {
      const headers = authorization === undefined ? {} : { authorization };
      await problem(await rig.fetch(target, { method: 'POST', headers }), `${target} ${authorization}`, [401]);
    }
  }
  for (const body of ['', '{}', '{"shop":"shop_x"}', '[]', 'x'.repeat(3_000_000)]) {
    await problem(await rig.admin('/v1/admin/shops/shop_x', { method: 'PUT', body }), `provisioning ${body.slice(0, 20)}`);
  }
  await problem(await rig.admin('/v1/admin/shops/shop_demo/revocations', { method: 'POST', body: '{"kid":"shop_other.1"}' }), 'another shop\'s key', [400]);
  await problem(await rig.admin('/v1/admin/shops/shop_demo/carts/cart_missing'), 'no such cart', [404]);
});

test('methods and paths that are not', async () => {
  for (const [method, target] of [
    ['GET', '/v1/events'], ['PATCH', '/v1/cart'], ['DELETE', '/v1/cart'], ['GET', '/v1/push/subscriptions'], ['PUT', '/v1/identify'], ['POST', '/v1/config/pk_demo'], ['DELETE', '/r/x'], ['POST', '/s/x'],
    ['GET', '/v1/nothing'], ['GET', `/v1/${'x'.repeat(5000)}`], ['GET', '/v1/admin'], ['POST', '/v1/intake/shop_demo/nobody'],
  ]) {
    await problem(await rig.fetch(target, { method }), `${method} ${target.slice(0, 30)}`);
  }
});

test('an app\'s cart: versions are kept', async () => {
  const get = await shopper.fetch('/v1/cart?pk=pk_demo');
  const etag = get.headers.get('etag');
  const put = (headers, body) => shopper.fetch('/v1/cart?pk=pk_demo', { method: 'PUT', headers, body: JSON.stringify(body) });
  await problem(await put({}, { items: [mug] }), 'without If-Match', [428]);
  await problem(await put({ 'if-match': '"999"' }, { items: [mug] }), 'an old version', [412]);
  await problem(await put({ 'if-match': etag }, { items: 'x' }), 'no items', [400]);
  const own = new Browser(rig);
  await own.add();
  const seen = await own.fetch('/v1/cart?pk=pk_demo');
  const init = { method: 'PUT', headers: { 'if-match': seen.headers.get('etag') }, body: JSON.stringify({ items: [{ ...mug, quantity: 4 }] }) };
  const done = await own.fetch('/v1/cart?pk=pk_demo', init);
  assert.equal(done.status, 200);
  assert.notEqual(done.headers.get('etag'), seen.headers.get('etag'));
  assert.equal((await (await own.fetch('/v1/cart?pk=pk_demo')).json()).lines[0].quantity, 4);
  const closed = new Map(own.cookies);
  await own.buy();
  own.cookies = closed;
  const etag2 = (await own.fetch('/v1/cart?pk=pk_demo')).headers.get('etag');
  await problem(await own.fetch('/v1/cart?pk=pk_demo', { ...init, headers: { 'if-match': etag2 } }), 'a closed cart', [409]);
  await problem(await rig.fetch('/v1/cart?pk=pk_demo'), 'no cookie', [404]);
  await problem(await rig.fetch('/v1/cart'), 'no shop', [400]);
});

test('after all of it the bystander\'s cart is as it was, and the next request works', async () => {
  assert.deepEqual(await story(rig, shopper.cart), untouched);
  const again = new Browser(rig);
  const answer = await again.fetch('/v1/config/pk_demo');
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.getSetCookie().length, 0, 'the configuration sets no cookie');
  assert.doesNotMatch(rig.log(), /RuntimeError|unreachable|panicked/);
});
