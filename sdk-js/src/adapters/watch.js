// Keeps the session's cart in step with the platform's, without touching the page: what its scripts
// request is seen in the browser's resource timing. Reads the cart only where storing is allowed.

/** A theme reports what it did to `dataLayer` a moment after the answer; the whole cart comes last. */
const SETTLE_MS = 700;

const contents = (lines) =>
  lines
    .map((line) => [line.item_id, line.item_variant || '', line.quantity].join('\u001f'))
    .sort()
    .join('\u001e');

/**
 * `read` as in an adapter, `changes` matches addresses of requests that change the cart. The
 * function that is returned is an adapter's `watch`: it gets `{cart, track, may}` of the session.
 */
export const watcher =
  (read, changes) =>
  ({ cart, track, may }) => {
    let timer, written;
    const sync = async () => {
      if (!may()) return;
      const now = await read();
      // A platform forgets carts sooner than we do. Only a change that was seen empties ours.
      if (contents(now.lines) === contents(cart().lines) || !(now.lines.length || written)) return;
      track('cart_set', { currency: now.currency, items: now.lines });
    };
    const soon = (wait) => {
      clearTimeout(timer);
      // A cart that cannot be read now is read at the next change.
      timer = setTimeout(() => sync().catch(() => {}), wait);
    };
    const saw = (list) => {
      if (!list.getEntries().some(({ name }) => changes.test(name))) return;
      written = true;
      soon(SETTLE_MS);
    };
    new PerformanceObserver(saw).observe({ type: 'resource' });
    addEventListener('pageshow', (event) => event.persisted && soon(0));
    soon(0);
  };
