// Product page: variants, quantity, add to cart.

import { cart, catalogue, deliveryPrice, element, findProduct, findVariant, money, productUrl, stepper } from './shop.js';
import * as tracking from './tracking.js';

const query = new URLSearchParams(location.search);
const product = findProduct(query.get('id'));
const $ = (id) => document.getElementById(id);

if (product) show();
else {
  document.title = 'Not found · Wendle Pottery';
  $('product').hidden = true;
  $('not-found').hidden = false;
}

function firstVariant() {
  const asked = product.variants.find((v) => v.item_variant === query.get('variant'));
  return asked ?? product.variants.find((v) => v.stock > 0) ?? product.variants[0];
}

function show() {
  let variant = firstVariant();
  let quantity = 1;
  document.title = `${product.name} · Wendle Pottery`;
  $('name').textContent = product.name;
  $('crumb').textContent = product.name;
  $('short').textContent = product.short;
  $('description').replaceChildren(...product.description.map((text) => element('p', {}, text)));
  $('details').replaceChildren(...product.details.map((text) => element('li', {}, text)));
  showReviews();
  showOptions();
  update();
  tracking.viewItem({ item_id: product.item_id, item_variant: variant.item_variant });
  $('add-form').addEventListener('submit', add);
  cart.onChange(update);

  function showOptions() {
    $('options').replaceChildren(
      ...product.options.map((option, index) =>
        element(
          'fieldset',
          {},
          element('legend', {}, option.name),
          element('div', { class: 'pills' }, ...option.values.map((value) => pill(option, index, value))),
        ),
      ),
    );
  }

  function pill(option, index, value) {
    const id = `option-${index}-${value.toLowerCase().replaceAll(' ', '')}`;
    const input = element('input', { type: 'radio', id, name: `option-${index}`, value, checked: variant.options[index] === value });
    input.addEventListener('change', () => {
      const options = variant.options.with ? variant.options.with(index, value) : variant.options.map((o, i) => (i === index ? value : o));
      variant = product.variants.find((v) => v.options.every((o, i) => o === options[i])) ?? variant;
      history.replaceState(null, '', productUrl(product.item_id, variant.item_variant));
      $('added').replaceChildren();
      update();
    });
    const dot = option.name === 'Glaze' ? element('span', { class: `dot dot-${value.toLowerCase()}`, 'aria-hidden': 'true' }) : null;
    return element('div', { class: 'pill' }, input, element('label', { for: id }, dot, element('span', { 'data-value': value }, value)));
  }

  // a value is struck through when, with the other choices as they are, it is sold out
  function markSoldOut() {
    product.options.forEach((option, index) => {
      for (const value of option.values) {
        const other = product.variants.find((v) => v.options.every((o, i) => o === (i === index ? value : variant.options[i])));
        const out = !other || findVariant(product.item_id, other.item_variant).stock === 0;
        const label = $(`option-${index}-${value.toLowerCase().replaceAll(' ', '')}`).nextElementSibling.lastElementChild;
        label.className = out ? 'out' : '';
        label.replaceChildren(value, ...(out ? [element('span', { class: 'visually-hidden' }, ', sold out')] : []));
      }
    });
  }

  function update() {
    const { stock } = findVariant(product.item_id, variant.item_variant);
    const inCart = cart.lines().find((l) => l.item_id === product.item_id && l.item_variant === variant.item_variant)?.quantity ?? 0;
    const left = Math.max(0, Math.min(12, stock) - inCart);
    if ($('image').getAttribute('src') !== variant.image) $('image').src = variant.image;
    $('image').alt = `${product.name}${variant.item_variant ? `, ${variant.item_variant}` : ''}`;
    $('price').textContent = money(variant.price_minor);
    $('stock').textContent =
      stock === 0
        ? 'Sold out in this version. The next firing is in about four weeks.'
        : left === 0
          ? 'All we have of this one is in your cart.'
          : stock <= 3
            ? `Only ${stock} left.`
            : 'In stock, leaves the workshop within two days.';
    const button = $('add');
    button.setAttribute('aria-disabled', left === 0);
    button.textContent = stock === 0 ? 'Sold out' : 'Add to cart';
    quantity = Math.max(1, Math.min(quantity, left || 1));
    const control = stepper({ id: 'quantity', label: product.name, value: quantity, max: Math.max(1, left), change: (n) => (quantity = n) });
    // rebuilt only when its limit changes, so that focus stays where it is
    if ($('quantity')?.max !== control.input.max || Number($('quantity').value) !== quantity) $('quantity-slot').replaceChildren(control.node);
    markSoldOut();
  }

  function add(event) {
    event.preventDefault();
    if ($('add').getAttribute('aria-disabled') === 'true') return;
    const line = { item_id: product.item_id, item_variant: variant.item_variant };
    const added = cart.add(line.item_id, line.item_variant, quantity);
    if (added === 0) return;
    tracking.addToCart({ ...line, quantity: added });
    const left = catalogue.free_shipping_minor - cart.subtotal();
    $('added').replaceChildren(
      element(
        'div',
        { class: 'notice good' },
        element('p', {}, `${added} × ${product.name}${variant.item_variant ? `, ${variant.item_variant}` : ''} is in your cart. `, left > 0 ? `${money(left)} more and delivery is free.` : 'Delivery is free.'),
        element('p', { class: 'actions' }, element('a', { class: 'button', href: '/cart.html' }, 'View cart'), element('a', { class: 'button quiet', href: '/checkout.html' }, 'Check out')),
      ),
    );
  }
}

function showReviews() {
  const mean = product.reviews.reduce((sum, r) => sum + r.stars, 0) / product.reviews.length;
  $('rating').textContent = `${mean.toFixed(1).replace('.0', '')} out of 5 from ${product.reviews.length === 1 ? 'one review' : `${product.reviews.length} reviews`}`;
  $('reviews').replaceChildren(
    ...product.reviews.map((review) =>
      element(
        'li',
        {},
        element(
          'article',
          { class: 'review' },
          element('p', { class: 'stars' }, element('span', { 'aria-hidden': 'true' }, '★'.repeat(review.stars) + '☆'.repeat(5 - review.stars)), element('span', { class: 'visually-hidden' }, `${review.stars} out of 5`)),
          element('p', {}, review.text),
          element('p', { class: 'muted small' }, `${review.name}, ${review.when}`),
        ),
      ),
    ),
  );
}

const home = catalogue.shipping[0];
$('product').classList.remove('pending');
$('delivery-text').textContent = `Ireland ${deliveryPrice(home.standard_minor)}, other EU countries ${deliveryPrice(catalogue.shipping[1].standard_minor)}, free from ${money(catalogue.free_shipping_minor)}. ${home.standard_days} in Ireland, ${catalogue.shipping[1].standard_days} elsewhere.`;
