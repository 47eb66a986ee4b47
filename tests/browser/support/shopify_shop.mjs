// A Shopify storefront's cart as far as its Ajax API shows it: what it checks, how it refuses, and
// its oddities that cost shops carts. Prices in hundredths, sessions by cookie. Not a whole shop.
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';

const { checkouts } = JSON.parse(await readFile(new URL('../../vectors/intake/shopify/checkouts.json', import.meta.url), 'utf8'));
/** Products and variants of a real shop's checkout, with a stock of their own here. */
export const [RED, PINK] = checkouts[0].line_items.map(({ product_id, variant_id, title, variant_title, price }) => ({
  product_id,
  variant_id,
  title: `${title} - ${variant_title}`,
  price: Math.round(Number(price) * 100),
}));
/** Ids of shops today need more than 32 bits. */
export const BOX = { product_id: 4486431866938, variant_id: 31712538263610, title: 'Small Vege - Seasonal Organic Box', price: 2500 };

/**
 * `stock` by variant id, 99 where nothing is said. `partial`: a list that asks for too much is
 * refused and filled up as far as it goes, as the newer checkout does. `tellsDiscounts`: whether the
 * cart says which codes it took. `lose`: so many changes are made, but the answer is lost.
 */
export function shopifyShop({ stock = {}, partial = false, tellsDiscounts = true, codes = ['TENOFF'], currency = 'USD', root = '/' } = {}) {
  const goods = new Map([RED, PINK, BOX].map((one) => [one.variant_id, one]));
  const carts = new Map();
  const at = { calls: [], lose: 0, failures: [], carts, currency };
  const left = (id) => stock[id] ?? 99;
  const held = (cart, id) => cart.lines.reduce((sum, line) => sum + (line.id === id ? line.quantity : 0), 0);
  const error = (status, message, description) => ({ status, body: { status, message, description } });
  const key = (id, properties, plan) => `${id}:${createHash('md5').update(JSON.stringify([properties, plan])).digest('hex')}`;
  const shown = (cart) => ({
    token: cart.token,
    note: null,
    attributes: {},
    original_total_price: cart.lines.reduce((sum, line) => sum + goods.get(line.id).price * line.quantity, 0),
    total_price: cart.lines.reduce((sum, line) => sum + goods.get(line.id).price * line.quantity, 0),
    total_discount: 0,
    item_count: cart.lines.reduce((sum, line) => sum + line.quantity, 0),
    items: cart.lines.map((line) => {
      const { product_id, price, title } = goods.get(line.id);
      return {
        id: line.id,
        properties: line.properties,
        quantity: line.quantity,
        variant_id: line.id,
        key: line.key,
        title,
        price,
        original_price: price,
        final_price: price,
        line_price: price * line.quantity,
        final_line_price: price * line.quantity,
        product_id,
        gift_card: false,
        url: `/products/p${product_id}?variant=${line.id}`,
        image: `https://cdn.shopify.com/s/files/1/0/products/${line.id}.jpg`,
        handle: 'p' + product_id,
        requires_shipping: true,
        product_title: title,
        ...(line.plan && { selling_plan_allocation: { selling_plan: { id: line.plan, name: 'Every month' }, price } }),
      };
    }),
    requires_shipping: true,
    currency: at.currency,
    items_subtotal_price: 0,
    cart_level_discount_applications: [],
    ...(tellsDiscounts && { discount_codes: cart.codes.map((code) => ({ code, applicable: codes.includes(code.toUpperCase()) })) }),
  });

  const add = (cart, { items }) => {
    if (!Array.isArray(items)) return error(400, 'Bad Request', 'items: expected a list');
    for (const { id, quantity } of items) {
      if (!Number.isInteger(id) || !goods.has(id)) return error(422, 'Cart Error', 'Cannot find variant');
      if (!Number.isInteger(quantity) || quantity < 1) return error(400, 'Cart Error', 'Quantity must be 1 or more');
    }
    const put = ({ id, quantity, properties = {}, selling_plan: plan = null }) => {
      const same = cart.lines.find((line) => line.key === key(id, properties, plan));
      if (same) same.quantity += quantity;
      else cart.lines.unshift({ id, key: key(id, properties, plan), quantity, properties, plan });
    };
    for (const one of items) {
      const room = left(one.id) - held(cart, one.id);
      if (room >= one.quantity) continue;
      if (!left(one.id)) return error(422, 'Cart Error', `The product '${goods.get(one.id).title}' is already sold out.`);
      if (partial && room > 0) put({ ...one, quantity: room });
      return error(422, 'Cart Error', room > 0 ? 'Only available quantity items were added to your cart.' : 'The maximum quantity of this item is already in your cart.');
    }
    items.forEach(put);
    return { status: 200, body: { items: items.map(({ id }) => shown(cart).items.find((item) => item.id === id)) } };
  };
  const set = (cart, wanted, quantity) => {
    const line = cart.lines.find((one) => one.key === wanted || String(one.id) === String(wanted));
    if (!line) return error(400, 'bad_request', 'no valid id or line parameter');
    if (quantity > line.quantity && quantity - line.quantity > left(line.id) - held(cart, line.id)) return error(422, 'Cart Error', 'The maximum quantity of this item is already in your cart.');
    if (quantity) line.quantity = quantity;
    else cart.lines = cart.lines.filter((one) => one !== line);
    return undefined;
  };
  const update = (cart, { updates = {}, discount }) => {
    // Known of the newer checkout: one line beyond its stock refuses all, removals too.
    const beyond = Object.keys(updates).some((one) => cart.lines.some((line) => line.key === one && held(cart, line.id) > left(line.id)));
    if (beyond) return error(422, 'Cart Error', 'The maximum quantity of this item is already in your cart.');
    for (const [one, quantity] of Object.entries(updates)) {
      const refused = set(cart, one, quantity);
      if (refused) return refused;
    }
    if (discount !== undefined) cart.codes = String(discount).split(',').filter(Boolean);
    return { status: 200, body: shown(cart) };
  };

  async function serve({ method, body, headers, cookies }, { pathname, search }, reply) {
    const path = pathname.startsWith(root + 'cart') || pathname.startsWith(root + 'discount/') ? pathname.slice(root.length) : '';
    if (!/^(cart(\/(add|update|change|clear))?\.?js|discount\/.+)$/.test(path)) return false;
    const token = /(?:^|; )cart=([^;]+)/.exec(cookies || '')?.[1];
    const known = carts.has(token) ? token : randomBytes(16).toString('hex');
    if (!carts.has(known)) carts.set(known, { token: known, lines: [], codes: [] });
    const cart = carts.get(known);
    const session = { 'set-cookie': `cart=${known}; Path=/` };
    at.calls.push(`${method} ${path}`);
    const say = ({ status, body: said }) => reply(status, 'application/json; charset=utf-8', JSON.stringify(said), session) ?? true;
    if (at.failures.length) {
      const status = at.failures.shift();
      return status ? (say(error(status, 'Too many requests', 'Please try again.')), true) : true;
    }
    if (path.startsWith('discount/')) {
      cart.codes = [decodeURIComponent(path.slice('discount/'.length))];
      reply(302, 'text/html', '', { ...session, location: new URLSearchParams(search).get('redirect') || '/' });
      return true;
    }
    if (method === 'GET') return path === 'cart.js' ? (say({ status: 200, body: shown(cart) }), true) : (say(error(404, 'Not Found', 'Not Found')), true);
    if (!/^application\/json\b/.test(headers['content-type'] || '')) return say(error(415, 'Unsupported Media Type', 'expected JSON')), true;
    const asked = JSON.parse(body);
    const done = {
      'cart/add.js': () => add(cart, asked),
      'cart/update.js': () => update(cart, asked),
      'cart/change.js': () => set(cart, asked.id, asked.quantity) || { status: 200, body: shown(cart) },
      'cart/clear.js': () => ((cart.lines = []), { status: 200, body: shown(cart) }),
    }[path]();
    if (at.lose > 0) {
      at.lose -= 1;
      reply.lost();
      return true;
    }
    say(done);
    return true;
  }
  at.serve = serve;
  /** What is in the only cart, by variant; with `properties` where there are any. */
  at.contents = () => [...carts.values()].flatMap((cart) => cart.lines.map((line) => [line.id, line.quantity, ...(Object.keys(line.properties).length ? [line.properties] : []), ...(line.plan ? [line.plan] : [])])).sort((a, b) => a[0] - b[0] || a.length - b.length);
  at.codes = () => [...carts.values()].flatMap((cart) => cart.codes);
  return at;
}
