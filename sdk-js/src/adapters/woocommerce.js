// WooCommerce's cart through its Store API, as an adapter. Reference: developer.woocommerce.com,
// "Store API", cart and nonce tokens. Works in the shopper's own session; holds no API key.
import { Refused, exclusive, fill, passes } from './fill.js';
import { watcher } from './watch.js';

const ID = /^[1-9]\d{0,14}$/;
/** What the Store API calls the reasons not to put something in; what is not here is out of stock. */
const GONE = /invalid_product|invalid_parent|not_purchasable|missing_(attributes|variation)|invalid_variation|rest_invalid_param|cart_invalid_key/;
const NONCE = /^woocommerce_rest_(missing|invalid)_nonce$/;

/**
 * `root` is where WordPress is, `api` the Store API's address, `checkoutUrl` the checkout page. The
 * Store API names a line by one id, the variation's where there is one: that is its `item_id`.
 * Another naming is told by `ids(item)` → `{item_id, item_variant}` and `product(line)` → id.
 */
export default function woocommerce({
  root = '/',
  api = root + 'wp-json/wc/store/v1/',
  checkoutUrl = root + 'checkout/',
  ids = (item) => ({ item_id: String(item.id) }),
  product = (line) => line.item_variant || line.item_id,
} = {}) {
  let nonce, token;
  const ask = async (path, body) => {
    const reply = await fetch(api + path, {
      credentials: 'same-origin',
      headers: {
        accept: 'application/json',
        // Without this type WordPress does not look into the body.
        ...(body && { 'content-type': 'application/json', ...(nonce && { Nonce: nonce }) }),
        // A session without cookies is carried on by its token.
        ...(token && { 'Cart-Token': token }),
      },
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    });
    nonce = reply.headers.get('Nonce') || nonce;
    return [reply, await reply.json().catch(() => ({}))];
  };
  const call = async (path, body) => {
    if (body && !nonce) await ask('cart');
    let [reply, said] = await ask(path, body);
    if (!reply.ok && NONCE.test(said.code)) {
      // A page from a cache has an old one; refused, nothing was done, so it may be said again.
      nonce = undefined;
      const [first] = await ask('cart');
      if (!nonce) token = first.headers.get('Cart-Token') || undefined;
      [reply, said] = await ask(path, body);
    }
    if (reply.ok) return said;
    const words = text(said.message) || 'HTTP ' + reply.status;
    // A nonce that is refused twice is no matter of the goods either.
    if (passes(reply.status) || NONCE.test(said.code)) throw Object.assign(new Error(words), { status: reply.status });
    throw new Refused(GONE.test(said.code) ? 'unavailable' : 'sold_out', words, reply.status);
  };
  // Messages and names are HTML of one line; a document that is only parsed runs and loads nothing.
  const text = (html) => html && (globalThis.DOMParser ? new DOMParser().parseFromString(html, 'text/html').body.textContent : html);
  const raw = () => call('cart');
  const shop = {
    async read() {
      return (await raw()).items.map((item) => ({
        id: String(item.id),
        key: item.key,
        quantity: item.quantity,
        own: Number((item.item_data || []).length > 0),
      }));
    },
    add: (id, quantity) => call('cart/add-item', { id: Number(id), quantity }),
    async set(changes) {
      for (const [key, quantity] of changes) {
        await (quantity ? call('cart/update-item', { key, quantity }) : call('cart/remove-item', { key })).catch((error) => {
          // A key that is gone (409) is what was wanted; another no leaves that line as it is.
          if (!(error instanceof Refused)) throw error;
        });
      }
    },
  };
  const major = (minor, prices) => Number(minor) / 10 ** prices.currency_minor_unit;
  const lines = ({ items, totals }) => ({
    currency: totals.currency_code,
    lines: items.map((item) => ({
      ...ids(item),
      item_name: text([item.name, ...(item.variation || []).map((one) => one.value)].join(' - ')),
      quantity: item.quantity,
      price: major(item.prices.price, item.prices),
      ...(item.images?.[0] && { image_url: item.images[0].src }),
      ...(item.permalink && { item_url: item.permalink }),
    })),
  });
  const redeem = async (code) => {
    const had = (await raw()).coupons.some((one) => one.code.toLowerCase() === code.toLowerCase());
    if (had) return [];
    try {
      await call('cart/apply-coupon', { code });
      return [];
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return [{ kind: 'code_refused', code, message: error.message }];
    }
  };
  const adapter = {
    checkoutUrl,
    read: () => exclusive(async () => lines(await raw())),
    /** Makes the cart exactly these lines; lines that stay keep key, variation and item data. */
    replace: (wanted, code) =>
      exclusive(async () => {
        const report = await fill(
          shop,
          wanted.map((line) => {
            const id = String(product(line));
            return { id: ID.test(id) ? id : null, quantity: line.quantity, line };
          }),
        );
        return code ? report.concat(await redeem(code)) : report;
      }),
  };
  adapter.watch = watcher(adapter.read, /\/wc\/store\/v1\/(cart\/|batch)|[?&]wc-ajax=(add_to_cart|remove_from_cart)|\/wc\/store\/cart\//);
  return adapter;
}
