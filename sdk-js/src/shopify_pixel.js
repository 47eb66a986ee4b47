// A Shopify custom pixel: Shopify's standard events as ours, where the tag cannot be: in the checkout.
// Runs in the pixel's sandbox, without a DOM; reference: shopify.dev, "Web Pixels API". Never reads
// an address, a name or what somebody typed: they are in the events, and they stay there.

/** Largest body and most items the edge takes; more events than this wait for a yes in vain. */
const MAX_BODY = 16 * 1024, MAX_ITEMS = 100, MAX_HELD = 200;
/** Where the tag keeps its cart on this origin, and where a pixel without a tag keeps its own. */
const TAG = 'comeback.v1', OWN = 'comeback.pixel.v1';

const id = (value) => (value == null ? undefined : String(value).split('/').pop());
const amount = (money) => (money?.amount == null ? undefined : Number(money.amount));
/** Only what there is, so that an event says nothing it does not know. */
const known = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null && value !== ''));
const bytes = (text) => new TextEncoder().encode(text).length;

function item(variant, quantity, price = variant?.price) {
  const product = variant?.product;
  if (!variant || !(product?.id || variant.id)) return undefined;
  const own = variant.title && variant.title !== 'Default Title' ? variant.title : undefined;
  return known({
    item_id: id(product?.id || variant.id),
    item_variant: product?.id ? id(variant.id) : undefined,
    item_name: [product?.title, own].filter(Boolean).join(' - '),
    price: amount(price),
    quantity,
    image_url: variant.image?.src?.replace(/^\/\//, 'https://'),
    item_url: product?.url,
  });
}
const items = (currency, list, value) => known({ currency, value, items: list.filter(Boolean).slice(0, MAX_ITEMS) });

const ofVariant = (variant) => items(variant?.price?.currencyCode, [item(variant, 1)]);
const ofLine = (line) => items(line?.merchandise?.price?.currencyCode, [item(line?.merchandise, line?.quantity)], amount(line?.cost?.totalAmount));
const ofCart = (cart) =>
  cart && items(cart.cost?.totalAmount?.currencyCode, (cart.lines || []).map((line) => item(line.merchandise, line.quantity)), amount(cart.cost?.totalAmount));
const ofCheckout = (checkout) =>
  items(checkout?.currencyCode, (checkout?.lineItems || []).map((line) => item(line.variant, line.quantity)), amount(checkout?.subtotalPrice));

/** Where an alert belongs. `target` names a field of the checkout, as Shopify Functions do. */
const step = (type, target) => {
  const where = type + ' ' + target;
  if (/payment|billing|card/i.test(where)) return 'payment';
  if (/delivery|shipping/i.test(where)) return 'shipping';
  if (/contact|buyeridentity|email|phone/i.test(where)) return 'contact';
  return 'checkout';
};
/** What we call Shopify's kinds of alerts; `INPUT_…` also name the field. */
const CODES = {
  INVENTORY_ERROR: 'out_of_stock',
  MERCHANDISE_ERROR: 'item_unavailable',
  DELIVERY_ERROR: 'shipping_unavailable',
  CONTACT_ERROR: 'invalid_contact',
};
function alert({ alert: { type = '', target } = {} }) {
  if (type === 'DISCOUNT_ERROR') return ['try_coupon', { accepted: false }];
  const place = String(target || '');
  const field = /([A-Za-z0-9]{1,40})[^A-Za-z0-9]*$/.exec(place)?.[1];
  const input = /^INPUT_(REQUIRED|INVALID)$/.exec(type)?.[1];
  const code = input ? [input === 'REQUIRED' ? 'missing' : 'invalid', field].filter(Boolean).join('_') : CODES[type] || type.toLowerCase();
  return ['checkout_error', known({ step: step(type, place), code })];
}

const STOREFRONT = {
  page_viewed: () => ['page_view', {}],
  product_viewed: ({ productVariant }) => ['view_item', ofVariant(productVariant)],
  cart_viewed: ({ cart }) => cart && ['view_cart', ofCart(cart)],
  product_added_to_cart: ({ cartLine }) => cartLine && ['add_to_cart', ofLine(cartLine)],
  product_removed_from_cart: ({ cartLine }) => cartLine && ['remove_from_cart', ofLine(cartLine)],
};
// GA4 has no name for a filled-in contact or address: they prove the stage again and count nothing.
const still = () => ['begin_checkout', {}];
const CHECKOUT = {
  checkout_started: ({ checkout }) => ['begin_checkout', ofCheckout(checkout)],
  checkout_contact_info_submitted: still,
  checkout_address_info_submitted: still,
  checkout_shipping_info_submitted: () => ['add_shipping_info', {}],
  payment_info_submitted: ({ checkout }) => {
    const paid = checkout?.transactions?.[0];
    return ['add_payment_info', known({ payment_type: paid?.paymentMethod?.type || paid?.gateway })];
  },
  checkout_completed: ({ checkout }) => {
    const order = id(checkout?.order?.id);
    const code = checkout?.discountApplications?.find((one) => one.type === 'DISCOUNT_CODE')?.title;
    return order && ['purchase', { ...ofCheckout(checkout), ...known({ transaction_id: order, value: amount(checkout.totalPrice), coupon: code }) }];
  },
  alert_displayed: alert,
};

/**
 * Starts the pixel. The first argument is what the sandbox has: `analytics`, `browser`, `init` and
 * `customerPrivacy` (in a custom pixel `api.customerPrivacy`). `storefront: true` is for shops
 * without the tag: with both, views and cart would be told twice.
 */
export function pixel({ analytics, browser, init, customerPrivacy }, { shop, endpoint, storefront = false, wording }) {
  const url = endpoint.replace(/\/+$/, '') + '/v1/events';
  const consent = (privacy) => ({
    storage: privacy?.analyticsProcessingAllowed === true,
    marketing: privacy?.marketingAllowed === true,
    profiling: privacy?.analyticsProcessingAllowed === true && privacy.preferencesProcessingAllowed === true,
    ...(wording && { wording }),
  });
  let choice = consent(init?.customerPrivacy);
  let held = [];
  let last = 0;
  let sent = false;
  let turn = Promise.resolve();

  const stored = async (key) => {
    try {
      return JSON.parse(await browser.localStorage.getItem(key)) || {};
    } catch {
      return {};
    }
  };
  const random = (prefix) => prefix + Array.from(crypto.getRandomValues(new Uint8Array(22)), (byte) => (byte % 36).toString(36)).join('');
  /** The tag's cart; without a tag our own, born with the first thing in it. */
  async function cart(batch) {
    const theirs = (await stored(TAG)).cart;
    if (theirs || !storefront) return theirs || null;
    let own = (await stored(OWN)).cart;
    if (!own && batch.some(({ data, name }) => /^(add_to|view)_cart$/.test(name) && data.items?.length)) {
      own = random('cart_');
      await browser.localStorage.setItem(OWN, JSON.stringify({ cart: own }));
    }
    return own || null;
  }
  const page = ({ context } = {}) => {
    const { navigator, document } = context || {};
    const at = document?.location;
    return known({
      url: at && at.origin + at.pathname,
      locale: navigator?.language,
      tz: Intl.DateTimeFormat().resolvedOptions().timeZone,
      mobile: /Mobi/.test(navigator?.userAgent || ''),
    });
  };
  const body = (cart, batch, context) =>
    JSON.stringify({ v: 1, pk: shop, sent: Date.now(), cart, page: page(context), consent: choice, automated: /bot|crawl|spider|headless/i.test(context?.context?.navigator?.userAgent || ''), events: batch });

  async function flush(context) {
    while (choice.storage && held.length) {
      let batch = held.slice(0, 50);
      const at = await cart(batch);
      while (batch.length > 1 && bytes(body(at, batch, context)) > MAX_BODY) batch = batch.slice(0, batch.length >> 1);
      let text = body(at, batch, context);
      if (bytes(text) > MAX_BODY) {
        // A cart of a hundred long names: what it can do without goes.
        const lean = batch.map((event) => ({ ...event, data: { ...event.data, items: event.data.items?.map(({ item_name, image_url, item_url, ...rest }) => rest) } }));
        text = body(at, lean, context);
      }
      // Asked again here: the answer of the storage may have taken as long as a no.
      if (!choice.storage) return;
      // The sandbox's top frame sends it, so that it comes from the shop's own origin. What it does
      // not take stays, and goes with the next event.
      if (bytes(text) <= MAX_BODY && !(await browser.sendBeacon(url, text))) return;
      sent = true;
      held = held.filter((event) => !batch.includes(event));
      if (storefront && batch.some(({ name }) => name === 'purchase')) await browser.localStorage.removeItem(OWN);
    }
  }
  // One at a time, in order; what goes wrong in one does not stop the next.
  const flushSoon = (context) => (turn = turn.then(() => flush(context)).catch(() => {}));

  for (const [name, read] of Object.entries({ ...(storefront && STOREFRONT), ...CHECKOUT })) {
    analytics.subscribe(name, (event) => {
      let told;
      try {
        told = read(event.data || {});
      } catch {
        // A shape that Shopify changed costs this one event.
      }
      // Without a currency a change of the cart means nothing, and the edge would refuse all that goes with it.
      if (!told || (/_cart$/.test(told[0]) && !(told[1]?.currency && (told[0] === 'view_cart' || told[1].items.length)))) return undefined;
      const when = Date.parse(event.timestamp);
      last = Math.max(last + 1, Number.isFinite(when) ? when : Date.now());
      // Shopify's id, so that an event that is delivered twice counts once.
      const tail = String(event.id || '').replace(/[^A-Za-z0-9_-]/g, '').slice(0, 60);
      const made = { id: tail ? 'evt_px_' + tail : random('evt_'), t: last, name: told[0], data: told[1] || {} };
      if (held.some((one) => one.id === made.id)) return undefined;
      held = [...held, made].slice(-MAX_HELD);
      return flushSoon(event);
    });
  }

  customerPrivacy?.subscribe('visitorConsentCollected', (event) => {
    const could = choice.storage;
    choice = consent(event.customerPrivacy);
    if (choice.storage) return flushSoon(init);
    held = [];
    if (!could) return undefined;
    return (turn = turn
      .then(async () => {
        await browser.localStorage.removeItem(OWN);
        // By this one request the edge takes its cookies back.
        if (sent) await browser.sendBeacon(url, JSON.stringify({ v: 1, pk: shop, sent: Date.now(), cart: null, page: {}, consent: { storage: false }, automated: false, events: [] }));
        sent = false;
      })
      .catch(() => {}));
  });
}
