// What survives the page: `comeback.v1` (cart, consent, last panel) and `comeback.v1.e.<id>` (one event
// each, so that tabs never overwrite each other's) in localStorage, and the session's counts in
// sessionStorage. Storage that is full, blocked or foreign counts as empty. Asks nobody whether it may:
// the session does.

const KEY = 'comeback.v1';
const EVENT = KEY + '.e.';

const quietly = (act) => {
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
  keep: (id, cart, json) => quietly(() => localStorage.setItem(EVENT + id, (cart || '') + '\n' + json)),
  release: (id) => quietly(() => localStorage.removeItem(EVENT + id)),
  /** What an earlier page or a crashed tab left behind, as id, cart and event in turn. One that a living
   *  tab is just sending may be among it; its id makes that harmless. */
  kept: () =>
    keys().flatMap((key) => {
      const [, cart, json] = (key.startsWith(EVENT) && /^(.*)\n([^]*)$/.exec(localStorage.getItem(key))) || [];
      return json ? [key.slice(EVENT.length), cart, json] : [];
    }),
  wipe() {
    for (const key of keys()) localStorage.removeItem(key);
    quietly(() => sessionStorage.removeItem(KEY));
  },
};
