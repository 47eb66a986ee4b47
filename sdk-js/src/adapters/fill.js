// Makes a platform's cart hold what it should, by the few verbs that every platform has, and tells
// what could not be had. Knows no platform: those are the files beside it. Decides nothing about
// whose cart wins; that was settled before.

/** The shop says no to this one thing; anything else that is thrown stops the whole. */
export class Refused extends Error {
  constructor(kind, message, status) {
    super(message);
    this.kind = kind;
    this.status = status;
  }
}

/** Answers of a shop that pass by themselves: they say nothing about the goods. */
export const passes = (status) => status === 408 || status === 429 || status >= 500;

let queue = Promise.resolve();

/**
 * One at a time on this page and, where the browser has locks, in all tabs of the shop: two clicks,
 * or two tabs with one link, must find each other's work done.
 */
export function exclusive(act) {
  const run = () => (globalThis.navigator?.locks ? navigator.locks.request('comeback-cart', act) : act());
  const turn = queue.then(run, run);
  queue = turn.catch(() => {});
  return turn;
}

const count = (held, id) => held.reduce((sum, line) => (line.id === id ? sum + line.quantity : sum), 0);

/**
 * `shop`: `read()` → `[{id, key, quantity, own}]` (`own`: customised, last to be touched),
 * `add(id, quantity)` and `set([[key, quantity], …])`; the last two throw `Refused` where the shop
 * says no. `wanted`: `[{id, quantity, line}]`, `id` null where the platform cannot know the line.
 *
 * Adds before it takes away, and works from what is there, not from what was there: whatever breaks
 * off in between has lost nothing, and doing it again does nothing twice.
 * @returns entries for the restore report
 */
export async function fill(shop, wanted) {
  const goal = new Map();
  const refused = new Map();
  const unknown = [];
  for (const { id, quantity, line } of wanted) {
    if (id === null) unknown.push(line);
    else goal.set(id, { line, quantity: (goal.get(id)?.quantity || 0) + quantity });
  }
  let held = await shop.read();
  for (const [id, { quantity }] of goal) {
    let have = count(held, id);
    let step = quantity - have;
    // A refused number may have been put in in part, or not at all: only the cart tells. Halving
    // finds the most there is in few requests.
    while (step > 0 && have < quantity) {
      try {
        await shop.add(id, step);
        have += step;
        step = Math.min(step, quantity - have);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        refused.set(id, error);
        held = await shop.read();
        const had = have;
        have = count(held, id);
        step = have > had ? quantity - have : Math.floor(step / 2);
      }
    }
  }

  held = await shop.read();
  const had = [...goal.keys()].filter((id) => count(held, id));
  // Of a cart of which nothing is left to be had, the shopper's own is better than none.
  if (had.length || !wanted.length) {
    const changes = [];
    const surplus = new Map([...goal].map(([id, { quantity }]) => [id, count(held, id) - quantity]));
    // What the shopper customised goes last.
    for (const { id, key, quantity } of [...held].sort((a, b) => a.own - b.own)) {
      const over = goal.has(id) ? Math.max(0, Math.min(quantity, surplus.get(id))) : quantity;
      if (over) changes.push([key, quantity - over]);
      if (goal.has(id)) surplus.set(id, surplus.get(id) - over);
    }
    if (changes.length) {
      try {
        await shop.set(changes);
      } catch (error) {
        // Something that cannot be taken out stays in sight of the shopper, in the cart.
        if (!(error instanceof Refused)) throw error;
      }
      held = await shop.read();
    }
  }

  const entry = (kind, line, more) => ({ kind, item_id: line.item_id, ...(line.item_variant && { item_variant: line.item_variant }), ...more });
  const report = unknown.map((line) => entry('unavailable', line));
  for (const [id, { line, quantity }] of goal) {
    const got = count(held, id);
    if (got >= quantity) continue;
    const why = refused.get(id);
    const message = why && why.message && { message: why.message };
    report.push(got ? entry('fewer', line, { wanted: quantity, got, ...message }) : entry(why?.kind || 'unavailable', line, { ...message }));
  }
  return report;
}
