// What is read from a page's events, and what a cart is after them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changed, layered, linesOf, read, text } from '../src/ga4.js';

const mug = { item_id: 'mug', price: 12.5, quantity: 1 };
const short = (lines) => lines.map(({ item_id, item_variant, quantity, price }) => [item_id, item_variant, quantity, price]);

test('only known names, fields and items are taken, whatever else an entry holds', () => {
  const raw = { currency: 'EUR', value: 12.5, email: 'a@example.com', step: '', accepted: true, coupon: 7, items: [{ ...mug, email: 'a@example.com' }, null, 'x', { price: 3 }] };
  const event = read('add_to_cart', raw, 'USD');
  assert.deepEqual(event.data, { currency: 'EUR', value: 12.5, accepted: true, coupon: '7' });
  assert.deepEqual(short(event.lines), [['mug', undefined, 1, 12.5]]);
  assert.ok(!JSON.stringify(event).includes('@'));
  for (const name of ['generate_lead', 'toString', '__proto__', '', undefined, {}]) assert.equal(read(name, raw, 'EUR'), undefined);
  for (const raw of [undefined, null, 'x', 3, { items: 'x' }, { items: {} }]) assert.equal(read('add_to_cart', raw, 'EUR'), undefined, 'a cart event is about items');
  for (const raw of [undefined, null, 'x', 3]) assert.deepEqual(read('page_view', raw, 'EUR').data, {});
});

test('texts for numbers, numbers for texts; what is neither, too much or too many is left out', () => {
  const lines = linesOf([{ item_name: 'Mug', price: '12.50', quantity: '2' }, { item_id: 7, quantity: -1 }, { item_id: 8, price: Infinity }, { item_id: 'much', price: 1e9, quantity: 1e9 }, { item_id: 'half', quantity: 1.7 }]);
  assert.deepEqual(short(lines), [['Mug', undefined, 2, 12.5], ['8', undefined, 1, undefined], ['much', undefined, 9999, undefined], ['half', undefined, 1, undefined]]);
  assert.equal(linesOf(Array(300).fill(mug)).length, 100);
  assert.equal(text('x'.repeat(2000)).length, 512);
  assert.deepEqual([text(''), text(NaN), text(true), text(null), text(0)], [undefined, undefined, undefined, undefined, '0']);
  assert.equal(read('page_view', { currency: 'eur', items: [mug] }, 'SEK').data.currency, 'SEK', 'no code of a currency');
});

test("the edge's lines are read too, in their currency's minor units", () => {
  const line = { item_id: 'mug', title: 'Mug', quantity: 1, unit_price_minor: 2400 };
  assert.deepEqual([2, 0, 3].map((exponent) => linesOf([line], exponent)[0].price), [24, 2400, 2.4]);
  assert.equal(linesOf([{ item_id: 'a' }], undefined)[0].price, undefined);
});

test('what tells two acts apart is what was done, not how it was rounded', () => {
  const key = (raw) => read('add_to_cart', raw, 'EUR').key;
  const one = key({ currency: 'EUR', value: 12.5, items: [mug] });
  assert.equal(one, key({ currency: 'EUR', value: 12.49, items: [{ ...mug, price: '12.50', item_name: 'Mug' }] }));
  assert.notEqual(one, key({ items: [{ ...mug, quantity: 2 }] }));
  assert.notEqual(one, key({ items: [{ ...mug, item_variant: 'red' }] }));
});

test('both forms of a dataLayer entry', () => {
  const ecommerce = { items: [mug] };
  assert.deepEqual(layered({ event: 'add_to_cart', ecommerce }), ['add_to_cart', ecommerce]);
  assert.deepEqual(layered({ 0: 'event', 1: 'purchase', 2: ecommerce }), ['purchase', ecommerce]);
  for (const entry of [{}, [], ['config', 'G-1'], { event: '' }]) assert.deepEqual(layered(entry), []);
});

test('a cart after its changes', () => {
  const held = [{ ...mug, item_name: 'Mug', quantity: 2 }];
  assert.deepEqual(short(changed('add_to_cart', held, [{ item_id: 'mug', quantity: 1 }, { item_id: 'bowl', quantity: 1 }])), [['mug', undefined, 3, 12.5], ['bowl', undefined, 1, undefined]]);
  assert.deepEqual(short(changed('remove_from_cart', held, [{ item_id: 'mug', quantity: 1 }])), [['mug', undefined, 1, 12.5]]);
  assert.deepEqual(changed('remove_from_cart', held, [{ item_id: 'mug', quantity: 5 }]), []);
  assert.deepEqual(changed('remove_from_cart', held, [{ item_id: 'mug', item_variant: 'red', quantity: 1 }]), held);
  const set = changed('cart_set', held, [{ item_id: 'mug', quantity: 1 }, { item_id: 'mug', quantity: 1, price: 11 }]);
  assert.deepEqual(short(set), [['mug', undefined, 2, 11]]);
  assert.equal(set[0].item_name, 'Mug', 'a later line need not name it again');
  assert.equal(held[0].quantity, 2, 'what was there is not touched');
  const many = Array.from({ length: 150 }, (_, n) => ({ item_id: 'i' + n, quantity: 9999 }));
  assert.equal(changed('add_to_cart', [], many).length, 100);
  assert.equal(changed('add_to_cart', [many[0]], [many[0]])[0].quantity, 9999);
});
