// The floor of a capture batch: what a Worker that stores anything at all must do. It parses the JSON and inserts one row through
// one Durable Object (SQLite), called by RPC. No checks, no rules, no state to load.

import { DurableObject } from 'cloudflare:workers';

export class Store extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    this.sql = ctx.storage.sql;
    this.sql.exec('CREATE TABLE IF NOT EXISTS batch (id INTEGER PRIMARY KEY, body TEXT NOT NULL)');
  }

  insert(body) {
    this.sql.exec('INSERT INTO batch (body) VALUES (?)', body);
    return 1;
  }
}

export default {
  async fetch(request, env) {
    const body = await request.text();
    const batch = JSON.parse(body);
    const rows = await env.STORE.getByName(batch.cart).insert(body);
    return Response.json({ cart: batch.cart, events: batch.events.length, rows });
  },
};
