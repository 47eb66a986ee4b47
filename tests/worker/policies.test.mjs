// Versions of a policy at a running edge: pushed, tried in shadow, put in force, rolled back, while a cart is being recovered.

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { Browser, advance, decisions, demoShop, hours, inbox, minutes, newEvent, reset, startShop, story, until } from './support/shopper.mjs';

let rig;
before(async () => {
  rig = await startShop({ shop: { policy: undefined, policy_toml: policyOf('standing', 10, 40) } });
});
after(() => rig?.stop());
beforeEach(() => reset(rig));

const address = () => `ada.${newEvent().slice(4)}@example.com`;

/** A policy of two steps by email: after so many minutes, and after so many hours. */
function policyOf(name, first, second, more = '') {
  return `[policy]
name = "${name}"

[abandonment]
idle = "15m"

[[sequence]]
name = "standard"
steps = [
  { name = "reminder",  at = "${first}m", channel = ["email"], template = "reminder" },
  { name = "last_call", at = "${second}h", channel = ["email"], template = "last_call" },
]

[quiet_hours]
from = "00:00"
to = "00:00"

[holdout]
percent = 0
${more}`;
}

const policies = '/v1/admin/shops/shop_demo/policies';

async function ask(target, body) {
  const answer = await rig.admin(`${policies}${target}`, body === undefined ? {} : { method: 'POST', body });
  return { status: answer.status, body: await answer.json() };
}

async function push(toml, who = 'ada') {
  const { status, body } = await ask('', { toml, file: 'mine.toml', who });
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** A cart with somebody behind it who said yes. */
async function left() {
  const shopper = new Browser(rig);
  const email = address();
  await shopper.add();
  await shopper.identify(email);
  return { shopper, email };
}

const entries = async (cart, type) => (await story(rig, cart)).log.map((l) => l.entry.what).filter((w) => w.type === type);

test('pushed, shadowed, activated, rolled back, while carts are being recovered', async () => {
  const before = (await ask('')).body;
  const standing = before.live.version;
  assert.deepEqual(before.versions.map((v) => [v.version, v.name]), [[standing, 'standing']]);

  const pushed = await push(policyOf('eager', 1, 20));
  assert.equal(pushed.new, true);
  assert.notEqual(pushed.version, standing);
  assert.equal((await ask('')).body.live.version, standing, 'a push puts nothing in force');
  assert.equal((await push(policyOf('eager', 1, 20))).new, false);

  // In shadow it decides beside the other, and sends nothing.
  assert.equal((await ask('/shadow', { version: pushed.version, who: 'ada' })).body.shadow, pushed.version);
  const one = await left();
  await advance(rig, 26 * minutes);
  assert.equal((await inbox(rig, one.email)).length, 1);
  const [shadowed] = await entries(one.shopper.cart, 'shadowed');
  assert.equal(shadowed.policy, pushed.version);
  assert.equal(shadowed.record.verdict, 'send');
  assert.equal(shadowed.record.policy, pushed.version);
  const [live] = await decisions(rig, one.shopper.cart);
  assert.equal(live.policy, standing);
  const [planned] = await entries(one.shopper.cart, 'shadow_left');
  assert.equal(planned.sequence, 'standard');
  assert.deepEqual(planned.steps.map((s) => s.step), ['reminder', 'last_call']);
  assert.equal(shadowed.due, (await story(rig, one.shopper.cart)).state.episode.began + 60_000, 'it would have been due after a minute');

  // In force: a cart left before goes on as it began, one left from now on follows it.
  const activated = (await ask('/activate', { version: pushed.version, who: 'bob' })).body;
  assert.equal(activated.live.version, pushed.version);
  assert.equal(activated.shadow, null);
  const two = await left();
  await advance(rig, 17 * minutes);
  assert.equal((await inbox(rig, two.email)).length, 1, 'after a minute, not ten');
  assert.equal((await decisions(rig, two.shopper.cart))[0].policy, pushed.version);
  await advance(rig, 21 * hours);
  assert.equal((await inbox(rig, one.email)).length, 1, 'its last call is due after 40 hours still');
  assert.match((await decisions(rig, two.shopper.cart)).at(-1).why, /daily cap/);

  // Rolled back: what was left under the withdrawn version is not written to any more.
  const three = await left();
  await advance(rig, 15 * minutes + 30);
  assert.equal((await story(rig, three.shopper.cart)).state.episode.policy, pushed.version);
  const back = (await ask('/rollback', { who: 'ada' })).body;
  assert.equal(back.live.version, standing);
  assert.equal(back.versions.find((v) => v.version === pushed.version).withdrawn, true);
  await advance(rig, 60 * hours);
  assert.equal((await inbox(rig, three.email)).length, 0);
  const last = (await decisions(rig, three.shopper.cart)).at(-1);
  assert.match(last.why, /left before the policy was activated/);
  assert.equal((await inbox(rig, two.email)).length, 1, 'no last call under the withdrawn version');
  assert.equal((await inbox(rig, one.email)).length, 2, 'what was left under the standing version went on to its end');

  const four = await left();
  await advance(rig, 26 * minutes);
  assert.equal((await decisions(rig, four.shopper.cart))[0].policy, standing);
  assert.equal((await inbox(rig, four.email)).length, 1);

  const key = (await decisions(rig, one.shopper.cart))[0].key;
  const whose = async () => (await rig.admin(`/v1/admin/shops/shop_demo/sends/${key}`)).json();
  await until('the ledger knows the send', async () => (await whose()).cart === one.shopper.cart);

  const { changes } = (await ask('')).body;
  assert.deepEqual(changes.map((c) => [c.who, Object.keys(typeof c.act === 'string' ? { [c.act]: 1 } : c.act)[0]]).slice(-4), [
    ['ada', 'pushed'], ['ada', 'shadowed'], ['bob', 'activated'], ['ada', 'rolled_back'],
  ]);
});

test('a policy in a newer language is refused, and what is in force stays', async () => {
  const before = (await ask('')).body;
  for (const [toml, what] of [
    [policyOf('newer', 10, 40, '\n[telepathy]\nchance = 1\n'), /telepathy/],
    [policyOf('newer', 10, 40).replace('template = "reminder"', 'template = "hologram"'), /hologram/],
    ['not = [a policy', /mine\.toml/],
  ]) {
    const { status, body } = await ask('', { toml, file: 'mine.toml' });
    assert.equal(status, 422);
    assert.equal(body.type, '/problems/policy');
    assert.match(body.detail, what);
    assert.match(body.detail, /mine\.toml:\d+:\d+/);
  }
  assert.deepEqual((await ask('')).body, before);
  const { shopper, email } = await left();
  await advance(rig, 26 * minutes);
  assert.equal((await inbox(rig, email)).length, 1);
  assert.equal((await decisions(rig, shopper.cart))[0].policy, before.live.version);
});

test('a bound per hour holds, and what is too many comes later', async () => {
  const { version } = await push(policyOf('bounded', 2, 40));
  await ask('/activate', { version, per_hour: 2 });
  const all = await Promise.all([left(), left(), left(), left()]);
  const sent = async () => (await Promise.all(all.map(({ email }) => inbox(rig, email)))).filter((m) => m.length).length;
  await advance(rig, 20 * minutes);
  assert.equal(await sent(), 2);
  await advance(rig, 1 * hours);
  assert.equal(await sent(), 4);
  const whys = (await Promise.all(all.map(({ shopper }) => decisions(rig, shopper.cart)))).flat().map((d) => d.why);
  assert.equal(whys.filter((w) => /bound for this hour/.test(w)).length, 2);
  await ask('/rollback', {});
});

test('a rollout to some leaves the others with the version before', async () => {
  const { live } = (await ask('')).body;
  const { version } = await push(policyOf('some', 3, 40));
  assert.equal((await ask('/activate', { version, percent: 50 })).body.live.percent, 50);
  const all = await Promise.all(Array.from({ length: 12 }, left));
  await advance(rig, 16 * minutes);
  const under = await Promise.all(all.map(async ({ shopper }) => (await story(rig, shopper.cart)).state.episode.policy));
  assert.deepEqual([...new Set(under)].sort(), [live.version, version].sort(), 'twelve on one side: once in 2048 runs');
  await advance(rig, 12 * minutes);
  for (const { email } of all) assert.equal((await inbox(rig, email)).length, 1, 'nobody is left out');
  await ask('/rollback', {});
});

test('a document that is sent again for its catalogue does not undo an activation', async () => {
  const { version } = await push(policyOf('kept', 4, 40));
  await ask('/activate', { version });
  const document = { ...(await demoShop(rig)), policy: undefined, policy_toml: policyOf('standing', 10, 40) };
  await rig.provision(document);
  assert.equal((await ask('')).body.live.version, version);
  await rig.provision({ ...document, policy_toml: policyOf('other', 5, 41) });
  const { live, versions } = (await ask('')).body;
  assert.equal(versions.find((v) => v.version === live.version).name, 'other', 'another policy in the document is an activation');
});

test('what cannot be done is refused with its reason', async () => {
  const { live } = (await ask('')).body;
  for (const [target, body, status] of [
    ['/activate', { version: 'pol_missing00' }, 404],
    ['/activate', { version: live.version, percent: 0 }, 400],
    ['/activate', { version: live.version, per_hour: 100_000 }, 400],
    ['/shadow', { version: live.version }, 409],
    ['/shadow', { version: 'pol_missing00' }, 404],
    ['/approve', { version: live.version, offers: ['nothing'] }, 400],
    ['/rollback', { who: '' }, 400],
    ['/rollback', { who: 'a\nb' }, 400],
    ['/activate', { version: live.version, percnt: 5 }, 400],
    ['', { toml: 'x'.repeat(200_000) }, 413],
  ]) {
    const answer = await ask(target, body);
    assert.equal(answer.status, status, `${target} ${JSON.stringify(body).slice(0, 80)}: ${JSON.stringify(answer.body)}`);
    assert.equal(typeof answer.body.title, 'string');
  }
  assert.deepEqual((await ask('')).body.live, live);
  const shown = await ask(`/${live.version.slice(0, 12)}`);
  assert.equal(shown.body.version, live.version);
  assert.equal(shown.body.canonical.name, 'other');
  assert.equal((await rig.admin('/v1/admin/shops/shop_nobody/policies')).status, 404);
  assert.equal((await rig.fetch(policies)).status, 401);
});
