// Serves the system until its input ends: what `cargo xtask demo` starts.
//
//   node tests/rig/serve.mjs --port 8787 --state .comeback
//
// Says `ready <url>` once it answers. A line `reload` (or SIGHUP) loads code, configuration and assets anew and is answered by
// `reloaded <time>`. End of input, a line `stop`, SIGINT or SIGTERM stop it.

import { existsSync } from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { parseArgs } from 'node:util';

import { root, startRig } from './rig.mjs';
import { keptSecrets } from './secrets.mjs';

const { values } = parseArgs({
  options: { port: { type: 'string', default: '8787' }, state: { type: 'string' }, release: { type: 'boolean' } },
});
const state = path.resolve(values.state ?? path.join(root, '.comeback'));

// The engine reports a browser that closed its connection, or a killed one, with a stack of its own C++.
const noise = /: disconnected: |^stack: .*workerd@/;

let rig;
try {
  rig = await startRig({
    port: Number(values.port),
    persist: path.join(state, 'state'),
    secrets: await keptSecrets(path.join(state, 'secrets.json')),
    release: values.release,
    onLog: (line) => noise.test(line) || console.log(line),
  });
} catch (error) {
  const busy = error.code === 'ERR_ADDRESS_IN_USE' || /EADDRINUSE|address already in use/i.test(String(error));
  console.error(busy ? `port ${values.port} is taken: stop what runs there or use --port` : error);
  process.exit(1);
}

const provision = async () => {
  if (existsSync(path.join(root, 'www-demo/shop.json'))) await rig.provision();
};

const reload = async () => {
  const started = performance.now();
  try {
    await rig.reload();
    await provision();
  } catch (error) {
    console.log(`reload failed: ${error.message}`);
  }
  console.log(`reloaded ${((performance.now() - started) / 1000).toFixed(2)} s`);
};

let stopping = false;
const stop = async (code = 0) => {
  if (stopping) return;
  stopping = true;
  await rig.stop().catch((error) => console.error(error));
  process.exit(code);
};

try {
  await provision();
} catch (error) {
  console.error(error.message);
  await stop(1);
}

// One at a time: a reload in the middle of another would start two engines.
let queue = Promise.resolve();
const enqueue = (work) => (queue = queue.then(work));
process.on('SIGHUP', () => enqueue(reload));
process.on('SIGINT', () => stop());
process.on('SIGTERM', () => stop());
readline
  .createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (line === 'reload') enqueue(reload);
    if (line === 'stop') stop();
  })
  .on('close', () => stop());

console.log(`ready ${rig.url}`);
