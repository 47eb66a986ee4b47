// Help where a checkout stands still: for a declined card, for what is sold out, for a field that is not
// taken, for shipping that costs more than was thought; and the check of the cart before it comes to that.
import { FAILED, about, button, fill, frame, link, make, money, words, worth } from './panel.js';

/** Ways to reach a person: a page, an address, the shop's own chat. */
function support({ copy, tell, emit, cart, kind, data }) {
  const ways = make('p', { part: 'support' });
  const to = (href, text) => ways.append(make('a', { href, part: 'link', click: () => tell('clicked') }, text), ' ');
  if (copy.support_url) to(copy.support_url, copy.support_label || copy.support_url.replace(/^https?:\/\//, ''));
  if (copy.support_email) to('mailto:' + copy.support_email, copy.support_email);
  const { step, code, method, field } = data;
  const chat = button(copy.chat, 'chat', () => {
    tell('clicked');
    emit('assist', { panel: kind, method: null, chat: true, cart: cart(), error: { step, code, method, field } });
  });
  return [ways.childElementCount && ways, chat];
}

/** Another way to pay. */
export function declined(ways) {
  const { copy, tell, emit, cart, kind, data } = ways;
  const { card, close, show } = frame(ways);
  const choose = (method) => () => {
    tell('clicked');
    close();
    emit('assist', { panel: kind, method, cart: cart(), ...(data.code && { error: { step: data.step, code: data.code, method: data.method } }) });
  };
  const methods = copy.methods || [];
  return show(
    about(card, copy.body),
    // Where the ways to pay are named, a button that only says "another way" is one too many.
    ...methods.map((method, i) => button(method, i ? 'method' : 'main', choose(method))),
    !methods.length && button(copy.cta, 'main', choose(null)),
    ...support(ways),
    button(copy.dismiss, 'dismiss', () => close()),
  );
}

/** The field that is not taken: which, why, and there. */
export function validation(ways) {
  const { copy, tell, data } = ways;
  const { field = '', message } = data;
  const found = field && (document.getElementById(field) || document.querySelector('[name="' + CSS.escape(field) + '"]'));
  const label = found?.labels?.[0]?.textContent.trim().replace(/\s*\*$/, '') || found?.getAttribute('aria-label') || field;
  const values = { field: label, message: message || found?.validationMessage || copy.hints?.[field] || '' };
  const { card, close, show } = frame(ways);
  const go = () => {
    tell('clicked');
    close();
    found.scrollIntoView({ block: 'center', behavior: matchMedia('(prefers-reduced-motion:reduce)').matches ? 'auto' : 'smooth' });
    found.focus({ preventScroll: true });
  };
  const known = label ? fill(copy.body, values) : copy.unknown || copy.title;
  return show(about(card, known), words('p', values.message, { part: 'message' }), found && button(fill(copy.cta, values), 'main', go), ...support(ways), button(copy.dismiss, 'dismiss', () => close()));
}

/** What shipping comes to, and from when it is free. */
export function shipping_cost(ways) {
  const { copy, tell, cart, settings, locale, data } = ways;
  const { lines, currency } = cart();
  const goods = worth({ lines, currency });
  const from = settings.shipping?.free_from_minor;
  const unit = worth({ lines: [{ price: 1, quantity: 1 }], currency });
  const shipping = Math.round((Number(data.value) || 0) * unit);
  const gap = from > goods ? from - goods : 0;
  const values = {
    threshold: from && money(from, currency, locale),
    gap: money(gap, currency, locale),
    shipping: money(shipping, currency, locale),
    total: money(goods + shipping, currency, locale),
  };
  const { card, close, show } = frame(ways);
  return show(
    about(card, fill(gap ? copy.body : copy.body_free || copy.body, values)),
    shipping > 0 && words('p', fill(copy.total, values), { part: 'total' }),
    link(copy.cta, copy.url || '/', 'main', () => tell('clicked')),
    ...support(ways),
    button(copy.dismiss, 'dismiss', () => close()),
  );
}

/** The edge's word on the lines of the cart: what is not to be had as it is. Nothing where it cannot be asked. */
async function findings({ endpoint, pk, cart, settings }) {
  const { lines, currency } = cart();
  const priced = currency === settings.shop?.currency;
  const asked = lines.map((line) => [line.item_id, line.item_variant ?? null, line.quantity, priced && line.price ? worth({ lines: [{ ...line, quantity: 1 }], currency }) : null]);
  if (!asked.length) return [];
  const url = endpoint + '/v1/check/' + pk + '?lines=' + encodeURIComponent(JSON.stringify(asked));
  return fetch(url, { credentials: 'omit' }).then((reply) => (reply.ok ? reply.json() : {}), () => ({})).then((told) => told.findings || []);
}

const same = (finding) => (line) => line.item_id === finding.item_id && (line.item_variant ?? null) === finding.item_variant;

/** A list of what is wrong with ways to mend it; resolves to whether the cart was mended or left as it is. */
function mend(ways, found) {
  const { copy, tell, cart, own, adapter, locale, settings, emit } = ways;
  const currency = settings.shop.currency;
  const unit = worth({ lines: [{ price: 1, quantity: 1 }], currency });
  const { card, close, show } = frame(ways);
  const status = make('p', { role: 'status', part: 'status' });
  const list = make('ul', { part: 'findings' });
  let open = found.length;
  const change = async (entry, finding, to) => {
    tell('clicked');
    const held = cart();
    const lines = held.lines.flatMap((line) => (same(finding)(line) ? to(line) : [line]));
    own('cart_set', { currency: held.currency, items: lines });
    try {
      await adapter()?.replace(lines);
    } catch (error) {
      emit('error', { kind: 'cart', message: error.message });
      status.textContent = copy.failed || FAILED;
      return;
    }
    entry.remove();
    open -= 1;
    if (!open) return close(true);
    list.querySelector('button')?.focus();
  };
  for (const finding of found) {
    const { problem, left, was_minor: was, now_minor: now } = finding;
    const values = { item: finding.title, variant: finding.item_variant || '', left, was: money(was || 0, currency, locale), now: money(now || 0, currency, locale) };
    const entry = make('li', {}, words('h3', [finding.title, finding.item_variant].filter(Boolean).join(', ')), words('p', fill(copy[problem], values)));
    for (const other of problem === 'sold_out' || problem === 'gone' ? finding.instead : []) {
      const price = money(other.price_minor, currency, locale);
      const text = fill(copy.instead, { variant: other.item_variant, price });
      entry.append(button(text, entry.querySelector('button') ? 'instead' : 'main', () => change(entry, finding, (line) => [{ ...line, item_variant: other.item_variant, price: other.price_minor / unit, item_url: other.item_url, image_url: other.image_url }])) || '');
    }
    if (problem === 'fewer') entry.append(button(fill(copy.take_left, values), 'main', () => change(entry, finding, (line) => [{ ...line, quantity: left }])) || '');
    if (problem === 'price') entry.append(button(fill(copy.take_price, values), 'main', () => change(entry, finding, (line) => [{ ...line, price: now / unit }])) || '');
    else entry.append(button(fill(copy.take_out, values), 'remove', () => change(entry, finding, () => [])) || '');
    list.append(entry);
  }
  return show(about(card, copy.body), list, status, ...support(ways), button(copy.dismiss, 'dismiss', () => close(false)));
}

/** The next variant that is there, and what it costs. */
export async function sold_out(ways) {
  const all = await findings(ways);
  const named = ways.data.items || [];
  const gone = all.filter((f) => f.problem !== 'price' && (!named.length || named.some((item) => item.item_id === f.item_id && (item.item_variant ?? null) === f.item_variant)));
  if (gone.length) return mend(ways, gone);
  // The shop says so and the catalogue does not know it yet: no variant is promised.
  const { copy } = ways;
  const { card, close, show } = frame(ways);
  return show(about(card, copy.unknown || copy.body), ...support(ways), button(copy.dismiss, 'dismiss', () => close()));
}

let dismissed = '';

/** Resolves to whether the cart is right: at once, or when it was mended. */
export async function cart_check(ways) {
  const found = await findings(ways);
  const key = JSON.stringify(found);
  if (!found.length) return true;
  // Looked at again it is known; whoever submits should still hear of it.
  if (key === dismissed && !ways.data.submit) return false;
  if (ways.open('dialog')) return false;
  const mended = await mend(ways, found);
  if (!mended) dismissed = key;
  return mended === true;
}
