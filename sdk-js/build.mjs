// Bundles the browser files: `node build.mjs --wasm DIR --out DIR`. DIR of --wasm is what the
// wasm-bindgen CLI (--target web) left; --out gets the tag's files, and dist/ here the npm package's.
import { build } from 'esbuild';
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { wasm: { type: 'string' }, out: { type: 'string' } } });
if (!values.wasm || !values.out) throw new Error('usage: node build.mjs --wasm DIR --out DIR');
const from = resolve(values.wasm);
const out = resolve(values.out);
const dist = join(here, 'dist');
const { version } = JSON.parse(await readFile(join(here, 'package.json'), 'utf8'));

const names = await readdir(from);
const binary = names.find((name) => name.endsWith('_bg.wasm'));
if (!binary) throw new Error('no *_bg.wasm in ' + from);
const glue = join(from, binary.replace('_bg.wasm', '.js'));

// The glue looks for the wasm under its own name by default; we always say where it is, and a
// bundler that saw the default would look for a file that is not shipped.
const ownWasmOnly = {
  name: 'own-wasm-only',
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/ }, async ({ path }) => {
      if (path !== glue) return undefined;
      const contents = (await readFile(path, 'utf8')).replace(/new URL\(['"][^'"]*_bg\.wasm['"], import\.meta\.url\)/, 'undefined');
      return { contents, loader: 'js' };
    });
  },
};

const common = {
  bundle: true,
  minify: true,
  // Every browser with the wasm features we compile for has these.
  target: ['chrome96', 'firefox95', 'safari15'],
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'warning',
  define: { VERSION: JSON.stringify(version) },
  alias: { 'comeback-wasm': glue },
  plugins: [ownWasmOnly],
};
const source = (name) => join(here, 'src', name);

async function modules(outdir, entries) {
  await build({
    ...common,
    entryPoints: entries.map(source),
    outdir,
    format: 'esm',
    // Loaded when needed, so never folded into one another.
    external: ['./sdk.js', './panel.js', './index.js'],
  });
  await copyFile(join(from, binary), join(outdir, 'sdk_bg.wasm'));
}

await mkdir(out, { recursive: true });
await build({ ...common, entryPoints: [source('loader.js')], outfile: join(out, 'comeback.js'), format: 'iife' });
await modules(out, ['sdk.js', 'panel.js']);
const load = { 'comeback.js': 'base', 'sdk.js': 'base', 'sdk_bg.wasm': 'base', 'panel.js': 'panel' };
await writeFile(join(out, 'files.json'), JSON.stringify(load, null, 2) + '\n');

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
await modules(dist, ['index.js', 'slim.js', 'sdk.js', 'panel.js']);
