// Capture and cart without wasm, for pages whose content security policy forbids it: no score, no
// panels, no deduplication between sources. Stores the cart in the same form as the module.
import { LAYER } from './capture.js';

const KEY = 'comeback.v1';
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
  let busy, timer;
  const read = () => {
    try {
      cart = JSON.parse(localStorage.getItem(KEY)) || cart;
    } catch {}
  };
  const write = () => {
    try {
      localStorage.setItem(KEY, JSON.stringify(cart));
    } catch {}
  };
  const body = (batch) =>
    JSON.stringify({
      v: 1,
      pk,
      cart: cart.cart || null,
      page: { url: location.origin + location.pathname, locale: navigator.language, tz: Intl.DateTimeFormat().resolvedOptions().timeZone, mobile: matchMedia('(pointer:coarse)').matches },
      consent: { ...pick(choice, 'storage marketing profiling'), ...(navigator.globalPrivacyControl && { marketing: false, profiling: false }), wording: consent.wording },
      automated: !!navigator.webdriver,
      events: batch,
    });
  // The edge refuses more than 16 KB; a character may be three bytes, rarely are many.
  const fit = () => {
    let count = 16;
    while (count > 1 && body(events.slice(0, count)).length > 9000) count /= 2;
    return events.slice(0, count);
  };
  const flush = () => {
    timer = 0;
    if (!choice.storage || busy || !events.length) return;
    const batch = fit();
    busy = fetch(endpoint + '/v1/events', { method: 'POST', body: body(batch), keepalive: true, credentials: 'include' })
      .then((reply) => reply.status < 500 && reply.status !== 429)
      .catch(() => false)
      .then((settled) => {
        busy = 0;
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
  const track = (t, name, data) => {
    const known = pick(data, 'currency value transaction_id coupon accepted payment_type step code method');
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
    events.push({ id: mint('evt_'), t, name, data: known });
    events = events.slice(-50);
    if (name === 'purchase') {
      flush();
      cart = { lines: [] };
    }
    if (choice.storage) write();
    timer ||= setTimeout(flush, 300);
  };

  if (choice.storage) read();
  track(Date.now(), 'page_view');
  addEventListener('pagehide', () => {
    if (choice.storage && events.length && navigator.sendBeacon(endpoint + '/v1/events', body(fit()))) events = [];
  });

  return (source, t, entry) => {
    const layer = source === LAYER;
    const [command, name, data] = layer && !entry.length ? ['event', entry.event, entry.ecommerce] : entry;
    if (command === (layer ? 'event' : 'track')) KNOWN.test(name) && track(t, name, data);
    else if (command === 'consent' && !layer) {
      choice = { ...choice, ...name };
      if (choice.storage) {
        // A cart that was filled on this page before the yes stays.
        if (!cart.lines.length) read();
        write();
        flush();
      } else localStorage.removeItem(KEY), (events = []);
    }
  };
}
