import type { CartAdapter, Item } from './index.js';

export interface WooCommerceOptions {
  /** Where WordPress is; `/` when left out. */
  root?: string;
  /** Where the Store API is; `wp-json/wc/store/v1/` below `root` when left out. */
  api?: string;
  /** `checkout/` below `root` when left out. */
  checkoutUrl?: string;
  /** How a line of the cart is named; its id, the variation's where there is one, when left out. */
  ids?(item: { id: number; sku: string }): Pick<Item, 'item_id' | 'item_variant'>;
  /** The product or variation id of a line so named. */
  product?(line: Item): string | number;
}

/** The shop's cart through WooCommerce's Store API. */
export default function woocommerce(options?: WooCommerceOptions): CartAdapter;
