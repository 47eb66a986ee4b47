// The module behind the tag and the npm package: the wasm session and what it needs done (fetching,
// importing, storing, telling the page). Decisions come from the session.
import init, { Session } from 'comeback-wasm';
import { LAYER, OWN } from './capture.js';
import { emit } from './emit.js';
import { store } from './store.js';

/** The parameter that a resume link adds to the shop's cart page. */
const RESTORE = 'comeback_restore';

/** Takes the token out of the address at once: it must not reach analytics, referrers or events. */
function restoreToken() {
  const url = new URL(location.href);
  const token = url.searchParams.get(RESTORE);
  if (token) {
    url.searchParams.delete(RESTORE);
    history.replaceState(history.state, '', url);
  }
  return token;
}

const json = (reply) => (reply.ok ? reply.json() : Promise.reject(Object.assign(new Error('HTTP ' + reply.status), { status: reply.status })));

/**
 * Starts the session of this page. `wasm` is anything that `WebAssembly` takes; by default the file
 * beside this one. Rejects where wasm may not run. Resolves to `take(source, time, entry)`.
 */
export async function start({ pk, endpoint, config, wasm, panel }) {
  const opened = Date.now();
  const token = restoreToken();
  // Together: neither needs the other.
  const [settings] = await Promise.all([config, init({ module_or_path: wasm || new URL('./sdk_bg.wasm', import.meta.url) })]);
  const tz = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const mobile = matchMedia('(pointer:coarse)').matches;
  let adapter, plug;
  let waiting = [];
  let shown;

  const send = (path, body) =>
    fetch(endpoint + path, { method: 'POST', body, keepalive: true, credentials: 'include' });
  const own = (name, data) => session.track(OWN, Date.now(), name, data);
  const fail = (kind) => (error) => emit('error', { kind, message: error && error.message, status: error && error.status });

  const host = {
    emit,
    post(body) {
      send('/v1/events', body).then(
        async (reply) => session.settled(reply.status, reply.ok ? await reply.json().catch(() => null) : null),
        () => session.settled(0, null),
      );
    },
    page: () => ({ url: location.origin + location.pathname + location.search, locale: navigator.language, tz, mobile }),
    panel: (kind) => openPanel(kind, settings.panels?.[kind]).catch(fail('panel')),
  };
  const session = new Session(
    window,
    host,
    store,
    {
      pk,
      endpoint,
      mobile,
      automated: navigator.webdriver === true,
      gpc: navigator.globalPrivacyControl === true,
    },
    settings,
  );

  /** Resolves to the shopper's answer; one panel at a time. */
  async function openPanel(kind, copy) {
    if (shown) return;
    shown = kind;
    try {
      const { show } = await (panel ? panel() : import('./panel.js'));
      const tell = (state) => {
        own('panel_' + state, { panel: kind });
        emit('panel', { panel: kind, state });
      };
      return await show(kind, copy, {
        tell,
        locale: settings.shop?.locale,
        assist: (method) => emit('assist', { panel: kind, method, cart: session.cart() }),
        submit: (email, granted) => identify({ email, consent: { email: granted } }),
      });
    } finally {
      shown = undefined;
    }
  }

  async function identify({ email, phone, consent = {} }) {
    if (!session.may_store()) return new Promise((done, failed) => waiting.push(() => identify({ email, phone, consent }).then(done, failed)));
    return send(
      '/v1/identify',
      JSON.stringify({
        pk,
        cart: session.cart().id ?? null,
        email,
        phone,
        consent: { email: consent.email === true, sms: consent.sms === true, wording: consent.wording ?? settings.consent?.wording },
        locale: navigator.language,
        tz,
      }),
    ).then(json);
  }

  // A page that a router opened is a page; a changed query or hash is not.
  let path = location.pathname;
  const route = () => {
    if (path !== location.pathname) {
      path = location.pathname;
      own('page_view');
    }
  };
  for (const name of ['pushState', 'replaceState']) {
    const original = history[name];
    history[name] = function (...args) {
      original.apply(this, args);
      route();
    };
  }
  addEventListener('popstate', route);
  session.track(OWN, opened, 'page_view');

  if (token) {
    // The shop's scripts plug their adapter in while the page loads.
    const go = () =>
      setTimeout(() =>
        import('./restore.js').then(
          ({ resume }) => (plug = resume({ token, endpoint, session, json, emit, ask: () => openPanel('restore', settings.panels?.restore || {}), adapter: () => adapter })),
          fail('restore'),
        ),
      );
    document.readyState === 'complete' ? go() : addEventListener('load', go);
  }

  const commands = {
    track: (t, source, name, data) => session.track(source, t, name, data),
    consent(t, source, choice) {
      session.consent(choice);
      if (session.may_store()) waiting.splice(0).forEach((act) => act());
      else waiting = [];
    },
    identify: (t, source, who) => identify(who).catch(fail('identify')),
    adapter(t, source, plugged) {
      adapter = plugged;
      plug?.();
      const watch = () => plugged.watch?.({ cart: () => session.cart(), track: own, may: () => session.may_store() });
      session.may_store() ? watch() : waiting.push(watch);
    },
    cart: (t, source, done) => done(session.cart()),
  };
  return (source, t, entry) => {
    if (source === LAYER) session.layer(t, entry);
    else commands[entry[0]]?.(t, source, entry[1], entry[2]);
  };
}
