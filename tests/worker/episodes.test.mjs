// Ways of leaving other than idling, looking without buying, and orders to the same postal address, on
// the engine: what the page says, what the catalogue adds, which object is born, and where a link leads.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';

import { root } from '../rig/rig.mjs';
import { Browser, advance, demoShop, hours, inbox, minutes, mug, newEvent, now, reset, resumePath, shopify, startShop, story } from './support/shopper.mjs';

const policy_toml = `[policy]
name = "episodes"

[abandonment]
idle = "15m"
page_exit = "2m"
checkout_error = "3m"

[abandonment.idle_by_class]
ceramics = "1h"

[browse]
dwell = "30s"
idle = "10m"
per_week = 1

[browse.dwell_by_class]
ceramics = "1m"

[[sequence]]
name = "looked"
on = ["browse"]
steps = [{ name = "looked", at = "5m", channel = ["email"], template = "looked" }]

[[sequence]]
name = "rescue"
for = "abandonment.cause == 'declined_card'"
steps = [{ name = "rescue", at = "5m", channel = ["email"], template = "reminder" }]

[[sequence]]
name = "standard"
steps = [{ name = "reminder", at = "5m", channel = ["email"], template = "reminder" }]

[quiet_hours]
from = "00:00"
to = "00:00"

[jurisdiction]
packs = []

[holdout]
percent = 0
`;

let rig;
before(async () => {
  const demo = JSON.parse(await readFile(path.join(root, 'www-demo/shop.json'), 'utf8'));
  const catalogue = demo.catalogue.map((p) => ({ ...p, class: p.item_id === mug.item_id ? 'ceramics' : undefined }));
  rig = await startShop({ shop: { catalogue, policy: undefined, policy_toml } });
});
after(() => rig?.stop());
beforeEach(() => reset(rig));

const address = (name) => `${name}.${newEvent().slice(4)}@example.com`;
const left = async (cart) => (await story(rig, cart)).log.map((l) => l.entry.what).filter((w) => w.type === 'left');

/** A browser that has no cart yet: the page names none. */
function visitor() {
  const browser = new Browser(rig);
  browser.cart = null;
  return browser;
}

const look = async (browser, dwell_ms) =>
  browser.send([browser.event('view_item', { currency: 'EUR', items: [{ ...mug, class: 'shoes' }], dwell_ms }, { t: await now(rig) })]);

test('looked at for long, with contact and consent: an object is born, a message comes, its link leads to the product', async () => {
  const email = address('ada');
  const browser = visitor();
  await look(browser, 90_000);
  assert.equal(browser.cookies.has('cb_cart'), false, 'a mere visit has no object');
  await browser.identify(email, { cart: undefined });
  const cart = browser.cookies.get('cb_cart');
  assert.match(cart, /^cart_/);
  await look(browser, 45_000);
  await advance(rig, 20 * minutes);
  assert.deepEqual(await inbox(rig, email), [], 'ceramics are looked at for a minute before it counts');
  // As the tag tells it: the look, and when the page is hidden how long it was.
  await look(browser, undefined);
  const hide = { currency: 'EUR', items: [mug], dwell_ms: 61_000 };
  await browser.send([browser.event('page_hide', hide, { t: await now(rig) })]);
  await advance(rig, 20 * minutes);
  const [message] = await inbox(rig, email);
  assert.match(message.text, /Harbour mug/);
  assert.match(message.text, /24\.00 EUR/, 'the catalogue\'s price');
  const [told] = await left(cart);
  assert.equal(told.trigger, 'browse');
  assert.deepEqual(told.facts.cart_classes, ['ceramics'], 'the catalogue\'s class, not the page\'s');
  assert.equal(told.facts.cart_items, 0);

  const landing = await (await rig.fetch(resumePath(message))).text();
  assert.match(landing, /Harbour mug/);
  assert.doesNotMatch(landing, /0\.00/, 'what was looked at had no price to change from');
  const restored = await (await rig.fetch(`/v1/restore/${resumePath(message).slice(3)}`)).json();
  assert.deepEqual([restored.cart.lines, restored.report], [[], []], 'nothing is put into a cart that was left empty');
  const go = await rig.fetch(resumePath(message), { method: 'POST' });
  const product = (await demoShop(rig)).catalogue.find((p) => p.item_id === mug.item_id && p.item_variant === mug.item_variant);
  assert.ok(go.headers.get('location').endsWith(product.item_url), go.headers.get('location'));
});

test('no consent, no object; and a cart ends looking', async () => {
  const browser = visitor();
  await browser.identify(address('eve'), { cart: undefined, consent: false });
  assert.equal(browser.cookies.has('cb_cart'), false);
  const email = address('ada');
  await browser.identify(email, { cart: undefined });
  await look(browser, 90_000);
  await browser.add();
  await advance(rig, 2 * hours);
  const kinds = (await left(browser.cookies.get('cb_cart'))).map((l) => [l.trigger, l.sequence]);
  assert.deepEqual(kinds, [['idle', 'standard']]);
  assert.equal((await inbox(rig, email)).length, 1);
});

test('the page is left, checkout refuses, a class is thought about longer', async () => {
  const at = async (browser, name, data) => browser.send([browser.event(name, data, { t: await now(rig) })]);
  const [exits, refused, idles] = await Promise.all(['a', 'b', 'c'].map(async (name) => {
    const browser = new Browser(rig);
    await browser.add();
    await browser.identify(address(name));
    return browser;
  }));
  await at(exits, 'page_hide', {});
  await at(refused, 'checkout_error', { step: 'payment', code: 'card_declined', method: 'card' });
  await advance(rig, 30 * minutes);
  const [exit] = await left(exits.cart);
  assert.deepEqual([exit.trigger, exit.sequence, exit.likely.cause], ['page_exit', 'standard', 'distraction']);
  const [error] = await left(refused.cart);
  assert.deepEqual([error.trigger, error.sequence, error.likely.cause], ['checkout_error', 'rescue', 'declined_card']);
  assert.deepEqual(error.likely.reasons, ['checkout refused at payment with code card_declined']);
  assert.deepEqual(await left(idles.cart), [], 'ceramics may wait for an hour');
  await advance(rig, hours);
  assert.equal((await left(idles.cart))[0].trigger, 'idle');
});

test('an order under another email to the same postal address ends what was begun, and merges nobody', async () => {
  const read = async (name) => JSON.parse(await readFile(path.join(root, 'tests/vectors/intake/shopify', name), 'utf8'));
  const { checkouts: [checkout] } = await read('checkouts.json');
  const { order } = await read('order.json');
  const place = { address1: 'Quay 7', address2: '', city: 'Cork', zip: 'T12 AB34', country_code: 'IE' };
  const asWritten = { ...place, address1: 'QUAY, 7', zip: 't12ab34', name: 'A. Nother' };
  const at = async () => new Date(await now(rig)).toISOString();
  const leaves = async (n, shipping_address) => {
    const email = address(`left${n}`);
    const c = { ...checkout, id: 900 + n, token: `tok${n}${newEvent()}`, cart_token: `cart${n}${newEvent()}`, email, buyer_accepts_marketing: true, shipping_address };
    assert.equal((await shopify(rig, 'checkouts/create', c, { at: await at() })).status, 200);
    return email;
  };
  const here = await leaves(1, place);
  const elsewhere = await leaves(2, { ...place, address1: 'Quay 9' });
  await advance(rig, minutes);
  const other = address('work');
  const bought = { ...order, id: 990, email: other, phone: null, cart_token: `other${newEvent()}`, checkout_token: null, checkout_id: null, shipping_address: asWritten };
  assert.equal((await shopify(rig, 'orders/paid', bought, { at: await at() })).status, 200);
  await advance(rig, 2 * hours);
  assert.deepEqual(await inbox(rig, here), []);
  assert.equal((await inbox(rig, elsewhere)).length, 1);
  // Nobody became somebody else: a later cart under the first address is written to there.
  const again = new Browser(rig);
  await advance(rig, 40 * 24 * hours);
  await again.add();
  await again.identify(here);
  await advance(rig, 3 * hours);
  assert.equal((await inbox(rig, here)).length, 1);
  assert.deepEqual(await inbox(rig, other), []);
});
