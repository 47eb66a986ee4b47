// Checkout: contact, delivery, payment. Three steps on one page; each is checked when it is sent, never while typing.
// Nothing is charged: the card numbers of the hint decide what "the bank" says.

import { cart, countries, deliveryFor, deliveryPrice, element, findVariant, markSoldOut, money, nextAvailable, readJson, writeJson } from './shop.js';
import * as tracking from './tracking.js';

const $ = (id) => document.getElementById(id);
const STATE_KEY = 'demo.checkout';
const STEPS = ['contact', 'delivery', 'payment'];
const KEPT = ['email', 'phone', 'name', 'street', 'postcode', 'city', 'country'];
const DECLINED = '4000000000000002';

let current = 'contact';
let busy = false;

// ---- what was typed survives a reload of this tab; card data never leaves its fields

$('country').append(...countries.map(([code, name]) => element('option', { value: code, selected: code === 'IE' }, name)));
const kept = readJson(STATE_KEY, {}, 'sessionStorage');
for (const id of KEPT) if (kept[id]) $(id).value = kept[id];
const keep = () => writeJson(STATE_KEY, Object.fromEntries(KEPT.map((id) => [id, $(id).value])), 'sessionStorage');

const value = (id) => $(id).value.trim();
const shipping = () => document.querySelector('input[name=shipping]:checked').value;
const method = () => document.querySelector('input[name=method]:checked').value;

// ---- summary beside the form

function totals() {
  const subtotal = cart.subtotal();
  const delivery = deliveryFor($('country').value, subtotal)[shipping()];
  return { subtotal, delivery, total: subtotal + delivery.minor };
}

function renderSummary() {
  const lines = cart.detailed().filter((line) => line.payable);
  const empty = lines.length === 0;
  $('empty').hidden = !empty;
  $('full').hidden = empty;
  if (empty) return;
  const { subtotal, delivery, total } = totals();
  $('summary-lines').replaceChildren(
    ...lines.map((line) =>
      element(
        'div',
        { 'data-item-id': line.item_id, 'data-item-variant': line.item_variant, 'data-quantity': line.quantity },
        element('dt', {}, `${line.quantity} × ${line.product.name}`, line.item_variant ? element('span', { class: 'muted small' }, ` ${line.item_variant}`) : null),
        element('dd', {}, money(line.total_minor)),
      ),
    ),
  );
  $('subtotal').textContent = money(subtotal);
  $('delivery').textContent = deliveryPrice(delivery.minor);
  $('total').textContent = money(total);
  const both = deliveryFor($('country').value, subtotal);
  for (const way of ['standard', 'express']) {
    $(`price-${way}`).textContent = deliveryPrice(both[way].minor);
    $(`days-${way}`).textContent = both[way].days;
  }
  if (!busy) $('pay').textContent = method() === 'paypal' ? `Pay ${money(total)} with PayPal` : method() === 'invoice' ? `Order and pay ${money(total)} by invoice` : `Pay ${money(total)}`;
}

// ---- steps

function showStep(step, focus = true) {
  current = step;
  const at = STEPS.indexOf(step);
  STEPS.forEach((name, index) => {
    $(`${name}-form`).hidden = index !== at;
    // the last step has nothing after it, so it is never folded into a line
    for (const part of ['done', 'change']) if ($(`${name}-${part}`)) $(`${name}-${part}`).hidden = index >= at;
    $(`${name}-step`).classList.toggle('later', index > at);
  });
  $('contact-done').textContent = [value('email'), value('phone')].filter(Boolean).join(', ');
  $('delivery-done').textContent = `${value('name')}, ${value('street')}, ${value('postcode')} ${value('city')}`;
  clearErrors();
  if (focus) $(`${step}-heading`).focus();
}

for (const step of ['contact', 'delivery']) $(`${step}-change`).addEventListener('click', () => showStep(step));

// ---- errors: a summary that takes focus, and a message at each field

function clearErrors() {
  $('errors').hidden = true;
  for (const note of document.querySelectorAll('.field-error')) note.remove();
  for (const field of document.querySelectorAll('[aria-invalid]')) {
    field.removeAttribute('aria-invalid');
    const hint = field.dataset.hint;
    if (hint) field.setAttribute('aria-describedby', hint);
    else field.removeAttribute('aria-describedby');
  }
}

function showErrors(problems) {
  clearErrors();
  for (const { id, text } of problems) {
    const field = $(id);
    field.setAttribute('aria-invalid', 'true');
    field.setAttribute('aria-describedby', [field.dataset.hint, `${id}-error`].filter(Boolean).join(' '));
    field.closest('.field').append(element('span', { class: 'field-error', id: `${id}-error` }, text));
  }
  const link = ({ id, text }) => {
    const a = element('a', { href: `#${id}` }, text);
    a.addEventListener('click', (event) => {
      event.preventDefault();
      $(id).focus();
    });
    return element('li', {}, a);
  };
  showProblem(problems.length === 1 ? 'One thing needs your attention' : `${problems.length} things need your attention`, element('ul', {}, ...problems.map(link)));
}

function showProblem(title, ...body) {
  $('errors').replaceChildren(element('h2', {}, title), ...body);
  $('errors').hidden = false;
  $('errors').focus();
}

const required = (id, text) => (value(id) ? null : { id, text });

function contactProblems() {
  const email = value('email');
  const phone = value('phone');
  return [
    !email
      ? { id: 'email', text: 'Enter your email address' }
      : /^[^\s@]+@[^\s@]+\.[^\s@.]{2,}$/.test(email)
        ? null
        : { id: 'email', text: 'Enter an email address like name@example.com' },
    phone && !/^\+?[\d\s()/-]{7,20}$/.test(phone)
      ? { id: 'phone', text: 'Enter a phone number with country code, like +353 87 123 4567' }
      : !phone && $('consent-sms').checked
        ? { id: 'phone', text: 'Enter a phone number, or untick the reminder by text message' }
        : null,
  ].filter(Boolean);
}

const deliveryProblems = () =>
  [
    required('name', 'Enter your name'),
    required('street', 'Enter street and house number'),
    required('postcode', 'Enter the postcode or Eircode'),
    required('city', 'Enter the town or city'),
  ].filter(Boolean);

function luhn(digits) {
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const n = Number(digit) * (index % 2 ? 2 : 1);
    return total + (n > 9 ? n - 9 : n);
  }, 0);
  return sum % 10 === 0;
}

function cardProblems() {
  if (method() !== 'card') return [];
  const number = value('card-number').replace(/\D/g, '');
  const expiry = /^(0[1-9]|1[0-2])\s*\/?\s*(\d{2})$/.exec(value('card-expiry'));
  const today = new Date();
  const expired = expiry && (2000 + Number(expiry[2])) * 12 + Number(expiry[1]) - 1 < today.getFullYear() * 12 + today.getMonth();
  return [
    number.length < 13 || number.length > 19 || !luhn(number) ? { id: 'card-number', text: 'Check the card number: a digit seems to be wrong or missing' } : null,
    !expiry ? { id: 'card-expiry', text: 'Enter the expiry date as MM/YY' } : expired ? { id: 'card-expiry', text: 'This card has expired' } : null,
    /^\d{3,4}$/.test(value('card-cvc')) ? null : { id: 'card-cvc', text: 'Enter the 3 or 4 digits of the security code' },
  ].filter(Boolean);
}

function refuse(step, problems) {
  if (problems.length === 0) return false;
  showErrors(problems);
  tracking.checkoutError(step, 'validation', step === 'payment' ? method() : null);
  return true;
}

$('contact-form').addEventListener('submit', (event) => {
  event.preventDefault();
  if (refuse('contact', contactProblems())) return;
  keep();
  tracking.identify({ email: value('email'), phone: value('phone'), emailConsent: $('consent-email').checked, smsConsent: $('consent-sms').checked });
  showStep('delivery');
});

$('delivery-form').addEventListener('submit', (event) => {
  event.preventDefault();
  if (refuse('delivery', deliveryProblems())) return;
  keep();
  tracking.addShippingInfo();
  showStep('payment');
});

$('delivery-form').addEventListener('change', renderSummary);

for (const radio of document.querySelectorAll('input[name=method]')) {
  radio.addEventListener('change', () => {
    $('card-fields').hidden = method() !== 'card';
    clearErrors();
    renderSummary();
  });
}

$('payment-form').addEventListener('submit', async (event) => {
  event.preventDefault();
  if (busy) return;
  if (refuse('payment', cardProblems())) return;
  clearErrors();
  const gone = cart.detailed().find((line) => line.payable && line.variant.sells_out_at_checkout);
  if (gone) return soldOut(gone);
  tracking.addPaymentInfo(method());
  await asTheBankDoes();
  if (method() === 'card' && value('card-number').replace(/\D/g, '') === DECLINED) return declined();
  order();
});

/** The wait of a real payment, so that the busy state is seen. */
async function asTheBankDoes() {
  busy = true;
  $('pay').setAttribute('aria-disabled', 'true');
  $('pay').textContent = 'One moment…';
  $('status').textContent = 'Your payment is being checked.';
  await new Promise((resolve) => setTimeout(resolve, 500));
  busy = false;
  $('pay').setAttribute('aria-disabled', 'false');
  $('status').textContent = '';
  renderSummary();
}

function declined() {
  tracking.checkoutError('payment', 'card_declined', 'card');
  showProblem(
    'Your bank declined this card',
    element('p', {}, 'Nothing was charged. Banks do not tell us why. Try another card, or choose another way to pay:'),
    element('p', { class: 'actions' }, payWith('paypal', 'Use PayPal'), payWith('invoice', 'Pay by invoice')),
  );
}

const payWith = (name, text) => element('button', { type: 'button', class: 'button quiet', onclick: () => chooseMethod(name) }, text);

function chooseMethod(name) {
  const radio = $(`method-${name}`);
  radio.checked = true;
  radio.dispatchEvent(new Event('change', { bubbles: true }));
  radio.focus();
}

function soldOut(line) {
  markSoldOut(line.item_id, line.item_variant);
  tracking.checkoutError('payment', 'sold_out', method());
  const name = `${line.product.name}, ${line.item_variant}`;
  const other = nextAvailable(line.item_id, line.item_variant);
  const resolve = (take) => {
    tracking.removeFromCart({ item_id: line.item_id, item_variant: line.item_variant, quantity: line.quantity });
    cart.setQuantity(line.item_id, line.item_variant, 0);
    if (take) {
      const added = cart.add(line.item_id, take.item_variant, line.quantity);
      if (added) tracking.addToCart({ item_id: line.item_id, item_variant: take.item_variant, quantity: added });
    }
    clearErrors();
    $('status').textContent = `Your total is now ${money(totals().total)}.`;
    $(cart.count() ? 'payment-heading' : 'empty-heading').focus();
  };
  showProblem(
    `${name} has just sold out`,
    element('p', {}, 'Somebody else took the last one while you were here. Nothing was charged.'),
    element(
      'p',
      { class: 'actions' },
      other ? element('button', { type: 'button', class: 'button', id: 'take-other', onclick: () => resolve(other) }, `Take ${other.item_variant} instead (${money(other.price_minor)})`) : null,
      element('button', { type: 'button', class: 'button quiet', id: 'drop-line', onclick: () => resolve(null) }, 'Leave it out'),
    ),
  );
}

function order() {
  const { subtotal, delivery, total } = totals();
  const number = `W-${String(crypto.getRandomValues(new Uint32Array(1))[0] % 1e8).padStart(8, '0')}`;
  const lines = cart.detailed().filter((line) => line.payable);
  const placed = {
    id: number,
    lines: lines.map(({ item_id, item_variant, quantity }) => ({ item_id, item_variant, quantity })),
    subtotal_minor: subtotal,
    delivery_minor: delivery.minor,
    delivery_days: delivery.days,
    total_minor: total,
    method: method(),
    email: value('email'),
    told: false,
  };
  writeJson('demo.orders', [placed, ...readJson('demo.orders', [])].slice(0, 10));
  leaving = true;
  cart.clear();
  location.assign(`/thanks.html?order=${number}`);
}

// ---- the SDK's help for a declined card names the shop's other methods: the one chosen is selected here

addEventListener('comeback:assist', ({ detail }) => {
  if (detail?.panel === 'declined') chooseMethod(detail.method === 'Invoice' ? 'invoice' : 'paypal');
});

let leaving = false;
cart.onChange(() => leaving || renderSummary());
renderSummary();
showStep('contact', false);
$('full').classList.remove('pending');
if (cart.detailed().some((line) => line.payable)) tracking.beginCheckout();
