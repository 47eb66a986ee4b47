// Which pages are opened: by the browser, by a router, or again out of the back/forward cache; and
// what other tabs of the shop say of consent. Says only that it is so; what follows is the session's.

import { KEY, quietly, store } from './store.js';

// A changed query or anchor is no page; a hash that is a path (`#/cart`, `#!/cart`) is one.
const place = () => location.pathname + (/^#!?\/[^?]*/.exec(location.hash) || '');

/** Calls `open` for every page that follows in this document, and before that `back` where it is one gone back to. */
export function pages(open, back) {
  let at = place();
  const route = () => {
    if (at !== (at = place())) open();
  };
  // One event for every way to change the address, and nothing of the page's is patched.
  if (window.navigation) {
    navigation.addEventListener('currententrychange', ({ navigationType, from }) => {
      if (navigationType === 'traverse' && navigation.currentEntry.index < from.index) back();
      route();
    });
  } else {
    for (const name of ['pushState', 'replaceState']) {
      const original = history[name];
      history[name] = function (...args) {
        original.apply(this, args);
        route();
      };
    }
    addEventListener('popstate', route);
    addEventListener('hashchange', route);
  }
  addEventListener('pageshow', (event) => {
    if (!event.persisted) return;
    back();
    open();
  });
}

/**
 * Calls `choose` with the choice of another tab, and when it was made, where it differs from what `standing` says here.
 * Tabs hear of each other late, so a yes may come that is older than the no of this page; that is said once more.
 */
export function tabs(wording = '', standing, choose) {
  let kept;
  /** `said`: what was written, or nothing where it was removed. */
  const heed = (said) => {
    const now = standing();
    const at = now.at || 0;
    let { consent } = said || store.read(false) || {};
    // A no takes everything away, its own time too. It came after what is known here, and maybe before a yes that is there already.
    if (!said && !(consent?.at > at)) consent = { storage: false, wording, at: at + 1 };
    if (consent?.wording === wording && Object.keys(now).some((key) => consent[key] !== now[key])) consent.at <= at ? choose(now, at) : choose(consent, consent.at);
  };
  // By what the event says: what is in storage may be this page's own by now.
  addEventListener('storage', ({ key, newValue }) => key === KEY && heed(quietly(() => JSON.parse(newValue))));
  // A page in the back/forward cache hears of nothing, so it looks before anything else of ours runs and writes its own
  // again. Where storage is blocked there never was anything.
  addEventListener('pagehide', () => (kept = store.read(false)));
  const look = () => {
    if (document.hidden) return;
    const now = store.read(false);
    if (kept || now) heed(now);
    kept = undefined;
  };
  for (const name of ['pageshow', 'visibilitychange']) addEventListener(name, look, true);
}
