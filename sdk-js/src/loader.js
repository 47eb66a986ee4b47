// comeback.js, the tag: captures at once, keeps everything in order, and brings in the wasm module
// when the page is idle or something happened. Where the module may not run it hands over to
// plain.js, which is inside this file because such a page may forbid further scripts too.
import { API, capture } from './capture.js';
import { emit, listen } from './emit.js';
import { plain } from './plain.js';

const script = document.currentScript || document.querySelector('script[data-shop]');
const before = window.comeback || [];

// A second tag on the page must not count everything twice.
if (script && !before.version) {
  const { src, dataset } = script;
  // Next to us when the page pins a version (/sdk/<version>/comeback.js), else below us.
  const base = new URL(/\/sdk\/[^/]+\/[^/]*$/.test(src) ? './' : 'sdk/' + VERSION + '/', src).href;
  const options = {
    pk: dataset.shop,
    // Without a slash at its end.
    endpoint: dataset.endpoint || new URL(src).origin,
    base,
  };

  const held = [];
  let take = (...entry) => held.push(entry);
  let woken;
  const wake = () => {
    if (woken) return;
    woken = true;
    // A shop that cannot be asked gets the careful answer: nothing leaves before consent.
    options.config = fetch(options.endpoint + '/v1/config/' + options.pk, { credentials: 'omit' })
      .then((reply) => (reply.ok ? reply.json() : {}))
      .catch(() => ({}));
    import(base + 'sdk.js')
      .then((module) => module.start(options))
      .catch((error) => {
        emit('error', { kind: 'module', message: String(error) });
        return plain(options);
      })
      .then((session) => {
        take = session;
        held.splice(0).forEach((entry) => take(...entry));
      });
  };
  const sink = (source, entry) => {
    try {
      if (entry[0] === 'on') return listen(entry);
      take(source, Date.now(), entry);
      wake();
    } catch (error) {
      emit('error', { kind: 'capture', message: String(error) });
    }
  };

  window.comeback = {
    version: VERSION,
    push: (...entries) => entries.forEach((entry) => sink(API, entry)),
  };
  before.forEach?.((entry) => sink(API, entry));
  capture(sink);
  (window.requestIdleCallback || setTimeout)(wake, { timeout: 2000 });
}
