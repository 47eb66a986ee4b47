// The engine of `cargo xtask bench`: one workerd with the production Worker and the floors side by side, each on a socket of its
// own, so that no proxy stands before any of them.
//
//   node tests/bench/engine.mjs --state <empty folder> [--worker <folder of a build>]
//
// Prints `ready {…}` (pid, ports, carts with their cookies) once the shop is provisioned and every cart exists; measures nothing
// itself. End of input stops it. Differs from a deployment in two points: assets are left out (they are served before the Worker)
// and the rate limiter always agrees (see unlimited.js).

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Log, LogLevel, Miniflare } from 'miniflare';
import { unstable_getMiniflareWorkerOptions as optionsFromWranglerToml } from 'wrangler';

import { migrate } from '../rig/migrate.mjs';
import { childrenNamed } from '../rig/processes.mjs';
import { makeSecrets, secretVars } from '../rig/secrets.mjs';

const CARTS = 64;
const here = import.meta.dirname;
const root = path.resolve(here, '../..');
const { values } = parseArgs({ options: { state: { type: 'string' }, worker: { type: 'string' } } });
if (!values.state) throw new Error('--state is missing');
const dist = path.resolve(values.worker ?? path.join(root, 'dist/worker'));

const secrets = makeSecrets();
const { workerOptions } = optionsFromWranglerToml(path.join(root, 'wrangler.toml'), undefined);
const { modulesRules, assets, ratelimits, ...worker } = workerOptions;
const direct = { unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }], compatibilityDate: worker.compatibilityDate };
const script = async (name, file = path.join(here, name)) => ({ type: 'ESModule', path: path.resolve(here, name), contents: await readFile(file, 'utf8') });

const mf = new Miniflare({
  workers: [
    {
      ...worker,
      ...direct,
      name: 'comeback',
      modulesRoot: here,
      modules: [
        await script('entry.js', path.join(dist, 'entry.js')),
        await script('index.js', path.join(dist, 'index.js')),
        { type: 'CompiledWasm', path: path.resolve(here, 'index_bg.wasm'), contents: await readFile(path.join(dist, 'index_bg.wasm')) },
      ],
      bindings: { ...worker.bindings, ...secretVars(secrets) },
      wrappedBindings: { EVENTS_LIMIT: { scriptName: 'unlimited' } },
    },
    { ...direct, name: 'insert', modulesRoot: here, modules: [await script('insert.js')], durableObjects: { STORE: { className: 'Store', useSQLite: true } } },
    { ...direct, name: 'parse', modulesRoot: here, modules: [await script('parse.js')] },
    { name: 'unlimited', modulesRoot: here, modules: [await script('unlimited.js')] },
  ],
  defaultPersistRoot: values.state,
  host: '127.0.0.1',
  port: 0,
  cf: false,
  log: new Log(LogLevel.WARN),
  handleRuntimeStdio: (stdout, stderr) => [stdout, stderr].forEach((stream) => stream.on('data', (data) => process.stderr.write(data))),
});

let stopping = false;
const stop = async (code) => {
  if (stopping) return;
  stopping = true;
  await mf.dispose().catch((error) => console.error(error));
  process.exit(code);
};
process.on('SIGINT', () => stop(0));
process.on('SIGTERM', () => stop(0));
process.stdin.on('end', () => stop(0)).on('close', () => stop(0)).resume();

try {
  await mf.ready;
  await migrate(mf, path.join(root, 'migrations'));
  const ports = {};
  for (const name of ['comeback', 'insert', 'parse']) ports[name] = Number((await mf.unsafeGetDirectURL(name)).port);
  const origin = `http://127.0.0.1:${ports.comeback}`;
  await provision(origin);
  const carts = [];
  for (let n = 0; n < CARTS; n += 1) carts.push(await makeCart(origin, n));
  const [pid] = childrenNamed(process.pid, 'workerd');
  console.log(`ready ${JSON.stringify({ pid, ports, carts })}`);
} catch (error) {
  console.error(error);
  await stop(1);
}

async function provision(origin) {
  const text = await readFile(path.join(root, 'www-demo/shop.json'), 'utf8');
  // As a shop would run: crawlers are looked for, and a cart is left after a quarter of an hour, not after a minute.
  const shop = { ...JSON.parse(text.replaceAll('localhost:8787', new URL(origin).host)), automation: 'refuse', policy: 'classic' };
  const answer = await fetch(`${origin}/v1/admin/shops/${shop.shop}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${secrets.adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(shop),
  });
  if (!answer.ok) throw new Error(`provisioning: ${answer.status} ${await answer.text()}`);
}

/** A visitor who puts something into a cart; later batches come with the cookies that this one set. */
async function makeCart(origin, n) {
  const tail = String(n).padStart(22, 'b');
  const batch = {
    v: 1, pk: 'pk_demo', cart: `cart_${tail}`, page: { url: origin, locale: 'en-GB', tz: 'Europe/Berlin', mobile: false },
    consent: { storage: true }, automated: false,
    events: [{ id: `evt_${tail}`, t: Date.now(), name: 'add_to_cart', data: { currency: 'EUR', items: [{ item_id: 'harbour-mug', price: 24 }] } }],
  };
  const answer = await fetch(`${origin}/v1/events`, { method: 'POST', headers: { origin }, body: JSON.stringify(batch) });
  const { cart } = await answer.json();
  if (cart?.id !== batch.cart) throw new Error(`making a cart: ${answer.status} ${JSON.stringify(cart)}`);
  return { cart: cart.id, cookie: answer.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ') };
}
