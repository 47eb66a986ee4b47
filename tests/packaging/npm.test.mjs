// The npm package as a stranger gets it: the built tarball, installed without a network into an empty folder, imported on a
// server, bundled for a browser, run inside workerd, and its types used by a strict TypeScript program.
//
//   cargo xtask build --sdk && node --test tests/packaging/

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { build } from 'esbuild';
import { Miniflare } from 'miniflare';
import ts from 'typescript';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const FUNCTIONS = ['cart', 'consent', 'identify', 'init', 'on', 'track'];

let shop, installed;

before(async () => {
  const folder = path.join(root, 'dist/npm');
  const tarballs = (await readdir(folder)).filter((name) => name.endsWith('.tgz'));
  assert.equal(tarballs.length, 1, `one tarball in dist/npm, found ${tarballs}`);
  shop = await mkdtemp(path.join(tmpdir(), 'comeback-npm-'));
  await writeFile(path.join(shop, 'package.json'), '{"name":"a-shop","private":true,"type":"module"}\n');
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', path.join(folder, tarballs[0])], { cwd: shop });
  installed = path.join(shop, 'node_modules/comeback-sdk');
});

after(() => rm(shop, { recursive: true, force: true }));

test('every file that package.json promises is in the tarball, and no source or secret is', async () => {
  const about = JSON.parse(await readFile(path.join(installed, 'package.json'), 'utf8'));
  const version = /^version = "(.+)"$/m.exec(await readFile(path.join(root, 'Cargo.toml'), 'utf8'))[1];
  assert.equal(about.version, version, 'the package carries the version of the workspace');
  assert.equal(about.license, 'MIT OR Apache-2.0');
  const promised = [about.types, ...Object.values(about.exports).flatMap((target) => (typeof target === 'string' ? target : Object.values(target)))];
  for (const file of promised) await readFile(path.join(installed, file));
  const files = await readdir(installed, { recursive: true });
  const unwanted = files.filter((name) => /(^|\/)(src|build\.mjs|node_modules|\.env.*|.*\.map|.*\.rs)(\/|$)/.test(name));
  assert.deepEqual(unwanted, []);
  assert.equal(about.scripts?.postinstall ?? about.scripts?.install, undefined, 'nothing runs on installation');
  assert.deepEqual(about.dependencies ?? {}, {});
});

test('importing and calling it on a server does nothing: no request, no timer, no global', async () => {
  const script = path.join(shop, 'server.mjs');
  await writeFile(
    script,
    `
    const before = Object.getOwnPropertyNames(globalThis).sort().join();
    globalThis.fetch = () => { throw new Error('a request from a server'); };
    const sdk = await import('comeback-sdk');
    const slim = await import('comeback-sdk/slim');
    for (const name of ['shopify', 'woocommerce']) (await import('comeback-sdk/' + name)).default();
    await import('comeback-sdk/shopify-pixel');
    for (const it of [sdk, slim]) {
      it.init({ shop: 'pk_demo', wasm: new Uint8Array() });
      it.track('add_to_cart', { items: [{ item_id: 'a' }] });
      it.identify({ email: 'a@shopper.example' });
      it.consent({ storage: true });
      it.on('score', () => {});
      it.cart.adapter({ read: async () => ({}), replace: async () => {}, checkoutUrl: '/' });
    }
    const read = await sdk.cart.read();
    const after = Object.getOwnPropertyNames(globalThis).sort().join();
    console.log(JSON.stringify({ sdk: Object.keys(sdk).sort(), slim: Object.keys(slim).sort(), read, same: before === after,
      handles: process.getActiveResourcesInfo().filter((name) => name === 'Timeout') }));
    `,
  );
  const { stdout, stderr } = await run(process.execPath, [script], { cwd: shop, timeout: 20_000 });
  assert.equal(stderr, '');
  assert.deepEqual(JSON.parse(stdout), { sdk: FUNCTIONS, slim: FUNCTIONS, read: null, same: true, handles: [] });
});

test('a browser bundle builds without Node in it, and the session stays out of the first chunk', async () => {
  const entry = path.join(shop, 'app.js');
  await writeFile(entry, "import { init, track } from 'comeback-sdk';\ninit({ shop: 'pk_demo' });\ntrack('page_view');\n");
  const { outputFiles, metafile, warnings } = await build({
    entryPoints: [entry],
    absWorkingDir: shop,
    outdir: path.join(shop, 'out'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    loader: { '.wasm': 'file' },
    metafile: true,
    minify: true,
    write: false,
  });
  assert.deepEqual(warnings, []);
  const outputs = Object.entries(metafile.outputs);
  const imports = outputs.flatMap(([, output]) => output.imports.filter((one) => one.external).map((one) => one.path));
  assert.deepEqual(imports.filter((name) => name.startsWith('node:')), []);
  const first = outputs.find(([, output]) => output.entryPoint === 'app.js')?.[1];
  const session = outputs.find(([, output]) => output.entryPoint?.endsWith('dist/sdk.js'));
  assert.ok(session, 'the session is a chunk of its own');
  assert.ok(first.bytes < 12_000, `first chunk ${first.bytes} bytes`);
  assert.ok(outputFiles.every((file) => !file.text.includes('process.env')));
});

test('inside workerd it can be imported and called while a page is rendered', async () => {
  const entry = path.join(shop, 'edge.js');
  await writeFile(
    entry,
    `import * as sdk from 'comeback-sdk';
     export default { async fetch() {
       sdk.track('page_view'); sdk.init({ shop: 'pk_demo' });
       return Response.json({ names: Object.keys(sdk).sort(), read: await sdk.cart.read() });
     } };`,
  );
  const { outputFiles } = await build({
    entryPoints: [entry], absWorkingDir: shop, bundle: true, format: 'esm', write: false, conditions: ['workerd', 'worker'],
    external: ['*.wasm'],
  });
  const mf = new Miniflare({ modules: true, script: outputFiles[0].text, compatibilityDate: '2026-07-01', cf: false });
  try {
    const reply = await mf.dispatchFetch('http://shop.example/');
    assert.deepEqual(await reply.json(), { names: FUNCTIONS, read: null });
  } finally {
    await mf.dispose();
  }
});

test('the declared types are those of the code: right use compiles, wrong use does not', async () => {
  const right = `
    import { cart, consent, identify, init, on, track } from 'comeback-sdk';
    import { init as slim } from 'comeback-sdk/slim';
    import shopify from 'comeback-sdk/shopify';
    import { pixel, type Sandbox } from 'comeback-sdk/shopify-pixel';
    import woocommerce from 'comeback-sdk/woocommerce';
    const started: Promise<void> | undefined = init({ shop: 'pk_demo', endpoint: 'https://edge.shop.example' });
    track('add_to_cart', { currency: 'EUR', value: 24, items: [{ item_id: 'mug', item_variant: 'Tide', price: 24, quantity: 1 }] });
    identify({ email: 'a@shopper.example', consent: { email: true } });
    consent({ storage: true, marketing: false });
    on('score', ({ buy, reasons }) => buy + reasons.length);
    on('panel', (detail) => detail.state === 'shown');
    cart.adapter({ read: async () => ({ currency: 'EUR', lines: [] }), replace: async () => {}, checkoutUrl: '/checkout' });
    slim({ shop: 'pk_demo', wasm: new URL('https://shop.example/sdk_bg.wasm') });
    cart.adapter(shopify({ root: '/fr/' }));
    cart.adapter(woocommerce({ product: (line) => line.item_id.slice(4) }));
    export const start = (api: Sandbox) => pixel(api, { shop: 'pk_demo', endpoint: 'https://edge.shop.example' });
    export { started };
  `;
  const wrong = {
    'unknown event': "import { track } from 'comeback-sdk'; track('add_to_basket', { items: [] });",
    'event without items': "import { track } from 'comeback-sdk'; track('add_to_cart', { currency: 'EUR' });",
    'init without a shop': "import { init } from 'comeback-sdk'; init({});",
    'slim without wasm': "import { init } from 'comeback-sdk/slim'; init({ shop: 'pk_demo' });",
    'unknown notice': "import { on } from 'comeback-sdk'; on('bought', () => {});",
  };
  assert.deepEqual(await typeErrors('right.ts', right), []);
  for (const [name, program] of Object.entries(wrong)) {
    assert.notDeepEqual(await typeErrors('wrong.ts', program), [], `${name} must not compile`);
  }
  const declared = exportsOf(path.join(installed, 'index.d.ts'));
  assert.deepEqual(declared, FUNCTIONS, 'every function is declared and nothing else is');
});

async function typeErrors(name, program) {
  const file = path.join(shop, name);
  await writeFile(file, program);
  const options = { strict: true, noEmit: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'], types: [] };
  const checked = ts.createProgram([file], options);
  return ts.getPreEmitDiagnostics(checked).map((one) => ts.flattenDiagnosticMessageText(one.messageText, '\n'));
}

/** Names of exported values (types do not exist at run time). */
function exportsOf(file) {
  const checked = ts.createProgram([file], { target: ts.ScriptTarget.ES2022, types: [] });
  const checker = checked.getTypeChecker();
  const symbol = checker.getSymbolAtLocation(checked.getSourceFile(file));
  return checker.getExportsOfModule(symbol).filter((one) => one.flags & ts.SymbolFlags.Value).map((one) => one.name).sort();
}
