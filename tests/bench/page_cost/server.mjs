// The web server of the page cost: pages, scripts, and the answers that pages get, all from one origin without latency.
//
// Compresses what it serves as a CDN would (brotli 11), lets a browser keep what never changes, and records nothing: what
// was requested is told by the browser. Knows no case; a case says what its paths answer.

import { createServer } from 'node:http';
import { brotliCompressSync, constants } from 'node:zlib';

const TYPES = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8', wasm: 'application/wasm', json: 'application/json' };
/** What a version of a file is served with: it never changes. */
export const IMMUTABLE = 'public, max-age=31536000, immutable';
/** Below this a CDN does not compress either: the packet is the same. */
const WORTH_BYTES = 48;

export const html = (text) => ({ type: TYPES.html, body: text });
export const json = (value, headers) => ({ type: TYPES.json, body: JSON.stringify(value), headers });
export const file = (name, body, cache = IMMUTABLE) => ({ type: TYPES[name.split('.').pop()], body, headers: { 'cache-control': cache } });

const done = new Map();
/** Done once per content and process: at this quality it takes a second of a large script, which no visit should wait for. */
function compressed(body) {
  const raw = Buffer.from(body ?? '');
  const key = raw.toString('latin1');
  if (!done.has(key)) {
    const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22 };
    done.set(key, raw.length < WORTH_BYTES ? raw : brotliCompressSync(raw, { params }));
  }
  return { content: done.get(key), encoded: raw.length >= WORTH_BYTES };
}

/**
 * Starts a server.
 *
 * @param {(request: {method: string, path: string, body: string, origin: string}) => object | undefined} answer what a path
 *   answers, made by `html`, `json` or `file`; nothing is a 404.
 */
export async function serve(answer) {
  let origin;
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const found = answer({ method: request.method, path: new URL(request.url, origin).pathname, body, origin });
    if (!found) return response.writeHead(404, { 'content-length': 0 }).end();
    const { content, encoded } = compressed(found.body);
    response.writeHead(found.status ?? 200, {
      'content-type': found.type ?? 'text/plain',
      'content-length': content.length,
      'cache-control': 'no-store',
      ...(encoded ? { 'content-encoding': 'br' } : {}),
      ...found.headers,
    });
    return response.end(content);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  origin = `http://127.0.0.1:${server.address().port}`;
  return {
    origin,
    close: () => new Promise((done) => (server.closeAllConnections(), server.close(done))),
  };
}
