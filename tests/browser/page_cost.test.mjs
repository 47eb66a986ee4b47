// What a page may pay for the tag, where it can be counted: requests, bytes, blocked paint, shifted layout. In a real Chromium, on the
// SDK as built. Milliseconds are not judged here; `cargo xtask page-cost` publishes them.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

import { empty, ours } from '../bench/page_cost/cases.mjs';
import { ARGS, visit } from '../bench/page_cost/measure.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = process.env.COMEBACK_DIST || path.join(root, 'dist');
const budget = JSON.parse(await readFile(path.join(root, 'size-budget.json'), 'utf8'));

let browser, one, plain, shown;
before(async () => {
  one = ours(dist);
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ARGS });
  plain = await visit(browser, one, { next: true });
  shown = await visit(browser, one, { open: true });
});
after(() => browser?.close());

const during = (seen, ...phases) => seen.requests.filter(({ phase }) => phases.includes(phase));
const names = (requests) => requests.map(({ method, path: at }) => `${method} ${at.replace(/^\/sdk\/[^/]+\//, '')}`).sort();
const code = (requests) => requests.filter(({ path: at }) => /\.(js|wasm)$/.test(at)).reduce((bytes, { body }) => bytes + body, 0);

test('until the shopper does something a page makes two requests and that of the wasm, and tells the edge nothing', () => {
  assert.deepEqual(names(during(plain, 'load')), ['GET /comeback.js', 'GET sdk.js', 'GET sdk_bg.wasm']);
  assert.equal(during(plain, 'load').reduce((bytes, { sent }) => bytes + sent, 0), 0);
});

test('then the shop is asked once, and the rest is events', () => {
  const asked = names(during(plain, 'use'));
  assert.deepEqual(asked.filter((name) => name !== 'POST /v1/events'), ['GET /v1/config/pk_demo']);
  assert.ok(asked.length > 1, 'what was done is told');
});

test('code is within its budget, with a panel and without', () => {
  const used = code(during(plain, 'load', 'use'));
  const open = code(during(shown, 'load', 'use', 'panel'));
  assert.ok(used > 10_000, `${used} bytes: something was not loaded`);
  assert.ok(used <= budget.sdk_base_brotli, `${used} of ${budget.sdk_base_brotli} bytes`);
  assert.ok(open > used, 'the panel is loaded when it is needed, and not before');
  assert.ok(open <= budget.sdk_with_panel_brotli, `${open} of ${budget.sdk_with_panel_brotli} bytes`);
  const tag = plain.requests.find(({ path: at }) => at === '/comeback.js');
  assert.ok(tag.body <= budget.loader_brotli, `the tag: ${tag.body} of ${budget.loader_brotli} bytes`);
});

test('nothing moves: no layout shift at all, of any size, with a panel or without', () => {
  assert.deepEqual([plain.shifts, shown.shifts], [0, 0]);
});

test('nothing holds up the first paint', () => {
  assert.deepEqual([plain.blocking, shown.blocking], [[], []]);
});

test('the next page asks for no code: a version is kept, and the tag for a while', () => {
  const asked = during(plain, 'next').filter(({ cached, received }) => !cached && received > 0);
  assert.deepEqual(asked.filter(({ path: at }) => /\.(js|wasm)$/.test(at)), []);
});

test('an error of ours is thrown into no page', () => {
  assert.deepEqual([plain.errors, shown.errors], [[], []]);
});

test('these tests can tell: a page that shifts and blocks is seen to', async () => {
  const bad = {
    ...empty,
    parts: { head: '<script src="/slow.js"></script>', end: '<script>setTimeout(()=>document.body.prepend(Object.assign(document.createElement("p"),{textContent:"late"})),1500)</script>' },
    answer: ({ path: at }) => (at === '/slow.js' ? { type: 'text/javascript', body: '' } : undefined),
  };
  const seen = await visit(browser, bad);
  assert.deepEqual(seen.blocking, ['/slow.js']);
  assert.ok(seen.shifts > 0 && seen.cls > 0);
});
