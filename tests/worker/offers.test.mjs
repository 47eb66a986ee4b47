// Offers at the running edge: a budget for the day that two shoppers cannot both take, a learned choice that is told its
// outcomes, a margin that the catalogue knows, and a customer whom the shop's server describes.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Browser, advance, decisions, demoShop, inbox, minutes, mug, reset, signed, startShop } from './support/shopper.mjs';

const policy = `
[policy]
name = "giving"
[abandonment]
idle = "1m"
[[offer]]
name = "ten"
kind = "percent"
percent = 10
valid_for = "72h"
first_message = true
min_margin = 0.2
budget_day = 3
[[sequence]]
name = "standard"
steps = [{ name = "only", at = "1m", channel = ["email"], template = "incentive", offer = "ten" }]
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
  rig = await startShop({ shop: { policy: undefined, policy_toml: policy, offer_codes: { ten: 'BACK10', five: 'BACK5' } } });
  await reset(rig);
});
after(() => rig?.stop());

const leave = async (email) => {
  const shopper = new Browser(rig);
  await shopper.add();
  await shopper.identify(email);
  return shopper;
};
const offerCheck = (all) => all.flatMap((d) => d.checks).filter((c) => c.rule === 'offer');

test('a budget of a day goes to one of two: 2.40 of 3.00 each', async () => {
  const first = await leave('first@example.com');
  await advance(rig, 3 * minutes);
  const second = await leave('second@example.com');
  await advance(rig, 3 * minutes);
  const [given, withheld] = await Promise.all([first, second].map(async (s) => offerCheck(await decisions(rig, s.cart))));
  assert.equal(given.at(-1).passed, true, JSON.stringify(given));
  assert.equal(withheld.at(-1).passed, false, JSON.stringify(withheld));
  assert.match(withheld.at(-1).found, /budget/);
  assert.match((await inbox(rig, 'first@example.com'))[0].text, /BACK10/);
  // A withheld offer withholds nothing else: the template that needs one is not sent without it.
  const [message] = await inbox(rig, 'second@example.com');
  if (message) assert.doesNotMatch(message.text, /BACK10/);
  await advance(rig, 24 * 60 * minutes);
  const third = await leave('third@example.com');
  await advance(rig, 3 * minutes);
  assert.equal(offerCheck(await decisions(rig, third.cart)).at(-1).passed, true, 'another day, another budget');
});

test('message, landing page and restore say how long offer and prices hold, and then that they did', async () => {
  const held = policy
    .replace('budget_day = 3\n', '')
    .replace('valid_for = "72h"', 'valid_for = "24h"\nhonour_price = "48h"');
  const shop = { ...(await demoShop(rig)), policy: undefined, policy_toml: held, offer_codes: { ten: 'BACK10' } };
  const put = await rig.admin('/v1/admin/shops/shop_demo', { method: 'PUT', body: JSON.stringify(shop) });
  assert.equal(put.status, 200, await put.text());
  const shopper = await leave('patient@example.com');
  await advance(rig, 3 * minutes);
  const [message] = await inbox(rig, 'patient@example.com');
  assert.match(message.text, /Valid until \d+ [A-Z][a-z]+ 20\d\d, \d\d:\d\d UTC\./);
  assert.match(message.text, /you still pay the old one until \d+ [A-Z][a-z]+ 20\d\d/);
  const [, token] = /\/r\/(\S+)/.exec(message.text);
  const look = async () => {
    const page = await (await rig.fetch(`/r/${token}`)).text();
    return { page, ...(await (await rig.fetch(`/v1/restore/${token}`)).json()) };
  };
  const fresh = await look();
  assert.match(fresh.page, /The code BACK10, until \d+ [A-Z]/);
  assert.match(fresh.page, /you still pay the old one until/);
  assert.equal(fresh.offer, 'BACK10');
  assert.deepEqual(fresh.report.map((r) => r.kind), ['prices_held']);
  await advance(rig, 25 * 60 * minutes);
  const later = await look();
  assert.doesNotMatch(later.page, /BACK10/);
  assert.match(later.page, /The offer that came with this link is over/);
  assert.equal(later.offer, null);
  assert.deepEqual(later.report.map((r) => r.kind), ['offer_ended', 'prices_held']);
  await advance(rig, 25 * 60 * minutes);
  const last = await look();
  assert.deepEqual(last.report.map((r) => r.kind), ['offer_ended']);
  assert.doesNotMatch(last.page, /the old one/);
});

test('a margin rule needs unit costs in the catalogue', async () => {
  const shop = { ...(await demoShop(rig)), policy: undefined, policy_toml: policy };
  for (const product of shop.catalogue) delete product.unit_cost_minor;
  const answer = await rig.admin('/v1/admin/shops/shop_demo', { method: 'PUT', body: JSON.stringify(shop) });
  assert.equal(answer.status, 400);
  assert.match((await answer.json()).detail, /unit cost/);
});

test('the shop\'s server describes a customer; a page may not', async () => {
  const shopper = new Browser(rig);
  await shopper.add();
  const said = { pk: 'pk_demo', cart: shopper.cart, email: 'vip@example.com', consent: { email: true, wording: 'w', confirmed: true }, profile: { country: 'IE', preferred_channel: 'email', tags: ['vip'] } };
  assert.equal((await shopper.post('/v1/identify', said)).status, 403);
  const told = await signed(rig, '/v1/identify', said);
  assert.equal(told.status, 200, await told.text());
  assert.equal((await signed(rig, '/v1/identify', { ...said, profile: { country: 'Ireland' } })).status, 400);
  await advance(rig, 3 * minutes);
  const [decision] = await decisions(rig, shopper.cart);
  assert.equal(decision.facts.person_country, 'IE');
  assert.deepEqual(decision.facts.person_tags, ['vip']);
  assert.equal(decision.consent.source, 'person');
});

test('a learned choice hears what its messages brought', async () => {
  const learning = policy
    .replace('budget_day = 3\n', '')
    .replace('[[sequence]]', '[[offer]]\nname = "five"\nkind = "percent"\npercent = 5\nvalid_for = "72h"\nfirst_message = true\n[[learner]]\nname = "which"\narms = ["ten", "five"]\nleast_share = 0.2\n[[sequence]]')
    .replace('offer = "ten" }]', 'offer = "which" }]');
  const shop = { ...(await demoShop(rig)), policy: undefined, policy_toml: learning, offer_codes: { ten: 'BACK10', five: 'BACK5' } };
  const put = await rig.admin('/v1/admin/shops/shop_demo', { method: 'PUT', body: JSON.stringify(shop) });
  assert.equal(put.status, 200, await put.text());
  const shopper = await leave('learner@example.com');
  await advance(rig, 3 * minutes);
  const [decision] = await decisions(rig, shopper.cart);
  assert.equal(decision.grant?.learner, 'which', JSON.stringify(decision.checks));
  assert.ok(['ten', 'five'].includes(decision.grant.offer));
  await shopper.buy();
  // Told by the log, through the ledger's queue; the next choice of the shop is made knowing it.
  let known = '';
  for (let tries = 0; tries < 20 && !known.includes(`${decision.grant.offer} 1 of 1`); tries += 1) {
    const next = await leave(`next${tries}@example.com`);
    await advance(rig, 3 * minutes);
    known = JSON.stringify((await decisions(rig, next.cart))[0].checks);
  }
  assert.ok(known.includes(`${decision.grant.offer} 1 of 1`), known);
});
