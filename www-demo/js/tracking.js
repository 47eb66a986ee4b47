// Everything the shop tells the SDK, in one place: this is what another shop would copy.
// Commands are pushed on `window.comeback` before or after the script has loaded; without the script nothing happens.
// One event comes from the GA4 data layer instead (begin_checkout), as a shop with a tag manager already has it.

import { cart, catalogue, findVariant, onPrivacyChoice, productUrl } from './shop.js';

window.comeback = window.comeback || [];
window.dataLayer = window.dataLayer || [];

export const CONSENT_WORDING = '2026-11';

const absolute = (path) => new URL(path, location.origin).href;

/** A cart line in the shape of a GA4 item. Money is in major units, as GA4 wants it. */
export function item(line) {
  const { product, variant } = findVariant(line.item_id, line.item_variant);
  return {
    item_id: product.item_id,
    ...(variant.item_variant ? { item_variant: variant.item_variant } : {}),
    item_name: product.name,
    price: variant.price_minor / 100,
    quantity: line.quantity ?? 1,
    image_url: absolute(variant.image),
    item_url: absolute(productUrl(product.item_id, variant.item_variant)),
  };
}

function commerce(lines) {
  const items = lines.map(item);
  const minor = items.reduce((sum, one) => sum + Math.round(one.price * 100) * one.quantity, 0);
  return { currency: catalogue.currency, value: minor / 100, items };
}

const track = (name, data) => window.comeback.push(['track', name, data]);

export const viewItem = (line) => track('view_item', commerce([{ ...line, quantity: 1 }]));
export const viewCart = () => track('view_cart', commerce(cart.lines()));
export const addToCart = (line) => track('add_to_cart', commerce([line]));
export const removeFromCart = (line) => track('remove_from_cart', commerce([line]));
export const viewShippingEstimate = () => track('view_shipping_estimate', {});
export const addShippingInfo = () => track('add_shipping_info', {});
export const addPaymentInfo = (method) => track('add_payment_info', { payment_type: method });
export const purchase = (order) => track('purchase', { transaction_id: order.id, ...commerce(order.lines) });

/** `code` is what the payment provider or the form said; `method` is only known once one was chosen. */
export function checkoutError(step, code, method) {
  track('checkout_error', { step, code, ...(method ? { method } : {}) });
}

export function beginCheckout() {
  window.dataLayer.push({ ecommerce: null });
  window.dataLayer.push({ event: 'begin_checkout', ecommerce: commerce(cart.lines()) });
}

/** Called only when the shopper sends the form with a box ticked; never while typing. */
export function identify({ email, phone, emailConsent, smsConsent }) {
  if (!emailConsent && !smsConsent) return;
  window.comeback.push([
    'identify',
    {
      ...(emailConsent ? { email } : {}),
      ...(smsConsent ? { phone } : {}),
      consent: { email: emailConsent, sms: smsConsent, wording: CONSENT_WORDING },
    },
  ]);
}

// the SDK reads and replaces the shop's own cart through these two; the pages redraw on every change of the cart
window.comeback.push([
  'adapter',
  {
    read: async () => ({ currency: catalogue.currency, lines: cart.lines() }),
    replace: async (lines) => cart.replace(lines),
    checkoutUrl: '/checkout.html',
  },
]);

onPrivacyChoice((choice) => window.comeback.push(['consent', choice]));
