// Push subscriptions at the running edge: what is taken, whose it is, what a no takes away, and what a stranger cannot do with one.

import assert from 'node:assert/strict';
import { createECDH, randomBytes } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';

import { Browser, advance, decisions, demoShop, inbox, minutes, newEvent, reset, signed, startShop, story } from './support/shopper.mjs';

const target = '/v1/push/subscriptions';
const policy = `
[policy]
name = "push"
[abandonment]
idle = "1m"
[[sequence]]
name = "standard"
steps = [{ name = "nudge", at = "1m", channel = ["push", "email"], template = "reminder" }]
[jurisdiction]
packs = []
[holdout]
percent = 0
`;

let rig;
let document;
before(async () => {
  rig = await startShop({ shop: { policy: undefined, policy_toml: policy, automation: 'refuse', panels: { push: { title: 'May we?' } } } });
  document = await demoShop(rig);
});
after(() => rig?.stop());
beforeEach(() => reset(rig));

const address = (name) => `${name}.${newEvent().slice(4)}@example.com`;

/** A browser's subscription as its toJSON() gives it, with a key that has a private half. */
function subscription(over = {}) {
  const curve = createECDH('prime256v1');
  curve.generateKeys();
  const keys = { p256dh: curve.getPublicKey('base64url', 'uncompressed'), auth: randomBytes(16).toString('base64url') };
  return { endpoint: `https://push.example/send/${randomBytes(12).toString('hex')}`, expirationTime: null, keys, ...over };
}

const body = (browser, sub, { push = true, ...over } = {}) => ({
  pk: 'pk_demo', cart: browser.cart, subscription: sub, consent: { push, wording: '2026-11' }, locale: 'en-IE', tz: 'Europe/Dublin', ...over,
});

async function subscribe(browser, sub = subscription(), over) {
  const answer = await browser.post(target, body(browser, sub, over));
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return JSON.parse(text).push;
}

/** How the gate decided on the cart's one step, and what it found of push. */
async function asked(cart) {
  await advance(rig, 3 * minutes);
  const [record] = await decisions(rig, cart);
  return { record, push: record?.checks.find((c) => c.rule.startsWith('push.')) };
}

async function refused(answer, what, status = 400) {
  const text = await answer.text();
  assert.equal(answer.status, status, `${what}: ${text}`);
  assert.equal(answer.headers.get('content-type'), 'application/problem+json', what);
  return JSON.parse(text);
}

test('the configuration tells the key where the shop asks, the same every time, and no other shop\'s', async () => {
  const read = async (pk) => (await rig.fetch(`/v1/config/${pk}`)).json();
  const { push } = await read('pk_demo');
  const bytes = Buffer.from(push.key, 'base64url');
  assert.deepEqual([push.key.length, bytes.length, bytes[0]], [87, 65, 4]);
  const curve = createECDH('prime256v1');
  curve.generateKeys();
  assert.ok(curve.computeSecret(bytes).length, 'a point of the curve');
  assert.equal((await read('pk_demo')).push.key, push.key);
  for (const [shop, pk, panels] of [['shop_quiet', 'pk_quiet', {}], ['shop_loud', 'pk_loud', { push: { title: 'May we?' } }]]) {
    const put = await rig.admin(`/v1/admin/shops/${shop}`, { method: 'PUT', body: { ...document, shop, pk, hosts: [`${shop.slice(5)}.example`], origins: [rig.url], panels } });
    assert.equal(put.status, 200, await put.text());
  }
  assert.equal((await read('pk_quiet')).push, undefined);
  assert.notEqual((await read('pk_loud')).push.key, push.key);
});

test('a yes is kept with its browser, before the first event too, and the gate still finds no provider', async () => {
  const browser = new Browser(rig);
  assert.equal(await subscribe(browser), 'recorded');
  assert.ok(browser.cookies.has('cb_vis'));
  await browser.add();
  const { state } = await story(rig, browser.cart);
  assert.match(state.person, /^per_/, 'the cart has found its person');
  const { record, push } = await asked(browser.cart);
  assert.deepEqual([record.verdict, push.found], ['skip', 'no provider for this channel']);
  assert.doesNotMatch(JSON.stringify(await story(rig, browser.cart)), /push\.example/, 'no log names an endpoint');
});

test('first push, then an address, or the other way round: one person with both', async () => {
  for (const first of ['push', 'email']) {
    const email = address('ada');
    const browser = new Browser(rig);
    await browser.add();
    if (first === 'push') await subscribe(browser);
    await browser.identify(email);
    const { person } = (await story(rig, browser.cart)).state;
    if (first === 'email') await subscribe(browser);
    const { state } = await story(rig, browser.cart);
    assert.equal(state.person, person, 'the cart stays whose it was');
    await advance(rig, 3 * minutes);
    assert.equal((await inbox(rig, email)).length, 1, `${first} first`);
    // One person: the no of this browser for push is theirs, and so is that for the address.
    const no = { pk: 'pk_demo', channel: 'email', address: email, granted: false, wording: 'w' };
    assert.equal((await (await browser.post('/v1/consent', no)).json()).consent, 'recorded');
  }
});

test('a subscription is not an address: it takes no cart from whoever told one', async () => {
  // The address was known from elsewhere, so the browser is another person than the address.
  const email = address('ada');
  const elsewhere = new Browser(rig);
  await elsewhere.add();
  await elsewhere.identify(email);
  const browser = new Browser(rig);
  await browser.add();
  await browser.identify(email);
  const { person } = (await story(rig, browser.cart)).state;
  await subscribe(browser);
  assert.equal((await story(rig, browser.cart)).state.person, person);
});

test('a no takes the subscription away and is recorded where browser and subscription are one person', async () => {
  const [one, two] = [subscription(), subscription()];
  const browser = new Browser(rig);
  await subscribe(browser, one);
  const stranger = new Browser(rig);
  assert.equal(await subscribe(stranger, { endpoint: one.endpoint }, { push: false }), 'not recorded', 'without a cookie');
  await stranger.add();
  await subscribe(stranger, subscription());
  assert.equal(await subscribe(stranger, { endpoint: one.endpoint }, { push: false }), 'not recorded', 'of somebody else');
  assert.equal(await subscribe(browser, { endpoint: two.endpoint }, { push: false }), 'not recorded', 'one that nobody knows');
  assert.equal(await subscribe(browser, { endpoint: one.endpoint }, { push: false }), 'recorded');
  assert.equal(await subscribe(browser, one, { push: false }), 'recorded', 'twice, and whole');
  await advance(rig, 1);
  assert.equal(await subscribe(browser, one), 'recorded', 'and back');
});

test('whoever names an endpoint of somebody else does not become them', async () => {
  const email = address('victim');
  const sub = subscription();
  const shopper = new Browser(rig);
  await shopper.add();
  await shopper.identify(email);
  await subscribe(shopper, sub);
  const stranger = new Browser(rig);
  await stranger.add();
  assert.equal(await subscribe(stranger, { ...sub, keys: subscription().keys }), 'recorded', 'the answer tells nothing');
  const no = { pk: 'pk_demo', channel: 'email', address: email, granted: false, wording: 'w' };
  assert.equal((await (await stranger.post('/v1/consent', no)).json()).consent, 'not recorded');
  await advance(rig, 3 * minutes);
  const bodies = await inbox(rig, email);
  assert.ok(bodies.length >= 1, 'the victim is still written to');
});

test('the shop\'s server merges two persons, and their subscriptions with them', async () => {
  const phone = '+353861234999';
  const emails = [address('one'), address('two')];
  const browsers = [new Browser(rig), new Browser(rig)];
  const subs = [subscription(), subscription()];
  for (const [n, browser] of browsers.entries()) {
    await browser.add();
    await browser.identify(emails[n]);
    await subscribe(browser, subs[n]);
    assert.equal((await signed(rig, '/v1/identify', { pk: 'pk_demo', email: emails[n], phone })).status, 200);
  }
  // Each browser still takes its own away.
  for (const [n, browser] of browsers.entries()) assert.equal(await subscribe(browser, { endpoint: subs[n].endpoint }, { push: false }), 'recorded');
});

test('a program is told no, and nothing is kept of it', async () => {
  const sub = subscription();
  const robot = new Browser(rig);
  const bot = await robot.fetch(target, { method: 'POST', headers: { 'user-agent': 'Googlebot/2.1' }, body: JSON.stringify(body(robot, sub)) });
  assert.deepEqual([bot.status, (await bot.json()).push, bot.headers.getSetCookie().length], [200, 'not recorded', 0]);
  assert.equal(await subscribe(robot, sub, { automated: true }), 'not recorded');
  const honest = new Browser(rig);
  await subscribe(honest, sub);
  assert.equal(await subscribe(honest, { endpoint: sub.endpoint }, { push: false }), 'recorded', 'whose it is was not taken by the robot');
});

test('carts of another shop, closed and made-up carts: the subscription is kept, nobody\'s cart is touched', async () => {
  const owner = new Browser(rig);
  await owner.add();
  const before = await story(rig, owner.cart);
  const second = new Browser(rig);
  const answer = await second.post(target, body({ cart: owner.cart }, subscription(), { pk: 'pk_loud' }));
  assert.equal(answer.status, 200, await answer.text());
  assert.deepEqual(await story(rig, owner.cart), before);
  await owner.buy();
  const { phase } = (await story(rig, owner.cart)).state;
  assert.match(phase, /^(ordered|completed)$/);
  assert.equal(await subscribe(owner), 'recorded');
  assert.equal((await story(rig, owner.cart)).state.phase, phase);
});

test('endpoints that lead inside, keys of the wrong size, bodies that are cut off or too large', async () => {
  const browser = new Browser(rig);
  const secret = 'n0b0dysSecret';
  const say = (sub) => browser.post(target, body(browser, sub));
  for (const endpoint of [
    '', 'push.example', 'http://push.example/x', 'ftp://push.example/x', `https://user:${secret}@push.example/`, 'https://169.254.169.254/latest/meta-data/',
    'https://10.0.0.1/', 'https://2130706433/', 'https://0x7f.1/', 'https://[fd00:ec2::254]/', 'https://metadata.google.internal/', 'https://intranet/',
    'https://printer.local/', 'https://push.example:8443/', 'https://push.example\\@10.0.0.1/', 'https://push.example/#x', `https://push.example/${secret.repeat(90)}`,
  ]) {
    const { detail } = await refused(await say(subscription({ endpoint })), endpoint);
    assert.match(detail, /^subscription\.endpoint: /, endpoint);
    assert.ok(!detail.includes(secret));
  }
  const good = subscription();
  const point = Buffer.from(good.keys.p256dh, 'base64url');
  point[64] ^= 1;
  for (const [keys, place] of [
    [undefined, 'keys'], [{ ...good.keys, p256dh: '' }, 'keys.p256dh'], [{ ...good.keys, p256dh: good.keys.p256dh.slice(0, -1) }, 'keys.p256dh'],
    [{ ...good.keys, p256dh: good.keys.p256dh + 'A' }, 'keys.p256dh'], [{ ...good.keys, p256dh: point.toString('base64url') }, 'keys.p256dh'],
    [{ ...good.keys, p256dh: Buffer.alloc(65).toString('base64url') }, 'keys.p256dh'], [{ ...good.keys, auth: secret }, 'keys.auth'],
    [{ ...good.keys, auth: randomBytes(17).toString('base64url') }, 'keys.auth'],
  ]) {
    const { detail } = await refused(await say({ ...good, keys }), place);
    assert.ok(detail.startsWith(`subscription.${place}: `) && !detail.includes(secret), detail);
  }
  for (const expirationTime of [-1, 1, 1e300]) await refused(await say({ ...good, expirationTime }), `${expirationTime}`);
  for (const over of [{ consent: {} }, { consent: undefined }, { consent: { push: 'yes' } }, { cart: '../x' }, { pk: 5 }]) {
    await refused(await browser.post(target, { ...body(browser, good), ...over }), JSON.stringify(over));
  }
  const whole = JSON.stringify(body(browser, good));
  for (let cut = 0; cut < whole.length; cut += 29) await refused(await browser.post(target, whole.slice(0, cut)), `cut at ${cut}`);
  await refused(await browser.post(target, whole + ' '.repeat(4096)), 'padded', 413);
  await refused(await browser.post(target, { ...body(browser, good), pk: 'pk_nobody' }), 'no such shop', 404);
  for (const origin of ['https://evil.example', 'null']) {
    await refused(await browser.fetch(target, { method: 'POST', headers: { origin }, body: whole }), origin, 403);
  }
  await refused(await rig.fetch(target, { method: 'POST', body: whole }), 'no origin', 403);
  await refused(await browser.fetch(target), 'GET', 405);
  assert.deepEqual([...browser.cookies], [], 'nothing of all that left a cookie');
  assert.doesNotMatch(rig.log(), /n0b0dysSecret|RuntimeError|panicked/);
});

test('a local run takes this machine for a push service', async () => {
  const browser = new Browser(rig);
  assert.equal(await subscribe(browser, subscription({ endpoint: 'http://127.0.0.1:9999/push/1' })), 'recorded');
  await refused(await browser.post(target, body(browser, subscription({ endpoint: 'http://127.0.0.1.evil.example/' }))), 'not this machine');
});
