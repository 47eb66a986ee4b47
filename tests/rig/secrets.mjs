// Secrets of a local system: random, made once per state folder, never in the repository.

import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

const word = () => randomBytes(24).toString('base64url');

/** A fresh set. */
export function makeSecrets() {
  return {
    masterKey: randomBytes(32).toString('base64'),
    adminToken: word(),
    shops: { shop_demo: { shopify: word(), identity: word() } },
  };
}

/** Under the names the Worker reads. */
export function secretVars(secrets) {
  return {
    COMEBACK_MASTER_KEY: secrets.masterKey,
    COMEBACK_ADMIN_TOKEN: secrets.adminToken,
    SHOP_SECRETS: JSON.stringify(secrets.shops),
  };
}

/** The set kept in `file`, made at the first call. Links signed yesterday must still be good today. */
export async function keptSecrets(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  const secrets = makeSecrets();
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  return secrets;
}
