// What goes into one flush, what stays, and when it goes again.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytes, outbox } from '../src/outbox.js';

const event = (id, cart = null, size = 1) => ({ id, cart, json: id.repeat(size), still: false });
const filled = (...events) => {
  const out = outbox();
  events.forEach(out.push);
  return out;
};
const taken = (next) => next && [next.cart, next.text];

test('a flush keeps within the limit and within one cart', () => {
  const out = filled(event('a'), event('b', 'x'), event('c', 'y'), event('d'));
  assert.deepEqual(taken(out.takeOff(100)), ['x', 'a,b']);
  out.landed();
  assert.deepEqual(taken(out.takeOff(100)), ['y', 'c']);
  out.landed();
  assert.deepEqual(taken(out.takeOff(100)), [null, 'd']);
  out.landed();
  assert.ok(!out.takeOff(100));

  const big = filled(event('a', null, 10_000), event('b', null, 6_000), event('ö', null, 3_000));
  assert.equal(big.takeOff(300).text.length, 16_001);
  big.landed();
  const wide = filled(event('ö', null, 6_000), event('ß', null, 6_000));
  assert.equal(bytes(wide.takeOff(300).text), 12_000, 'counted as they travel');
});

test('leaving takes what is queued behind a flush and nothing under way', () => {
  const out = filled(event('a', 'x'));
  out.takeOff(0);
  for (const more of [event('b', 'x'), event('c', 'y'), event('d', 'y')]) out.push(more);
  assert.deepEqual(taken(out.takeQueued(0)), ['x', 'b']);
  assert.deepEqual(out.beaconed().map(({ id }) => id), ['b']);
  assert.deepEqual(taken(out.takeQueued(0)), ['y', 'c,d']);
  assert.equal(out.beaconed().length, 2);
  assert.ok(!out.takeQueued(0));
  assert.deepEqual(out.beaconed(), []);
  assert.deepEqual(out.landed().map(({ id }) => id), ['a']);
  assert.deepEqual(out.all(), []);
});

test('a failed flush goes again unchanged and ever later, not for all at the same moment', () => {
  const out = filled(event('a'));
  const waits = Array.from({ length: 9 }, () => {
    assert.deepEqual(taken(out.takeOff(0)), [null, 'a']);
    return out.failed();
  });
  [1, 2, 4, 8, 16, 32, 60, 60, 60].forEach((seconds, n) => assert.ok(waits[n] >= seconds * 500 && waits[n] <= seconds * 1000, waits.join()));
  assert.notEqual(waits[7], waits[8]);
  out.takeOff(0);
  out.landed();
  out.push(event('b'));
  out.takeOff(0);
  assert.ok(out.failed() <= 1000, 'a success begins anew');
});

test('what comes during a flush survives its end, even in a full outbox; nothing is there twice', () => {
  const out = filled(event('first'));
  out.takeOff(0);
  const evicted = Array.from({ length: 300 }, (_, n) => out.push(event('e' + n))).filter(Boolean);
  assert.equal(out.all().length, 200);
  assert.equal(evicted.length, 101);
  assert.equal(out.all()[0].id, 'first');
  assert.equal(out.push(event('e299')), undefined);
  assert.equal(out.all().length, 200);
  out.landed();
  assert.equal(out.all().length, 199);
  assert.equal(out.all().at(-1).id, 'e299');
});

test('a closed cart is not written to again', () => {
  const out = filled(event('a', 'x'), event('b', 'y'), event('c'));
  out.readdress('x', 'z');
  assert.deepEqual(out.all().map(({ cart }) => cart), ['z', 'y', null]);
  out.readdress('y', null);
  assert.equal(out.all()[1].cart, null);
});
