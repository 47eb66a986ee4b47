// One act reported by several sources, and several acts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { API, ATTRIBUTE, LAYER } from '../src/capture.js';
import { dedupe } from '../src/dedupe.js';

const taken = (...reports) => {
  const isNew = dedupe();
  return reports.filter(([at, source, key = 'add mug']) => isNew(at, source, key)).length;
};

test('an echo from another source is not a second act', () => {
  assert.equal(taken([0, ATTRIBUTE], [20, LAYER], [40, API]), 1);
  assert.equal(taken([0, LAYER], [500, API]), 1);
  assert.equal(taken([0, LAYER], [501, API]), 2, 'too far apart to be one act');
  assert.equal(taken([500, LAYER], [0, API]), 1, 'a clock that went back');
});

test('two quick clicks are two, however many echo them', () => {
  assert.equal(taken([0, API], [100, API]), 2);
  assert.equal(taken([0, ATTRIBUTE], [10, LAYER], [100, ATTRIBUTE], [110, LAYER]), 2);
  assert.equal(taken([0, ATTRIBUTE], [100, ATTRIBUTE], [110, LAYER], [120, LAYER], [130, API]), 2);
});

test('an echo of a click that is just over the window is no third act', () => {
  for (const second of [470, 490, 499, 500, 501, 510, 530]) {
    const reports = [[0, ATTRIBUTE], [20, LAYER], [30, API], [second, ATTRIBUTE], [second + 20, LAYER], [second + 30, API]];
    assert.equal(taken(...reports), 2, String(second));
  }
});

test('other things done are other acts', () => {
  assert.equal(taken([0, API, 'add mug'], [1, LAYER, 'add bowl']), 2);
});
