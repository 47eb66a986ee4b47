// Which pages are opened: by the browser, by a router, or again out of the back/forward cache; and
// what other tabs of the shop say of consent. Says only that it is so; what follows is the session's.

import { KEY, quietly, store, when } from './store.js';

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
 * Calls `choose(choice, undefined, choice)` with the choice of another tab where it differs from what `standing` says here.
 * Tabs hear of each other late, so a yes may come that is older than the no of this page; that is said once more.
 */
export function tabs(wording = '', standing, choose) {
  let kept;
  /** `said`: what was written, or nothing where it was removed; `before`: what stood there. */
  const heed = (said, before) => {
    const now = standing();
    const known = now.at || 0;
    let { consent } = said || store.read(false) || {};
    const isOurs = () => consent?.wording === wording;
    // A no takes everything away, its own time too. It came after what stood there, and maybe before a yes that is there by now.
    if (!said && !(isOurs() && when(consent.at) > known)) consent = now.storage && when(before?.consent?.at) >= known && { storage: false, wording, at: known + 1 };
    if (!isOurs()) return;
    consent = { ...consent, at: when(consent.at) };
    if (!Object.keys({ ...now, at: 0, since: 0 }).some((key) => consent[key] !== now[key])) return;
    if (consent.at > known) choose(consent, undefined, consent);
    // Of two at the same time one is said once more, at another.
    else choose(now, undefined, consent.at < known && now);
  };
  // By what the event says: what is in storage may be this page's own by now.
  addEventListener('storage', ({ key, newValue, oldValue }) => key === KEY && heed(...[newValue, oldValue].map((text) => quietly(() => JSON.parse(text)))));
  // A page in the back/forward cache hears of nothing, so it looks before anything else of ours runs and writes its own
  // again. Where storage is blocked there never was anything.
  addEventListener('pagehide', () => (kept = store.read(false)));
  const look = () => {
    if (document.hidden) return;
    const now = store.read(false);
    if (kept || now) heed(now, kept);
    kept = undefined;
  };
  for (const name of ['pageshow', 'visibilitychange']) addEventListener(name, look, true);
}
