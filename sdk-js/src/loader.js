// comeback.js, the tag: captures at once, keeps everything in order, and brings in the wasm module
// when the page is idle. The edge is asked for nothing before the shopper first does something: a page
// that is only opened costs this file, the module, and no request besides. Whatever else a page needs is
// another file: every page waits for this one.
import { API, capture } from './capture.js';
import { emit, listen } from './emit.js';
import { KEY } from './store.js';
import { restoreToken } from './token.js';

const script = document.currentScript || document.querySelector('script[data-shop]');
const before = window.comeback || [];
/** What the page tells by these was done by the shopper; that something is there to look at was not. */
const ACTS = /^(add_|remove_|begin_|purchase|checkout_|try_|cart|identify|forget)/;

// A second tag on the page must not count everything twice.
if (script && !before.version) {
  const { src, dataset } = script;
  // By text: the first `URL` of a page takes a slow device longer than the rest of this file.
  const [file] = src.split(/[?#]/);
  const folder = file.replace(/[^/]*$/, '');
  // Next to us when the page pins a version (/sdk/<version>/comeback.js), else below us.
  const base = folder + (/\/sdk\/[^/]+\/$/.test(folder) ? '' : 'sdk/' + VERSION + '/');
  const options = {
    pk: dataset.shop,
    endpoint: (dataset.endpoint || file.split('/', 3).join('/')).replace(/\/+$/, ''),
    base,
    token: restoreToken(),
  };

  const fail = (kind) => (error) => emit('error', { kind, message: String(error) });
  const held = [];
  let take = (...entry) => held.push(entry);
  let woken, intent;
  // One bad command must not swallow those behind it.
  const give = (source, t, entry) => {
    try {
      if (entry[0] === 'on') listen(entry);
      else take(source, t, entry);
    } catch (error) {
      fail('capture')(error);
    }
  };
  const wake = () => {
    if (woken) return;
    woken = true;
    // A shop that cannot be asked gets the careful answer: nothing leaves before consent.
    options.config = acted
      .then(() => fetch(options.endpoint + '/v1/config/' + options.pk + '?lang=' + document.documentElement.lang, { credentials: 'omit' }))
      .then((reply) => (reply.ok ? reply.json() : {}))
      .catch(() => ({}));
    // The overlay starts the session itself, with eyes on it.
    import(base + (/[?&]comeback_debug\b/.test(location.search) ? 'debug.js' : 'sdk.js'))
      .then((module) => module.start(options))
      // Where no further script may run nothing is captured, so nothing is held for it either.
      .catch(fail('module'))
      .then((session) => {
        take = session || (() => {});
        held.splice(0).forEach((entry) => give(...entry));
      });
    if (script.dataset.adapter)
      acted
        .then(() => import(base + script.dataset.adapter + '.js'))
        .then((module) => sink(API, ['adapter', module.default()]))
        .catch(fail('adapter'));
  };
  // A page that the browser makes ready in advance is nobody's visit yet.
  const acted = new Promise((done) => (intent = () => (document.prerendering ? document.addEventListener('prerenderingchange', done) : done())));
  const act = () => (intent(), wake());
  const sink = (source, entry) => {
    give(source, Date.now(), entry);
    // Whatever a page puts in there, nothing is thrown back at it.
    try {
      if (ACTS.test(entry?.event || (/^(event|track)$/.test(entry?.[0]) ? entry[1] : entry?.[0]))) act();
    } catch {}
  };

  window.comeback = {
    version: VERSION,
    push: (...entries) => entries.forEach((entry) => sink(API, entry)),
  };
  before.forEach?.((entry) => sink(API, entry));
  capture(sink);
  for (const type of ['pointermove', 'keydown', 'scroll', 'click']) addEventListener(type, act, { capture: true, passive: true, once: true });
  // Who follows a resume link has done something already.
  if (options.token || /[?&]comeback_/.test(location.search)) act();
  const known = () => {
    try {
      return localStorage[KEY];
    } catch {}
  };
  // So has one who was here before, who may have a cart and leave this page without a move.
  // Storage is asked in a task of its own: the first time takes a slow device a while.
  (window.requestIdleCallback || setTimeout)(() => setTimeout(known() ? act : wake), { timeout: 2000 });
}
