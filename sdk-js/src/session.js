// What one page knows and does with an event: count it, apply it to the cart, keep it, send it. Works without the wasm
// module, which some pages forbid: then nothing is scored and no panel shows. Rules are the module's (`mind`), looks are
// the panels'.
import { LAYER, OWN } from './capture.js';
import { dedupe } from './dedupe.js';
import { emit } from './emit.js';
import { bytes, outbox } from './outbox.js';
import { changed, changesCart, currencyOf, floats, layered, lean, linesOf, number, read, text } from './ga4.js';
import { watch } from './leaving.js';
import { moments } from './moments.js';
import { KEY, store, when } from './store.js';

/** Events wait this long for company before they travel. */
const GATHER_MS = 300;
/** A larger event loses names and pictures; one that is still larger cannot travel. */
const LEAN_ABOVE = 12_000, DROP_ABOVE = 15_000;
/** Gestures of leaving within this span are one. */
const EXIT_PAUSE_MS = 5_000;
/** Seconds between tries to have a cart forgotten. */
const FORGET_WAITS_S = [1, 3, 10, 0];
/** A cart is begun anew at most this often, so that an edge which refuses each cart is not asked in a loop. */
const RENEWAL_PAUSE_MS = 60_000;

// 22 letters and digits of 36 are 113 bits; that 256 is no multiple of 36 costs less than one of them.
const mint = (prefix) => prefix + Array.from(crypto.getRandomValues(new Uint8Array(22)), (byte) => (byte % 36).toString(36)).join('');
const bits = ({ storage, marketing, profiling }) => ({ storage, marketing, profiling });

/**
 * Opens the session of this page. `page` is `{pk, endpoint, settings, tz, mobile, opened, linked, push}`; `post(path, body)` asks the edge,
 * `show(panel, told)` opens a panel; `mind` is the class of the wasm session, or nothing where there is none.
 */
export function open(page, { post, show, mind: Mind }) {
  const { pk, endpoint, settings, mobile, opened } = page;
  const { shop = {}, consent: asked = {}, leaving: rules } = settings;
  const wording = asked.wording || '';
  const currency = currencyOf(shop, 'XXX');
  const gpc = navigator.globalPrivacyControl === true;

  /** The shopper's choice, if they made one, of which wording and `at` what time, whichever tab they made it in; `since`
   *  when storage has been allowed without a no in between. */
  let choice;
  /** `at`: when it last changed, so that another tab's newer cart is seen; `version`: the edge's, where it is known. */
  let cart = { currency, at: 0, lines: [] };
  /** The cart that was bought, which the edge may still name for a while; the last order, for a thank-you page that is
   *  loaded again; when panels were shown in this browser. */
  let kept = { shown: {} };
  /** Whether there was something of an earlier visit in storage, or the edge may hold something of this one. */
  let returning = false, known = false;
  /** Each event is later than the one before, whatever the clock does. */
  let last = 0;
  /** The product at hand: for how long it was in sight so far, and since when again. */
  let look;
  let sentCart, timer, renewed = 0, exited = 0, told = -1, forgetting = false;
  /** Which flush is the last: an answer to one that was given up says nothing about the next. */
  let flight = 0;
  let hidden, back;
  const out = outbox();
  const isNew = dedupe();

  // Without a choice, storage and profiling follow the mode; marketing always waits for a yes.
  const standing = () => choice || { storage: asked.mode === 'implied', marketing: false, profiling: asked.mode === 'implied' };
  const mayStore = () => standing().storage;
  // Global Privacy Control overrides a yes.
  const inForce = () => ({ ...standing(), ...(gpc && { marketing: false, profiling: false }) });

  const mind =
    Mind &&
    new Mind(
      text(shop.id) || '',
      currency,
      floats(settings.shipping?.free_from_minor, ...['min_velocity_px_s', 'min_scroll_px_s', 'away_ms', 'idle_ms', 'act_below'].map((rule) => rules?.[rule])),
      mobile,
      Date.now(),
    );
  const tellReturning = () => mind?.returning(inForce().profiling ? +returning : NaN);
  const panels = moments({ mind, settings, opened, page, show, state: () => ({ returning, kept }), remember });

  // ---- what survives the page

  function remember() {
    if (!mayStore()) return;
    // What another tab wrote since is not undone.
    sync();
    store.write(false, { cart: cart.id, version: cart.version, currency: cart.currency, at: cart.at, lines: cart.lines, ...kept, consent: choice });
    store.write(true, { counts: mind && [...mind.counts()], t: last, ...panels?.memory() });
  }

  /** Takes over what another tab, or an earlier page, did later: the cart, the order, the panels that were shown. */
  function sync(stored = mayStore() && store.read(false)) {
    const { cart: id, version, at, lines, closed, order, last_shown, shown } = stored || {};
    if (last_shown > (kept.last_shown || 0)) kept.last_shown = last_shown;
    for (const panel in shown) if (!(kept.shown[panel] >= shown[panel])) kept.shown[panel] = shown[panel];
    if (!(at > cart.at)) return;
    const currency = currencyOf(stored, cart.currency);
    kept.closed = closed;
    kept.order = order;
    // A tab that did not hear yet of a no and the yes after it knows the cart by what it was before.
    const same = stored.consent?.since === choice?.since && /^cart_\w{1,64}$/.test(id);
    put({ id: same ? id : undefined, version, currency, at, lines: linesOf(lines) });
  }

  function put(next) {
    cart = next;
    mind?.fill(cart.currency, Float64Array.from(cart.lines.flatMap((line) => [line.price, line.quantity])));
  }

  /** Everything that earlier pages left. A cart that was filled on this page before the yes stays. */
  function recall() {
    const stored = store.read(false);
    const brief = store.read(true);
    if (!cart.lines.length) sync(stored);
    const { closed, order, last_shown, shown } = stored || {};
    kept = { closed, order, last_shown, shown: { ...shown, ...kept.shown } };
    known ||= !!stored;
    // A page later in the same visit is no return.
    returning = !!stored?.lines && !brief;
    last = Math.max(last, brief?.t || 0);
    if (brief?.counts) mind?.recall(Float64Array.from(brief.counts));
    panels?.recall(brief);
    for (const event of store.kept()) {
      const evicted = out.push(event);
      if (evicted) store.release(evicted);
    }
  }

  // ---- events

  /** Takes an event in; `sure`: it is no echo of another. */
  function capture(source, at, name, raw, sure) {
    // Page views are seen here; GTM's would only be echoes.
    if (source === LAYER && name === 'page_view') return;
    const event = read(name, raw, currency);
    if (!event || !(sure || isNew(at, source, event.key))) return;
    const { data } = event;
    const order = name === 'purchase' && text(data.transaction_id);
    if (order && kept.order === order) return;
    // An order without a number is an order; the edge wants one.
    if (name === 'purchase') data.transaction_id ||= mint('order_');
    sync();
    const t = (last = Math.max(at, last + 1));
    mind?.observe(t, name, number(data.dwell_ms) ?? +(data.accepted === true));
    if (changesCart(name)) {
      // A clock set back must not make the page ignore what the shopper just did.
      put({ ...cart, currency: event.currency, at: Math.max(t, cart.at + 1), lines: changed(name, cart.lines, event.lines) });
      if (cart.lines.length) cart.id ||= mint('cart_');
    }
    if (look && /^page_/.test(name)) {
      if (look.since) look.spent += t - look.since;
      look.since = 0;
      data.dwell_ms = look.spent;
      if (look.lines) (event.lines = look.lines), (data.currency = look.currency);
      // The page or route that follows ends the look; a page that is hidden may be shown again.
      if (name === 'page_view') look = undefined;
    }
    if (name === 'view_item') look = { spent: 0, since: hidden ? 0 : t, lines: event.lines, currency: event.currency };
    const taken = keep(t, event);
    const trouble = panels?.trouble(event, source, raw);
    if (name === 'purchase') {
      // The next item begins another cart.
      kept = { ...kept, closed: cart.id || kept.closed, order: order || kept.order };
      put({ currency: cart.currency, at: Math.max(t, cart.at + 1), lines: [] });
      mind?.ordered();
    }
    remember();
    if (taken) {
      flushSoon(GATHER_MS);
      score();
    }
    trouble?.();
  }

  /** Puts an event into the outbox. Returns whether it may travel. */
  function keep(t, { name, data, lines }) {
    const id = mint('evt_');
    const written = (lines) => JSON.stringify({ id, t, name, data: lines ? { ...data, items: lines } : data });
    let json = written(lines);
    if (bytes(json) >= LEAN_ABOVE) json = written(lines?.map(lean));
    if (bytes(json) > DROP_ABOVE) return false;
    const event = { id, cart: cart.id || null, json, still: !changesCart(name) };
    if (mayStore()) store.keep(event);
    const evicted = out.push(event);
    if (evicted) store.release(evicted);
    return true;
  }

  function score() {
    if (!mind) return;
    const now = Date.now();
    const [buy, foreseen, ...effects] = mind.score(now);
    // A change that a page could act on, not the noise of the last digits.
    if (Math.abs(buy - told) >= 0.005) {
      told = buy;
      const [model, ...features] = mind.reasons(now).split(' ');
      emit('score', { model, buy, reasons: features.map((feature, at) => ({ feature, effect: effects[at] })) });
    }
    if (foreseen) panels.foreseen();
  }

  /** The module saw that the shopper is about to leave. */
  function leaving(trigger, act) {
    const now = Date.now();
    sync();
    panels.moment('leaving');
    if (act && now - exited > EXIT_PAUSE_MS) {
      exited = now;
      capture(OWN, now, 'exit_intent', { trigger });
    }
  }

  // ---- the way to the edge

  const head = (where, consent) =>
    // By `sent` the edge takes a wrong clock of this device out of the events' times.
    JSON.stringify({ v: 1, sent: Date.now(), pk, page: where, consent, automated: navigator.webdriver === true }).slice(0, -1);
  const ended = (head, cart, events) => head + ',"cart":' + JSON.stringify(cart) + ',"events":[' + events + ']}';
  const here = () => ({ url: location.origin + location.pathname, locale: navigator.language, tz: page.tz, mobile });

  /** The next events as a body, taken from the outbox by `take`. */
  function body(take) {
    if (!mayStore()) return undefined;
    const start = head(here(), { ...bits(inForce()), wording });
    // A cart id is at most 70 characters; the keys around it and the brackets are the rest.
    const next = take(bytes(start) + 100);
    if (!next) return undefined;
    known = true;
    return { ...next, body: ended(start, next.cart, next.text) };
  }

  function flushSoon(wait) {
    if (timer && wait) return;
    clearTimeout(timer);
    timer = setTimeout(flush, wait);
  }

  function flush() {
    timer = 0;
    if (out.flying()) return;
    const next = body(out.takeOff);
    if (!next) return;
    sentCart = next.cart;
    const quiet = next.taken.every((event) => event.still);
    const own = (flight += 1);
    const answer = (status, said) => own === flight && settled(status, said, quiet);
    post('/v1/events', next.body).then(
      async (reply) => answer(reply.status, reply.ok ? await reply.json().catch(() => undefined) : undefined),
      () => answer(0),
    );
  }

  async function settled(status, reply, quiet) {
    if (!status || status === 408 || status === 429 || status >= 500) return flushSoon(out.failed());
    // One event that the edge does not understand must not take the others with it.
    if (status === 400 && out.flying() > 1) {
      out.refused();
      return flushSoon(GATHER_MS);
    }
    if (await answered(reply, quiet)) panels.moment('arriving');
    if (out.all().length) flushSoon(GATHER_MS);
    if (status >= 400) emit('error', { kind: 'refused', status });
  }

  const landed = () => out.landed().forEach(store.release);

  /** The edge's answer to the flush under way. Resolves to whether it is the first on this page that allows panels. */
  async function answered(reply, quiet) {
    if (!mayStore() || !reply) return landed();
    const { cart: held, bucket, arms, panel } = reply;
    sync();
    const ordered = held?.closed === true;
    // An answer about a cart that was bought or replaced meanwhile is stale.
    const current = sentCart === (cart.id || null);
    if (current && cart.id && (ordered || held === null)) {
      // Only the events tell what came after an order made elsewhere, so before they go. A cart that the edge
      // has no trace of was not bought: all of it stays.
      const lines = ordered ? linesSince() : cart.lines;
      landed();
      renew(lines, ordered);
    } else {
      landed();
      if (current && !ordered && !forgetting && held?.id && held.id !== kept.closed) await agree(held, quiet);
    }
    return panels?.answered(panel, bucket, arms);
  }

  /** The edge knows this browser's cart by cookie even where our copy was cleared, and what other devices did to it. */
  async function agree({ id, version }, quiet) {
    // Our own events change the version as well; only where there were none is a new one somebody else's doing.
    const lost = cart.id !== id && !cart.lines.length;
    const own = () => out.all().some((event) => !event.still);
    const behind = !own() && (lost || (quiet && cart.version < version));
    cart.id = id;
    cart.version = version;
    const { at } = cart;
    const truth = behind && (await fetch(endpoint + '/v1/cart?pk=' + pk, { credentials: 'include' }).then((reply) => reply.ok && reply.json()).catch(() => 0));
    sync();
    // What the shopper did meanwhile stands.
    if (truth && truth.id === id && cart.id === id && cart.at === at && !own()) {
      const { version, currency, exponent, lines } = truth;
      put({ ...cart, version, currency, at: Math.max(Date.now(), at + 1), lines: linesOf(lines, exponent) });
    }
    remember();
  }

  /** What the events that were not acknowledged before put into the cart. */
  function linesSince() {
    return out
      .all()
      .filter((event) => event.cart === cart.id)
      .map((event) => JSON.parse(event.json))
      .sort((a, b) => a.t - b.t)
      .reduce((lines, { name, data }) => (changesCart(name) ? changed(name, lines, linesOf(data.items)) : lines), []);
  }

  /** Goes on with these lines under an id of its own, as the edge has closed or forgotten the cart. */
  function renew(lines, ordered) {
    const now = Date.now();
    if (Math.abs(now - renewed) < RENEWAL_PAUSE_MS) return;
    renewed = now;
    const old = cart.id;
    const id = lines.length ? mint('cart_') : undefined;
    out.readdress(old, id || null);
    out.all().forEach(store.keep);
    kept.closed = old;
    if (ordered) mind?.ordered();
    put({ id, currency: cart.currency, at: Math.max(now, cart.at + 1), lines: [] });
    remember();
    if (id) setCart(now, lines, cart.currency);
  }

  /** The whole cart as it is now, as an event of the SDK's own. */
  const setCart = (at, items, currency) => capture(OWN, at, 'cart_set', { currency, items }, true);

  /** The page may be gone in a moment: what is not under way yet goes by beacon. */
  function leave() {
    if (!hidden) capture(OWN, Date.now(), 'page_hide');
    hidden = true;
    // A flush under way goes on by keepalive. Offline, a beacon is lost without a word: events then stay in
    // storage for the next page.
    while (navigator.onLine) {
      const next = body(out.takeQueued);
      if (!next || !navigator.sendBeacon(endpoint + '/v1/events', next.body)) return;
      out.beaconed().forEach(store.release);
    }
  }

  function shown() {
    hidden = false;
    if (look) look.since ||= Date.now();
  }

  // ---- what the page says

  /** `heard`: the choice of another tab that this is, else it was made here at `t`. */
  function consent(said = {}, t = Date.now(), heard) {
    const could = mayStore();
    const now = standing();
    const chosen = Object.keys(bits(now)).filter((purpose) => typeof said[purpose] === 'boolean');
    if (!chosen.length) return;
    // Later than what this tab knows of, whatever the clock does, so that no tab takes it for older.
    const { at, since } = heard || { at: Math.max(t, 1 + (now.at || 0)), since: now.since };
    choice = { ...now, wording, at, since: could || heard ? since : at };
    for (const purpose of chosen) choice[purpose] = said[purpose];
    if (mayStore()) {
      // Elsewhere there was a no in between.
      if (could && now.since !== choice.since) sever();
      if (!could) {
        recall();
        out.all().forEach(store.keep);
      }
      remember();
      flushSoon(0);
    } else if (could || said.storage === false) {
      // A yes to other purposes is no no: what waits goes on waiting. By this one request the edge takes its cookies back.
      if (could && known) post('/v1/events', ended(head({}, { storage: false }), null, '')).catch(() => {});
      sever();
      // Where nothing said is a yes, only a no that is kept is one on the next page too. Who only heard of it leaves it as it is.
      const keeps = asked.mode === 'implied';
      store.wipe(keeps && KEY);
      if (keeps && (!heard || heard === now)) store.write(false, { consent: choice });
    }
    tellReturning();
  }

  /** A later yes must not be tied to what was before a no. */
  function sever() {
    known = false;
    sentCart = undefined;
    cart = { ...cart, id: undefined, version: undefined };
    kept = { shown: kept.shown, last_shown: kept.last_shown };
    flight += 1;
    out.drop(() => true).forEach(store.release);
  }

  const held = store.read(false)?.consent;
  // A yes given on an earlier page, if it was given to today's wording. Storing it was part of the yes.
  if (held && (held.wording || '') === wording && typeof held.storage === 'boolean') choice = { ...bits(held), wording, at: when(held.at), since: held.since };
  if (mayStore()) recall();
  tellReturning();

  return {
    track: capture,
    layer(t, entry) {
      const [name, raw] = layered(entry);
      if (name) capture(LAYER, t, name, raw);
    },
    consent,
    mayStore,
    standing,
    back: () => back?.(),
    /** Listens from now on to what the shopper does with the page. */
    begin() {
      hidden = document.visibilityState === 'hidden';
      back = mind && watch({ mind, mobile, leaving });
      addEventListener('pagehide', leave);
      addEventListener('pageshow', shown);
      addEventListener('online', () => flushSoon(0));
      document.addEventListener('visibilitychange', () => {
        if (document.visibilityState === 'hidden') leave();
        else shown();
      });
    },
    /** `{id, currency, lines}` in GA4's item shape. */
    cart() {
      sync();
      return { id: cart.id, currency: cart.currency, lines: cart.lines.map((line) => ({ ...line })) };
    },
    /** The cart is this from now on, as the edge or GA4 shapes lines; without an id it keeps its own.
     *  Returns the lines it has now. */
    settle({ id, currency = cart.currency, exponent, lines }) {
      const now = linesOf(lines, exponent);
      cart.id = id || cart.id;
      setCart(Date.now(), now, currency);
      return now.map((line) => ({ ...line }));
    },
    /** Nothing of this cart stays, here or at the edge, and nobody is reminded of it. */
    async forget() {
      sync();
      const { id } = cart;
      flight += 1;
      out.drop((event) => event.cart === (id || null)).forEach(store.release);
      kept.closed = id || kept.closed;
      put({ currency: cart.currency, at: Math.max(Date.now(), cart.at + 1), lines: [] });
      remember();
      forgetting = true;
      try {
        // The edge goes by the browser's cookie: once there is another cart, that would be forgotten.
        for (const seconds of FORGET_WAITS_S) {
          if (!mayStore() || cart.id) return;
          const status = await fetch(endpoint + '/v1/cart?pk=' + pk, { method: 'DELETE', credentials: 'include', keepalive: true }).then((reply) => reply.ok || reply.status, () => 0);
          if (status === true) return;
          if (!seconds || (status && status < 500 && status !== 429)) throw Object.assign(new Error('HTTP ' + status), { status });
          await new Promise((done) => setTimeout(done, seconds * 1000));
        }
      } finally {
        forgetting = false;
      }
    },
  };
}
