// Events in GA4's shape: which names are known, which fields may leave the page, and a cart's lines. Takes
// nothing else from a page: a data layer often holds an email address. Judges nothing: that is the module's.

/** As the edge bounds a cart (`core::cart`). */
const MAX_LINES = 100, MAX_QUANTITY = 9999;
/** The edge refuses what is dearer. */
const MAX_PRICE = 1e9;
/** Longest text taken from a page: names are shorter, and a batch holds 16 KB. */
const MAX_TEXT = 512;

const CART = 'view_cart|cart_set|add_to_cart|remove_from_cart';
const NAMES = new RegExp(
  `^(${CART}|page_(view|hide)|view_(item|shipping_estimate)|add_(shipping|payment)_info|begin_checkout|try_coupon|checkout_error|purchase|exit_intent|panel_(shown|withheld|closed|clicked)|survey_answer)$`,
);
/** Fields that travel, as texts unless they are of another kind: one of the wrong kind would have the edge refuse the batch. */
const FIELDS = 'value dwell_ms transaction_id coupon accepted payment_type step code method trigger panel experiment arm reason'.split(' ');
const kinds = { value: number, dwell_ms: number, accepted: (value) => (typeof value === 'boolean' ? value : undefined) };

/** Whether an event of this name changes what is in the cart. */
export const changesCart = (name) => CART.split('|').includes(name);

/** A text, or a number as its text: shops use both for ids. Empty is none. */
export const text = (value) => (typeof value === 'string' || Number.isFinite(value) ? String(value).slice(0, MAX_TEXT) : '') || undefined;

/** A number, or a text that is one: GA4 data layers often hold prices as texts. */
export function number(value) {
  const found = typeof value === 'string' ? parseFloat(value) : value;
  return Number.isFinite(found) ? found : undefined;
}

/** Numbers and truth values as the module takes them: what is neither is NaN. */
export const floats = (...all) => Float64Array.from(all, (one) => (/^[nb]/.test(typeof one) ? Number(one) : NaN));

/** The currency that something names, if it is one. */
export const currencyOf = (raw, fallback) => (typeof raw?.currency === 'string' && /^[A-Z]{3}$/.test(raw.currency) ? raw.currency : fallback);

/** Items as lines; what has no id is left out. Reads GA4's shape, and the edge's with `title` and `unit_price_minor`, which
 *  has so many decimal places. */
export function linesOf(items, exponent) {
  return (Array.isArray(items) ? items : [])
    .slice(0, MAX_LINES)
    .map((item) => {
      const item_name = text(item?.item_name) || text(item?.title);
      const price = number(item?.price) ?? (item?.unit_price_minor > 0 ? item.unit_price_minor / 10 ** (exponent ?? 2) : undefined);
      return {
        // GA4 asks for one of the two.
        item_id: text(item?.item_id) || item_name,
        item_variant: text(item?.item_variant),
        quantity: Math.min(Math.trunc(number(item?.quantity) ?? 1), MAX_QUANTITY),
        price: price > 0 && price < MAX_PRICE ? price : undefined,
        item_name,
        image_url: text(item?.image_url),
        item_url: text(item?.item_url),
      };
    })
    .filter((line) => line.item_id && line.quantity > 0);
}

/** What a large cart can do without. */
export const lean = ({ item_id, item_variant, quantity, price }) => ({ item_id, item_variant, quantity, price });

/**
 * Reads an event; nothing for an unknown name or one that lacks what it is about. `key` tells the act from
 * another; `data` is what is sent, without the lines.
 */
export function read(name, raw, fallback) {
  const currency = currencyOf(raw, fallback);
  const lines = Array.isArray(raw?.items) ? linesOf(raw.items) : undefined;
  if (!NAMES.test(name) || (changesCart(name) && !lines) || (/^(add_to|remove_from)_cart$/.test(name) && !lines.length)) return undefined;
  const data = lines ? { currency } : {};
  const key = [name];
  for (const field of FIELDS) {
    const value = (kinds[field] || text)(raw?.[field]);
    if (value === undefined) continue;
    data[field] = value;
    // `value` may be rounded differently by two sources; the rest tells acts apart.
    if (field !== 'value') key.push(value);
  }
  for (const line of lines || []) key.push(line.item_id, line.item_variant, line.quantity);
  return { name, data, lines, currency, key: key.join('\n') };
}

/** The GA4 event inside a `dataLayer` entry, as name and parameters: `gtag('event', …)`, or `{event, ecommerce}`. */
export const layered = (entry) => (text(entry.event) ? [entry.event, entry.ecommerce] : entry[0] === 'event' ? [entry[1], entry[2]] : []);

const same = (a) => (b) => a.item_id === b.item_id && a.item_variant === b.item_variant;

/** Lines after an event. What a later line does not name again, known lines tell. */
export function changed(name, lines, by) {
  const held = /^(view_cart|cart_set)$/.test(name) ? [] : lines.map((line) => ({ ...line }));
  for (const line of by) {
    const at = held.find(same(line));
    if (name === 'remove_from_cart') {
      if (at) at.quantity -= line.quantity;
      continue;
    }
    const known = { ...lines.find(same(line)) };
    for (const field in line) known[field] = line[field] ?? known[field];
    if (at) Object.assign(at, known, { quantity: Math.min(at.quantity + line.quantity, MAX_QUANTITY) });
    else if (held.length < MAX_LINES) held.push(known);
  }
  return held.filter((line) => line.quantity > 0);
}
