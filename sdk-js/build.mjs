// Bundles the browser files: `node build.mjs --wasm DIR --out DIR`. DIR of --wasm is what the
// wasm-bindgen CLI (--target web) left; --out gets the tag's files, and dist/ here the npm package's.
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { minify } from 'terser';

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

const features = ['mutable-globals', 'sign-ext', 'nontrapping-float-to-int', 'bulk-memory', 'multivalue', 'reference-types'];
const binaryen = join(dirname(createRequire(import.meta.url).resolve('binaryen/package.json')), 'bin');
const scratch = await mkdtemp(join(tmpdir(), 'comeback-sdk-'));
/** Runs a program of binaryen over the module `input`; returns what it says. */
const over = (program, input, output, ...options) =>
  execFileSync(join(binaryen, program), [...features.map((name) => '--enable-' + name), ...options, input, '-o', output], { encoding: 'utf8' });

/** Parts of the glue that no page of ours can reach. */
const UNREACHED = [
  // The session lives as long as its page: nothing lets go of it.
  /    __destroy_into_raw\(\) \{[^]*?\n    \}\n    free\(\) \{[^]*?\n    \}\n/,
  /const SessionFinalization = [^;]*;/,
  /\n *SessionFinalization\.register\(.*/,
  // Every browser we compile for has `encodeInto`.
  /if \(!\('encodeInto' in cachedTextEncoder\)\) \{[^]*?\n\}\n/,
  / *if \(realloc === undefined\) \{[^]*?\n    \}\n/,
  // A decoder of Safari's ends after two gigabytes; a page of ours decodes a few kilobytes.
  / *numBytesDecoded \+= len;[^]*?numBytesDecoded = len;\n    \}\n/,
];
let glueText = await readFile(glue, 'utf8');
for (const part of UNREACHED) {
  if (!part.test(glueText)) throw new Error('the glue has no ' + part);
  glueText = glueText.replace(part, '');
}

// What the glue does not ask for goes out of the module too.
const asked = [...new Set(Array.from(glueText.matchAll(/\bwasm\.([\w$]+)/g), ([, name]) => name))];
const graph = join(scratch, 'graph.json');
await writeFile(graph, JSON.stringify([{ name: 'page', root: true, reaches: asked }, ...asked.map((name) => ({ name, export: name }))]));
const needed = join(scratch, 'needed.wasm');
over('wasm-metadce', join(from, binary), needed, '--graph-file', graph);

// wasm-bindgen names each import by its path and a hash, in the wasm and again in the glue: 2 KB of
// every page. wasm-opt shortens them and says how; the glue is made to follow.
const small = join(scratch, 'sdk_bg.wasm');
const short = JSON.parse(over('wasm-opt', needed, small, '--minify-imports-and-exports-and-modules'));

/** The glue with the short names; throws when it asks the wasm for something that is not there. */
function follow(text) {
  for (const [module, name, to] of short.imports) {
    text = text.replaceAll(`"${module}": `, 'a: ').replace(`        ${name}: `, `        ${to}: `);
  }
  const exported = new Map(short.exports);
  return text.replace(/\bwasm\.([\w$]+)/g, (all, name) => {
    if (!exported.has(name)) throw new Error('the glue uses wasm.' + name + ', which the wasm does not export');
    return 'wasm.' + exported.get(name);
  });
}

// The glue's own way to fetch and start the wasm weighs half a kilobyte and looks for it under its own name, where a
// bundler would look too. Ours is in sdk.js; what it needs of the glue is let out here, and the rest drops out.
const LET_OUT = { imports: '__wbg_get_imports', finish: '__wbg_finalize_init' };
const ownStart = {
  name: 'own-start',
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/ }, ({ path }) => {
      if (path !== glue) return undefined;
      let contents = follow(glueText).replace(/export \{[^}]*\bdefault\b[^}]*\};?/, '');
      for (const [name, inner] of Object.entries(LET_OUT)) {
        if (!contents.includes(`function ${inner}(`)) throw new Error('the glue has no ' + inner);
        contents += `\nexport { ${inner} as ${name} };`;
      }
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
  define: { VERSION: JSON.stringify(version), 'Symbol.dispose': 'undefined' },
  alias: { 'comeback-wasm': glue },
  plugins: [ownStart],
};
const source = (name) => join(here, 'src', name);

/** By these only parts of sdk.js call each other, so they may be shortened; what other files call may not. */
const INWARD = /^(takeOff|takeQueued|beaconed|landed|flying|readdress|foreseen|trouble|answered|begin|standing|help_for|is_shock|is_proactive|moved|ordered)$/;

/** Bundles; what esbuild leaves terser makes a twentieth smaller still. */
async function bundle(options) {
  const { outputFiles } = await build({ ...common, ...options, write: false });
  for (const { path, text } of outputFiles) {
    const { code } = await minify(text, { ecma: 2020, module: options.format === 'esm', compress: { passes: 3 }, mangle: { properties: { regex: INWARD } } });
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, code + '\n');
  }
}

/** What a page loads only if it asks for it, by the name it is built under. */
const OPTIONAL = {
  'strip.js': 'strip.js',
  'check.js': 'check.js',
  'push.js': 'push.js',
  'restore.js': 'restore.js',
  'debug.js': 'debug.js',
  'shopify.js': 'adapters/shopify.js',
  'woocommerce.js': 'adapters/woocommerce.js',
  'shopify_pixel.js': 'shopify_pixel.js',
};

async function modules(outdir, entries) {
  await bundle({
    entryPoints: [
      ...entries.map((name) => ({ in: source(name), out: name.replace(/\.js$/, '') })),
      ...Object.entries(OPTIONAL).map(([out, path]) => ({ in: source(path), out: out.replace(/\.js$/, '') })),
    ],
    outdir,
    format: 'esm',
    // Loaded when needed, so never folded into one another.
    external: ['./sdk.js', './panel.js', './restore.js', './index.js', './debug.js', './help.js', './strip.js', './check.js', './push.js'],
  });
  await copyFile(small, join(outdir, 'sdk_bg.wasm'));
}

await mkdir(out, { recursive: true });
await bundle({ entryPoints: [source('loader.js')], outfile: join(out, 'comeback.js'), format: 'iife' });
// No module: a shop's own worker may import it.
await bundle({ entryPoints: [source('comeback-push.js')], outfile: join(out, 'comeback-push.js'), format: 'iife' });
await modules(out, ['sdk.js', 'panel.js', 'help.js']);
// Of the ways to a panel that of help is the longest: panel.js, then help.js.
const load = { 'comeback.js': 'base', 'sdk.js': 'base', 'sdk_bg.wasm': 'base', 'panel.js': 'panel', 'help.js': 'panel' };
for (const name of [...Object.keys(OPTIONAL), 'comeback-push.js']) load[name] = 'optional';
await writeFile(join(out, 'files.json'), JSON.stringify(load, null, 2) + '\n');

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
await modules(dist, ['index.js', 'slim.js', 'sdk.js', 'panel.js', 'help.js']);
await copyFile(join(out, 'comeback-push.js'), join(dist, 'comeback-push.js'));
await rm(scratch, { recursive: true });
