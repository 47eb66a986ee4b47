// The package for builds and runtimes that place the wasm themselves: `init` wants `wasm`, anything
// that WebAssembly takes (a URL, a Response, bytes, a compiled module).
import { init as start } from './index.js';

export { cart, consent, identify, on, track } from './index.js';

export function init(options) {
  if (!options?.wasm) throw new TypeError('comeback-sdk/slim: init needs `wasm`');
  return start(options);
}
