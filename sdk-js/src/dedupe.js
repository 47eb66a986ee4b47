// Tells one act reported by several sources from several acts. Exactly-once on the wire is by event id and not
// decided here.

/** Reports of the same act come within this span of the first. */
const WINDOW_MS = 500;

/**
 * `isNew(at, source, key)`: whether this report is news. A source tells of an act once: what it reports again is another,
 * so two quick clicks stay two although a second source echoes both.
 */
export function dedupe() {
  let acts = [];
  return (at, source, key) => {
    acts = acts.filter((act) => Math.abs(at - act.at) <= WINDOW_MS);
    const echoed = acts.find((act) => act.key === key && !act.by.includes(source));
    if (echoed) echoed.by.push(source);
    else acts.push({ at, key, by: [source] });
    return !echoed;
  };
}
