// The Shopify pixel: in node, where there is as little of a page as in Shopify's sandbox, and in a
// sandboxed frame of Chromium whose top frame does what Shopify's does. Asserts what must not be sent.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pixel } from '../../sdk-js/src/shopify_pixel.js';
import { faults, unlisted } from './support/catalogue.mjs';
import { ORDER, alert, checkoutBody, journey, made } from './support/shopify_events.mjs';
import { pause, story, until } from './support/storefront.mjs';

const YES = { analyticsProcessingAllowed: true, marketingAllowed: false, preferencesProcessingAllowed: true, saleOfDataAllowed: false };
const NO = { ...YES, analyticsProcessingAllowed: false };
const TAG = { 'comeback.v1': '{"cart":"cart_ofTheTag","lines":[]}' };

/** Shopify's sandbox. `fire` resolves once the pixel is done with the event. */
function sandbox({ privacy = YES, stored = {}, options = {}, takes = () => true } = {}) {
  const acts = {}, beacons = [], writes = [];
  let collected;
  const browser = {
    localStorage: {
      getItem: async (key) => stored[key] ?? null,
      setItem: async (key, value) => void (writes.push(key), (stored[key] = value)),
      removeItem: async (key) => void (writes.push('-' + key), delete stored[key]),
    },
    async sendBeacon(url, body) {
      if (!takes(body)) return false;
      assert.equal(typeof body, 'string', 'text/plain');
      assert.ok(Buffer.byteLength(body) <= 16_384, Buffer.byteLength(body) + ' bytes');
      beacons.push({ url, batch: JSON.parse(body) });
      return true;
    },
  };
  const analytics = { subscribe: (name, act) => ((acts[name] = act), Promise.resolve()) };
  pixel({ analytics, browser, init: { customerPrivacy: privacy, context: {} }, customerPrivacy: { subscribe: (name, act) => name === 'visitorConsentCollected' && (collected = act) } }, { shop: 'pk_demo', endpoint: 'https://edge.shop.example/', wording: '2026-11', ...options });
  return {
    beacons,
    writes,
    stored,
    subscribed: Object.keys(acts),
    events: () => beacons.flatMap(({ batch }) => batch.events),
    fire: async (...events) => {
      for (const event of events) await acts[event.name]?.(event);
    },
    choose: (customerPrivacy) => collected({ customerPrivacy }),
  };
}
const names = (at) => at.events().map((event) => event.name);

test('beside the tag the pixel tells the checkout, for the cart that the tag keeps', async () => {
  const at = sandbox({ stored: { ...TAG } });
  await at.fire(...journey());
  assert.deepEqual(names(at), ['begin_checkout', 'begin_checkout', 'begin_checkout', 'add_shipping_info', 'add_payment_info', 'purchase']);
  for (const { url, batch } of at.beacons) {
    assert.equal(url, 'https://edge.shop.example/v1/events');
    assert.deepEqual([faults(batch), unlisted(batch)], [[], []]);
    assert.equal(batch.cart, 'cart_ofTheTag');
    assert.deepEqual(batch.consent, { storage: true, marketing: false, profiling: true, wording: '2026-11' });
    assert.deepEqual([batch.page.url, batch.page.locale, batch.page.mobile], ['https://shop.example/checkouts/cn/abc', 'en-US', true]);
  }
  const [started, , , , paid, bought] = at.events();
  assert.deepEqual(started.data, {
    currency: 'USD',
    value: 398,
    items: checkoutBody.line_items.map((line) => ({ item_id: String(line.product_id), item_variant: String(line.variant_id), item_name: `${line.title} - ${line.variant_title}`, price: 199, quantity: 1, image_url: `https://cdn.shopify.com/s/files/1/0/products/${line.variant_id}.jpg`, item_url: `/products/p${line.product_id}` })),
  });
  assert.equal(paid.data.payment_type, 'creditCard');
  assert.deepEqual([bought.data.transaction_id, bought.data.value, bought.data.coupon], [ORDER, 409.94, 'TENOFF']);
  assert.match(started.id, /^evt_px_sh-0259a238-/);
  assert.deepEqual(at.writes, [], 'the cart is the tag\'s');
});

test('nothing of a person leaves, whatever the events hold', async () => {
  const at = sandbox({ stored: { ...TAG }, options: { storefront: true } });
  await at.fire(...journey(), alert('INPUT_INVALID', 'cart.buyerIdentity.email'), alert('DISCOUNT_ERROR', 'cart', 'GIFT-1234-5678'));
  const sent = JSON.stringify(at.beacons);
  for (const part of ['hostmail', 'bob', 'Bob', 'Norman', 'Chestnut', 'Louisville', '40202', '625', 'Happy Birthday', checkoutBody.token, 'ece6cea2', 'GIFT', 'is not right']) assert.ok(!sent.includes(part), part);
});

test('without a tag the pixel tells views and cart too, under a cart of its own, until the order', async () => {
  const at = sandbox({ options: { storefront: true } });
  const steps = journey();
  await at.fire(...steps.slice(0, -1));
  assert.deepEqual(names(at), ['page_view', 'view_item', 'add_to_cart', 'add_to_cart', 'remove_from_cart', 'view_cart', 'begin_checkout', 'begin_checkout', 'begin_checkout', 'add_shipping_info', 'add_payment_info']);
  for (const { batch } of at.beacons) assert.deepEqual([faults(batch), unlisted(batch)], [[], []]);
  assert.deepEqual(at.beacons.slice(0, 2).map(({ batch }) => batch.cart), [null, null], 'looking bears no cart');
  const own = at.beacons[2].batch.cart;
  assert.match(own, /^cart_[0-9a-z]{22}$/);
  assert.ok(at.beacons.slice(2).every(({ batch }) => batch.cart === own));
  await at.fire(steps.at(-1));
  assert.equal(at.beacons.at(-1).batch.cart, own, 'the order ends this cart');
  assert.deepEqual(Object.keys(at.stored), [], 'the next one is another');
});

test('an event that is delivered twice has one id; times only go forward', async () => {
  const at = sandbox({ stored: { ...TAG } });
  const [event] = journey().slice(7, 8);
  await at.fire(event, event, { ...made('checkout_shipping_info_submitted', {}), timestamp: '2001-01-01T00:00:00.000Z' }, { ...made('payment_info_submitted', {}), timestamp: 'yesterday' });
  const ids = at.events().map(({ id }) => id);
  assert.equal(ids[0], ids[1]);
  const times = at.events().map(({ t }) => t);
  times.slice(1).forEach((t, n) => assert.ok(t > times[n], times.join()));
});

for (const [type, target, step, code] of [
  ['PAYMENT_ERROR', 'cart', 'payment', 'payment_error'],
  ['INPUT_REQUIRED', 'cart.deliveryGroups[0].deliveryAddress.address1', 'shipping', 'missing_address1'],
  ['INPUT_INVALID', 'cart.buyerIdentity.email', 'contact', 'invalid_email'],
  ['INPUT_INVALID', 'cart.billingAddress.zip', 'payment', 'invalid_zip'],
  ['CONTACT_ERROR', 'cart.buyerIdentity', 'contact', 'invalid_contact'],
  ['DELIVERY_ERROR', 'cart.deliveryGroups[0]', 'shipping', 'shipping_unavailable'],
  ['INVENTORY_ERROR', 'cart.lines[0]', 'checkout', 'out_of_stock'],
  ['MERCHANDISE_ERROR', 'cart.lines[0]', 'checkout', 'item_unavailable'],
  ['CHECKOUT_ERROR', 'cart', 'checkout', 'checkout_error'],
  ['INPUT_REQUIRED', undefined, 'checkout', 'missing'],
  ['A_KIND_OF_THE_FUTURE', null, 'checkout', 'a_kind_of_the_future'],
]) {
  test(`an alert ${type} at ${target} is a checkout error`, async () => {
    const at = sandbox({ stored: { ...TAG } });
    await at.fire(alert(type, target));
    assert.deepEqual(at.events().map(({ name, data }) => [name, data]), [['checkout_error', { step, code }]]);
    assert.deepEqual(at.beacons.flatMap(({ batch }) => faults(batch)), []);
  });
}

test('an alert about a discount is a code that was not taken', async () => {
  const at = sandbox({ stored: { ...TAG } });
  await at.fire(alert('DISCOUNT_ERROR', 'cart.discountCodes'));
  assert.deepEqual(at.events().map(({ name, data }) => [name, data]), [['try_coupon', { accepted: false }]]);
});

test('before a yes nothing is stored, read or posted; then what was held goes', async () => {
  const stored = new Proxy({ ...TAG }, { get: (at, key) => (assert.fail('read ' + String(key)), at[key]) });
  const closed = sandbox({ privacy: NO, stored, options: { storefront: true } });
  await closed.fire(...journey());
  await closed.choose(NO);
  assert.deepEqual([closed.beacons, closed.writes], [[], []]);

  for (const privacy of [NO, null, {}]) {
    const at = sandbox({ privacy, stored: { ...TAG } });
    await at.fire(...journey());
    assert.deepEqual(at.beacons, [], 'no word is no yes');
    await at.choose(YES);
    assert.deepEqual(names(at).filter((name) => name === 'purchase'), ['purchase']);
    assert.equal(at.beacons.length, 1, 'in one batch');
  }
});

test('a yes that is taken back empties what is held, sends one farewell and nothing after', async () => {
  const at = sandbox({ options: { storefront: true } });
  const steps = journey();
  await at.fire(...steps.slice(0, 4));
  const count = at.beacons.length;
  await at.choose(NO);
  const { sent, ...farewell } = at.beacons.at(-1).batch;
  assert.deepEqual(farewell, { v: 1, pk: 'pk_demo', cart: null, page: {}, consent: { storage: false }, automated: false, events: [] });
  assert.deepEqual(Object.keys(at.stored), []);
  await at.fire(...steps.slice(4));
  await at.choose(NO);
  assert.equal(at.beacons.length, count + 1);
});

test('what the browser does not take waits for the next event; large carts go lean, many events in parts', async () => {
  let open = false;
  const at = sandbox({ stored: { ...TAG }, takes: () => open });
  await at.fire(...journey().slice(7, 9));
  assert.deepEqual(at.beacons, []);
  open = true;
  await at.fire(...journey().slice(10, 11));
  assert.deepEqual(names(at), ['begin_checkout', 'begin_checkout', 'add_shipping_info']);

  const big = made('checkout_started', {
    checkout: { currencyCode: 'EUR', lineItems: Array.from({ length: 130 }, (_, n) => ({ quantity: 1, variant: { id: String(n), title: 'ö'.repeat(100), price: { amount: 1, currencyCode: 'EUR' }, image: { src: 'https://x.example/' + 'y'.repeat(200) }, product: { id: 'p' + n, title: 'ä'.repeat(100) } } })) },
  });
  await at.fire(big, big);
  assert.equal(at.events().at(-1).data.items.length, 100);
  assert.deepEqual(at.beacons.flatMap(({ batch }) => faults(batch)), []);

  const many = sandbox({ privacy: NO, stored: { ...TAG } });
  for (let n = 0; n < 300; n += 1) await many.fire(alert('INPUT_INVALID', 'cart.buyerIdentity.' + 'e'.repeat(300) + n));
  await many.choose(YES);
  assert.equal(many.events().length, 200, 'the newest of them');
  assert.ok(many.beacons.length > 1);
});

test('shapes that nobody promised cost the one event', async () => {
  const at = sandbox({ stored: { 'comeback.v1': 'not json' }, options: { storefront: true } });
  for (const name of at.subscribed) for (const data of [undefined, null, {}, { checkout: null }, { cart: null, cartLine: null, productVariant: null, alert: {} }, { cartLine: {}, cart: {}, checkout: { lineItems: [null, {}] } }]) await at.fire(made(name, data));
  await at.fire(...journey().slice(-1));
  assert.equal(at.events().at(-1).name, 'purchase');
  for (const { batch } of at.beacons) {
    // A cart event without currency would have the edge refuse all that goes with it.
    assert.deepEqual(faults(batch), []);
  }
});

story('in a sandboxed frame, with the tag on the storefront, both tell one cart', {
  serve: ({ path }, url, reply) => path === '/frame' && (reply(200, 'text/html', '<!doctype html>') ?? true),
}, async ({ at, page, visit }) => {
  await visit();
  await page.evaluate(() => comeback.push(['track', 'add_to_cart', { currency: 'USD', items: [{ item_id: '632910392', item_variant: '49148385', price: 199, quantity: 1 }] }]));
  const { cart } = await until(() => at.posts().find((post) => post.cart), 'the cart of the tag');
  const events = journey().slice(7);
  // Shopify's top frame: it alone touches storage and network, for a frame that has neither.
  await page.evaluate(
    ([origin, events, privacy]) => {
      const frame = document.createElement('iframe');
      frame.sandbox = 'allow-scripts';
      frame.srcdoc = `<script type="module">
        window.onerror = (message) => parent.postMessage({ error: String(message) }, '*');
        const waiting = new Map(); let last = 0;
        const ask = (act, ...args) => new Promise((done) => { waiting.set(++last, done); parent.postMessage({ ask: last, act, args }, '*'); });
        const acts = {};
        addEventListener('message', ({ data }) => { if (data.answer) waiting.get(data.answer)(data.value); else for (const event of data.events) acts[event.name]?.(event); });
        const browser = { localStorage: Object.fromEntries(['getItem', 'setItem', 'removeItem'].map((name) => [name, (...args) => ask(name, ...args)])), sendBeacon: (...args) => ask('sendBeacon', ...args) };
        const { pixel } = await import('${origin}/sdk/0.1.0/shopify_pixel.js');
        pixel({ analytics: { subscribe: (name, act) => (acts[name] = act) }, browser, init: { customerPrivacy: ${JSON.stringify(privacy)} }, customerPrivacy: { subscribe() {} } }, { shop: 'pk_demo', endpoint: '${origin}' });
        parent.postMessage({ ready: true }, '*');
      </` + 'script>';
      window.frameErrors = [];
      addEventListener('message', ({ data, source }) => {
        if (data.error) window.frameErrors.push(data.error);
        else if (data.ready) source.postMessage({ events }, '*');
        else if (data.ask) source.postMessage({ answer: data.ask, value: data.act === 'sendBeacon' ? navigator.sendBeacon(...data.args) : localStorage[data.act](...data.args) }, '*');
      });
      document.body.append(frame);
    },
    [at.origin, events, YES],
  );
  await until(() => at.events('purchase').length, 'the order');
  assert.deepEqual(await page.evaluate(() => window.frameErrors), []);
  const posted = at.posts().find((post) => post.events.some((event) => event.name === 'purchase'));
  assert.equal(posted.cart, cart);
  const request = at.requests.filter((r) => r.path === '/v1/events').at(-1);
  assert.equal(request.headers.origin, at.origin, "the shop's own origin, not the sandbox's");
  assert.match(request.headers['content-type'], /^text\/plain/);
  await pause(200);
  assert.equal(at.events('add_to_cart').length, 1, 'told once');
});
