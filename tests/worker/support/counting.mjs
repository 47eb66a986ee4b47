// The built Worker with counters on its outside: calls of objects, and what objects write. Bundled by calls.test.mjs in place of
// entry.js; `GET /counts` tells and starts over. It changes no behaviour: every call goes through to the real thing.

import Comeback, * as real from '#entry';

let counts;
const startOver = () => (counts = { calls: [], reads: 0, transactions: 0, alarms: 0 });
startOver();

const watched = new WeakSet();
const once = (thing) => !watched.has(thing) && watched.add(thing);

/** Objects reached through a binding, by its name and the call's. */
function watchEnv(env) {
  for (const binding of ['CART', 'PERSON', 'SHOP']) {
    const namespace = env[binding];
    if (!once(namespace)) continue;
    const getByName = namespace.getByName.bind(namespace);
    // The Worker goes by names; whatever went another way would be missed here.
    namespace.get = () => {
      throw new Error('counting.mjs watches getByName only');
    };
    namespace.getByName = (name) => {
      const stub = getByName(name);
      return {
        call(now, body) {
          const said = JSON.parse(body);
          counts.calls.push(`${binding} ${typeof said === 'string' ? said : Object.keys(said)[0]}`);
          return stub.call(now, body);
        },
      };
    };
  }
  return env;
}

/** Transactions of an object's storage (a statement that writes outside of one is one by itself), reads, and alarms set. */
function watchState(state) {
  const { storage } = state;
  const { sql } = storage;
  let inside = false;
  const transactionSync = storage.transactionSync.bind(storage);
  storage.transactionSync = (body) => {
    counts.transactions += 1;
    inside = true;
    try {
      return transactionSync(body);
    } finally {
      inside = false;
    }
  };
  const exec = sql.exec.bind(sql);
  sql.exec = (query, ...values) => {
    if (/^\s*SELECT/i.test(query)) counts.reads += 1;
    else if (!inside) counts.transactions += 1;
    return exec(query, ...values);
  };
  const setAlarm = storage.setAlarm.bind(storage);
  storage.setAlarm = (...when) => {
    counts.alarms += 1;
    return setAlarm(...when);
  };
  // Held, so that the engine gives everyone this same wrapper.
  return { state, held: [storage, sql] };
}

const counted = (Real) =>
  class extends Real {
    constructor(state, env) {
      const { held } = watchState(state);
      super(state, watchEnv(env));
      this.held = held;
    }
  };

export class CartDo extends counted(real.CartDo) {}
export class PersonDo extends counted(real.PersonDo) {}
export class ShopDo extends counted(real.ShopDo) {}

export default class extends Comeback {
  constructor(ctx, env) {
    super(ctx, watchEnv(env));
  }

  async fetch(request) {
    if (new URL(request.url).pathname !== '/v1/counts') return super.fetch(request);
    const told = counts;
    startOver();
    return Response.json(told);
  }
}
