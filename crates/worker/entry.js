// The Worker's main module, around worker-build's index.js. It exists for three things that Rust
// cannot do for itself: it turns a Rust panic into a failed call instead of a hung one, it gives the
// objects real RPC methods, and it keeps both out of the Rust code.
//
// A panic traps the wasm instance inside a microtask: the promise of the call never settles, and
// every other call in flight dies with the instance. So each call in flight is rejected by hand
// when the runtime reports the trap; index.js makes a fresh instance for the next call. By hand, not
// by racing a promise that lives on: that one would keep every call that ever was.
import { DurableObject, WorkerEntrypoint } from 'cloudflare:workers';
import Rust, * as rust from './index.js';

const inFlight = new Set();

addEventListener('error', (event) => {
  if (!(event.error instanceof WebAssembly.RuntimeError)) return;
  const error = new Error('runtime lost');
  for (const reject of inFlight) reject(error);
  inFlight.clear();
});

const guarded = (call) =>
  new Promise((resolve, reject) => {
    inFlight.add(reject);
    const ended = (settle) => (value) => {
      inFlight.delete(reject);
      settle(value);
    };
    // Async, so that what is thrown at once is a rejection too.
    (async () => call())().then(ended(resolve), ended(reject));
  });

export default class Comeback extends WorkerEntrypoint {
  inner = new Rust(this.ctx, this.env);

  async fetch(request) {
    try {
      return await guarded(() => this.inner.fetch(request));
    } catch (error) {
      // The first segment only: what follows may be a token.
      console.error(JSON.stringify({ level: 'error', what: 'request failed', route: `/${new URL(request.url).pathname.split('/')[1]}`, error: String(error) }));
      return new Response('{"type":"/problems/internal","title":"Something went wrong here","status":500}', {
        status: 500,
        headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
      });
    }
  }

  queue(batch) {
    return guarded(() => this.inner.queue(batch));
  }

  scheduled(event) {
    return guarded(() => this.inner.scheduled(event));
  }
}

/** A Durable Object whose state and rules are a Rust object: one method for calls, one for time. */
const objectOf = (Inner) =>
  class extends DurableObject {
    constructor(state, env) {
      super(state, env);
      this.inner = new Inner(state, env);
    }

    call(now, body) {
      return guarded(() => this.inner.call(now, body));
    }

    alarm() {
      return guarded(() => this.inner.alarm());
    }
  };

export class CartDo extends objectOf(rust.CartObject) {}
export class PersonDo extends objectOf(rust.PersonObject) {}
export class ShopDo extends objectOf(rust.ShopObject) {}
// Present only in a build with the feature `dev`.
export class DevDo extends objectOf(rust.DevObject ?? class {}) {}
