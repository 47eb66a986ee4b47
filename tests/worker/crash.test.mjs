// Power cuts and panics. The engine is killed with -9 while a message is between decision and send;
// what the queue held is gone. The cart still has the send pending and offers it again.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import {
  Browser, advance, fault, hours, inbox, minutes, reset, resumePath, startShop, story, until,
} from './support/shopper.mjs';

let rig;
before(async () => {
  rig = await startShop();
  await reset(rig);
});
after(() => rig?.stop());

test('killed between decision and send, restarted: the message arrives, once', async () => {
  const shopper = new Browser(rig);
  const email = 'killed@example.com';
  await shopper.add();
  await shopper.identify(email);
  // The consumer stops after the gate's yes and before the provider.
  await fault(rig, 'before_send', true);
  const moving = advance(rig, 3 * minutes).catch(() => 'the engine died, as it should');
  await until('the consumer stands before the send', async () => (await (await rig.fetch('/dev/faults/before_send:reached')).json()).on);
  assert.deepEqual(await inbox(rig, email), []);
  await rig.kill9();
  await moving;
  await rig.restart();
  await fault(rig, 'before_send', false);
  const pending = (await story(rig, shopper.cart)).state.pending;
  assert.ok(pending, 'the send is still pending in the cart');
  // Past the lease of the offer, the cart offers it again under the same key.
  await advance(rig, 10 * minutes);
  const messages = await inbox(rig, email);
  assert.equal(messages.length, 1);
  assert.equal(messages[0].send_id, pending.key);
  await advance(rig, 2 * hours);
  assert.equal((await inbox(rig, email)).length, 1);
  assert.equal((await rig.fetch(resumePath(messages[0]))).status, 200, 'and its link is good');
});

test('killed after the send and before it was noted: still once', async () => {
  const shopper = new Browser(rig);
  const email = 'twice@example.com';
  await shopper.add();
  await shopper.identify(email);
  await fault(rig, 'after_send', true);
  const moving = advance(rig, 3 * minutes).catch(() => 'the engine died, as it should');
  await until('the provider has it', async () => (await inbox(rig, email)).length === 1);
  await until('the consumer stands after the send', async () => (await (await rig.fetch('/dev/faults/after_send:reached')).json()).on);
  await rig.kill9();
  await moving;
  await rig.restart();
  await fault(rig, 'after_send', false);
  await advance(rig, 2 * hours);
  assert.equal((await inbox(rig, email)).length, 1);
  assert.equal((await story(rig, shopper.cart)).state.phase, 'recovering');
});

test('carts, visitors and alarms survive a power cut', async () => {
  const shopper = new Browser(rig);
  const email = 'survivor@example.com';
  await shopper.add();
  await shopper.identify(email);
  const before = await story(rig, shopper.cart);
  await rig.kill9();
  await rig.restart();
  assert.deepEqual((await story(rig, shopper.cart)).state, before.state);
  await advance(rig, 3 * minutes);
  assert.equal((await inbox(rig, email)).length, 1);
});

for (const where of ['/dev/panic', '/dev/panic/later']) test(`a panic (${where}) costs one request; those in flight fail fast and the next one works`, async () => {
  const shopper = new Browser(rig);
  const answers = await Promise.all([
    rig.fetch(where),
    ...Array.from({ length: 5 }, () => shopper.post('/v1/events', shopper.batch([shopper.event('page_view')]))),
  ]);
  assert.equal(answers[0].status, 500);
  assert.equal(answers[0].headers.get('content-type'), 'application/problem+json');
  assert.doesNotMatch(await answers[0].text(), /purpose|panic/, 'no detail of ours leaves');
  // Those in flight died with the runtime or came through; none hung and none was half an answer.
  for (const answer of answers.slice(1)) {
    assert.ok([200, 500].includes(answer.status), String(answer.status));
    await answer.json();
  }
  for (let i = 0; i < 3; i += 1) {
    const after = await shopper.add();
    assert.ok(after.cart.version > 0);
  }
  assert.equal((await rig.fetch('/healthz')).status, 200);
});
