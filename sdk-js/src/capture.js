// Where events come from on a page: GA4's dataLayer and data attributes. Only listens and stamps
// the time; what an entry means is session.js's to say.

/** Sources of events, by number. */
export const API = 0, ATTRIBUTE = 1, LAYER = 2, OWN = 3;

/**
 * Calls `sink(source, entry)` for everything that is there already and everything that comes.
 * `entry` is a command (`['track', name, data]`) or, from LAYER, the raw dataLayer entry.
 * Nothing thrown by `sink` reaches the page.
 */
export function capture(sink) {
  const layer = (window.dataLayer ||= []);
  const relay = (entry) => entry && sink(LAYER, entry);
  layer.forEach?.(relay);
  const push = layer.push;
  try {
    layer.push = function (...entries) {
      const length = push.apply(this, entries);
      entries.forEach(relay);
      return length;
    };
  } catch {
    // Frozen: what comes later is not heard.
  }

  const report = (element, attribute, name) => {
    try {
      const value = JSON.parse(element.getAttribute(attribute));
      sink(ATTRIBUTE, ['track', name, value.step ? value : { currency: value.currency, items: value.items || [value] }]);
    } catch {
      console.warn('comeback: not JSON in ' + attribute, element);
    }
  };
  // What is looked at or refused is known by being there, not by a click.
  const present = { 'data-comeback-view': 'view_item', 'data-comeback-checkout-error': 'checkout_error' };
  const seen = new WeakMap();
  const scan = () => {
    for (const attribute in present) {
      for (const element of document.querySelectorAll('[' + attribute + ']')) {
        const value = element.getAttribute(attribute);
        if (value && seen.get(element) !== value) {
          seen.set(element, value);
          report(element, attribute, present[attribute]);
        }
      }
    }
  };
  // In a task of its own, for the sake of slow devices.
  setTimeout(() => {
    // In the capture phase: a page's own handler may stop the event.
    document.addEventListener('click', (event) => {
      const button = event.target.closest?.('[data-comeback-add]');
      if (button) report(button, 'data-comeback-add', 'add_to_cart');
    }, true);
    scan();
    new MutationObserver(scan).observe(document, { childList: true, subtree: true, attributeFilter: Object.keys(present) });
  });
}
