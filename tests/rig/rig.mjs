// The whole system on the real local engine (workerd), for tests and the demo: every binding as wrangler.toml says, real queues,
// SQLite objects with alarms, D1 with its migrations, static assets. It can be killed like a machine that lost power.
//
// It does not build anything (`cargo xtask build` does) and knows nothing of what the Worker does.

import { Log, LogLevel, Miniflare } from 'miniflare';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { unstable_getMiniflareWorkerOptions as optionsFromWranglerToml } from 'wrangler';

import { migrate } from './migrate.mjs';
import { childrenNamed, isAlive } from './processes.mjs';
import { makeSecrets, secretVars } from './secrets.mjs';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** Pids of engines that rigs of this process own; a new rig's engine is the child that nobody owns. */
const owned = new Set();

/**
 * Starts one system.
 *
 * @param {object} [options]
 * @param {number} [options.port] 0 takes a free one.
 * @param {string} [options.persist] state folder; without it a temporary one that `stop()` removes.
 * @param {Record<string, string>} [options.vars] variables and secrets on top of wrangler.toml's.
 * @param {boolean} [options.release] the production Worker and configuration instead of the dev ones.
 * @param {string} [options.worker] folder of another build, with entry.js.
 * @param {object} [options.secrets] as `makeSecrets()` gives them; random without.
 * @param {(request: Request) => Response | Promise<Response>} [options.outbound] answers the Worker's own requests to the world.
 * @param {number} [options.queueWait] seconds a queue waits to fill a batch.
 * @param {(line: string) => void} [options.onLog] gets each line the engine prints; `rig.log()` has them all.
 */
export async function startRig(options = {}) {
  const { release = false, secrets = makeSecrets(), queueWait = 0.05, outbound, onLog } = options;
  const folder = options.worker ?? path.join(root, 'dist', release ? 'worker' : 'worker-dev');
  const temporary = options.persist === undefined;
  const persist = options.persist ?? (await mkdtemp(path.join(tmpdir(), 'comeback-')));
  const lines = [];
  const state = { vars: { ...options.vars }, port: options.port ?? 0, pid: undefined, stopped: false };

  const listen = (stream) => {
    stream.setEncoding('utf8');
    stream.on('data', (text) => {
      for (const line of text.split('\n').filter(Boolean)) {
        lines.push(line);
        onLog?.(line);
      }
    });
  };

  /** Everything anew from the files: configuration, code and assets may have changed. */
  const engineOptions = async () => {
    const { workerOptions } = optionsFromWranglerToml(path.join(root, 'wrangler.toml'), release ? undefined : 'local');
    const { modulesRules, ...worker } = workerOptions;
    for (const consumer of Object.values(worker.queueConsumers)) {
      consumer.maxBatchTimeout = queueWait;
      consumer.retryDelay = undefined;
    }
    return {
      ...worker,
      name: 'comeback',
      modulesRoot: folder,
      modules: await modulesOf(folder),
      bindings: {
        ...worker.bindings,
        ...secretVars(secrets),
        ...state.vars,
        // The engine is started again only when something differs, and a killed one must be.
        RIG_START: String(Date.now()),
      },
      defaultPersistRoot: persist,
      host: '127.0.0.1',
      port: state.port,
      cf: false,
      liveReload: false,
      log: new Log(LogLevel.WARN),
      handleRuntimeStdio: (stdout, stderr) => [stdout, stderr].forEach(listen),
      ...(outbound ? { outboundService: outbound } : {}),
    };
  };

  const mf = new Miniflare(await engineOptions());
  const settle = async () => {
    const address = await mf.ready;
    state.port = Number(address.port);
    owned.delete(state.pid);
    state.pid = childrenNamed(process.pid, 'workerd').find((pid) => !owned.has(pid));
    owned.add(state.pid);
  };
  const reload = async () => {
    await mf.setOptions(await engineOptions());
    await settle();
    await migrate(mf, path.join(root, 'migrations'));
  };
  try {
    await settle();
    await migrate(mf, path.join(root, 'migrations'));
  } catch (error) {
    await mf.dispose().catch(() => {});
    throw error;
  }

  const rig = {
    mf,
    secrets,
    persist,
    get url() {
      return `http://localhost:${state.port}`;
    },
    /** A real HTTP request; redirects are not followed. `cf` fakes the request's origin: `{country, timezone, …}`. */
    fetch(target, { cf, ...init } = {}) {
      const headers = new Headers(init.headers);
      if (cf) headers.set('MF-CF-Blob', JSON.stringify(cf));
      return fetch(new URL(target, rig.url), { redirect: 'manual', ...init, headers });
    },
    /** With the administrator's token; objects are sent as JSON. */
    admin(target, { body, ...init } = {}) {
      const headers = new Headers(init.headers);
      headers.set('authorization', `Bearer ${secrets.adminToken}`);
      if (body !== undefined) headers.set('content-type', 'application/json');
      return rig.fetch(target, { ...init, headers, body: typeof body === 'object' ? JSON.stringify(body) : body });
    },
    /** Makes a shop known, by default the demo's own, under the address this system has. */
    async provision(shop) {
      const text = shop ? JSON.stringify(shop) : await readFile(path.join(root, 'www-demo/shop.json'), 'utf8');
      const here = text.replaceAll('localhost:8787', `localhost:${state.port}`);
      const id = JSON.parse(here).shop ?? 'shop_demo';
      const answer = await rig.admin(`/v1/admin/shops/${id}`, { method: 'PUT', body: here });
      if (!answer.ok) throw new Error(`provisioning ${id}: ${answer.status} ${await answer.text()}`);
      return id;
    },
    workerdPid: () => state.pid,
    /** Ends the engine as a power cut would: no handler runs, queues lose what they held. Not restarted by itself. */
    async kill9() {
      process.kill(state.pid, 'SIGKILL');
      while (isAlive(state.pid)) await pause(5);
    },
    /** Starts the engine again on the same port and state, with today's code and configuration. */
    restart: reload,
    reload,
    /** Sets variables (undefined removes one) and restarts. */
    async setVars(vars) {
      state.vars = Object.fromEntries(Object.entries({ ...state.vars, ...vars }).filter(([, value]) => value !== undefined));
      await reload();
    },
    /** Runs the scheduled handler as the cron line would. */
    async runCron(cron) {
      return (await mf.getWorker()).scheduled({ cron });
    },
    /** What the engine printed so far. */
    log: () => lines.join('\n'),
    async stop() {
      if (state.stopped) return;
      state.stopped = true;
      await mf.dispose();
      owned.delete(state.pid);
      if (temporary) await rm(persist, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return rig;
}

/** entry.js first: the engine takes the first module for the main one. */
async function modulesOf(folder) {
  const file = (name) => path.join(folder, name);
  try {
    await stat(file('entry.js'));
  } catch {
    throw new Error(`${file('entry.js')} is missing: run \`cargo xtask build\` first`);
  }
  const modules = [];
  for (const [name, type] of [['entry.js', 'ESModule'], ['index.js', 'ESModule'], ['index_bg.wasm', 'CompiledWasm']]) {
    // Read now: the file may be replaced while the engine starts.
    const contents = await readFile(file(name)).catch(() => undefined);
    if (contents) modules.push({ type, path: file(name), contents: type === 'ESModule' ? contents.toString() : contents });
  }
  return modules;
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
