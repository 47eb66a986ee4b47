// Shopify's standard events as a pixel gets them, made of a real shop's checkout: the fields and
// their forms are those of the Web Pixels API's reference, addresses and contacts included.
import { readFile } from 'node:fs/promises';

const read = async (name) => JSON.parse(await readFile(new URL(`../../vectors/intake/shopify/${name}.json`, import.meta.url), 'utf8'));
export const checkoutBody = (await read('checkouts')).checkouts[0];
const orderBody = await read('order').then((body) => body.order || body);

const money = (amount, currencyCode = checkoutBody.currency) => ({ amount: Number(amount), currencyCode });
const variant = (line) => ({
  id: String(line.variant_id),
  image: { src: `//cdn.shopify.com/s/files/1/0/products/${line.variant_id}.jpg` },
  price: money(line.price),
  product: { id: String(line.product_id), title: line.title, untranslatedTitle: line.title, vendor: line.vendor, type: '', url: `/products/p${line.product_id}` },
  sku: line.sku,
  title: line.variant_title,
  untranslatedTitle: line.variant_title,
});
const cartLine = (line) => ({ cost: { totalAmount: money(line.price * line.quantity) }, merchandise: variant(line), quantity: line.quantity });
const address = { address1: 'Chestnut Street 92', city: 'Louisville', firstName: 'Bob', lastName: 'Norman', phone: '+1 555 625-1199', zip: '40202' };
const checkout = (more) => ({
  attributes: [{ key: 'custom engraving', value: 'Happy Birthday' }],
  billingAddress: address,
  currencyCode: checkoutBody.currency,
  discountApplications: [{ allocationMethod: 'ACROSS', targetSelection: 'ALL', targetType: 'LINE_ITEM', title: 'TENOFF', type: 'DISCOUNT_CODE', value: { percentage: 10 } }],
  email: checkoutBody.email,
  lineItems: checkoutBody.line_items.map((line) => ({ discountAllocations: [], id: String(line.id), quantity: line.quantity, title: line.title, variant: variant(line) })),
  order: null,
  phone: address.phone,
  shippingAddress: address,
  subtotalPrice: money(checkoutBody.subtotal_price),
  token: checkoutBody.token,
  totalPrice: money(checkoutBody.total_price),
  transactions: [],
  ...more,
});

const [red, pink] = checkoutBody.line_items;
let seq = 0;
const CONTEXT = {
  document: { location: { href: 'https://shop.example/checkouts/cn/abc?email=bob', origin: 'https://shop.example', pathname: '/checkouts/cn/abc', search: '?email=bob' }, referrer: '', characterSet: 'UTF-8', title: 'Checkout' },
  navigator: { language: 'en-US', cookieEnabled: true, languages: ['en-US'], userAgent: 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1' },
  window: { innerHeight: 553, innerWidth: 1792 },
};
/** An event of that name; each has an id and a time of its own. */
export const made = (name, data) => {
  seq += 1;
  return { id: `sh-0259a238-2A20-436E-D1AC-${String(seq).padStart(12, '0')}`, name, type: 'standard', clientId: 'ece6cea2-0914-4dcd-8345-8d64ce97b76b', timestamp: new Date(1_700_000_000_000 + seq * 1000).toISOString(), seq, context: CONTEXT, data };
};
export const alert = (type, target, value = 'bob.norman@hostmail.com') => made('alert_displayed', { alert: { message: `${value} is not right`, target, type, value } });

/** What a shopper does, in order. */
export const journey = () => [
  made('page_viewed', {}),
  made('product_viewed', { productVariant: variant(red) }),
  made('product_added_to_cart', { cartLine: cartLine(red) }),
  made('product_added_to_cart', { cartLine: cartLine(pink) }),
  made('product_removed_from_cart', { cartLine: cartLine(pink) }),
  made('cart_viewed', { cart: { id: 'x', attributes: [], cost: { totalAmount: money(199) }, lines: [cartLine(red)], totalQuantity: 1 } }),
  made('collection_viewed', { collection: { id: '1', title: 'All', productVariants: [variant(red)] } }),
  made('checkout_started', { checkout: checkout() }),
  made('checkout_contact_info_submitted', { checkout: checkout() }),
  made('checkout_address_info_submitted', { checkout: checkout() }),
  made('checkout_shipping_info_submitted', { checkout: checkout() }),
  made('payment_info_submitted', { checkout: checkout({ transactions: [{ amount: money(409.94), gateway: 'shopify_payments', paymentMethod: { name: 'VISA', type: 'creditCard' } }] }) }),
  made('checkout_completed', { checkout: checkout({ order: { id: String(orderBody.id), customer: { id: '1' } } }) }),
];
export const ORDER = String(orderBody.id);
