// How two carts are joined after a resume link, without a browser: the rules of `sdk-js/src/restore.js`
// that no page is needed for. Asking, fetching and writing to the shop's cart are in sdk.test.mjs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { merge, sameContents } from '../../sdk-js/src/restore.js';

const line = (item_id, quantity, item_variant) => ({ item_id, quantity, item_variant });

test('merging twice changes nothing and loses nothing', () => {
  const local = [line('a', 1), line('b', 3)];
  const restored = [line('b', 2), line('c', 1)];
  const once = merge(local, restored);
  assert.ok(sameContents(once, [line('a', 1), line('b', 3), line('c', 1)]));
  assert.deepEqual(merge(once, restored), once);
  assert.ok(sameContents(merge(restored, local), once));
  assert.deepEqual(restored, [line('b', 2), line('c', 1)], 'what was fetched stays as it was');
});

test('variants are other lines; a missing one, null and the empty text are none', () => {
  assert.equal(merge([line('a', 1, 'blue')], [line('a', 2, 'red')]).length, 2);
  assert.equal(merge([line('a', 1, null)], [line('a', 2, '')]).length, 1);
});

test('contents ignore order and the type of an id, but not quantity', () => {
  assert.ok(sameContents([line('a', 1), line(7, 2)], [line('7', 2), line('a', 1)]));
  assert.ok(!sameContents([line('a', 1)], [line('a', 2)]));
  assert.ok(!sameContents([line('a', 1)], [line('a', 1), line('b', 1)]));
  assert.ok(!sameContents([line('a', 1), line('b', 1)], [line('a', 1)]));
});
