// The same loops in wasm, by the engine of Node: `node tests/bench/core.mjs <folder of wasm-bindgen>`. Prints what the native
// program prints.

import path from 'node:path';
import { pathToFileURL } from 'node:url';

const { default: core } = await import(pathToFileURL(path.resolve(process.argv[2], 'comeback_bench_core.js')));
const loops = [[core.events, 400_000], [core.decisions, 100_000], [core.floor, 400_000]];
const spent = loops.map(() => []);
for (let round = 0; round < 6; round += 1) {
  loops.forEach(([run, n], index) => {
    const begun = process.hrtime.bigint();
    const done = run(n);
    if (done < n) throw new Error(`loop ${index} did ${done} of ${n}`);
    spent[index].push(Number(process.hrtime.bigint() - begun) / done);
  });
}
const median = (all) => all.slice(1).sort((a, b) => a - b)[2];
console.log(spent.map((all) => median(all).toFixed(1)).join(' '));
