// The npm package as a shop's developer uses it: the built tarball, installed without a network into an empty folder, built by
// vite and by esbuild, and run in a real Chromium on a shop whose edge is another origin below the same domain.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build as esbuild } from 'esbuild';
import { build as vite } from 'vite';
import { MUG, add, launched, leave, pause, shop, until } from './support/storefront.mjs';

const dist = process.env.COMEBACK_DIST || join(dirname(fileURLToPath(import.meta.url)), '../../dist');
const TYPES = { js: 'text/javascript', mjs: 'text/javascript', wasm: 'application/wasm', html: 'text/html' };
const APP = `import { cart, consent, init, on, track } from 'comeback-sdk';
  window.heard = [];
  on('error', (error) => heard.push(error));
  on('score', (score) => heard.push(score));
  window.sdk = { cart, consent, track };
  window.started = init({ shop: 'pk_demo', endpoint: EDGE });`;

let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'comeback-app-'));
  await writeFile(join(folder, 'package.json'), '{"name":"an-app","private":true,"type":"module"}\n');
  const [tarball] = (await readdir(join(dist, 'npm'))).filter((name) => name.endsWith('.tgz'));
  await promisify(execFile)('npm', ['install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', join(dist, 'npm', tarball)], { cwd: folder });
});
after(() => rm(folder, { recursive: true, force: true }));

/** Builds the app into a folder of its own. */
const BUILDERS = {
  async vite(root, out) {
    await writeFile(join(root, 'index.html'), '<!doctype html><html lang="en"><title>App</title><script type="module" src="/app.js"></script><main><h1>App</h1></main></html>');
    await vite({ root, logLevel: 'error', configFile: false, build: { outDir: out, emptyOutDir: true } });
  },
  async esbuild(root, out) {
    await esbuild({ entryPoints: [join(root, 'app.js')], absWorkingDir: root, outdir: out, bundle: true, splitting: true, format: 'esm', minify: true });
    // It leaves the wasm where its address says it is, to whoever serves the app.
    await writeFile(join(out, 'sdk_bg.wasm'), await readFile(join(root, '../node_modules/comeback-sdk/dist/sdk_bg.wasm')));
    await writeFile(join(out, 'index.html'), '<!doctype html><html lang="en"><title>App</title><script type="module" src="/app.js"></script><main><h1>App</h1></main></html>');
  },
};

for (const [name, build] of Object.entries(BUILDERS)) {
  test(`${name}: an app with the package captures, scores and shows a panel, from another origin than the edge's`, async () => {
    const at = await shop({ cors: 'cb_visitor=vis_1; Domain=shop.test; Path=/; HttpOnly; SameSite=Lax' });
    const edge = at.origin.replace('127.0.0.1', 'cb.shop.test');
    const root = join(folder, name);
    const out = join(root, 'out');
    await mkdir(out, { recursive: true });
    await writeFile(join(root, 'app.js'), APP.replace('EDGE', JSON.stringify(edge)));
    await build(root, out);

    const cookies = [];
    const site = createServer(async (request, response) => {
      cookies.push(request.headers.cookie);
      const path = new URL(request.url, 'http://x').pathname;
      const file = await readFile(join(out, path === '/' ? 'index.html' : path)).catch(() => null);
      response.writeHead(file ? 200 : 404, { 'content-type': TYPES[path === '/' ? 'html' : path.split('.').pop()] || 'text/plain' }).end(file);
    });
    await new Promise((done) => site.listen(0, '127.0.0.1', done));
    const context = await (await launched()).newContext({ viewport: { width: 1000, height: 700 } });
    const page = await context.newPage();
    const errors = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    try {
      await page.goto(`http://www.shop.test:${site.address().port}/`);
      await page.evaluate(() => window.started);
      await page.evaluate((mug) => sdk.track('add_to_cart', mug), add(MUG));
      await until(() => at.events('add_to_cart').length, 'the add, at the other origin');
      await pause(300);
      assert.deepEqual((await page.evaluate(() => sdk.cart.read())).lines.map(({ item_id, quantity }) => [item_id, quantity]), [['mug', 1]]);
      assert.ok((await page.evaluate(() => heard)).some(({ buy }) => buy > 0), 'the module runs');
      await leave(page);
      await page.locator('comeback-panel[data-panel=exit] .card').waitFor();
      await until(() => at.events('panel_shown').length, 'the panel is told');
      const posts = at.requests.filter((r) => r.path === '/v1/events');
      assert.ok(posts.every((r) => r.headers.origin.startsWith('http://www.shop.test:')), 'another origin');
      assert.equal(posts.at(-1).cookies, 'cb_visitor=vis_1', "the edge's cookie comes back to it");
      assert.ok(at.requests.filter((r) => /^\/v1\/config/.test(r.path)).every((r) => !r.cookies), 'and to nothing that needs none');
      assert.ok(!at.requests.some((r) => r.method === 'OPTIONS'), 'no request has to be asked for first');
      await page.reload();
      await until(() => cookies.at(-1) === 'cb_visitor=vis_1', 'the domain they share has it');
      assert.deepEqual(errors, []);
      assert.deepEqual((await page.evaluate(() => heard)).filter(({ kind }) => kind), []);
    } finally {
      await context.close();
      await at.close();
      await new Promise((done) => (site.closeAllConnections(), site.close(done)));
    }
  });
}
