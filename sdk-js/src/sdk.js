// What is behind the tag and the npm package: starts the session, with the wasm module where it may run, and carries out
// what a page commands. What an event means and what is kept is session.js's; decisions are the module's.
import { Session, finish, imports } from 'comeback-wasm';
import { LAYER, OWN } from './capture.js';
import { emit } from './emit.js';
import { pages, tabs } from './pages.js';
import { denied, google, shopify } from './privacy.js';
import { open } from './session.js';

const json = (reply) => (reply.ok ? reply.json() : Promise.reject(Object.assign(new Error('HTTP ' + reply.status), { status: reply.status })));
const fail = (kind) => (error) => emit('error', { kind, message: error?.message, status: error?.status });

/** Lets the page have its turn, so that a slow device has no long task of the session's start. */
const turn = () => new Promise((done) => setTimeout(() => done()));

/**
 * Makes the module run; resolves to true. `wasm` is an address, a request or a response of one, bytes, or a compiled module.
 * Not streamed: for so few bytes that gains nothing, and it would fail where a server names their type wrongly.
 */
async function load(wasm) {
  await turn();
  const source = await wasm;
  const reply = source instanceof Response ? source : (typeof source === 'string' || source instanceof URL || source instanceof Request) && (await fetch(source));
  const made = await WebAssembly.instantiate(reply ? await reply.arrayBuffer() : source, imports());
  finish(made.instance || made, made.module || source);
  return true;
}

/**
 * Starts the session of this page. `wasm` is anything that `WebAssembly` takes; by default the file
 * beside this one; `token` is a resume link's. Where it may not run that is said once, and everything but score and panels goes on.
 * Resolves to `take(source, time, entry)`.
 */
export async function start({ pk, endpoint, config, wasm, token, panel }) {
  const opened = Date.now();
  // Together: neither needs the other.
  const [settings, runs] = await Promise.all([
    config,
    load(wasm || new URL('./sdk_bg.wasm', import.meta.url)).catch((error) => (fail('module')(error), false)),
  ]);
  // The first formatter of a page takes 40 ms of a desk's main thread and four times that of a phone's; Temporal takes none.
  const tz = window.Temporal ? Temporal.Now.timeZoneId() : Intl.DateTimeFormat().resolvedOptions().timeZone;
  const mobile = matchMedia('(pointer:coarse)').matches;
  let adapter, plug;
  let waiting = [];

  const post = (path, body) => fetch(endpoint + path, { method: 'POST', body, keepalive: true, credentials: 'include' });
  const consent = (choice, ...told) => {
    session.consent(choice, ...told);
    if (session.mayStore()) waiting.splice(0).forEach((act) => act());
    else if (choice?.storage === false) waiting = [];
  };
  /** At once where that is allowed, else once it is. */
  const allowed = (act) => (session.mayStore() ? act() : new Promise((done, failed) => waiting.push(() => act().then(done, failed))));

  await turn();
  const said = shopify(consent);
  const wording = settings.consent?.wording;
  if (denied(window.dataLayer) || said?.storage === false) settings.consent = { wording };
  const page = {
    pk,
    endpoint,
    settings,
    tz,
    mobile,
    opened,
    linked: !!token,
    push: !!settings.push && 'serviceWorker' in navigator && 'PushManager' in window && window.Notification?.permission === 'default',
  };
  const session = open(page, {
    post,
    show: (kind, told) => openPanel(kind, told).catch(fail('panel')),
    mind: runs ? Session : undefined,
  });
  const own = (name, data) => session.track(OWN, Date.now(), name, data);
  tabs(wording, session.standing, consent);

  /** Resolves to the shopper's answer. `told` is what the session knows: `{experiment, arm, data}`. */
  async function openPanel(kind, told = {}) {
    const { show } = await (panel ? panel() : import('./panel.js'));
    return show(kind, told, { settings, endpoint, pk, own, emit, identify, subscribe, cart: session.cart, forget: () => session.forget().catch(fail('forget')), adapter: () => adapter });
  }

  const person = (consent) => ({ pk, cart: session.cart().id ?? null, consent: { ...consent, wording: consent.wording ?? wording }, locale: navigator.language, tz });
  const identify = ({ email, phone, consent = {} }) =>
    allowed(() => post('/v1/identify', JSON.stringify({ ...person({ email: consent.email === true, sms: consent.sms === true, wording: consent.wording }), email, phone })).then(json));
  const subscribe = (subscription) => allowed(() => post('/v1/push/subscriptions', JSON.stringify({ ...person({ push: true }), subscription })).then(json));

  // Only a shop that has words for it wants its cart checked.
  const check = settings.panels?.cart_check && import('./check.js').then(({ guard }) => guard(openPanel));

  await turn();
  session.track(OWN, opened, 'page_view');
  pages(() => own('page_view'), session.back);

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
    consent: (t, source, choice) => consent(choice, t),
    identify: (t, source, who) => identify(who).catch(fail('identify')),
    adapter(t, source, plugged) {
      adapter = plugged;
      plug?.();
      const watch = () => plugged.watch?.({ cart: session.cart, track: own, may: session.mayStore });
      session.mayStore() ? watch() : waiting.push(watch);
    },
    cart: (t, source, done) => done(session.cart()),
    check: (t, source, done) => Promise.resolve(check).then((check) => (check ? check(done) : done(true))),
    forget: (t, source, done) => session.forget().catch(fail('forget')).then(done),
  };

  await turn();
  // What the page has said meanwhile, a no above all, comes in the same task, and nothing is sent before.
  if (said) consent(said);
  session.begin();
  return (source, t, entry) => {
    if (source !== LAYER) commands[entry[0]]?.(t, source, entry[1], entry[2]);
    else if (entry[0] !== 'consent') session.layer(t, entry);
    else if (entry[1] === 'update') consent(google(entry[2]), t);
  };
}
