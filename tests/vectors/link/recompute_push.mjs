// Makes push_keys.json again from nothing but the format and node's own crypto: no line of
// comeback-link is involved. `node recompute_push.mjs` prints; `--check` compares with the frozen file and exits
// 1 on a difference. It never writes.
import { createECDH, hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';

const master = Buffer.from(Array.from({ length: 32 }, (_, i) => i));

function pushKey(shop) {
  // Every first candidate here is a scalar of the curve; node refuses one that is not.
  const scalar = Buffer.from(hkdfSync('sha256', master, '', `comeback/link/v1/push-key/${shop}/0`, 32));
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(scalar);
  return { shop, public_key: curve.getPublicKey('base64url', 'uncompressed') };
}

const keys = ['shop_demo', 'shop_b-2', 'shop_1'].map(pushKey);
const text = `${JSON.stringify({ master_key: master.toString('base64url'), keys }, null, 2)}\n`;
if (process.argv[2] === '--check') {
  const same = readFileSync(new URL('push_keys.json', import.meta.url), 'utf8') === text;
  console.log(same ? 'push_keys.json agrees' : 'push_keys.json differs');
  process.exit(same ? 0 : 1);
}
process.stdout.write(text);
