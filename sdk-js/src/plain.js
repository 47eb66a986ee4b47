// Capture and cart without wasm, for pages whose content security policy forbids it: no score, no
// panels, no deduplication between sources. Stores the cart in the same form as the module.
import { LAYER } from './capture.js';
import { emit } from './emit.js';
import { pages, tabs } from './pages.js';

const KEY = 'comeback.v1';
const tz = Intl.DateTimeFormat().resolvedOptions().timeZone;
const KNOWN = /^(view_(item|cart|shipping_estimate)|add_(to_cart|shipping_info|payment_info)|remove_from_cart|cart_set|begin_checkout|try_coupon|checkout_error|purchase)$/;

// 22 letters and digits of 36 are 113 bits; that 256 is no multiple of 36 costs less than one of them.
const mint = (prefix) => prefix + Array.from(crypto.getRandomValues(new Uint8Array(22)), (byte) => (byte % 36).toString(36)).join('');

const pick = (from, names) => {
  const to = {};
  for (const name of names.split(' ')) if (from?.[name] != null) to[name] = from[name];
  return to;
};

export async function plain({ pk, endpoint, config }) {
  const { consent = {}, shop = {} } = await config;
  const required = consent.mode !== 'implied';
  let choice = { storage: !required, profiling: !required, marketing: false };
  let cart = { lines: [] };
  let events = [];
  let waiting = [];
  let last = 0;
  let flying = [];
  let busy, timer, chosen, sent;
  const stored = () => {
    try {
      return JSON.parse(localStorage.getItem(KEY)) || {};
    } catch {
      return {};
    }
  };
  const read = () => {
    const { lines, consent: old, ...rest } = stored();
    if (lines) (cart = { ...rest, lines }), (sent = true);
  };
  // Another tab's cart, if it is newer.
  const sync = () => choice.storage && stored().at > (cart.at || 0) && read();
  const write = () => {
    try {
      localStorage.setItem(KEY, JSON.stringify({ ...cart, consent: chosen && { ...choice, wording: consent.wording || '' } }));
    } catch {}
  };
  const envelope = (page, consent, cart, events) => JSON.stringify({ v: 1, pk, sent: Date.now(), cart, page, consent, automated: !!navigator.webdriver, events });
  const body = (batch) =>
    envelope(
      { url: location.origin + location.pathname, locale: navigator.language, tz, mobile: matchMedia('(pointer:coarse)').matches },
      { ...pick(choice, 'storage marketing profiling'), ...(navigator.globalPrivacyControl && { marketing: false, profiling: false }), wording: consent.wording },
      cart.cart || null,
      batch,
    );
  const post = (path, body) => fetch(endpoint + path, { method: 'POST', body, keepalive: true, credentials: 'include' });
  const fail = (error) => emit('error', { kind: 'identify', message: error.message, status: error.status });
  const identify = ({ email, phone, consent: given = {} }) =>
    post(
      '/v1/identify',
      JSON.stringify({
        pk,
        cart: cart.cart || null,
        email,
        phone,
        consent: { email: given.email === true, sms: given.sms === true, wording: given.wording ?? consent.wording },
        locale: navigator.language,
        tz,
      }),
    ).then((reply) => reply.ok || fail({ message: 'HTTP ' + reply.status, status: reply.status }), fail);
  // The edge refuses more than 16 KB; a character may be three bytes, rarely are many.
  const fit = (events) => {
    let count = 16;
    while (count > 1 && body(events.slice(0, count)).length > 9000) count /= 2;
    return events.slice(0, count);
  };
  const flush = () => {
    timer = 0;
    if (!choice.storage || busy || !events.length) return;
    const batch = (flying = fit(events));
    sent = true;
    busy = post('/v1/events', body(batch))
      .then((reply) => reply.status < 500 && reply.status !== 429)
      .catch(() => false)
      .then((settled) => {
        busy = 0;
        flying = [];
        if (settled) events = events.filter((event) => !batch.includes(event));
        if (events.length) timer ||= setTimeout(flush, settled ? 0 : 5000);
      });
  };
  const same = (a) => (b) => a.item_id === b.item_id && a.item_variant === b.item_variant;
  const change = (name, items) => {
    if (/^(view_cart|cart_set)$/.test(name)) cart.lines = [];
    for (const item of items) {
      const quantity = +(item.quantity ?? 1);
      const held = cart.lines.find(same(item));
      if (name === 'remove_from_cart') {
        if (held) held.quantity -= quantity;
      } else if (held) held.quantity += quantity;
      else cart.lines.push({ ...item, quantity });
    }
    cart.lines = cart.lines.filter((line) => line.quantity > 0);
  };
  // The product in sight: for how long so far, since when again, and as its event had it.
  let look;
  const away = (now) => {
    if (look?.since) look.spent += now - look.since;
    if (look) look.since = 0;
  };
  const track = (at, name, data) => {
    const t = (last = Math.max(last + 1, at));
    const known = pick(data, 'currency value transaction_id coupon accepted payment_type step code method');
    sync();
    if (/^page_/.test(name)) {
      away(t);
      if (look) Object.assign(known, look.data, { dwell_ms: look.spent });
      if (name === 'page_view') look = undefined;
    }
    if (Array.isArray(data?.items)) {
      known.currency ||= shop.currency;
      known.items = data.items.map((item) => pick(item, 'item_id item_variant item_name price quantity image_url item_url'));
      if (/cart/.test(name)) {
        if (known.items.length) cart.cart ||= mint('cart_');
        cart.currency = known.currency;
        cart.at = t;
        change(name, known.items);
      }
    }
    if (name === 'view_item') look = { spent: 0, since: document.visibilityState === 'hidden' ? 0 : t, data: pick(known, 'currency items') };
    events.push({ id: mint('evt_'), t, name, data: known });
    events = events.slice(-50);
    if (name === 'purchase') {
      flush();
      // What is no cart stays: the last panel, for a page where the module runs.
      cart = { ...pick(cart, 'last_shown'), lines: [], at: t };
    }
    if (choice.storage) write();
    timer ||= setTimeout(flush, 300);
  };

  const old = stored().consent;
  if (old && old.wording === (consent.wording || '')) (choice = pick(old, 'storage marketing profiling')), (chosen = true);
  if (choice.storage) read();
  track(Date.now(), 'page_view');
  pages(() => track(Date.now(), 'page_view'));
  let hidden = document.visibilityState === 'hidden';
  const leave = () => {
    if (!hidden) track(Date.now(), 'page_hide');
    hidden = true;
    // What is under way goes on by keepalive.
    const rest = events.filter((event) => !flying.includes(event));
    const batch = fit(rest);
    if (choice.storage && rest.length && navigator.sendBeacon(endpoint + '/v1/events', body(batch))) events = events.filter((event) => !batch.includes(event));
  };
  const shown = () => {
    hidden = false;
    if (look && !look.since) look.since = Date.now();
  };
  addEventListener('pagehide', leave);
  addEventListener('pageshow', shown);
  document.addEventListener('visibilitychange', () => (document.visibilityState === 'hidden' ? leave() : shown()));

  const take = (source, t, entry) => {
    const layer = source === LAYER;
    const [command, name, data] = layer && !entry.length ? ['event', entry.event, entry.ecommerce] : entry;
    if (command === (layer ? 'event' : 'track')) KNOWN.test(name) && track(t, name, data);
    else if (layer) return;
    else if (command === 'cart') sync(), name({ id: cart.cart, currency: cart.currency || shop.currency, lines: cart.lines.map((line) => ({ ...line })) });
    else if (command === 'check') name(true);
    else if (command === 'identify') choice.storage ? identify(name) : waiting.push(() => identify(name));
    else if (command === 'consent') {
      choice = { ...choice, ...name };
      chosen = true;
      if (choice.storage) {
        // A cart that was filled on this page before the yes stays.
        if (!cart.lines.length) read();
        write();
        flush();
        waiting.splice(0).forEach((act) => act());
      } else {
        // By this one request the edge takes its cookies back.
        if (sent) post('/v1/events', envelope({}, { storage: false }, null, [])).catch(() => {});
        sent = false;
        waiting = [];
        events = [];
        delete cart.cart;
        try {
          localStorage.removeItem(KEY);
        } catch {}
      }
    }
  };
  tabs(consent.wording, () => choice.storage, (other) => take(0, 0, ['consent', pick(other, 'storage marketing profiling')]));
  return take;
}
