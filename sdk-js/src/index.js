// The npm package: the same capture and session as the tag, started by `init`. Importing it touches
// nothing, so a server may; on a server every function does nothing.
import { API, capture } from './capture.js';
import { emit, listen } from './emit.js';
import { restoreToken } from './token.js';

const held = [];
let take = (...entry) => held.push(entry);
let started;

const browser = () => typeof window !== 'undefined' && typeof document !== 'undefined';
// One bad command must not swallow those behind it.
const give = (...entry) => {
  try {
    take(...entry);
  } catch (error) {
    emit('error', { kind: 'capture', message: String(error) });
  }
};
const sink = (source, entry) => give(source, Date.now(), entry);
const command = (...entry) => {
  if (browser()) sink(API, entry);
};

export function init({ shop, endpoint = '', wasm } = {}) {
  if (!browser() || started) return started;
  const options = { pk: shop, endpoint: endpoint.replace(/\/$/, '') || location.origin, wasm, token: restoreToken() };
  options.config = fetch(options.endpoint + '/v1/config/' + shop + '?lang=' + encodeURIComponent(document.documentElement.lang), { credentials: 'omit' })
    .then((reply) => (reply.ok ? reply.json() : {}))
    .catch(() => ({}));
  capture(sink);
  // The overlay starts the session itself, with eyes on it.
  started = (/[?&]comeback_debug\b/.test(location.search) ? import('./debug.js') : import('./sdk.js'))
    .then((module) => module.start(options))
    .catch((error) => (emit('error', { kind: 'module', message: String(error) }), () => {}))
    .then((session) => {
      take = session;
      held.splice(0).forEach((entry) => give(...entry));
    });
  return started;
}

export const track = (name, data) => command('track', name, data);
export const identify = (who) => command('identify', who);
export const consent = (choice) => command('consent', choice);

export function on(name, act) {
  if (browser()) listen(['on', name, act]);
}

export const cart = {
  adapter: (adapter) => command('adapter', adapter),
  forget: () => new Promise((done) => (browser() ? command('forget', done) : done())),
  read: () => new Promise((done) => (browser() ? command('cart', done) : done(null))),
  check: () => new Promise((done) => (browser() ? command('check', done) : done(true))),
};
