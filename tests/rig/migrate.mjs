// D1 migrations, applied as `wrangler d1 migrations apply` does, into the same table, so that either can follow the other.

import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { unstable_splitSqlQuery as statements } from 'wrangler';

const TABLE = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

/** Applies what is new in `folder`, in the order of names, each file in one transaction. */
export async function migrate(mf, folder) {
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.sql')).sort();
  if (names.length === 0) return;
  const db = await mf.getD1Database('LEDGER');
  await db.prepare(TABLE).run();
  const { results } = await db.prepare('SELECT name FROM d1_migrations').all();
  const done = new Set(results.map((row) => row.name));
  for (const name of names.filter((name) => !done.has(name))) {
    const sql = await readFile(path.join(folder, name), 'utf8');
    await db.batch([
      ...statements(sql).map((statement) => db.prepare(statement)),
      db.prepare('INSERT INTO d1_migrations (name) VALUES (?)').bind(name),
    ]);
  }
}
