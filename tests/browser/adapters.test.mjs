// The adapters for Shopify's Ajax cart and WooCommerce's Store API: by themselves in node and as the
// tag loads them in Chromium, each against a shop that checks what the real one checks.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import shopify from '../../sdk-js/src/adapters/shopify.js';
import woocommerce from '../../sdk-js/src/adapters/woocommerce.js';
import { BOX, PINK, RED, shopifyShop } from './support/shopify_shop.mjs';
import { distinct, fired, pause, push, shop, story, until } from './support/storefront.mjs';
import { ALBUM, IDEA, SINGLE, woocommerceShop } from './support/woocommerce_shop.mjs';

const real = globalThis.fetch;
afterEach(() => (globalThis.fetch = real));

/** A browser's cookies for node's fetch. */
function jar() {
  let cookie = '';
  globalThis.fetch = async (url, init = {}) => {
    const reply = await real(url, { ...init, headers: { ...init.headers, ...(cookie && { cookie }) } });
    for (const one of reply.headers.getSetCookie()) cookie = one.split(';')[0];
    return reply;
  };
}

/** Runs `act(adapter, fake)` against a shop of that kind. */
function against(kind, name, rules, act) {
  test(`${kind}: ${name}`, async () => {
    const fake = (kind === 'shopify' ? shopifyShop : woocommerceShop)(rules);
    const at = await shop({ serve: fake.serve });
    jar();
    try {
      const root = at.origin + (rules.root || '/');
      await act((kind === 'shopify' ? shopify : woocommerce)({ root, ...rules.options }), fake, root);
    } finally {
      await at.close();
    }
  });
}
const told = (report) => report.map(({ message, ...entry }) => entry);

const line = (one, quantity) => ({ item_id: String(one.product_id), item_variant: String(one.variant_id), quantity });
const ids = (one) => ({ item_id: String(one.product_id), item_variant: String(one.variant_id) });

against('shopify', 'a cart is read in GA4 units, whatever the currency', {}, async (adapter, fake, root) => {
  assert.deepEqual(await adapter.read(), { currency: 'USD', lines: [] });
  await adapter.replace([line(RED, 2), line(BOX, 1)]);
  assert.deepEqual((await adapter.read()).lines.find((one) => one.item_variant === String(RED.variant_id)), {
    ...ids(RED),
    item_name: 'IPod Nano - 8GB - Red',
    quantity: 2,
    price: 199,
    image_url: `https://cdn.shopify.com/s/files/1/0/products/${RED.variant_id}.jpg`,
    item_url: `/products/p${RED.product_id}?variant=${RED.variant_id}`,
  });
  // Hundredths also where the currency has none: 2500 is 25 yen.
  fake.currency = 'JPY';
  assert.equal((await adapter.read()).lines.find((one) => one.item_variant === String(BOX.variant_id)).price, 25);
  assert.equal(adapter.checkoutUrl, root + 'checkout');
});

against('shopify', 'two clicks, and two clicks at once, never double', {}, async (adapter, fake) => {
  const wanted = [line(RED, 2), line(BOX, 3)];
  await Promise.all([adapter.replace(wanted), adapter.replace(wanted)]);
  await adapter.replace(wanted);
  assert.deepEqual(fake.contents(), [[RED.variant_id, 2], [BOX.variant_id, 3]]);
  assert.equal(fake.calls.filter((call) => call === 'POST cart/add.js').length, 2, 'each line is added once');
});

against('shopify', 'properties and selling plans of lines that stay are kept; plain pieces go first', {}, async (adapter, fake, root) => {
  const put = (items) => fetch(root + 'cart/add.js', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ items }) });
  await adapter.read();
  await put([{ id: RED.variant_id, quantity: 1, properties: { Engraving: 'For Ada' } }, { id: RED.variant_id, quantity: 2 }, { id: BOX.variant_id, quantity: 1, selling_plan: 610435 }, { id: PINK.variant_id, quantity: 1 }]);
  assert.deepEqual(await adapter.replace([line(RED, 2), line(BOX, 2)]), []);
  assert.deepEqual(fake.contents(), [[RED.variant_id, 1], [RED.variant_id, 1, { Engraving: 'For Ada' }], [BOX.variant_id, 1], [BOX.variant_id, 1, 610435]]);
  await adapter.replace([line(RED, 1)]);
  assert.deepEqual(fake.contents(), [[RED.variant_id, 1, { Engraving: 'For Ada' }]]);
});

for (const partial of [false, true]) {
  against('shopify', `what the stock does not allow is told, the rest is put in (refusals ${partial ? 'fill up' : 'change nothing'})`, { stock: { [RED.variant_id]: 3, [PINK.variant_id]: 0 }, partial }, async (adapter, fake) => {
    const report = await adapter.replace([line(RED, 10), line(PINK, 1), line(BOX, 1), { item_id: '999', item_variant: '998', quantity: 1 }, { item_id: 'mug', item_variant: 'blue', quantity: 1 }]);
    assert.deepEqual(told(report), [
      { kind: 'unavailable', item_id: 'mug', item_variant: 'blue' },
      { kind: 'fewer', ...ids(RED), wanted: 10, got: 3 },
      { kind: 'sold_out', ...ids(PINK) },
      { kind: 'unavailable', item_id: '999', item_variant: '998' },
    ]);
    assert.match(report[2].message, /already sold out/, "the shop's own words, in its language");
    assert.deepEqual(fake.contents(), [[RED.variant_id, 3], [BOX.variant_id, 1]]);
  });
}

against('shopify', 'a cart of which nothing is left does not cost the shopper their own', { stock: { [PINK.variant_id]: 0 } }, async (adapter, fake) => {
  await adapter.replace([line(BOX, 1)]);
  assert.deepEqual(told(await adapter.replace([line(PINK, 1)])), [{ kind: 'sold_out', ...ids(PINK) }]);
  assert.deepEqual(fake.contents(), [[BOX.variant_id, 1]]);
  assert.deepEqual(await adapter.replace([]), []);
  assert.deepEqual(fake.contents(), [], 'an empty cart can be asked for');
});

against('shopify', 'whatever breaks off has lost nothing, and again is not twice', {}, async (adapter, fake) => {
  await adapter.replace([line(PINK, 1)]);
  fake.lose = 1;
  await assert.rejects(adapter.replace([line(RED, 2), line(BOX, 1)]));
  assert.deepEqual(fake.contents().find(([id]) => id === PINK.variant_id), [PINK.variant_id, 1], 'nothing was taken out yet');
  fake.failures.push(503);
  await assert.rejects(adapter.replace([line(RED, 2), line(BOX, 1)]), { status: 503 });
  assert.deepEqual(await adapter.replace([line(RED, 2), line(BOX, 1)]), []);
  assert.deepEqual(fake.contents(), [[RED.variant_id, 2], [BOX.variant_id, 1]]);
});

against('shopify', 'a line that the stock has overtaken does not keep the others in', {}, async (adapter, fake) => {
  await adapter.replace([line(RED, 2), line(PINK, 1)]);
  // Sold to somebody else meanwhile: update.js now refuses everything that touches it.
  const [cart] = fake.carts.values();
  const again = shopifyShop({ stock: { [RED.variant_id]: 1 } });
  again.carts.set(cart.token, cart);
  const at = await shop({ serve: again.serve });
  try {
    assert.deepEqual(await shopify({ root: at.origin + '/' }).replace([line(BOX, 1)]), []);
    assert.deepEqual(again.contents(), [[BOX.variant_id, 1]]);
    assert.ok(again.calls.includes('POST cart/change.js'));
  } finally {
    await at.close();
  }
});

against('shopify', 'a code joins those the cart has; one that does not apply is told', { codes: ['TENOFF', 'FREESHIP'] }, async (adapter, fake) => {
  assert.deepEqual(await adapter.replace([line(RED, 1)], 'FREESHIP'), []);
  assert.deepEqual(await adapter.replace([line(RED, 1)], 'tenoff'), []);
  assert.deepEqual(await adapter.replace([line(RED, 1)], 'tenoff'), []);
  assert.deepEqual(fake.codes(), ['FREESHIP', 'tenoff']);
  assert.deepEqual(await adapter.replace([line(RED, 1)], 'GONE'), [{ kind: 'code_refused', code: 'GONE' }]);
});

against('shopify', 'a shop that does not tell its codes takes one on the way to the checkout', { tellsDiscounts: false, root: '/fr/' }, async (adapter, fake, root) => {
  assert.deepEqual(await adapter.replace([line(RED, 1)], 'TEN OFF'), []);
  assert.equal(adapter.checkoutUrl, root + 'discount/TEN%20OFF?redirect=' + encodeURIComponent(root + 'checkout'));
  assert.deepEqual(fake.contents(), [[RED.variant_id, 1]], "the locale's root is used");
});

const piece = (one, quantity) => ({ item_id: String(one.id), quantity });

against('woocommerce', 'a cart is read in GA4 units, whatever the minor unit', {}, async (adapter, fake) => {
  assert.deepEqual(await adapter.read(), { currency: 'USD', lines: [] });
  await adapter.replace([piece(IDEA, 2)]);
  const expected = { item_id: '23', item_name: 'Ship Your Idea &ndash; Test - Black - M Test', quantity: 2, price: 12, image_url: 'https://local.wordpress.test/wp-content/uploads/23.jpg', item_url: 'https://local.wordpress.test/product/23/' };
  assert.deepEqual((await adapter.read()).lines, [expected]);
  Object.assign(fake, { currency: 'JPY', minorUnit: 0 });
  assert.deepEqual((await adapter.read()).lines, [{ ...expected, price: 1200 }]);
});

against('woocommerce', 'two clicks, and two clicks at once, never double', {}, async (adapter, fake) => {
  const wanted = [piece(SINGLE, 2), piece(IDEA, 1)];
  await Promise.all([adapter.replace(wanted), adapter.replace(wanted)]);
  await adapter.replace(wanted);
  assert.deepEqual(fake.contents(), [[23, 1], [93, 2]]);
  assert.equal(fake.calls.filter((call) => call === 'POST add-item').length, 2);
});

against('woocommerce', 'item data of lines that stay is kept; plain pieces go first', {}, async (adapter, fake) => {
  await adapter.read();
  fake.put(SINGLE.id, 1, [{ key: 'Engraving', value: 'For Ada' }]);
  fake.put(SINGLE.id, 2);
  fake.put(ALBUM.id, 1);
  assert.deepEqual(await adapter.replace([piece(SINGLE, 2)]), []);
  assert.deepEqual(fake.contents(), [[93, 1], [93, 1, 'For Ada']]);
});

against('woocommerce', 'what the stock does not allow is told, the rest is put in', { stock: { [SINGLE.id]: 3, [ALBUM.id]: 0 } }, async (adapter, fake) => {
  const report = await adapter.replace([piece(SINGLE, 10), piece(ALBUM, 1), piece(IDEA, 1), { item_id: '999', quantity: 1 }, { item_id: 'mug', quantity: 1 }]);
  assert.deepEqual(told(report), [
    { kind: 'unavailable', item_id: 'mug' },
    { kind: 'fewer', item_id: '93', wanted: 10, got: 3 },
    { kind: 'sold_out', item_id: '38' },
    { kind: 'unavailable', item_id: '999' },
  ]);
  assert.match(report[2].message, /out of stock/);
  assert.deepEqual(fake.contents(), [[23, 1], [93, 3]]);
});

against('woocommerce', 'an old nonce is renewed and the act is done once; a page without nonces goes by cart token', {}, async (adapter, fake) => {
  await adapter.replace([piece(SINGLE, 1)]);
  fake.nonce = 'another';
  assert.deepEqual(await adapter.replace([piece(SINGLE, 2)]), []);
  assert.deepEqual(fake.contents(), [[93, 2]]);
  fake.nonce = '';
  assert.deepEqual(await adapter.replace([piece(IDEA, 1)]), []);
  assert.deepEqual(fake.contents(), [[23, 1]]);
});

against('woocommerce', 'whatever breaks off has lost nothing, and again is not twice', {}, async (adapter, fake) => {
  await adapter.replace([piece(ALBUM, 1)]);
  fake.lose = 1;
  await assert.rejects(adapter.replace([piece(SINGLE, 2), piece(IDEA, 1)]));
  assert.ok(fake.contents().some(([id]) => id === 38), 'nothing was taken out yet');
  fake.failures.push(429);
  await assert.rejects(adapter.replace([piece(SINGLE, 2), piece(IDEA, 1)]), { status: 429 });
  assert.deepEqual(await adapter.replace([piece(SINGLE, 2), piece(IDEA, 1)]), []);
  assert.deepEqual(fake.contents(), [[23, 1], [93, 2]]);
});

against('woocommerce', 'a code is applied once; one that is refused is told', {}, async (adapter, fake) => {
  assert.deepEqual(await adapter.replace([piece(SINGLE, 1)], 'TEN'), []);
  assert.deepEqual(await adapter.replace([piece(SINGLE, 1)], 'TEN'), []);
  assert.deepEqual(fake.coupons(), ['ten']);
  assert.deepEqual(told(await adapter.replace([piece(SINGLE, 1)], 'GONE')), [{ kind: 'code_refused', code: 'GONE' }]);
});

// In the page, as the tag brings them.
const view = (one, quantity) => ({ ...one, title: 'x', quantity, unit_price_minor: 100, image_url: null, item_url: null });
const restore = (lines, offer = null) => ({ cart: { id: 'cart_aaaaaaaaaaaaaaaaaaaaaa', version: 1, currency: 'USD', exponent: 2, lines, total_minor: 0, closed: false }, offer, report: [{ kind: 'price_changed', item_id: 'x', was_minor: 1, now_minor: 2 }] });

for (const [kind, fakes, mine, soldOut, more] of [
  ['shopify', () => shopifyShop({ stock: { [PINK.variant_id]: 0 } }), ids(RED), ids(PINK), ids(BOX)],
  ['woocommerce', () => woocommerceShop({ stock: { [ALBUM.id]: 0 } }), { item_id: '93' }, { item_id: '38' }, { item_id: '23' }],
]) {
  const fake = fakes();
  story(`${kind}: a link fills the shop's cart through the adapter of the tag, and what was missing is in the report`, { serve: fake.serve, tag: `data-adapter="${kind}"`, restore: restore([view(mine, 2), view(soldOut, 1)], 'TEN') }, async ({ at, page, visit }) => {
    await visit('/?comeback_restore=t');
    const [told] = await until(async () => (await fired(page, 'restore')).length && fired(page, 'restore'), 'the report');
    assert.equal(told.mode, 'replace');
    assert.deepEqual(told.report.map(({ kind, item_id, code }) => [kind, code || item_id]), [['price_changed', 'x'], ['sold_out', soldOut.item_id], ...(kind === 'shopify' ? [['code_refused', 'TEN']] : [])]);
    assert.deepEqual(fake.contents().map(([, quantity]) => quantity), [2]);
    // The session's cart is what the shop has, not what was hoped for.
    await until(() => at.events('cart_set').length > 1, 'the cart as it came out');
    assert.deepEqual(at.events('cart_set').at(-1).data.items.map(({ item_id, quantity }) => [item_id, quantity]), [[mine.item_id, 2]]);
    await visit('/?comeback_restore=t');
    await pause(1_500);
    assert.deepEqual(fake.contents().map(([, quantity]) => quantity), [2], 'twice is once');
  });

  const watched = fakes();
  story(`${kind}: what the theme does to the cart is seen without a data layer, and only after a yes`, { serve: watched.serve, tag: `data-adapter="${kind}"`, config: { consent: { mode: 'required', wording: 'w1' } } }, async ({ at, page, visit }) => {
    await visit();
    const theme = (quantity) =>
      page.evaluate(
        async ([kind, id, quantity]) => {
          const json = { 'content-type': 'application/json' };
          if (kind === 'shopify') return fetch('/cart/add.js', { method: 'POST', headers: json, body: JSON.stringify({ items: [{ id, quantity }] }) }).then((reply) => reply.status);
          const nonce = (await fetch('/wp-json/wc/store/v1/cart')).headers.get('Nonce');
          return fetch('/wp-json/wc/store/v1/cart/add-item', { method: 'POST', headers: { ...json, Nonce: nonce }, body: JSON.stringify({ id, quantity }) }).then((reply) => reply.status);
        },
        [kind, Number(more.item_variant || more.item_id), quantity],
      );
    assert.ok((await theme(1)) < 300);
    await pause(1_500);
    assert.equal(watched.calls.filter((call) => /^GET/.test(call)).length, kind === 'shopify' ? 0 : 1, 'the adapter reads nothing before the yes');
    assert.deepEqual(at.requests.filter((r) => r.path.startsWith('/v1/') && r.method === 'POST'), []);
    await push(page, 'consent', { storage: true });
    const first = await until(() => at.events('cart_set')[0], 'the cart that was there');
    assert.deepEqual(first.data.items.map(({ item_id, item_variant, quantity }) => [item_id, item_variant, quantity]), [[more.item_id, more.item_variant, 1]]);
    assert.ok((await theme(2)) < 300);
    await until(() => at.events('cart_set').length === 2, 'the change');
    assert.equal(at.events('cart_set')[1].data.items[0].quantity, 3);
    await visit('/next');
    await until(() => distinct(at.events('page_view')) === 2, 'the next page');
    await pause(1_000);
    assert.equal(at.events('cart_set').length, 2, 'a cart that is as we know it is not told again');
  });
}
