// Events on their way out: what goes into one flush, and when to try again. Sends and stores nothing itself.

/** The edge refuses more; the envelope (page, consent) is counted with its real size. */
const MAX_BODY = 16 * 1024;
/** The oldest are dropped beyond this: a shop's page makes a few dozen in a visit. */
const MAX_EVENTS = 200;
/** First wait after a failed flush; doubles. */
const FIRST_WAIT_MS = 1000, MAX_WAIT_MS = 60_000;

/** As UTF-8, which is what travels. */
export const bytes = (text) => new TextEncoder().encode(text).length;

/** Events, `{id, cart, json, still}`, that were not acknowledged yet, oldest first. `still`: it changes no cart. */
export function outbox() {
  let events = [];
  let flying = 0, leaving = 0, failures = 0;
  /** So many go one by one, because one of them was refused. */
  let single = 0;

  /** The longest run of events of one cart that fits beside an envelope of so many bytes. Events from before the cart
   *  had an id travel with it. */
  const batch = (from, envelope, most = MAX_EVENTS) => {
    let cart = null, size = envelope;
    const taken = [];
    for (const event of events.slice(from, from + most)) {
      size += bytes(event.json) + 1;
      if ((taken.length && size > MAX_BODY) || (cart && event.cart !== cart)) break;
      cart = event.cart;
      taken.push(event);
    }
    return taken.length && { cart, taken, text: taken.map((event) => event.json).join() };
  };

  return {
    all: () => events,
    flying: () => flying,
    /** Forgets those of which `test` holds, and that anything is under way; returns them. */
    drop(test) {
      const gone = events.filter(test);
      events = events.filter((event) => !gone.includes(event));
      flying = failures = single = 0;
      return gone;
    },
    /** Appends an event unless it is there; hands back the one that had to make room. */
    push(event) {
      if (events.some((known) => known.id === event.id)) return undefined;
      // What is under way stays, so that its acknowledgement removes the right events.
      const [evicted] = events.length < MAX_EVENTS ? [] : events.splice(Math.min(flying, MAX_EVENTS - 1), 1);
      events.push(event);
      return evicted;
    },
    /** The next flush. */
    takeOff(envelope) {
      const next = batch(0, envelope, single ? 1 : undefined);
      if (next) flying = next.taken.length;
      return next;
    },
    /** The next events that are not under way, for a page that is being left. */
    takeQueued(envelope) {
      const next = batch(flying, envelope);
      leaving = next ? next.taken.length : 0;
      return next;
    },
    /** What `takeQueued` gave was taken over by the browser. */
    beaconed: () => events.splice(flying, leaving),
    /** The flush under way was accepted, or refused for good: its events are done with. */
    landed() {
      const done = events.splice(0, flying);
      single = Math.max(0, single - flying);
      flying = failures = 0;
      return done;
    },
    /** The edge understood none of the flush under way because of one event in it: they go one by one. */
    refused() {
      single = flying;
      flying = 0;
    },
    /** The flush under way failed; the same events go again after so many milliseconds. Not all shoppers of a shop at
     *  once: between half of the wait and all of it. */
    failed() {
      flying = 0;
      const wait = Math.min(FIRST_WAIT_MS << Math.min(failures, 6), MAX_WAIT_MS);
      failures += 1;
      return wait * (0.5 + Math.random() / 2);
    },
    /** Events of cart `from` belong to cart `to` instead. */
    readdress(from, to) {
      for (const event of events) if (event.cart === from) event.cart = to;
    },
  };
}
