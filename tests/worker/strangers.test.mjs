// Anyone holds the public key. What a stranger who knows an address, a cart's id or a forwarded link
// can and cannot do, and what an honest shopper's odd ways (two addresses, wrong clocks, no cart) lead to.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';

import { root } from '../rig/rig.mjs';
import {
  Browser, advance, decisions, demoShop, hours, inbox, minutes, mug, newCart, newEvent, now, reset, resumePath, shopify, signed, startShop, story,
  unsubscribePath,
} from './support/shopper.mjs';

const read = async (name) => JSON.parse(await readFile(path.join(root, 'tests/vectors/intake/shopify', name), 'utf8'));
const { checkouts: [sample] } = await read('checkouts.json');
const { order: sampleOrder } = await read('order.json');

let rig;
before(async () => {
  rig = await startShop();
});
after(() => rig?.stop());
beforeEach(() => reset(rig));

const address = (name) => `${name}.${newEvent().slice(4)}@example.com`;

async function left(email, options) {
  const browser = new Browser(rig, options);
  await browser.add();
  await browser.identify(email);
  return browser;
}

test('whoever types somebody\'s address does not become them', async () => {
  const [victim, eve] = [address('victim'), address('eve')];
  const shopper = await left(victim);
  const stranger = new Browser(rig);
  await stranger.add();
  await stranger.identify(victim);
  await stranger.identify(eve);
  await advance(rig, 3 * minutes);
  const [message] = await inbox(rig, eve);
  assert.equal((await inbox(rig, victim)).length, 1, 'the victim gets their own reminder');
  const opened = await (await rig.fetch(`/v1/restore/${resumePath(message).slice(3)}`)).json();
  assert.equal(opened.cart.id, stranger.cart, 'the stranger gets a reminder of their own cart');
  // Even after proving the stranger's own address, the victim's next cart is the victim's.
  await stranger.fetch(resumePath(message), { method: 'POST' });
  await rig.fetch(resumePath((await inbox(rig, victim))[0]), { method: 'POST' });
  shopper.cart = newCart();
  await shopper.add();
  await shopper.identify(victim);
  const before = (await inbox(rig, eve)).length;
  await advance(rig, 25 * hours);
  assert.ok((await inbox(rig, victim)).length >= 2);
  const forEve = (await inbox(rig, eve)).slice(before);
  for (const m of forEve) assert.equal((await (await rig.fetch(`/v1/restore/${resumePath(m).slice(3)}`)).json()).cart.id, stranger.cart);
});

test('an order under an address silences that address, whoever typed it: the safe side', async () => {
  const [victim, other] = [address('victim'), address('other')];
  await left(victim);
  await left(other);
  const stranger = new Browser(rig);
  await stranger.add();
  await stranger.identify(victim);
  await stranger.buy();
  await advance(rig, 3 * minutes);
  assert.equal((await inbox(rig, victim)).length, 0, 'never a message after an order was acknowledged for the address');
  assert.equal((await inbox(rig, other)).length, 1, 'and nobody else is touched');
});

test('a checkout that a platform relays merges nobody and lends no phone', async () => {
  const victim = address('victim');
  await left(victim);
  const checkout = {
    ...sample, id: 77, token: 'tok77', cart_token: 'cart77', email: victim, phone: '+353861110000', buyer_accepts_marketing: true, buyer_accepts_sms_marketing: true,
    sms_marketing_phone: '+353861110000',
  };
  const answer = await shopify(rig, 'checkouts/create', checkout, { at: new Date(await now(rig)).toISOString() });
  assert.equal(answer.status, 200, await answer.text());
  await advance(rig, 30 * minutes);
  assert.deepEqual(await inbox(rig, '+353861110000'), []);
  assert.ok((await inbox(rig, victim)).length >= 1);
});

test('a second address in the same browser gets its own cart\'s reminder, and one order ends both', async () => {
  const [one, two] = [address('one'), address('two')];
  const browser = await left(one);
  const first = browser.cart;
  browser.cart = newCart();
  await browser.add();
  await browser.identify(two);
  await browser.buy();
  await advance(rig, 80 * hours);
  assert.deepEqual([...(await inbox(rig, one)), ...(await inbox(rig, two))], []);
  assert.equal((await story(rig, first)).state.phase, 'ordered');
});

test('a slip of the fingers can be corrected by the browser the cart was born in, by no other', async () => {
  const [wrong, right, eve] = [address('worng'), address('right'), address('eve')];
  const browser = await left(wrong);
  await browser.identify(right);
  const stranger = new Browser(rig);
  stranger.cart = browser.cart;
  await stranger.send([stranger.event('page_view')]);
  await stranger.identify(eve);
  await advance(rig, 3 * minutes);
  assert.deepEqual([(await inbox(rig, wrong)).length, (await inbox(rig, right)).length, (await inbox(rig, eve)).length], [0, 1, 0]);
});

test('a purchase without a cart is honoured through the visitor', async () => {
  const email = address('ada');
  const browser = await left(email);
  browser.cookies.delete('cb_cart');
  const answer = await browser.send([browser.event('purchase', { transaction_id: 'now-1', currency: 'EUR', value: 5, items: [] })], { cart: null });
  assert.equal(answer.cart, null);
  await advance(rig, 80 * hours);
  assert.deepEqual(await inbox(rig, email), []);
});

test('a page whose clock is an hour slow: its order still stops what is under way', async () => {
  const email = address('ada');
  const browser = await left(email);
  const at = (await now(rig)) - 3_600_000;
  await browser.send([browser.event('purchase', { transaction_id: 'slow-1', currency: 'EUR', value: 24, items: [] }, { t: at })], { sent: at + 1000 });
  await advance(rig, 80 * hours);
  assert.deepEqual(await inbox(rig, email), []);
});

test('one-click unsubscribing works in both encodings of RFC 8058', async () => {
  for (const encode of [() => new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }), () => { const f = new FormData(); f.set('List-Unsubscribe', 'One-Click'); return f; }]) {
    const email = address('ada');
    await left(email);
    await advance(rig, 3 * minutes);
    const answer = await rig.fetch(unsubscribePath((await inbox(rig, email))[0]), { method: 'POST', body: encode() });
    assert.equal(answer.status, 200);
    await advance(rig, 80 * hours);
    assert.equal((await inbox(rig, email)).length, 1);
  }
});

test('unsubscribed from email only: the text message with its own yes still comes; resubscribing works', async () => {
  const email = address('ada');
  const phone = `+35386${String(Math.floor(1e6 + 8e6 * 0.5)).padStart(7, '0')}`;
  const browser = new Browser(rig);
  await browser.add();
  await browser.post('/v1/identify', { pk: 'pk_demo', cart: browser.cart, email, phone, consent: { email: true, sms: true, wording: 'w' } });
  await advance(rig, 3 * minutes);
  const [message] = await inbox(rig, email);
  const path = unsubscribePath(message);
  await rig.fetch(path, { method: 'POST', body: 'do=unsubscribe', headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  await advance(rig, 20 * minutes);
  assert.equal((await inbox(rig, phone)).length, 1);
  assert.equal((await rig.fetch(path, { method: 'POST', body: 'do=resubscribe' })).status, 200);
  await advance(rig, 80 * hours);
  assert.equal((await inbox(rig, email)).length, 2);
});

test('a page in another currency: the catalogue\'s price with the catalogue\'s currency', async () => {
  const email = address('ada');
  const browser = new Browser(rig);
  await browser.send([browser.event('add_to_cart', { currency: 'JPY', items: [{ ...mug, price: 1 }] }, { t: await now(rig) })]);
  await browser.identify(email);
  await advance(rig, 3 * minutes);
  const [message] = await inbox(rig, email);
  assert.match(message.text, /24\.00 EUR/);
  assert.doesNotMatch(message.text, /JPY/);
});

test('an order paid before the click is not recovered by it', async () => {
  const email = address('bob');
  const at = new Date(await now(rig)).toISOString();
  const checkout = { ...sample, id: 88, token: 'tok88', cart_token: 'cart88', email, buyer_accepts_marketing: true };
  assert.equal((await shopify(rig, 'checkouts/create', checkout, { at })).status, 200);
  await advance(rig, 3 * minutes);
  const [message] = await inbox(rig, email);
  const paidAt = new Date(await now(rig)).toISOString();
  await advance(rig, 5 * minutes);
  const go = await rig.fetch(resumePath(message), { method: 'POST' });
  const token = new URL(go.headers.get('location')).searchParams.get('comeback_restore');
  const { cart } = await (await rig.fetch(`/v1/restore/${token}`)).json();
  const order = { ...sampleOrder, id: 99, cart_token: 'cart88', email };
  assert.equal((await shopify(rig, 'orders/paid', order, { at: paidAt })).status, 200);
  assert.equal((await story(rig, cart.id)).state.phase, 'completed');
});

test('a withdrawal in the page lets both cookies go; a no for an address counts from its own browser', async () => {
  const email = address('ada');
  const browser = await left(email);
  const stranger = new Browser(rig);
  await stranger.add();
  const no = { pk: 'pk_demo', channel: 'email', address: email, granted: false, wording: 'w' };
  assert.equal((await (await stranger.post('/v1/consent', no)).json()).consent, 'not recorded');
  assert.equal((await (await browser.post('/v1/consent', no)).json()).consent, 'recorded');
  await browser.send([], { cart: null, consent: { storage: false } });
  assert.deepEqual([...browser.cookies], []);
  await advance(rig, 80 * hours);
  assert.deepEqual(await inbox(rig, email), []);
});

test('an address that came before the first event is found by the cart', async () => {
  const email = address('early');
  const browser = new Browser(rig);
  await browser.identify(email);
  await browser.add();
  await advance(rig, 3 * minutes);
  assert.equal((await inbox(rig, email)).length, 1);
});

test('a public key that the shop gave up answers no more', async () => {
  const document = await demoShop(rig);
  const put = (pk) => rig.admin('/v1/admin/shops/shop_turn', { method: 'PUT', body: { ...document, shop: 'shop_turn', pk, hosts: ['turn.example'] } });
  assert.equal((await put('pk_turn_one')).status, 200);
  assert.equal((await rig.fetch('/v1/config/pk_turn_one')).status, 200);
  assert.equal((await put('pk_turn_two')).status, 200);
  assert.equal((await rig.fetch('/v1/config/pk_turn_one')).status, 404);
  assert.equal((await rig.fetch('/v1/config/pk_turn_two')).status, 200);
});

test('the shop\'s server vouches: two addresses become one person, and the stricter side wins', async () => {
  const [one, two] = [address('one'), address('two')];
  const browser = await left(one);
  assert.equal((await signed(rig, '/v1/consent', { pk: 'pk_demo', channel: 'email', address: two, granted: false, wording: 'w' })).status, 200);
  const phone = '+353861119999';
  assert.equal((await signed(rig, '/v1/identify', { pk: 'pk_demo', email: two, phone })).status, 200);
  assert.equal((await signed(rig, '/v1/identify', { pk: 'pk_demo', email: one, phone })).status, 200);
  await advance(rig, 3 * minutes);
  assert.deepEqual(await inbox(rig, one), [], 'the opt-out of one is the opt-out of both');
  assert.equal((await decisions(rig, browser.cart))[0].verdict, 'skip');
});

test('a page cannot move the quiet hours of somebody whose zone the shop knows', async () => {
  const quiet = `
[policy]
name = "quiet"
[abandonment]
idle = "1m"
[[sequence]]
name = "standard"
steps = [{ name = "reminder", at = "1m", channel = ["email"], template = "reminder" }]
[quiet_hours]
from = "21:00"
to = "09:00"
[jurisdiction]
packs = []
[holdout]
percent = 0
`;
  const shop = { ...(await demoShop(rig)), policy: undefined, policy_toml: quiet };
  const put = await rig.admin('/v1/admin/shops/shop_demo', { method: 'PUT', body: JSON.stringify(shop) });
  assert.equal(put.status, 200, await put.text());
  // Eleven at night in Dublin, ten in the morning in Auckland.
  await reset(rig, '2026-06-01T22:00:00Z');
  const sleeper = address('sleeper');
  const shopper = await left(sleeper, { zone: 'Europe/Dublin' });
  const known = { pk: 'pk_demo', cart: shopper.cart, email: sleeper, tz: 'Europe/Dublin' };
  assert.equal((await signed(rig, '/v1/identify', known)).status, 200);
  const stranger = new Browser(rig, { zone: 'Pacific/Auckland' });
  await stranger.add();
  await stranger.identify(sleeper);
  await advance(rig, 30 * minutes);
  assert.deepEqual(await inbox(rig, sleeper), [], 'nobody is written to at night');
  const asked = [...(await decisions(rig, shopper.cart)), ...(await decisions(rig, stranger.cart))].flatMap((d) => d.checks);
  const quiet_hours = asked.filter((c) => c.rule === 'quiet_hours');
  assert.ok(quiet_hours.length, JSON.stringify(asked));
  for (const check of quiet_hours) assert.match(check.found, /23:\d\d in Europe\/Dublin/);
  await advance(rig, 11 * hours);
  assert.equal((await inbox(rig, sleeper)).length, 1, 'and in the morning once');
});
