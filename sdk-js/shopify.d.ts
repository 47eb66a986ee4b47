import type { CartAdapter, Item } from './index.js';

export interface ShopifyOptions {
  /** The locale's root of the storefront; `Shopify.routes.root` when left out. */
  root?: string;
  /** How a line of the cart is named; product and variant id when left out. */
  ids?(item: { product_id: number; variant_id: number; sku: string | null; handle: string }): Pick<Item, 'item_id' | 'item_variant'>;
  /** The variant id of a line so named. */
  variant?(line: Item): string | number;
}

/** The storefront's cart through Shopify's Ajax API. */
export default function shopify(options?: ShopifyOptions): CartAdapter;
