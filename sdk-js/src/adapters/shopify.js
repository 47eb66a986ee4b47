// Shopify's cart through its Ajax API, as an adapter. Reference: shopify.dev, "Cart API reference"
// (Ajax). Same-origin requests of the storefront only; knows no Admin or Storefront API token.
import { Refused, exclusive, fill, passes } from './fill.js';
import { watcher } from './watch.js';

/** Money is in hundredths in every currency, those without a minor unit too. */
const HUNDREDTHS = 100;
/** Ids are whole numbers above 2^32; more digits than a JavaScript number holds are nobody's. */
const ID = /^\d{1,16}$/;

const same = (a, b) => a.toLowerCase() === b.toLowerCase();

/**
 * `root` is the locale's root of the storefront. A line is product and variant; another naming
 * (a feed's, say) is told by `ids(item)` → `{item_id, item_variant}` and `variant(line)` → variant id.
 */
export default function shopify({
  root = globalThis.Shopify?.routes?.root || '/',
  ids = (item) => ({ item_id: String(item.product_id), item_variant: String(item.variant_id) }),
  variant = (line) => line.item_variant || line.item_id,
} = {}) {
  const call = async (path, body) => {
    const reply = await fetch(root + path, {
      headers: { accept: 'application/json', ...(body && { 'content-type': 'application/json' }) },
      ...(body && { method: 'POST', body: JSON.stringify(body) }),
    });
    if (reply.ok) return reply.json();
    const said = await reply.json().catch(() => ({}));
    const words = said.description || said.message || 'HTTP ' + reply.status;
    if (passes(reply.status)) throw Object.assign(new Error(words), { status: reply.status });
    // The words are in the shopper's language; only "there is no such variant" has a status or text of its own.
    throw new Refused(reply.status === 404 || /find variant/i.test(words) ? 'unavailable' : 'sold_out', words, reply.status);
  };
  const raw = () => call('cart.js');
  const shop = {
    async read() {
      return (await raw()).items.map((item) => ({
        id: String(item.variant_id),
        key: item.key,
        quantity: item.quantity,
        own: Number(!!item.selling_plan_allocation || Object.keys(item.properties || {}).length > 0),
      }));
    },
    // Always as a list: a single item in the form's shape is not checked against the stock.
    add: (id, quantity) => call('cart/add.js', { items: [{ id: Number(id), quantity }] }),
    async set(changes) {
      try {
        await call('cart/update.js', { updates: Object.fromEntries(changes) });
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        // One line that the stock has overtaken refuses all of them; one by one they go.
        for (const [id, quantity] of changes) {
          await call('cart/change.js', { id, quantity }).catch((one) => {
            if (!(one instanceof Refused)) throw one;
          });
        }
      }
    },
  };
  const lines = ({ currency, items }) => ({
    currency,
    lines: items.map((item) => ({
      ...ids(item),
      item_name: item.title,
      quantity: item.quantity,
      price: item.final_price / HUNDREDTHS,
      ...(item.image && { image_url: item.image }),
      ...(item.url && { item_url: item.url }),
    })),
  });

  const adapter = {
    checkoutUrl: root + 'checkout',
    read: () => exclusive(async () => lines(await raw())),
    /** Makes the cart exactly these lines; lines that stay keep key, properties and selling plan. */
    replace: (wanted, code) =>
      exclusive(async () => {
        const report = await fill(
          shop,
          wanted.map((line) => {
            const id = String(variant(line));
            return { id: ID.test(id) ? id : null, quantity: line.quantity, line };
          }),
        );
        return code ? report.concat(await redeem(code)) : report;
      }),
  };
  /** Adds a discount code to those the cart has. */
  async function redeem(code) {
    try {
      const had = (await raw()).discount_codes || [];
      const { discount_codes: now } = await call('cart/update.js', { discount: [...had.map((one) => one.code).filter((one) => !same(one, code)), code].join(',') });
      // A shop that does not tell takes it by its discount link, on the way to the checkout.
      if (!now) adapter.checkoutUrl = root + 'discount/' + encodeURIComponent(code) + '?redirect=' + encodeURIComponent(root + 'checkout');
      return !now || now.some((one) => same(one.code, code) && one.applicable) ? [] : [{ kind: 'code_refused', code }];
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return [{ kind: 'code_refused', code, message: error.message }];
    }
  }
  adapter.watch = watcher(adapter.read, /\/cart\/(add|change|update|clear)(\.js|\.json)?(\?|$)/);
  return adapter;
}
