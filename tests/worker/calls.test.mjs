// What a capture batch costs, counted and not timed: one object call and one storage transaction when the cart exists, none of
// either without a cart. Its alarm is set once, not put off with every batch. On the production Worker, for the local build's virtual clock adds calls of its own.

import assert from 'node:assert/strict';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';

import { build } from 'esbuild';
import { root } from '../rig/rig.mjs';
import { Browser, mug, other, startShop } from './support/shopper.mjs';

let rig;
let folder;

before(async () => {
  const release = path.join(root, 'dist/worker');
  folder = await mkdtemp(path.join(tmpdir(), 'comeback-counting-'));
  await build({
    entryPoints: [path.join(import.meta.dirname, 'support/counting.mjs')],
    outfile: path.join(folder, 'entry.js'),
    alias: { '#entry': path.join(release, 'entry.js') },
    bundle: true,
    format: 'esm',
    external: ['cloudflare:workers', './index.js'],
    logLevel: 'error',
  });
  for (const file of ['index.js', 'index_bg.wasm']) await copyFile(path.join(release, file), path.join(folder, file));
  rig = await startShop({ release: true, worker: folder });
});

after(async () => {
  await rig?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What happened since the last time. */
const counts = async () => (await rig.fetch('/v1/counts')).json();

test('a batch of a cart that exists: one object call, one storage transaction', async () => {
  const browser = new Browser(rig);
  await browser.send([browser.event('add_to_cart', { currency: 'EUR', items: [mug] })]);
  await counts();
  for (const extra of [1, 20]) {
    const events = [
      browser.event('page_view'),
      browser.event('view_item', { currency: 'EUR', items: [other], dwell_ms: 4200 }),
      ...Array.from({ length: extra }, () => browser.event('add_to_cart', { currency: 'EUR', items: [other] })),
      browser.event('view_cart', { currency: 'EUR', items: [mug, other] }),
      browser.event('page_hide'),
    ];
    const { cart } = await browser.send(events);
    assert.equal(cart.id, browser.cart);
    assert.deepEqual(await counts(), { calls: ['CART capture'], reads: 0, transactions: 1, alarms: 0 });
  }
});

test('the counters count: the first batch of a cart writes its birth, and asks for its person where the browser is known', async () => {
  const browser = new Browser(rig);
  await browser.send([browser.event('page_view')]);
  await browser.send([browser.event('page_view')], { cart: null });
  await counts();
  await browser.send([browser.event('add_to_cart', { currency: 'EUR', items: [mug] })]);
  const seen = await counts();
  assert.deepEqual(seen.calls.filter((call) => call.startsWith('CART')), ['CART capture']);
  assert.ok(seen.calls.some((call) => call.startsWith('PERSON')), `${seen.calls}`);
  assert.ok(seen.transactions >= 4, 'two tables, birth and batch');
  assert.ok(seen.reads >= 1, 'is there a cart?');
  assert.equal(seen.alarms, 1);
});

test('a visit without a cart: no object, no storage', async () => {
  const browser = new Browser(rig);
  browser.cart = null;
  for (const events of [[browser.event('page_view')], [browser.event('view_item', { currency: 'EUR', items: [mug] }), browser.event('page_hide')]]) {
    const answer = await browser.send(events);
    assert.equal(answer.cart, null);
    assert.ok(answer.score.buy > 0);
    assert.deepEqual(await counts(), { calls: [], reads: 0, transactions: 0, alarms: 0 });
  }
});
