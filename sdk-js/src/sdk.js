// The module behind the tag and the npm package: the wasm session and what it needs done (fetching,
// importing, storing, telling the page). Decisions come from the session.
import init, { Session } from 'comeback-wasm';
import { LAYER, OWN } from './capture.js';
import { emit } from './emit.js';
import { pages, tabs } from './pages.js';
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
    page: () => ({ url: location.origin + location.pathname, locale: navigator.language, tz, mobile }),
    panel: (kind, told) => openPanel(kind, told).catch(fail('panel')),
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
      linked: !!token,
      at_cart: location.pathname === settings.shop?.cart_url,
    },
    settings,
  );

  /** Resolves to the shopper's answer. `told` is what the session knows: `{experiment, arm, data}`. */
  const openPanel = async (kind, told = {}) =>
    (await (panel ? panel() : import('./panel.js'))).show(kind, told, { settings, endpoint, pk, own, emit, identify, cart: () => session.cart(), adapter: () => adapter });

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

  // Only a shop that has words for it wants its cart checked.
  const check = settings.panels?.cart_check && import('./check.js').then(({ guard }) => guard(openPanel));

  session.track(OWN, opened, 'page_view');
  pages(() => own('page_view'));

  if (token) {
    // The shop's scripts plug their adapter in while the page loads.
    const go = () =>
      setTimeout(() =>
        import('./restore.js').then(
          ({ resume }) => (plug = resume({ token, endpoint, session, json, emit, ask: () => openPanel('restore'), adapter: () => adapter })),
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
    check: (t, source, done) => Promise.resolve(check).then((check) => (check ? check(done) : done(true))),
  };
  tabs(settings.consent?.wording, () => session.may_store(), (choice) => commands.consent(0, 0, choice));
  return (source, t, entry) => {
    if (source === LAYER) session.layer(t, entry);
    else commands[entry[0]]?.(t, source, entry[1], entry[2]);
  };
}
