// Shopify's own sample checkout and order (tests/vectors/intake/shopify), posted as its webhooks
// are: bare resource, signed over the raw body, with explicit trigger times. They share a cart token.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';

import { root } from '../rig/rig.mjs';
import { Browser, advance, decisions, hours, inbox, minutes, reset, resumePath, shopify, signed, startShop, story } from './support/shopper.mjs';

const sample = async (name) => JSON.parse(await readFile(path.join(root, 'tests/vectors/intake/shopify', name), 'utf8'));
const { checkouts: [checkout] } = await sample('checkouts.json');
const { order } = await sample('order.json');
const email = checkout.email;

let rig;
before(async () => {
  rig = await startShop();
});
after(() => rig?.stop());

const start = Date.parse('2026-06-01T12:00:00Z');
/** An instant so many seconds after the clock's start, as the platform writes it. */
const at = (seconds) => new Date(start + seconds * 1000).toISOString();
beforeEach(() => reset(rig, at(0)));

/** The sample under tokens of its own, so that tests do not share a cart. Nothing else is changed. */
let number = 0;
const fresh = (resource, n) => ({ ...resource, cart_token: `${resource.cart_token}${n}`, email: `bob.norman${n}@hostmail.com`, id: resource.id + n, token: `${resource.token}${n}` });

const accept = async (answer) => {
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
};

/** The id that the Worker derives from a cart token: 128 bits of SHA-256 in Crockford's base32. */
function cartOf(resource) {
  const hash = createHash('sha256');
  for (const part of ['shop_demo', 'shopify', resource.cart_token]) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(part.length));
    hash.update(length).update(part);
  }
  const bits = BigInt(`0x${hash.digest('hex').slice(0, 32)}`) << 2n;
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
  return `cart_${Array.from({ length: 26 }, (_, i) => alphabet[Number((bits >> BigInt(5 * (25 - i))) & 31n)]).join('')}`;
}

test('the samples are a pair: one cart token, two lines of 199.00 USD', () => {
  assert.equal(checkout.cart_token, order.cart_token);
  assert.equal(checkout.currency, 'USD');
  assert.deepEqual(checkout.line_items.map((l) => l.price), ['199.00', '199.00']);
  assert.equal(order.financial_status, 'authorized');
});

test('contact without consent: refused for that reason, and nothing leaves', async () => {
  number += 1;
  const c = fresh(checkout, number);
  assert.equal(c.buyer_accepts_marketing, false);
  await accept(await shopify(rig, 'checkouts/create', c, { at: at(0) }));
  await advance(rig, 90 * hours);
  assert.deepEqual(await inbox(rig, c.email), []);
  const all = await decisions(rig, cartOf(c));
  assert.ok(all.length > 0 && all.every((d) => d.verdict === 'skip'));
  assert.match(all[0].why, /not agreed/);
});

test('with consent: exactly those lines, prices and currency; authorised stops it, paid after a click recovers it', async () => {
  number += 1;
  const c = fresh(checkout, number);
  const o = fresh(order, number);
  await accept(await shopify(rig, 'checkouts/create', c, { at: at(0) }));
  await accept(await signed(rig, '/v1/consent', { pk: 'pk_demo', channel: 'email', address: c.email, granted: true, wording: 'checkout box 3' }));
  await advance(rig, 3 * minutes);
  const [message, ...more] = await inbox(rig, c.email);
  assert.deepEqual(more, []);
  for (const line of c.line_items) assert.match(message.text, new RegExp(`${line.title}.*${line.variant_title}`, 's'));
  assert.equal(message.text.match(/199\.00 USD/g)?.length >= 2, true);
  assert.match(message.text, /398\.00 USD/, 'the sum of the lines; shipping and tax are the checkout\'s to say');

  const page = await rig.fetch(resumePath(message));
  const html = await page.text();
  for (const line of c.line_items) assert.match(html, new RegExp(line.variant_title));
  const go = await rig.fetch(resumePath(message), { method: 'POST' });
  const token = new URL(go.headers.get('location')).searchParams.get('comeback_restore');
  const { cart } = await (await rig.fetch(`/v1/restore/${token}`)).json();
  assert.equal(cart.currency, 'USD');
  assert.deepEqual(cart.lines.map((l) => [l.item_id, l.item_variant, l.quantity, l.unit_price_minor]), [
    ['632910392', '49148385', 1, 19900],
    ['632910392', '808950810', 1, 19900],
  ]);

  // The order's own created_at lies years before the checkout: the trigger time counts, not the body's.
  await accept(await shopify(rig, 'orders/create', o, { at: at(600) }));
  assert.equal((await story(rig, cart.id)).state.phase, 'ordered', 'authorised is not paid');
  await advance(rig, 90 * hours);
  assert.equal((await inbox(rig, c.email)).length, 1, 'and it stopped everything');
  await accept(await shopify(rig, 'orders/paid', o, { at: at(1200) }));
  assert.equal((await story(rig, cart.id)).state.phase, 'recovered');
});

test('webhooks twice and in the wrong order change nothing', async () => {
  number += 1;
  const c = fresh(checkout, number);
  const smaller = { ...c, line_items: [c.line_items[0]] };
  await accept(await shopify(rig, 'checkouts/update', smaller, { at: at(-60) }));
  await accept(await shopify(rig, 'checkouts/create', c, { at: at(-120) }));
  await accept(await shopify(rig, 'checkouts/update', smaller, { at: at(-60) }));
  const { state } = await story(rig, cartOf(c));
  assert.equal(state.cart.lines.length, 1, 'the update is younger than the late create');
  assert.equal(state.cart.version, 2);
});

test('an order that comes before its checkout still stops it', async () => {
  number += 1;
  const c = fresh(checkout, number);
  const o = fresh(order, number);
  await accept(await shopify(rig, 'orders/create', o, { at: at(-30) }));
  await accept(await shopify(rig, 'checkouts/create', { ...c, buyer_accepts_marketing: true }, { at: at(-60) }));
  await advance(rig, 90 * hours);
  assert.deepEqual(await inbox(rig, c.email), []);
});

test('a signature that does not fit is refused and leaves nothing behind', async () => {
  number += 1;
  const c = { ...fresh(checkout, number), buyer_accepts_marketing: true };
  for (const secret of ['wrong', ' ']) {
    const answer = await shopify(rig, 'checkouts/create', c, { at: at(0), secret });
    assert.equal(answer.status, 401);
    assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  }
  const unsigned = await rig.fetch('/v1/intake/shop_demo/shopify', { method: 'POST', body: JSON.stringify(c) });
  assert.equal(unsigned.status, 401);
  await advance(rig, 90 * hours);
  assert.deepEqual(await inbox(rig, c.email), []);
});

test('the sample order, verbatim, is taken; a body that is not what its topic says is explained', async () => {
  await accept(await shopify(rig, 'orders/create', order, { at: at(0) }));
  await accept(await shopify(rig, 'customers/create', { id: 1 }, { at: at(0) }));
  const broken = await shopify(rig, 'checkouts/create', { id: 1 }, { at: at(0) });
  assert.equal(broken.status, 422);
  const text = await broken.text();
  assert.doesNotMatch(text, new RegExp(email));
});
