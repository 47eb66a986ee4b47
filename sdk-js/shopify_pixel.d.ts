/** What Shopify's sandbox gives a pixel; `customerPrivacy` is `api.customerPrivacy` in a custom pixel. */
export interface Sandbox {
  analytics: { subscribe(name: string, act: (event: any) => void): unknown };
  browser: {
    localStorage: { getItem(key: string): Promise<string | null>; setItem(key: string, value: string): Promise<unknown>; removeItem(key: string): Promise<unknown> };
    sendBeacon(url: string, body: string): Promise<boolean>;
  };
  init?: { customerPrivacy?: Privacy; context?: unknown };
  customerPrivacy?: { subscribe(name: 'visitorConsentCollected', act: (event: { customerPrivacy: Privacy }) => void): unknown };
}

export interface Privacy {
  analyticsProcessingAllowed?: boolean;
  marketingAllowed?: boolean;
  preferencesProcessingAllowed?: boolean;
  saleOfDataAllowed?: boolean;
}

export interface PixelOptions {
  /** The shop's public key, `pk_…`. */
  shop: string;
  /** Where the Worker is. */
  endpoint: string;
  /** For shops without the tag: report views and cart as well. False when left out. */
  storefront?: boolean;
  /** Version of the consent wording that the shop shows. */
  wording?: string;
}

export function pixel(sandbox: Sandbox, options: PixelOptions): void;
