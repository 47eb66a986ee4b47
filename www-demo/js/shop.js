// The shop itself: catalogue, cart, prices, delivery, and what stands on every page (cart count, privacy bar).
// The cart is the shop's own, in localStorage under `demo.cart`. Nothing in this file knows the SDK; see tracking.js.

const CART_KEY = 'demo.cart';
const CONSENT_KEY = 'demo.consent';
const MAX_PER_LINE = 12;

// ---- storage that may be refused (private mode, blocked cookies): the shop then lives in memory

const memory = new Map();

function storage(kind) {
  try {
    return window[kind];
  } catch {
    return null;
  }
}

export function readJson(key, fallback, kind = 'localStorage') {
  try {
    const text = storage(kind)?.getItem(key) ?? memory.get(key);
    return text == null ? fallback : JSON.parse(text);
  } catch {
    return fallback;
  }
}

export function writeJson(key, value, kind = 'localStorage') {
  const text = JSON.stringify(value);
  memory.set(key, text);
  try {
    storage(kind)?.setItem(key, text);
  } catch {
    // kept in memory for this page
  }
}

// ---- catalogue

const response = await fetch('/catalogue.json');
if (!response.ok) throw new Error(`catalogue: ${response.status}`);
export const catalogue = await response.json();

const SOLD_KEY = 'demo.sold';

/** Marks a variant as gone for this browser session: somebody else was faster at the till. */
export function markSoldOut(itemId, variant) {
  writeJson(SOLD_KEY, [...readJson(SOLD_KEY, [], 'sessionStorage'), [itemId, variant]], 'sessionStorage');
}

export function findProduct(itemId) {
  return catalogue.products.find((product) => product.item_id === itemId) ?? null;
}

/** The product and variant of a line, with the stock as this session knows it, or null when the shop does not have it. */
export function findVariant(itemId, itemVariant) {
  const product = findProduct(itemId);
  const variant = product?.variants.find((v) => v.item_variant === (itemVariant ?? null));
  if (!variant) return null;
  const gone = readJson(SOLD_KEY, [], 'sessionStorage').some(([id, name]) => id === itemId && name === variant.item_variant);
  return { product, variant, stock: gone ? 0 : variant.stock };
}

export function productUrl(itemId, itemVariant) {
  const query = new URLSearchParams({ id: itemId });
  if (itemVariant) query.set('variant', itemVariant);
  return `/product.html?${query}`;
}

/** The next variant of the same product that can be bought: same last option (the glaze) first, then the nearest price. */
export function nextAvailable(itemId, itemVariant) {
  const product = findProduct(itemId);
  const wanted = product?.variants.find((v) => v.item_variant === itemVariant);
  if (!wanted) return null;
  const distance = (v) => (v.options.at(-1) === wanted.options.at(-1) ? 0 : 1e6) + Math.abs(v.price_minor - wanted.price_minor);
  return (
    product.variants
      .filter((v) => v !== wanted && findVariant(itemId, v.item_variant).stock > 0)
      .sort((a, b) => distance(a) - distance(b))[0] ?? null
  );
}

const moneyFormat = new Intl.NumberFormat('en-IE', { style: 'currency', currency: catalogue.currency });
export const money = (minor) => moneyFormat.format(minor / 100);

// ---- cart

const changes = new EventTarget();

const sameLine = (a, b) => a.item_id === b.item_id && (a.item_variant ?? null) === (b.item_variant ?? null);

/** Lines from outside (storage, another tab, a restored cart) are only believed as far as the catalogue knows them. */
function clean(lines) {
  const out = [];
  for (const line of Array.isArray(lines) ? lines : []) {
    const found = findVariant(line?.item_id, line?.item_variant);
    const quantity = Math.trunc(Number(line?.quantity));
    if (!found || !(quantity >= 1)) continue;
    // a sold-out line stays, so that the shopper sees what became of it
    const limit = found.stock > 0 ? Math.min(found.stock, MAX_PER_LINE) : MAX_PER_LINE;
    const known = out.find((other) => sameLine(other, line));
    if (known) known.quantity = Math.min(limit, known.quantity + quantity);
    else out.push({ item_id: line.item_id, item_variant: line.item_variant ?? null, quantity: Math.min(limit, quantity) });
  }
  return out;
}

function save(lines) {
  writeJson(CART_KEY, { lines });
  changes.dispatchEvent(new Event('change'));
}

export const cart = {
  /** Lines as stored: item_id, item_variant, quantity. */
  lines: () => clean(readJson(CART_KEY, { lines: [] })?.lines),

  /** Lines with product, variant, stock and totals, ready to show. `payable` is false for a line that is sold out. */
  detailed() {
    return this.lines().map((line) => {
      const { product, variant, stock } = findVariant(line.item_id, line.item_variant);
      return { ...line, product, variant, stock, payable: stock > 0, total_minor: stock > 0 ? variant.price_minor * line.quantity : 0 };
    });
  },

  count: () => cart.lines().reduce((sum, line) => sum + line.quantity, 0),
  subtotal: () => cart.detailed().reduce((sum, line) => sum + line.total_minor, 0),

  /** Adds up to the stock and answers how many were really added. */
  add(itemId, itemVariant, quantity) {
    const found = findVariant(itemId, itemVariant);
    if (!found) return 0;
    const lines = this.lines();
    const wanted = { item_id: itemId, item_variant: itemVariant ?? null, quantity: 0 };
    const line = lines.find((other) => sameLine(other, wanted)) ?? (lines.push(wanted), wanted);
    const added = Math.max(0, Math.min(quantity, Math.min(found.stock, MAX_PER_LINE) - line.quantity));
    line.quantity += added;
    if (added > 0) save(lines);
    return added;
  },

  /** Sets a quantity within stock and answers the change (negative when less). Zero removes the line. */
  setQuantity(itemId, itemVariant, quantity) {
    const lines = this.lines();
    const line = lines.find((other) => sameLine(other, { item_id: itemId, item_variant: itemVariant }));
    if (!line) return 0;
    const limit = Math.min(findVariant(itemId, itemVariant).stock, MAX_PER_LINE);
    const next = Math.max(0, Math.min(quantity, Math.max(limit, 0)));
    const change = next - line.quantity;
    line.quantity = next;
    if (change !== 0) save(lines.filter((other) => other.quantity > 0));
    return change;
  },

  replace: (lines) => save(clean(lines)),
  clear: () => save([]),
  onChange: (listener) => changes.addEventListener('change', listener),
};

// another tab, or the page coming back from the back/forward cache, may hold an older view
addEventListener('storage', (event) => event.key === CART_KEY && changes.dispatchEvent(new Event('change')));
addEventListener('pageshow', (event) => event.persisted && changes.dispatchEvent(new Event('change')));

// ---- delivery

export const countries = catalogue.shipping
  .flatMap((zone) => Object.entries(zone.countries))
  .sort((a, b) => a[1].localeCompare(b[1], 'en'));

/** Both ways of delivery for a country and a subtotal. Standard is free from the threshold on. */
export function deliveryFor(country, subtotalMinor) {
  const zone = catalogue.shipping.find((z) => country in z.countries) ?? catalogue.shipping[0];
  const free = subtotalMinor >= catalogue.free_shipping_minor;
  return {
    standard: { name: 'Standard', minor: free ? 0 : zone.standard_minor, days: zone.standard_days },
    express: { name: 'Express', minor: zone.express_minor, days: zone.express_days },
  };
}

export const deliveryPrice = (minor) => (minor === 0 ? 'Free' : money(minor));

// ---- small page parts

/** Builds an element. Text only ever goes in as text. */
export function element(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === false || value == null) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'class') node.className = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.filter((child) => child != null && child !== false));
  return node;
}

/** A quantity control: minus, field, plus. `change(n)` is called with the wanted number, never above `max`. */
export function stepper({ id, label, value, max, min = 1, change }) {
  const input = element('input', { type: 'number', id, inputmode: 'numeric', min, max, value, 'aria-label': `Quantity of ${label}` });
  const step = (delta) => {
    const next = Math.min(max, Math.max(min, (Math.trunc(Number(input.value)) || min) + delta));
    input.value = next;
    limits();
    change(next);
  };
  const minus = element('button', { type: 'button', 'data-step': '-1', 'aria-label': `One less: ${label}`, onclick: () => step(-1) }, '−');
  const plus = element('button', { type: 'button', 'data-step': '1', 'aria-label': `One more: ${label}`, onclick: () => step(1) }, '+');
  const limits = () => {
    minus.setAttribute('aria-disabled', Number(input.value) <= min);
    plus.setAttribute('aria-disabled', Number(input.value) >= max);
  };
  input.addEventListener('change', () => step(0));
  limits();
  const node = element('span', { class: 'stepper' }, minus, input, plus);
  return { node, input };
}

function showCount() {
  const count = cart.count();
  for (const link of document.querySelectorAll('.cart-link')) {
    link.querySelector('.count').textContent = count;
    link.setAttribute('aria-label', `Cart, ${count} ${count === 1 ? 'item' : 'items'}`);
  }
}

cart.onChange(showCount);
showCount();

// ---- privacy choice: asked once, kept by the shop, changed from the foot of every page

const choiceListeners = [];

/** Calls back with {storage, marketing, profiling}: now if a choice was made before, and at each new choice. */
export function onPrivacyChoice(listener) {
  choiceListeners.push(listener);
  const known = readJson(CONSENT_KEY, null);
  if (known) listener(known);
}

function choose(yes) {
  const choice = { storage: yes, marketing: yes, profiling: yes };
  writeJson(CONSENT_KEY, choice);
  closeBar();
  for (const listener of choiceListeners) listener(choice);
}

let bar = null;
let openedBy = null;
let barSize = null;

function closeBar() {
  barSize?.disconnect();
  bar?.remove();
  bar = null;
  document.documentElement.style.removeProperty('--bar');
  openedBy?.focus();
  openedBy = null;
}

function openBar(by = null) {
  if (bar) return;
  openedBy = by;
  bar = element(
    'section',
    { class: 'consent', id: 'privacy-bar', 'aria-label': 'Privacy choice' },
    element(
      'div',
      { class: 'wrap' },
      element('p', {}, 'May we follow your cart, so that we can help when something goes wrong and you can pick it up later, also on another device? Without it, the shop works all the same.'),
      element(
        'div',
        { class: 'actions' },
        element('button', { type: 'button', class: 'button quiet', id: 'privacy-necessary', onclick: () => choose(false) }, 'Only necessary'),
        element('button', { type: 'button', class: 'button quiet', id: 'privacy-accept', onclick: () => choose(true) }, 'Accept'),
      ),
    ),
  );
  document.querySelector('.skip').after(bar);
  // what has focus must not hide under the bar: the page keeps room for it
  barSize = new ResizeObserver(() => {
    const fixed = getComputedStyle(bar).position === 'fixed';
    document.documentElement.style.setProperty('--bar', fixed ? `${Math.ceil(bar.offsetHeight)}px` : '0px');
  });
  barSize.observe(bar);
  if (by) bar.querySelector('button').focus();
}

document.getElementById('privacy-open')?.addEventListener('click', (event) => openBar(event.currentTarget));
if (!readJson(CONSENT_KEY, null)) openBar();
