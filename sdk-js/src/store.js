// What survives the page: `comeback.v1` (cart, consent, last panel) and `comeback.v1.e.<id>` (one event
// each, so that tabs never overwrite each other's) in localStorage, and the session's counts in
// sessionStorage. Storage that is full, blocked or foreign counts as empty. Asks nobody whether it may:
// the session does.

/** Where cart and consent are kept. */
export const KEY = 'comeback.v1';
const EVENT = KEY + '.e.';
/** The edge takes what is older for a week old. */
const MAX_AGE_MS = 7 * 86_400_000;

/** When something was said: whatever else stands there counts as long ago. */
export const when = (at) => (at > 0 && at < 9e15 ? at : 1);
export const quietly = (act) => {
  try {
    return act();
  } catch {}
};
const storage = (brief) => (brief ? sessionStorage : localStorage);
const keys = () => quietly(() => Object.keys(localStorage).filter((key) => key.startsWith(KEY))) || [];

export const store = {
  /** `brief`: what ends with the session. */
  read: (brief) => quietly(() => JSON.parse(storage(brief).getItem(KEY))),
  write: (brief, value) => quietly(() => storage(brief).setItem(KEY, JSON.stringify(value))),
  /** Keeps an event until it is acknowledged, whatever happens to the tab. */
  keep: ({ id, cart, json }) => quietly(() => localStorage.setItem(EVENT + id, (cart || '') + '\n' + json)),
  release: ({ id }) => quietly(() => localStorage.removeItem(EVENT + id)),
  /** What an earlier page or a crashed tab left behind. One that a living tab is just sending may be among it; its id
   *  makes that harmless. What is older than the edge dates back goes: the cart itself is kept beside. */
  kept: () =>
    keys().flatMap((key) => {
      const [, cart, json] = (key.startsWith(EVENT) && /^(.*)\n([^]*)$/.exec(localStorage.getItem(key))) || [];
      const event = json && quietly(() => JSON.parse(json));
      if (event?.t > Date.now() - MAX_AGE_MS) return [{ id: key.slice(EVENT.length), cart: cart || null, json }];
      if (json) quietly(() => localStorage.removeItem(key));
      return [];
    }),
  /** `but`: a key that stays. */
  wipe(but) {
    for (const key of keys()) if (key !== but) quietly(() => localStorage.removeItem(key));
    quietly(() => sessionStorage.removeItem(KEY));
  },
};
