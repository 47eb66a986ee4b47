// What a tag costs the page that carries it, ours and others', measured in turns in one Chromium with a slowed main thread.
//
//   node tests/bench/page_cost.mjs --peers <node_modules folder> [--dist dist] [--runs 7] [--only id,…] [--json FILE] [--doc FILE]
//
// `cargo xtask page-cost` installs the peers and runs it. Every run visits every case once, in an order that moves on by one each
// time, so that a slow minute of the machine hits all. Fails when a case threw, asked for what nobody answered, or did not open
// its panel; never for a figure.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { chromium } from 'playwright-core';

import { empty, ours, peers } from './page_cost/cases.mjs';
import { markdown } from './page_cost/document.mjs';
import { ARGS, visit } from './page_cost/measure.mjs';

const THROTTLE = 4;
const root = path.resolve(import.meta.dirname, '../..');
const { values } = parseArgs({
  options: {
    peers: { type: 'string' }, dist: { type: 'string' }, runs: { type: 'string', default: '7' }, only: { type: 'string' },
    json: { type: 'string' }, doc: { type: 'string' },
  },
});
if (!values.peers) throw new Error('--peers is missing: the node_modules folder with the packages of page_cost/peers.json');
const runs = Number(values.runs);
if (!(runs >= 1)) throw new Error('--runs needs a number from 1');

const versions = JSON.parse(await readFile(path.join(import.meta.dirname, 'page_cost/peers.json'), 'utf8'));
const dist = path.resolve(values.dist ?? path.join(root, 'dist'));
const all = [empty, ours(dist), ...(await peers(path.resolve(values.peers), versions))];
const chosen = values.only ? all.filter(({ id }) => id === 'empty' || values.only.split(',').includes(id)) : all;
/** What one run visits: every case, and those with a panel once more with the panel. */
const visits = chosen.flatMap((one) => [{ one, open: false }, ...(one.open ? [{ one, open: true }] : [])]);
const results = visits.map(({ one, open }) => ({ id: one.id, name: open ? `${one.name}, panel opened` : one.name, open, runs: [] }));

const started = new Date();
const loads = [os.loadavg()[0]];
for (let run = 0; run < runs; run += 1) {
  // A browser of its own for each run: what the engine learned of one script would make the next visit cheaper.
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM || '/usr/bin/chromium', args: ARGS });
  try {
    for (let turn = 0; turn < visits.length; turn += 1) {
      const at = (run + turn) % visits.length;
      const { one, open } = visits[at];
      const seen = await visit(browser, one, { throttle: THROTTLE, open, traced: one.id === 'comeback', next: run === 0 && !open });
      const wrong = [...seen.errors, ...seen.requests.filter(({ status }) => status >= 400).map((r) => `${r.method} ${r.path}: ${r.status}`)];
      if (wrong.length) throw new Error(`${results[at].name}: ${wrong.join('; ')}`);
      results[at].runs.push(seen);
    }
    results.browser = browser.version();
  } finally {
    await browser.close();
  }
  loads.push(os.loadavg()[0]);
  console.log(`run ${run + 1} of ${runs}, load average ${loads.at(-1).toFixed(1)}`);
}

const about = {
  started: started.toISOString(), chromium: results.browser, node: process.version, throttle: THROTTLE, runs,
  cpu: os.cpus()[0].model, cores: os.cpus().length, priority: os.getPriority(), load: loads.map((load) => Number(load.toFixed(2))), peers: versions,
  budget: JSON.parse(await readFile(path.join(root, 'size-budget.json'), 'utf8')),
};
const report = { about, cases: [...results] };
const text = markdown(report);
const put = async (file, content) => {
  if (!file) return;
  await mkdir(path.dirname(path.resolve(file)), { recursive: true });
  await writeFile(file, content);
};
await put(values.json, JSON.stringify(report, null, 1) + '\n');
await put(values.doc, text);
if (!values.doc) console.log(text);
