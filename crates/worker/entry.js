// The Worker's main module, around worker-build's index.js. It holds what Rust cannot do for itself, and no rule: it carries
// requests, calls and promises over the boundary in as few crossings as there are (each costs more than most of what is done
// behind it), gives the objects real RPC methods, and turns a Rust panic into a failed call instead of a hung one.
//
// A panic traps the wasm instance: the call never ends, and every other call in flight dies with the instance. So all of them
// are failed by hand, and index.js makes a fresh instance for the next call.
import { DurableObject, WorkerEntrypoint } from 'cloudflare:workers';
import Rust, * as rust from './index.js';

/** Calls in flight by their number. Numbers are never used again. */
const calls = new Map();
let last = 0;

function lost() {
  const error = new Error('runtime lost');
  for (const { reject } of calls.values()) reject(error);
  calls.clear();
}

// Where Rust waits by the worker crate's own futures, a trap surfaces here. Reporting it tells index.js too.
addEventListener('error', (event) => event.error instanceof WebAssembly.RuntimeError && lost());
addEventListener('unhandledrejection', (event) => event.reason instanceof WebAssembly.RuntimeError && reportError(event.reason));

const settled = (wait, fine, value) => {
  try {
    rust.Edge.settled(wait, fine, value);
  } catch (error) {
    reportError(error);
  }
};

const end = (call) => {
  const ended = calls.get(call);
  calls.delete(call);
  return ended;
};

/** What Rust calls. */
globalThis.comebackHost = {
  watch(promise) {
    const wait = (last = (last + 1) >>> 0);
    promise.then(
      (value) => settled(wait, true, value),
      (error) => settled(wait, false, error),
    );
    return wait;
  },
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  done: (call, answer) => end(call)?.resolve(answer),
  header: (call, name) => calls.get(call)?.request.headers.get(name) ?? undefined,
  place(call) {
    const { country, regionCode } = calls.get(call)?.request?.cf ?? {};
    return `${country ?? ''}\n${regionCode ?? ''}`;
  },
  failed: (call, error) => end(call)?.reject(error),
  limit: (limiter, keys) => Promise.all(keys.split('\n').map((key) => limiter.limit({ key }))).then((all) => all.every(({ success }) => success)),
};

/** A call that Rust begins now and ends by its number. */
const begun = (begin, request) =>
  new Promise((resolve, reject) => {
    const call = (last = (last + 1) >>> 0);
    calls.set(call, { resolve, reject, request });
    try {
      begin(call);
    } catch (error) {
      calls.delete(call);
      reject(error);
      if (error instanceof WebAssembly.RuntimeError) reportError(error);
    }
  });

/** Calls of the worker crate's own entry points, which answer by promise. */
const guarded = (promise) =>
  new Promise((resolve, reject) => {
    const call = (last = (last + 1) >>> 0);
    calls.set(call, { resolve, reject });
    promise().then(
      (value) => end(call)?.resolve(value),
      (error) => end(call)?.reject(error),
    );
  });

let edge;
/** Headers that every request brings, and the size of a body that every route reads. */
let headers;
let least;

/** The body, up to a byte more than the route reads; nothing of one that is announced larger. */
async function bodyOf(request) {
  const announced = request.headers.get('content-length');
  if (announced !== null && Number(announced) <= least) return new Uint8Array(await request.arrayBuffer());
  const most = rust.Edge.most_body(request.url);
  if (!request.body || Number(announced) > most) return undefined;
  const parts = [];
  let size = 0;
  for await (const part of request.body) {
    parts.push(part);
    size += part.byteLength;
    if (size > most) break;
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

/** From a status, a line per header, an empty line, and the body. */
function responseOf(lines) {
  const head = lines.indexOf('\n\n');
  const headers = [];
  for (let from = lines.indexOf('\n') + 1; from > 0 && from < head; ) {
    const colon = lines.indexOf(': ', from);
    let to = lines.indexOf('\n', colon);
    if (to > head) to = head;
    headers.push([lines.slice(from, colon), lines.slice(colon + 2, to)]);
    from = to + 1;
  }
  return new Response(head + 2 < lines.length ? lines.slice(head + 2) : null, { status: Number(lines.slice(0, 3)), headers });
}

export default class Comeback extends WorkerEntrypoint {
  async fetch(request) {
    try {
      edge ??= new rust.Edge(this.env);
      headers ??= rust.Edge.headers().split('\n');
      least ??= rust.Edge.most_body('');
      const { method, url } = request;
      let head = `${method}\n${url}`;
      for (const name of headers) head += `\n${request.headers.get(name) ?? ''}`;
      const body = method === 'GET' || method === 'HEAD' ? undefined : await bodyOf(request);
      return responseOf(await begun((call) => edge.fetch(call, head, body), request));
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
    return guarded(async () => new Rust(this.ctx, this.env).queue(batch));
  }

  scheduled(event) {
    return guarded(async () => new Rust(this.ctx, this.env).scheduled(event));
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
      return begun((call) => this.inner.call(call, now, body));
    }

    alarm() {
      return begun((call) => this.inner.alarm(call));
    }
  };

export class CartDo extends objectOf(rust.CartObject) {}
export class PersonDo extends objectOf(rust.PersonObject) {}
export class ShopDo extends objectOf(rust.ShopObject) {}
// Present only in a build with the feature `dev`.
export class DevDo extends objectOf(rust.DevObject ?? class {}) {}
