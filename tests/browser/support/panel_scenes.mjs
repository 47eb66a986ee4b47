// How each panel comes up, for tests and pictures that go through all of them.
import { COPY, FINDINGS } from './panel_copy.mjs';
import { CONFIG, MUG as CUP, add, pause, push, until } from './storefront.mjs';

const MUG = { ...CUP, item_name: 'Harbour mug', item_variant: '350 ml / Ink', price: 28 };
const PRICE = { item_id: 'bowl', item_variant: 'Moss', title: 'Porridge bowl', problem: 'price', left: 1, was_minor: 1900, now_minor: 2100, instead: [] };
const BODY = '<p>Handmade in small batches.</p><form><label for="postcode">Postcode</label> <input id="postcode"></form><button id="b">Buy</button>';

/** A page as the shop has it, with these words. */
export function rulesOf(kind, locale = 'en', over = {}) {
  const arabic = locale === 'ar';
  return {
    html: arabic ? 'lang="ar" dir="rtl"' : 'lang="en"',
    body: BODY,
    findings: kind === 'cart_check' ? [...FINDINGS, PRICE] : FINDINGS,
    ...over,
    config: {
      shop: { ...CONFIG.shop, id: 'shop_demo', locale: arabic ? 'ar' : 'en-GB', cart_url: '/cart' },
      shipping: { free_from_minor: 7500 },
      push: { key: KEY },
      panels: { [kind]: { ...COPY[locale][kind], rules: { max_buy: 0.99, dwell_ms: 0, min_pages: 0, offer: kind === 'exit' && !arabic ? { name: 'ten', code: 'TEN10', gives: { percent: 10 } } : undefined } } },
    },
  };
}

/** A move to the top edge and out of it. Made in the page: how fast a real one is depends on who else is at work here. */
export const leave = (page) =>
  page.evaluate(() => {
    const move = (name, clientY) => document.documentElement.dispatchEvent(new MouseEvent(name, { bubbles: true, relatedTarget: null, clientX: 500, clientY }));
    move('mousemove', 400);
    move('mouseout', -2);
  });

/** A browser that can be asked for push, which a headless one cannot: `asked` is what was asked of it. */
export const askable = () => {
  window.asked = [];
  window.Notification = { permission: 'default', requestPermission: async () => (asked.push('permission'), window.permits ?? 'granted') };
  const subscription = { toJSON: () => ({ endpoint: 'https://push.example/1', expirationTime: null, keys: { p256dh: 'BA', auth: 'AA' } }) };
  const pushManager = { getSubscription: async () => null, subscribe: async (options) => (asked.push([...new Uint8Array(options.applicationServerKey)].length, options.userVisibleOnly), subscription) };
  Object.defineProperty(navigator, 'serviceWorker', { value: { getRegistration: async () => window.there, register: async (url) => asked.push(url), ready: Promise.resolve({ pushManager }) } });
};
/** 65 bytes, as a public key of P-256 has. */
export const KEY = 'B' + 'A'.repeat(86);

/** Something is in the cart and the edge has answered. */
export async function filled(page, at, item = MUG) {
  await page.addInitScript(askable);
  await page.goto(at.origin);
  await push(page, 'track', 'add_to_cart', add(item));
  await until(() => at.events('add_to_cart').length, 'the add', 20_000);
  await pause(300);
}

/** A later visit: the page writes its session down when it is left, so it is forgotten where no tag is. */
const again = (path) => async (page, at) => {
  await page.goto(at.origin + '/v1/check/pk_demo');
  await page.evaluate(() => sessionStorage.clear());
  await page.goto(at.origin + path);
};
const refuse = (error) => (page) => push(page, 'track', 'checkout_error', error);

/** A shop with a cart of its own, which differs from that of the link. */
const plug = () =>
  (window.comeback = window.comeback || []).push(['adapter', { read: async () => ({ currency: 'EUR', lines: [{ item_id: 'vase', quantity: 1 }] }), replace: async () => {}, checkoutUrl: '/checkout' }]);
const LINKED = {
  cart: { id: 'cart_0000000000000000000000', version: 3, currency: 'EUR', exponent: 2, lines: [{ item_id: 'bowl', item_variant: 'blue', title: 'Bowl', quantity: 1, unit_price_minor: 3000, image_url: null, item_url: null }] },
  report: [],
};

/** What brings each panel up, once there is a cart. */
export const SCENES = {
  exit: leave,
  restore: async (page, at) => {
    at.rules.restore = LINKED;
    await page.addInitScript(plug);
    await page.goto(at.origin + '/cart?comeback_restore=tok.en');
  },
  survey: leave,
  banner: (page, at) => ((at.rules.sequence = true), again('/next')(page, at)),
  saved_cart: again('/next'),
  returning: async (page, at) => {
    await push(page, 'track', 'cart_set', { currency: 'EUR', items: [] });
    await until(() => at.events('cart_set').length, 'an empty cart', 20_000);
    await again('/next')(page, at);
  },
  shipping_progress: () => {},
  // The edge has allowed panels by now.
  push: (page) => push(page, 'track', 'add_to_cart', add(MUG)),
  declined: refuse({ step: 'payment', code: 'card_declined', method: 'card' }),
  sold_out: refuse({ step: 'review', code: 'out_of_stock' }),
  validation: refuse({ step: 'shipping', code: 'postcode_invalid', field: 'postcode' }),
  shipping_cost: (page) => push(page, 'track', 'view_shipping_estimate', { currency: 'EUR', value: 5.9 }),
  cart_check: (page) => push(page, 'track', 'begin_checkout', add(MUG)),
};
export const STRIPS = ['banner', 'saved_cart', 'returning', 'shipping_progress', 'push'];

/** Opens the panel of a kind; resolves to its card. */
export async function scene(kind, page, at) {
  await filled(page, at);
  await SCENES[kind](page, at);
  const card = page.locator(`comeback-panel[data-panel=${kind}] .card`);
  await card.waitFor();
  return card;
}
