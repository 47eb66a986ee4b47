// Cart page: quantities, removal, delivery estimate, what is missing for free delivery.

import { cart, catalogue, countries, deliveryFor, deliveryPrice, element, findVariant, money, nextAvailable, productUrl, readJson, stepper, writeJson } from './shop.js';
import * as tracking from './tracking.js';

const $ = (id) => document.getElementById(id);
const RESTORED = {
  keep: ['Your cart was kept here', 'The cart from the link was left as it is.'],
  merge: ['Both carts were put together', 'What was here and what was in the link is in one cart now.'],
  replace: ['Your cart is back', 'Everything is as you left it.'],
};
const ESTIMATE_KEY = 'demo.country';

let estimated = readJson(ESTIMATE_KEY, null, 'sessionStorage');

$('country').append(...countries.map(([code, name]) => element('option', { value: code, selected: code === (estimated ?? 'IE') }, name)));

function render() {
  const lines = cart.detailed();
  const empty = lines.length === 0;
  $('empty').hidden = !empty || waiting || Boolean(failed);
  $('waiting').hidden = !empty || !waiting;
  $('not-fetched').hidden = !empty || waiting || !failed;
  $('full').hidden = empty;
  if (empty) return;

  // an element that has focus is put back after the redraw
  const focused = document.activeElement?.closest('#lines') ? document.activeElement : null;
  const focusKey = focused && [focused.closest('.line')?.dataset.key, focused.dataset.step ?? focused.tagName];
  $('lines').replaceChildren(...lines.map(lineView));
  if (focusKey) {
    const line = [...$('lines').children].find((node) => node.dataset.key === focusKey[0]);
    const same = line && [...line.querySelectorAll('button, input, a')].find((node) => (node.dataset.step ?? node.tagName) === focusKey[1]);
    (same ?? $('heading')).focus();
  }

  const subtotal = cart.subtotal();
  const missing = catalogue.free_shipping_minor - subtotal;
  $('subtotal').textContent = money(subtotal);
  $('free-text').textContent = missing > 0 ? `${money(missing)} more for free standard delivery` : 'Standard delivery is free for this cart.';
  $('free-meter').max = catalogue.free_shipping_minor;
  $('free-meter').value = Math.min(subtotal, catalogue.free_shipping_minor);
  showEstimate(subtotal);
  showOffer(lines);
  const payable = lines.some((line) => line.payable);
  $('to-checkout').hidden = !payable;
}

function showEstimate(subtotal) {
  if (!estimated) {
    $('delivery').textContent = 'Not estimated yet';
    $('total').textContent = money(subtotal);
    return;
  }
  const { standard } = deliveryFor(estimated, subtotal);
  $('delivery').textContent = deliveryPrice(standard.minor);
  $('estimate-text').textContent = `Standard delivery, ${standard.days}.`;
  $('total').textContent = money(subtotal + standard.minor);
}

function lineView(line) {
  const name = `${line.product.name}${line.item_variant ? `, ${line.item_variant}` : ''}`;
  const remove = element('button', { type: 'button', class: 'text-button', 'data-step': 'remove', 'aria-label': `Remove ${name}`, onclick: () => change(line, 0, name) }, 'Remove');
  const other = line.payable ? null : nextAvailable(line.item_id, line.item_variant);
  return element(
    'li',
    { class: line.payable ? 'line' : 'line gone', 'data-key': `${line.item_id} ${line.item_variant ?? ''}`, 'data-item-id': line.item_id, 'data-item-variant': line.item_variant, 'data-quantity': line.quantity },
    element('img', { src: line.variant.image, width: 112, height: 112, alt: '' }),
    element(
      'div',
      {},
      element('h2', {}, element('a', { href: productUrl(line.item_id, line.item_variant) }, line.product.name)),
      line.item_variant ? element('p', { class: 'muted' }, line.item_variant) : null,
      element('p', {}, money(line.variant.price_minor)),
    ),
    element(
      'div',
      { class: 'line-controls' },
      line.payable
        ? stepper({ id: `quantity-${line.product.item_id}-${line.product.variants.indexOf(line.variant)}`, label: name, value: line.quantity, max: Math.min(12, line.stock), change: (n) => change(line, n, name) }).node
        : element('p', {}, element('strong', {}, 'Sold out.'), ' It is not part of the total.'),
      other ? element('button', { type: 'button', class: 'button quiet', 'data-step': 'swap', onclick: () => swap(line, other) }, `Take ${other.item_variant} (${money(other.price_minor)})`) : null,
      remove,
      line.payable ? element('p', { class: 'line-total' }, money(line.total_minor)) : null,
    ),
  );
}

function change(line, quantity, name) {
  const delta = cart.setQuantity(line.item_id, line.item_variant, quantity);
  if (delta === 0) return;
  const moved = { item_id: line.item_id, item_variant: line.item_variant, quantity: Math.abs(delta) };
  if (delta > 0) tracking.addToCart(moved);
  else tracking.removeFromCart(moved);
  say(quantity === 0 ? `${name} removed. Subtotal ${money(cart.subtotal())}.` : `${name}: ${quantity}. Subtotal ${money(cart.subtotal())}.`);
  if (quantity === 0) (cart.count() ? $('heading') : $('empty-heading')).focus();
}

function swap(line, other) {
  const quantity = Math.min(line.quantity, findVariant(line.item_id, other.item_variant).stock);
  tracking.removeFromCart(line);
  cart.setQuantity(line.item_id, line.item_variant, 0);
  const added = cart.add(line.item_id, other.item_variant, quantity);
  if (added) tracking.addToCart({ item_id: line.item_id, item_variant: other.item_variant, quantity: added });
  say(`${line.product.name}: now ${other.item_variant}.`);
  $('heading').focus();
}

function say(text) {
  $('status').textContent = text;
}

// the tea towel beside the cart: its button carries the event as a data attribute, so this file does not track it
function showOffer(lines) {
  $('offer').hidden = lines.some((line) => line.item_id === 'linen-towel');
}
$('offer-add').addEventListener('click', () => {
  cart.add('linen-towel', null, 1);
  say('Linen tea towel added.');
  $('heading').focus();
});

$('estimate').addEventListener('submit', (event) => {
  event.preventDefault();
  estimated = $('country').value;
  writeJson(ESTIMATE_KEY, estimated, 'sessionStorage');
  tracking.viewShippingEstimate();
  render();
});

// a link from a message brings the cart back through the adapter; until then do not claim the cart is empty
// The SDK takes the token out of the address early; the browser remembers how the page was opened.
const opened = performance.getEntriesByType('navigation')[0]?.name ?? location.href;
let waiting = new URL(opened).searchParams.has('comeback_restore');
let failed = null;
const giveUp = (how) => {
  waiting = false;
  failed = how;
  $('not-fetched-why').textContent = how.retry ? 'It is still saved. The connection may be down; that often passes.' : 'The link has run out or was cut off; open it from the message again.';
  $('try-again').hidden = !how.retry;
  render();
};
// The script of the SDK may be blocked or gone; then nothing will ever answer.
const openAgain = () => location.replace(opened);
if (waiting) setTimeout(() => waiting && giveUp({ retry: openAgain }), 60_000);

addEventListener('comeback:error', ({ detail }) => {
  if (detail?.kind === 'module' && waiting) giveUp({ retry: openAgain });
  if (detail?.kind !== 'restore') return;
  const passes = !(detail.status >= 400 && detail.status < 500 && detail.status !== 429);
  giveUp({ retry: passes ? (detail.retry ?? openAgain) : null });
});
$('try-again').addEventListener('click', () => {
  const { retry } = failed;
  failed = null;
  waiting = true;
  render();
  retry();
});

addEventListener('comeback:restore', (event) => {
  waiting = false;
  failed = null;
  render();
  const { mode = 'replace', report } = event.detail ?? {};
  // What changed in the cart of the link does not concern a shopper who did not take it.
  const notes = mode === 'keep' || !Array.isArray(report) ? [] : report.map(reportText).filter(Boolean);
  const [title, text] = RESTORED[mode] ?? RESTORED.replace;
  $('restored').replaceChildren(
    element(
      'div',
      { class: 'notice good', id: 'restored-notice' },
      element('h2', {}, title),
      notes.length ? element('ul', {}, ...notes.map((text) => element('li', {}, text))) : element('p', {}, text),
    ),
  );
  tracking.viewCart();
});

function reportText(entry) {
  if (entry.kind === 'offer_ended') return 'The offer that came with the link is over.';
  if (entry.kind === 'prices_held') return `If a price has gone up, you still pay the old one until ${new Date(entry.until_ms).toLocaleString()}.`;
  const found = findVariant(entry.item_id, entry.item_variant);
  const name = found ? `${found.product.name}${found.variant.item_variant ? `, ${found.variant.item_variant}` : ''}` : 'One piece';
  if (entry.kind === 'price_changed') return `${name}: now ${money(entry.now_minor)}, was ${money(entry.was_minor)}.`;
  if (entry.kind === 'sold_out') return `${name} has sold out meanwhile.`;
  if (entry.kind === 'unavailable') return `${name} is no longer in the shop.`;
  return null;
}

cart.onChange(render);
render();
if (cart.count() > 0) tracking.viewCart();
