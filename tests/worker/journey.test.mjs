// One cart, the whole way round, over HTTP: signal, decision, queue, message, link, cart, order.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, beforeEach, test } from 'node:test';

import {
  Browser, advance, decisions, demoShop, fault, hours, inbox, minutes, mug, newCart, newEvent, now, other, reset, resumePath, signed, startShop, story,
  unsubscribePath, until,
} from './support/shopper.mjs';

let rig;
before(async () => {
  rig = await startShop();
});
after(() => rig?.stop());
beforeEach(() => reset(rig));

const address = () => `ada.${newEvent().slice(4)}@example.com`;

test('a left cart comes back by mail, exactly as it was', async () => {
  const shopper = new Browser(rig);
  const email = address();
  const reply = await shopper.add([{ ...mug, quantity: 3 }]);
  assert.equal(reply.cart.id, shopper.cart);
  assert.ok(reply.score.buy > 0 && reply.score.buy < 1);
  assert.match(shopper.cookies.get('cb_vis'), /^vis_/);
  await shopper.add([other]);
  await shopper.identify(email);
  assert.deepEqual(await inbox(rig, email), [], 'nothing before the cart is abandoned');
  await advance(rig, 3 * minutes);
  const [message, ...more] = await inbox(rig, email);
  assert.deepEqual(more, []);
  assert.match(message.text, /Harbour mug/);
  assert.match(message.text, /120\.00 EUR/);
  assert.equal(message.headers['List-Unsubscribe-Post'], 'List-Unsubscribe=One-Click');
  assert.match(message.mime, /multipart\/alternative/);

  const elsewhere = new Browser(rig);
  const page = await elsewhere.fetch(resumePath(message));
  assert.equal(page.status, 200);
  assert.match(await page.text(), /Harbour mug/);
  const go = await elsewhere.fetch(resumePath(message), { method: 'POST' });
  assert.equal(go.status, 303);
  const token = new URL(go.headers.get('location')).searchParams.get('comeback_restore');
  const { cart } = await (await elsewhere.fetch(`/v1/restore/${token}`)).json();
  assert.deepEqual(cart.lines.map((l) => [l.item_id, l.item_variant, l.quantity, l.unit_price_minor]), [
    ['harbour-mug', '250 ml / Tide', 3, 2400],
    ['harbour-mug', '250 ml / Oat', 2, 2400],
  ]);
  assert.equal(cart.total_minor, 12000);

  elsewhere.cart = cart.id;
  await elsewhere.buy();
  assert.equal((await story(rig, cart.id)).state.phase, 'recovered');
  await advance(rig, 100 * hours);
  assert.equal((await inbox(rig, email)).length, 1, 'the sequence has ended');
});

test('two clicks on the link give the same cart', async () => {
  const shopper = new Browser(rig);
  const email = address();
  await shopper.add([mug]);
  await shopper.identify(email);
  await advance(rig, 3 * minutes);
  const path = resumePath((await inbox(rig, email))[0]);
  const seen = [];
  for (let i = 0; i < 2; i += 1) {
    const answer = await shopper.fetch(path, { method: 'POST' });
    const token = new URL(answer.headers.get('location')).searchParams.get('comeback_restore');
    seen.push(await (await shopper.fetch(`/v1/restore/${token}`)).json());
  }
  assert.deepEqual(seen[0], seen[1]);
  assert.equal(seen[0].cart.lines[0].quantity, 1);
});

test('a mail scanner that follows every link twice changes nothing', async () => {
  const shopper = new Browser(rig);
  const email = address();
  await shopper.add();
  await shopper.identify(email, { phone: '+353861234567', consent: true });
  await advance(rig, 3 * minutes);
  const [message] = await inbox(rig, email);
  const before = await story(rig, shopper.cart);
  const links = new Set([...message.text.matchAll(/https?:\/\/[^\s)>"]+/g), ...message.html.matchAll(/https?:\/\/[^\s"<]+/g)].map((m) => m[0]));
  links.add(new URL(unsubscribePath(message), rig.url).href);
  assert.ok([...links].some((l) => l.includes('/r/')) && [...links].some((l) => l.includes('/u/')));
  for (const link of [...links, ...links]) {
    const url = new URL(link);
    if (url.origin !== rig.url) continue;
    const answer = await rig.fetch(url.pathname + url.search);
    await answer.arrayBuffer();
    assert.ok(answer.status < 500, link);
    assert.equal(answer.headers.getSetCookie().length, 0, 'no GET of a link sets a cookie');
  }
  assert.deepEqual(await story(rig, shopper.cart), before);
  await advance(rig, 72 * hours);
  assert.equal((await inbox(rig, email)).length, 2, 'still subscribed: the last call comes');
});

test('one click unsubscribes, and it holds', async () => {
  const shopper = new Browser(rig);
  const email = address();
  await shopper.add();
  await shopper.identify(email);
  await advance(rig, 3 * minutes);
  const path = unsubscribePath((await inbox(rig, email))[0]);
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const answer = await rig.fetch(path, { method: 'POST', body: 'List-Unsubscribe=One-Click', headers: form });
  assert.equal(answer.status, 200);
  await advance(rig, 80 * hours);
  assert.equal((await inbox(rig, email)).length, 1);
  assert.equal((await decisions(rig, shopper.cart)).at(-1).why, 'the person has opted out of every channel of this step');
  // The page cannot undo it.
  await shopper.identify(email);
  const again = new Browser(rig);
  again.cookies = new Map([['cb_vis', shopper.cookies.get('cb_vis')]]);
  await again.add();
  await again.identify(email);
  await advance(rig, 3 * minutes);
  assert.equal((await inbox(rig, email)).length, 1);
});

test('a purchase acknowledged just before the alarm: nothing is claimed', async () => {
  const shopper = new Browser(rig);
  const email = address();
  await shopper.add();
  await shopper.identify(email);
  await advance(rig, 119);
  await shopper.buy();
  await advance(rig, 80 * hours);
  assert.deepEqual(await inbox(rig, email), []);
  assert.equal((await story(rig, shopper.cart)).state.phase, 'completed');
});

test('the same person buys with another address on the same browser: nothing is sent', async () => {
  const shopper = new Browser(rig);
  const email = address();
  await shopper.add();
  await shopper.identify(email);
  const left = shopper.cart;
  // Another cart, another address, the same cookie.
  shopper.cart = `${left.slice(0, -4)}zzzz`;
  await shopper.add([other]);
  await shopper.identify(address(), { consent: false });
  await shopper.buy();
  await advance(rig, 80 * hours);
  assert.deepEqual(await inbox(rig, email), []);
  assert.equal((await story(rig, left)).state.phase, 'ordered');
});

test('a purchase that is reported again ends no cart that was begun after it', async () => {
  const shopper = new Browser(rig);
  const email = address();
  await shopper.add();
  await shopper.identify(email);
  const bought = shopper.cart;
  const purchase = [shopper.event('purchase', { transaction_id: newEvent(), currency: 'EUR', value: 24, items: [mug] }, { t: await now(rig) })];
  await shopper.send(purchase);
  await advance(rig, 10 * minutes);
  // Another cart of the same person, and then the report of the first one once more: its answer was lost.
  shopper.cart = newCart();
  await shopper.add([other]);
  await shopper.identify(email);
  const since = shopper.cart;
  await advance(rig, 1);
  const [report] = purchase;
  // As it was; and by a page that does not know any more which cart it bought, as another event.
  for (const [event, cart] of [[report, bought], [{ ...report, id: newEvent() }, newCart()]]) {
    shopper.cookies.delete('cb_cart');
    await shopper.send([event], { cart });
    assert.equal((await story(rig, since)).state.phase, 'active');
  }
  assert.equal((await story(rig, bought)).state.phase, 'completed');
  await advance(rig, 3 * minutes);
  assert.equal((await inbox(rig, email)).length, 1, 'its person may be written to about it');
  // A new order is a new order.
  await shopper.send([shopper.event('purchase', { transaction_id: newEvent(), currency: 'EUR', value: 24, items: [mug] }, { t: await now(rig) })], { cart: newCart() });
  assert.equal((await story(rig, since)).state.phase, 'ordered');
});

test('who was named for a cart that was not there yet is behind it when it is born', async () => {
  const email = address();
  const names = (browser) => signed(rig, '/v1/identify', { pk: 'pk_demo', cart: browser.cart, email, consent: { email: true, wording: 'w' } });
  // A browser without any cookie: nothing is known of it when its first batch comes.
  const fresh = new Browser(rig);
  assert.equal((await names(fresh)).status, 200);
  await fresh.add();
  const { person } = (await story(rig, fresh.cart)).state;
  assert.match(person ?? '', /^per_/);
  // And the shop's word goes before what a page had said of the cart.
  const typed = new Browser(rig);
  await typed.identify(address());
  assert.equal((await names(typed)).status, 200);
  await typed.add();
  assert.equal((await story(rig, typed.cart)).state.person, person);
});

test('duplicate and reordered events lead to the same cart', async () => {
  const at = await now(rig);
  const events = (b) => [
    b.event('add_to_cart', { currency: 'EUR', items: [mug] }, { id: 'evt_a1', t: at - 9000 }),
    b.event('add_to_cart', { currency: 'EUR', items: [other] }, { id: 'evt_a2', t: at - 8000 }),
    b.event('remove_from_cart', { currency: 'EUR', items: [mug] }, { id: 'evt_a3', t: at - 7000 }),
    b.event('begin_checkout', {}, { id: 'evt_a4', t: at - 6000 }),
  ];
  const straight = new Browser(rig);
  await straight.send(events(straight));
  const mixed = new Browser(rig);
  const list = events(mixed);
  for (const i of [3, 1, 1, 2, 0, 0, 3]) await mixed.send([list[i]]);
  const state = async (b) => {
    const { state } = await story(rig, b.cart);
    return { lines: state.cart.lines, version: state.cart.version, facts: state.facts, last: state.last_activity, phase: state.phase };
  };
  assert.deepEqual(await state(mixed), await state(straight));
});

test('without consent nothing is sent, and the reason is on record', async () => {
  const shopper = new Browser(rig);
  const email = address();
  await shopper.add();
  await shopper.identify(email, { consent: false });
  await advance(rig, 80 * hours);
  assert.deepEqual(await inbox(rig, email), []);
  const all = await decisions(rig, shopper.cart);
  assert.deepEqual(all.map((d) => d.verdict), ['skip', 'skip', 'skip']);
  assert.match(all[0].why, /not agreed/);
  assert.match(all[1].why, /no address/, 'the step by SMS');
  assert.ok(all[0].checks.some((c) => c.rule === 'email.consent' && !c.passed));
});

test('the stop switch: nothing leaves, nothing is lost', async () => {
  // A policy by email alone: after 15 minutes idle and one hour. Without packs: nobody knows where this shopper is.
  const { policy, ...document } = await demoShop(rig);
  const early = await readFile(new URL('../../policies/early.toml', import.meta.url), 'utf8');
  // And nobody is held out: one shopper in ten would get nothing, whatever the switch says.
  const all = early.replace(/^\[holdout\]\n(?:[^[]*\n)?/m, '') + '\n[holdout]\npercent = 0\n';
  await rig.provision({ ...document, policy_toml: `${all}\n[jurisdiction]\npacks = []\n` });
  const shopper = new Browser(rig);
  const email = address();
  await shopper.add();
  await shopper.identify(email);
  assert.equal((await rig.admin('/v1/admin/shops/shop_demo/stop', { method: 'POST' })).status, 200);
  await advance(rig, 5 * hours);
  assert.deepEqual(await inbox(rig, email), []);
  await rig.admin('/v1/admin/shops/shop_demo/resume', { method: 'POST' });
  await advance(rig, 2 * hours);
  assert.equal((await inbox(rig, email)).length, 1);
  await rig.provision();
});

test('a queue that is down: the cart comes back to it and sends later', async () => {
  const shopper = new Browser(rig);
  const email = address();
  await shopper.add();
  await shopper.identify(email);
  await fault(rig, 'sends_queue', true);
  await advance(rig, 4 * minutes);
  assert.deepEqual(await inbox(rig, email), []);
  await fault(rig, 'sends_queue', false);
  await advance(rig, 10 * minutes);
  assert.equal((await inbox(rig, email)).length, 1);
});

test('a provider that is down is asked again under the same key', async () => {
  const shopper = new Browser(rig);
  const email = address();
  await shopper.add();
  await shopper.identify(email);
  await fault(rig, 'provider', true);
  await advance(rig, 5 * minutes);
  await fault(rig, 'provider', false);
  await advance(rig, 5 * minutes);
  assert.equal((await inbox(rig, email)).length, 1);
});

test('an SMS goes by its own consent, in one segment, with a short link that leads to the cart', async () => {
  const shopper = new Browser(rig);
  await shopper.add();
  const phone = '+353861234599';
  const answer = await shopper.post('/v1/identify', { pk: 'pk_demo', cart: shopper.cart, phone, consent: { sms: true, wording: 'w' } });
  assert.equal(answer.status, 200);
  await advance(rig, 15 * minutes);
  const [sms] = await inbox(rig, phone);
  assert.equal(sms.channel, 'sms');
  assert.ok(sms.text.length <= 160 && /STOP/.test(sms.text), sms.text);
  const short = new URL(sms.text.match(/https?:\/\/\S+\/s\/\w+/)[0]);
  const hop = await rig.fetch(short.pathname);
  assert.equal(hop.status, 302);
  assert.equal((await rig.fetch(hop.headers.get('location'))).status, 200);
});

test('an unverified address gets one recovery in thirty days', async () => {
  const email = address();
  const first = new Browser(rig);
  await first.add();
  await first.identify(email);
  await advance(rig, 90 * hours);
  const count = (await inbox(rig, email)).length;
  assert.equal(count, 2, 'reminder and last call of one episode');
  const stranger = new Browser(rig);
  await stranger.add();
  await stranger.identify(email);
  await advance(rig, 90 * hours);
  assert.equal((await inbox(rig, email)).length, count);
  assert.match((await decisions(rig, stranger.cart))[0].why, /only typed into a page/);
});

test('what a page says of titles and prices is shown to nobody else', async () => {
  const shopper = new Browser(rig);
  const email = address();
  await shopper.add([
    { ...mug, item_name: 'You have won, visit evil.example', price: 0.01 },
    { item_id: 'made-up', item_name: 'visit evil.example', price: 1, quantity: 1 },
  ]);
  await shopper.identify(email);
  await advance(rig, 3 * minutes);
  const [message] = await inbox(rig, email);
  assert.doesNotMatch(message.text + message.html, /evil/);
  assert.match(message.text, /24\.00 EUR/);
});

test('the ledger and the archive get the story, without addresses', async () => {
  const shopper = new Browser(rig);
  const email = address();
  await shopper.add();
  await shopper.identify(email);
  await advance(rig, 3 * minutes);
  const db = await rig.mf.getD1Database('LEDGER');
  const rows = async () => (await db.prepare('SELECT kind, what FROM entries WHERE cart = ? ORDER BY seq').bind(shopper.cart).all()).results;
  await until('the ledger has the send', async () => (await rows()).some((r) => r.kind === 'settled'));
  const all = await rows();
  assert.deepEqual([...new Set(all.map((r) => r.kind))].sort(), ['born', 'decided', 'left', 'linked', 'moved', 'offered', 'settled', 'went_out']);
  assert.doesNotMatch(JSON.stringify(all), /@/);
  const bucket = await rig.mf.getR2Bucket('ARCHIVE');
  const { objects } = await bucket.list({ prefix: 'ledger/shop_demo/' });
  assert.ok(objects.some((o) => o.key.includes(shopper.cart)));
});

test('the sweep wakes a cart whose alarm was lost', async () => {
  const shopper = new Browser(rig);
  const email = address();
  await shopper.add();
  await shopper.identify(email);
  const db = await rig.mf.getD1Database('LEDGER');
  const row = () => db.prepare('SELECT due FROM carts WHERE cart = ?').bind(shopper.cart).first();
  await until('the ledger knows the due time', async () => (await row())?.due);
  // Forget the due time where the virtual clock keeps it, which is how an alarm is lost here.
  const due = (await row()).due;
  await reset(rig, new Date(due + 20 * 60_000).toISOString());
  await rig.runCron('*/5 * * * *');
  // So late that the text message is due as well, and the reminder gives way to it: what counts is that the cart was woken.
  await until('the cart is woken', async () => (await story(rig, shopper.cart)).log.some(({ entry }) => entry.what.type === 'left'));
});
