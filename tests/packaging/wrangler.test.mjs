// wrangler.toml says the same thing twice, because environments inherit no bindings: this holds the two together, and keeps
// what only belongs on a desk out of what a shop deploys.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { unstable_readConfig as readConfig } from 'wrangler';

const root = fileURLToPath(new URL('../..', import.meta.url));
const file = path.join(root, 'wrangler.toml');
const production = readConfig({ config: file });
const local = readConfig({ config: file, env: 'local' });
const SHARED = ['queues', 'd1_databases', 'r2_buckets', 'kv_namespaces', 'assets', 'triggers', 'compatibility_date', 'compatibility_flags', 'rules'];
const DEV = { name: 'DEV', class_name: 'DevDo' };

test('local is production plus the DEV object and a wider rate limit, and nothing else', () => {
  for (const name of SHARED) assert.deepEqual(local[name], production[name], name);
  // Tests send from one address what a thousand shoppers send; the binding itself is the same.
  const binding = ({ simple, ...rest }) => ({ ...rest, period: simple.period });
  assert.deepEqual(local.ratelimits.map(binding), production.ratelimits.map(binding));
  assert.deepEqual(local.durable_objects.bindings, [...production.durable_objects.bindings, DEV]);
  assert.deepEqual(Object.keys(local.vars), Object.keys(production.vars));
});

test('every object class keeps its state in SQLite from its first migration on', () => {
  for (const config of [production, local]) {
    const classes = config.durable_objects.bindings.map((binding) => binding.class_name).sort();
    const migrated = config.migrations.flatMap((migration) => migration.new_sqlite_classes ?? []).sort();
    assert.deepEqual(migrated, classes);
  }
});

test('production knows nothing of the dev object, the dev build or a local environment', () => {
  const text = JSON.stringify({ ...production, configPath: '', userConfigPath: '', definedEnvironments: [] });
  assert.doesNotMatch(text, /DevDo|worker-dev|"local"/);
  assert.equal(production.vars.COMEBACK_ENV, 'production');
  assert.match(production.main, /dist\/worker\/entry\.js$/);
});

test('every queue has a dead-letter queue, and every dead-letter queue a consumer', () => {
  const consumers = new Map(production.queues.consumers.map((consumer) => [consumer.queue, consumer]));
  for (const { queue } of production.queues.producers) {
    const dead = consumers.get(queue)?.dead_letter_queue;
    assert.equal(dead, `${queue}-dead`);
    assert.ok(consumers.has(dead), `${dead} has no consumer`);
  }
});

test('no secret is written down', async () => {
  const text = await readFile(file, 'utf8');
  for (const name of ['COMEBACK_MASTER_KEY', 'COMEBACK_ADMIN_TOKEN', 'SHOP_SECRETS']) {
    assert.doesNotMatch(text, new RegExp(`^\\s*"?${name}"?\\s*=`, 'm'));
  }
});
