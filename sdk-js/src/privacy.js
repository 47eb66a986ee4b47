// What consent platforms on the page say of our three purposes: Google Consent Mode v2, by its dataLayer entries, and
// Shopify's customer privacy. What neither says stays as the shop's mode and the API have it.

const granted = (said, name) => (said?.[name] ? said[name] === 'granted' : undefined);

/** `gtag('consent', 'update', said)` in our words. */
export const google = (said) => ({ storage: granted(said, 'analytics_storage'), marketing: granted(said, 'ad_user_data'), profiling: granted(said, 'ad_personalization') });

/** Whether a default keeps us waiting. One for some regions counts too: a page does not know where it is read. */
export const denied = (layer) =>
  Array.from(layer || []).some((entry) => {
    try {
      return entry?.[0] === 'consent' && entry[1] === 'default' && entry[2]?.analytics_storage === 'denied';
    } catch {
      return false;
    }
  });

/** What Shopify allows now, if this is a shop of theirs; `tell` hears of it once it is known, and of every change. */
export function shopify(tell) {
  const { Shopify } = window;
  const allowed = () => {
    const may = Shopify.customerPrivacy;
    return may?.analyticsProcessingAllowed && { storage: may.analyticsProcessingAllowed(), marketing: may.marketingAllowed(), profiling: may.preferencesProcessingAllowed() };
  };
  if (!Shopify) return undefined;
  document.addEventListener('visitorConsentCollected', () => tell(allowed()));
  const now = allowed();
  if (!now) Shopify.loadFeatures?.([{ name: 'consent-tracking-api', version: '0.1' }], (error) => !error && tell(allowed()));
  return now;
}
