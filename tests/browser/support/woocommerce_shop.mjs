// A WooCommerce shop's cart as far as the Store API shows it: nonce and cart token, what is checked
// in which order, codes and states of refusals, prices as text of minor units. Not a whole shop.
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** Products of WooCommerce's own documentation (orders_example_1_create.json), with a stock of their own here. */
export const SINGLE = { id: 93, name: 'Woo Single #1', price: '300' };
export const IDEA = { id: 23, name: 'Ship Your Idea &ndash; Test', price: '1200', variation: [{ attribute: 'Color', value: 'Black' }, { attribute: 'Size', value: 'M Test' }] };
export const ALBUM = { id: 38, name: 'Beanie with Logo', price: '1800' };

/** `stock` by id, unmanaged where nothing is said. `lose`: so many changes are made, but the answer is lost. */
export function woocommerceShop({ stock = {}, coupons = ['ten'], currency = 'USD', minorUnit = 2, noCookies = false } = {}) {
  const goods = new Map([SINGLE, IDEA, ALBUM].map((one) => [one.id, one]));
  const sessions = new Map();
  const at = { calls: [], lose: 0, failures: [], sessions, currency, minorUnit, nonce: randomBytes(5).toString('hex') };
  const left = (id) => stock[id] ?? 9999;
  const money = () => ({ currency_code: at.currency, currency_symbol: '$', currency_minor_unit: at.minorUnit, currency_decimal_separator: '.', currency_thousand_separator: ',', currency_prefix: '$', currency_suffix: '' });
  const key = (id, data) => createHash('md5').update(id + JSON.stringify(data)).digest('hex');
  const shown = (cart) => ({
    items: cart.lines.map((line) => {
      const { id, name, price, variation = [] } = goods.get(line.id);
      return {
        key: line.key,
        parent_item_key: null,
        id,
        quantity: line.quantity,
        quantity_limits: { minimum: 1, maximum: Math.max(1, left(id)), multiple_of: 1, editable: true },
        name,
        sku: '',
        permalink: `https://local.wordpress.test/product/${id}/`,
        images: [{ id: 61, src: `https://local.wordpress.test/wp-content/uploads/${id}.jpg`, thumbnail: '', name: '', alt: '' }],
        variation,
        item_data: line.data,
        prices: { price, regular_price: price, sale_price: price, price_range: null, ...money(), raw_prices: { precision: 6, price: price + '0000' } },
        totals: { line_subtotal: String(price * line.quantity), line_total: String(price * line.quantity), ...money() },
        extensions: {},
      };
    }),
    coupons: cart.coupons.map((code) => ({ code, discount_type: 'percent', totals: { total_discount: '0', ...money() } })),
    fees: [],
    totals: { total_items: '0', total_price: '0', ...money() },
    items_count: cart.lines.reduce((sum, line) => sum + line.quantity, 0),
    errors: [],
    payment_methods: ['cod'],
    extensions: {},
  });
  const error = (status, code, message, more) => ({ status, body: { code, message, data: { status, ...more } } });
  const invalid = (name) => error(400, 'rest_invalid_param', `Invalid parameter(s): ${name}`);
  const scarce = (id) =>
    left(id)
      ? error(400, 'woocommerce_rest_product_partially_out_of_stock', `You cannot add that amount of &quot;${goods.get(id).name}&quot; to the cart because there is not enough stock (${left(id)} remaining).`)
      : error(400, 'woocommerce_rest_product_out_of_stock', `You cannot add &quot;${goods.get(id).name}&quot; to the cart because the product is out of stock.`);
  const gone = (cart) => error(409, 'woocommerce_rest_cart_invalid_key', 'Cart item no longer exists or is invalid.', { cart: shown(cart) });

  const routes = {
    'add-item'(cart, { id, quantity }) {
      if (!Number.isInteger(id)) return invalid('id');
      if (!Number.isInteger(quantity) || quantity < 1) return invalid('quantity');
      if (!goods.has(id)) return error(400, 'woocommerce_rest_cart_invalid_product', 'This product cannot be added to the cart.');
      const same = cart.lines.find((line) => line.key === key(id, []));
      const held = cart.lines.reduce((sum, line) => sum + (line.id === id ? line.quantity : 0), 0);
      if (held + quantity > left(id)) return scarce(id);
      if (same) same.quantity += quantity;
      else cart.lines.push({ id, key: key(id, []), quantity, data: [] });
      return { status: 201, body: shown(cart) };
    },
    'update-item'(cart, { key: wanted, quantity }) {
      const line = cart.lines.find((one) => one.key === wanted);
      if (!line) return gone(cart);
      if (!Number.isInteger(quantity)) return invalid('quantity');
      if (quantity > left(line.id)) return scarce(line.id);
      line.quantity = quantity;
      return { status: 200, body: shown(cart) };
    },
    'remove-item'(cart, { key: wanted }) {
      if (!cart.lines.some((one) => one.key === wanted)) return gone(cart);
      cart.lines = cart.lines.filter((one) => one.key !== wanted);
      return { status: 200, body: shown(cart) };
    },
    'apply-coupon'(cart, { code }) {
      if (typeof code !== 'string') return invalid('code');
      if (cart.coupons.includes(code.toLowerCase())) return error(400, 'woocommerce_rest_cart_coupon_error', `Coupon code &quot;${code}&quot; already applied!`);
      if (!coupons.includes(code.toLowerCase())) return error(400, 'woocommerce_rest_cart_coupon_error', `Coupon &quot;${code}&quot; does not exist!`);
      cart.coupons.push(code.toLowerCase());
      return { status: 200, body: shown(cart) };
    },
  };

  at.serve = async ({ method, body, headers, cookies }, { pathname }, reply) => {
    const path = /^\/wp-json\/wc\/store\/v1\/cart(?:\/([a-z-]+))?$/.exec(pathname);
    if (!path) return false;
    at.calls.push(`${method} ${path[1] || 'cart'}`);
    const cookie = /(?:^|; )wp_woocommerce_session_1=([^;]+)/.exec(cookies || '')?.[1];
    const token = headers['cart-token'] || cookie;
    const id = sessions.has(token) ? token : randomBytes(8).toString('hex');
    if (!sessions.has(id)) sessions.set(id, { lines: [], coupons: [] });
    const cart = sessions.get(id);
    const say = ({ status, body: said }) =>
      reply(status, 'application/json; charset=UTF-8', JSON.stringify(said), { ...(at.nonce && { Nonce: at.nonce }), 'Cart-Token': id, ...(!noCookies && { 'set-cookie': `wp_woocommerce_session_1=${id}; Path=/` }) });
    if (at.failures.length) return say(error(at.failures.shift(), 'too_many_requests', 'Later.')), true;
    if (!path[1]) return say({ status: 200, body: shown(cart) }), true;
    if (!routes[path[1]]) return say(error(404, 'rest_no_route', 'No route was found matching the URL and request method.')), true;
    if (!sessions.has(headers['cart-token'])) {
      if (!headers.nonce) return say(error(401, 'woocommerce_rest_missing_nonce', 'Missing the Nonce header. This endpoint requires a valid nonce.')), true;
      if (headers.nonce !== at.nonce) return say(error(403, 'woocommerce_rest_invalid_nonce', 'Nonce is invalid.')), true;
    }
    // WordPress looks into a body only if it is told what it is.
    const asked = /^application\/json\b/.test(headers['content-type'] || '') ? JSON.parse(body) : {};
    const done = routes[path[1]](cart, asked);
    if (at.lose > 0) {
      at.lose -= 1;
      reply.lost();
      return true;
    }
    say(done);
    return true;
  };
  at.put = (id, quantity, data = []) => {
    const [cart] = sessions.values();
    cart.lines.push({ id, key: key(id, data), quantity, data });
  };
  at.contents = () => [...sessions.values()].flatMap((cart) => cart.lines.map((line) => [line.id, line.quantity, ...(line.data.length ? [line.data[0].value] : [])])).sort((a, b) => a[0] - b[0] || a.length - b.length);
  at.coupons = () => [...sessions.values()].flatMap((cart) => cart.coupons);
  return at;
}
