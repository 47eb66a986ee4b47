/** One product in GA4's shape. A line is identified by `item_id` and `item_variant`. */
export interface Item {
  item_id: string;
  item_name?: string;
  item_variant?: string;
  /** Price of one in major units: 19.99. */
  price?: number;
  /** 1 when left out. */
  quantity?: number;
  image_url?: string;
  item_url?: string;
}

/** What items come with. `value` is in major units of `currency` (ISO 4217). */
export interface Items {
  currency?: string;
  value?: number;
  items: Item[];
}

/** The events a shop reports, by name. GA4's names where GA4 has one. */
export interface Events {
  page_view: Record<string, never>;
  view_item: Items & { dwell_ms?: number };
  /** The whole cart as the page shows it. */
  view_cart: Items;
  add_to_cart: Items;
  remove_from_cart: Items;
  /** The cart is exactly this now. */
  cart_set: Items;
  begin_checkout: Items;
  add_shipping_info: Partial<Items>;
  add_payment_info: Partial<Items> & { payment_type?: string };
  /** `value` is what shipping costs, in major units of `currency`. */
  view_shipping_estimate: { currency?: string; value?: number };
  try_coupon: { coupon: string; accepted: boolean };
  /** `field` (id or name in the page) and `message` help on the page and do not leave it; `items` are what is sold out. */
  checkout_error: { step: string; code: string; method?: string; field?: string; message?: string; items?: Item[] };
  purchase: Items & { transaction_id: string };
}

/** A purpose that is left out stays as it was. */
export interface Consent {
  /** Storing on the device and sending events. */
  storage?: boolean;
  /** Being contacted. */
  marketing?: boolean;
  /** Being scored as a person. */
  profiling?: boolean;
}

export interface Contact {
  email?: string;
  /** E.164. */
  phone?: string;
  /** Consent to messages about the cart, per channel; nothing is consented to by default. */
  consent?: { email?: boolean; sms?: boolean; /** Version of the wording that was shown; the configured one when left out. */ wording?: string };
}

export interface CartLine {
  item_id: string;
  item_variant?: string;
  quantity: number;
}

export interface Cart {
  /** `cart_…`; none before the first item. */
  id?: string;
  currency: string;
  lines: Item[];
}

/** A shop's own cart, for restore. Those for Shopify and WooCommerce ship with the package. */
export interface CartAdapter {
  read(): Promise<{ currency: string; lines: CartLine[] }>;
  /**
   * Makes the shop's cart exactly this, and redeems the code of the link's offer if there is one.
   * Calling it twice must not double anything. What could not be had may be answered: it is told in
   * `comeback:restore` with what had changed before.
   */
  replace(lines: Item[], code?: string): Promise<void | RestoreReport[]>;
  checkoutUrl: string;
  /** Called once storing is allowed: a cart that keeps itself in step reports by `track`. */
  watch?(session: { cart(): Cart; track(name: 'cart_set', data: Items): void; may(): boolean }): void;
}

export interface RestoreReport {
  /** `fewer`: some of them; `code_refused`: the offer's code, which has no item, like the last two. */
  kind: 'price_changed' | 'sold_out' | 'unavailable' | 'fewer' | 'code_refused' | 'offer_ended' | 'prices_held';
  item_id?: string;
  item_variant?: string;
  was_minor?: number;
  now_minor?: number;
  /** Of `fewer`: how many were asked for, and how many are in the cart. */
  wanted?: number;
  got?: number;
  code?: string;
  /** What the shop said, in the shopper's language. */
  message?: string;
  /** Of `offer_ended`: the offer that the link carried and that is over. */
  offer?: string;
  /** Of `prices_held`: until when the shop honours the prices of the cart as it was left, ms since 1970. */
  until_ms?: number;
}

/** The panels, by their kind. */
export type Panel =
  | 'exit'
  | 'survey'
  | 'banner'
  | 'saved_cart'
  | 'returning'
  | 'shipping_progress'
  | 'push'
  | 'declined'
  | 'sold_out'
  | 'validation'
  | 'shipping_cost'
  | 'cart_check'
  | 'restore';

/** What the SDK tells the page; each also as a `comeback:<name>` event on window. */
export interface Notices {
  /** `held` with a reason when a panel's moment came and it is not shown; `withheld` where the arm of an experiment shows nothing. */
  panel: { panel: Panel; state: 'shown' | 'clicked' | 'closed' | 'held' | 'withheld'; why?: string; experiment?: string; arm?: string };
  restore: { mode: 'keep' | 'merge' | 'replace'; cart: Cart; report: RestoreReport[] };
  score: { model: string; buy: number; reasons: { feature: string; effect: number }[] };
  /** The shopper asked for another way to pay (`method`), for the payment step again (`null`), or for a person (`chat`). */
  assist: { panel: Panel; method: string | null; chat?: boolean; cart: Cart; error?: { step?: string; code?: string; method?: string; field?: string } };
  /** `retry` begins a restore again that could not be fetched. */
  error: { kind: string; message?: string; status?: number; retry?: () => void };
}

export interface Options {
  /** The shop's public key, `pk_…`. */
  shop: string;
  /** Where the Worker is; the page's own origin when left out. */
  endpoint?: string;
  /** Anything that WebAssembly takes; the file beside the package when left out. */
  wasm?: string | URL | Request | Response | BufferSource | WebAssembly.Module;
}

/** Starts capture on this page, once. Resolves when the session runs; does nothing on a server. */
export function init(options: Options): Promise<void> | undefined;
export function track<Name extends keyof Events>(name: Name, data?: Events[Name]): void;
export function identify(who: Contact): void;
export function consent(choice: Consent): void;
export function on<Name extends keyof Notices>(name: Name, act: (detail: Notices[Name]) => void): void;
export const cart: {
  adapter(adapter: CartAdapter): void;
  /** Forgets the cart here and at the edge: nobody is reminded of it. Resolves when the edge has heard it. */
  forget(): Promise<void>;
  /** The cart as the SDK knows it; null on a server. */
  read(): Promise<Cart | null>;
  /** Whether everything in it is to be had as it is; what is not is shown, where the shop has words for it. True on a server. */
  check(): Promise<boolean>;
};
