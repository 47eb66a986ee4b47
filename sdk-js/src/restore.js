// The way back of a cart by a resume link: fetched only on a page that such a link led to. Joins the
// linked cart with the one on the page; which of them it is to be is the shopper's to say.

const same = (a) => (b) => '' + a.item_id === '' + b.item_id && (a.item_variant || '') === (b.item_variant || '');
const within = (a, b) => a.every((x) => b.some((y) => same(x)(y) && +x.quantity === +y.quantity));

/** Whether two carts hold the same items in the same quantities, whatever their prices and order. */
export const sameContents = (a, b) => within(a, b) && within(b, a);

/**
 * Both carts in one: the larger quantity of each line, so that merging twice changes nothing. Names and
 * prices come from the restored cart, which the edge has just looked up.
 */
export function merge(local, restored) {
  const lines = restored.map((line) => ({ ...line }));
  for (const line of local) {
    const held = lines.find(same(line));
    if (held) held.quantity = Math.max(held.quantity, line.quantity);
    else lines.push(line);
  }
  return lines;
}

/** An adapter knows ids and quantities; names and prices are in our copy. */
const withKnown = (lines, known) =>
  lines.map((line) => {
    const filled = { ...line };
    const held = known.find(same(line));
    for (const name in held) filled[name] ||= held[name];
    return filled;
  });

/**
 * Begins. Returns what is to be called when an adapter was plugged in: without one there is nowhere to
 * put the cart.
 */
export function resume({ token, endpoint, session, json, emit, ask, adapter }) {
  // The cart of the link, until the shop's cart has it.
  let linked;
  const fail = (more) => (error) => emit('error', { kind: 'restore', message: error.message, status: error.status, ...more });

  async function fetchLinked() {
    for (const seconds of [1, 3, 10, 0]) {
      try {
        // Cookieless until consent: the token is the authority, and the shopper asked for this cart.
        linked = await fetch(endpoint + '/v1/restore/' + encodeURIComponent(token), {
          credentials: session.mayStore() ? 'include' : 'omit',
        }).then(json);
        break;
      } catch (error) {
        // A refused link stays refused; anything else may pass.
        if (!seconds || (error.status < 500 && error.status !== 429)) throw error;
        await new Promise((done) => setTimeout(done, seconds * 1000));
      }
    }
    await apply();
  }

  async function apply() {
    const plugged = adapter();
    const { cart, report, offer } = (plugged && linked) || {};
    if (!cart) return;
    const held = linked;
    linked = undefined;
    try {
      const read = await plugged.read();
      const own = session.cart().lines;
      const local = Array.isArray(read?.lines) ? withKnown(read.lines, own) : own;
      let mode = 'replace';
      if (local.length && !sameContents(local, cart.lines)) mode = (await ask()) || 'keep';
      let missed;
      if (mode !== 'keep') {
        // The linked cart may be another person's: it is written to only by whoever takes it as it is.
        const lines = session.settle(mode === 'merge' ? { ...cart, id: undefined, lines: merge(local, cart.lines) } : cart);
        missed = await plugged.replace(lines, offer || undefined);
      }
      // What the shop could not put in again is told with what had changed before.
      emit('restore', { mode, cart: session.cart(), report: [...(report || []), ...(missed || [])] });
    } catch (error) {
      linked = held;
      throw error;
    }
  }

  const retry = () => fetchLinked().catch(fail({ retry }));
  retry();
  return () => apply().catch(fail());
}
