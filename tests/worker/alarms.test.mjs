// The platform's own alarms, in real time: nothing here touches the virtual clock. A policy with an
// idle time of five seconds, and waits bounded by what the platform needs.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Browser, demoShop, fault, inbox, startShop, story, until } from './support/shopper.mjs';

const policy_toml = `
[policy]
name = "seconds"
description = "For tests of the platform's alarms."
[abandonment]
idle = "5s"
[[sequence]]
name = "all"
steps = [{ name = "reminder", at = "1s", channel = ["email"], template = "reminder" }]
[quiet_hours]
from = "00:00"
to = "00:00"
# Nobody knows where this shopper is, so the law of every pack would count.
[jurisdiction]
packs = []
[holdout]
percent = 0
`;

let rig;
before(async () => {
  rig = await startShop();
  const { policy, ...document } = await demoShop(rig);
  await rig.provision({ ...document, policy_toml });
});
after(() => rig?.stop());

async function left(email) {
  const shopper = new Browser(rig);
  await shopper.send([shopper.event('add_to_cart', { currency: 'EUR', items: [{ item_id: 'harbour-mug', item_variant: '250 ml / Tide', price: 24, quantity: 1 }] })]);
  await shopper.identify(email);
  return shopper;
}
const arrives = (email) => until(`${email} has a message`, async () => (await inbox(rig, email)).length === 1, { tries: 400 });

test('the alarm wakes the cart, and a batch in between puts it off', async () => {
  const shopper = await left('alarm@example.com');
  await new Promise((resolve) => setTimeout(resolve, 3000));
  await shopper.send([shopper.event('page_view')]);
  await new Promise((resolve) => setTimeout(resolve, 3500));
  assert.equal((await story(rig, shopper.cart)).state.phase, 'active', 'six seconds after the first event, three after the last');
  await arrives('alarm@example.com');
});

test('a pending alarm survives a power cut', async () => {
  await left('cut@example.com');
  await rig.kill9();
  await rig.restart();
  await arrives('cut@example.com');
});

test('an alarm whose handler fails comes back until it can', async () => {
  const shopper = await left('later@example.com');
  await fault(rig, 'alarm', true);
  await new Promise((resolve) => setTimeout(resolve, 8000));
  assert.equal((await story(rig, shopper.cart)).state.phase, 'active', 'it was due and could not');
  await fault(rig, 'alarm', false);
  await arrives('later@example.com');
});

test('a ledger queue that is down: the log waits in the object and arrives', async () => {
  await fault(rig, 'ledger_queue', true);
  const shopper = await left('log@example.com');
  const db = await rig.mf.getD1Database('LEDGER');
  const rows = async () => (await db.prepare('SELECT count(*) AS n FROM entries WHERE cart = ?').bind(shopper.cart).first()).n;
  await arrives('log@example.com');
  assert.equal(await rows(), 0);
  await fault(rig, 'ledger_queue', false);
  await until('the log is in the ledger', async () => (await rows()) >= 5);
});
