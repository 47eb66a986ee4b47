// The token of a resume link leaves the address; whatever else is in it stays as it was written.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { restoreToken } from '../src/token.js';

/** The token and the address afterwards; `refuse`: the browser lets no page change it so often. */
function taken(href, refuse) {
  let address = href;
  globalThis.location = { href };
  globalThis.history = {
    state: { scroll: 1 },
    replaceState(state, title, url) {
      assert.deepEqual(state, { scroll: 1 });
      if (refuse) throw new Error('SecurityError');
      address = url;
    },
  };
  return [restoreToken(), address];
}

for (const [before, after] of [
  ['?comeback_restore=tok.en-_9', ''],
  ['?comeback_restore=tok.en-_9#reviews', '#reviews'],
  ['?comeback_restore=tok.en-_9&utm=x', '?utm=x'],
  ['?utm=x&comeback_restore=tok.en-_9', '?utm=x'],
  ['?a=1&comeback_restore=tok.en-_9&b=2#/cart', '?a=1&b=2#/cart'],
  ['?q=caf%C3%A9+noir%20x&empty=&comeback_restore=tok.en-_9', '?q=caf%C3%A9+noir%20x&empty='],
]) {
  test(`${before} becomes ${after || 'nothing'}`, () => {
    assert.deepEqual(taken('https://shop.example/cart' + before), ['tok.en-_9', 'https://shop.example/cart' + after]);
  });
}

test('an address without a token is left alone', () => {
  for (const href of ['https://shop.example/', 'https://shop.example/?xcomeback_restore=t', 'https://shop.example/?comeback=1#a=b']) {
    assert.deepEqual(taken(href), [undefined, href]);
  }
  assert.equal(taken('https://shop.example/?comeback_restore=')[0], '', 'nor is an empty one');
});

test('a browser that refuses keeps the address; the token is known all the same', () => {
  const href = 'https://shop.example/?comeback_restore=t';
  assert.deepEqual(taken(href, true), ['t', href]);
});
