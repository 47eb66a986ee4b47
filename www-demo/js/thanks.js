// After the order: what was bought, and the purchase told to the SDK exactly once, however often the page is reloaded.

import { deliveryPrice, element, findVariant, money, readJson, writeJson } from './shop.js';
import * as tracking from './tracking.js';

const $ = (id) => document.getElementById(id);
const METHODS = { card: 'card', paypal: 'PayPal', invoice: 'invoice, within 14 days' };
const orders = readJson('demo.orders', []);
const order = orders.find((one) => one.id === new URLSearchParams(location.search).get('order'));

$('unknown').hidden = Boolean(order);
$('known').hidden = !order;

if (order) {
  document.title = `Thank you · Wendle Pottery`;
  $('number').textContent = order.id;
  $('email').textContent = order.email;
  $('method').textContent = METHODS[order.method] ?? order.method;
  $('days').textContent = order.delivery_days;
  $('lines').replaceChildren(
    ...order.lines.map((line) => {
      const found = findVariant(line.item_id, line.item_variant);
      return element('div', {}, element('dt', {}, `${line.quantity} × ${found.product.name}`, line.item_variant ? element('span', { class: 'muted small' }, ` ${line.item_variant}`) : null), element('dd', {}, money(found.variant.price_minor * line.quantity)));
    }),
  );
  $('delivery').textContent = deliveryPrice(order.delivery_minor);
  $('total').textContent = money(order.total_minor);
  if (!order.told) {
    tracking.purchase(order);
    order.told = true;
    writeJson('demo.orders', orders);
  }
}
