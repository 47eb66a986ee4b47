// Makes tokens.json again from nothing but the format and node's own crypto: no line of
// comeback-link is involved. `node recompute.mjs` prints; `node recompute.mjs --check` compares with
// the frozen file and exits 1 on a difference. It never writes.
import { createHmac, createPrivateKey, createPublicKey, hkdfSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';

const master = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
const derive = (info) => Buffer.from(hkdfSync('sha256', master, '', info, 32));
const b64 = (bytes) => Buffer.from(bytes).toString('base64url');

function shopKey(shop, epoch) {
  const seed = derive(`comeback/link/v1/signing-key/${shop}/${epoch}`);
  // RFC 8410 PKCS#8: a fixed prefix before the 32-byte seed.
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return { key, x: createPublicKey(key).export({ format: 'jwk' }).x };
}

function token(name, shop, epoch, typ, claims) {
  const header = { alg: 'EdDSA', typ, kid: `${shop}.${epoch}` };
  const input = `${b64(JSON.stringify(header))}.${b64(JSON.stringify(claims))}`;
  const { key, x } = shopKey(shop, epoch);
  return { name, shop, epoch, x, header, claims, token: `${input}.${b64(sign(null, Buffer.from(input), key))}` };
}

const week = { iat: 1700000000, exp: 1700604800 };
const tokens = [
  token('resume', 'shop_demo', 1, 'comeback-resume+jwt',
    { iss: 'https://shop.example', aud: 'resume', sub: 'cart_7N4c0QpVbX2mLr9TzKdS1a', jti: 'snd_Q1w2E3r4T5y6U7i8O9p0Aa', ...week }),
  token('resume with offer', 'shop_demo', 1, 'comeback-resume+jwt',
    { iss: 'https://shop.example', aud: 'resume', sub: 'cart_7N4c0QpVbX2mLr9TzKdS1a', jti: 'snd_Q1w2E3r4T5y6U7i8O9p0Aa', ...week, ofr: 'ten' }),
  token('resume, another shop, last epoch, port, longest times', 'shop_b-2', 4294967295, 'comeback-resume+jwt',
    { iss: 'http://localhost:8787', aud: 'resume', sub: 'cart_a', jti: 'snd_b', iat: 0, exp: 253402300799 }),
  token('unsubscribe', 'shop_demo', 2, 'comeback-unsubscribe+jwt',
    { iss: 'https://shop.example', aud: 'unsubscribe', sub: 'per_M3n4B5v6C7x8Z9l0K1j2Hh', jti: 'snd_Q1w2E3r4T5y6U7i8O9p0Aa', ...week, ch: 'email' }),
];

const secrets = [
  ['identifier-pepper', 'shop_demo'], ['short-code', 'shop_demo'],
  ['identity-signature', 'shop_demo'], ['identifier-pepper', 'shop_b-2'],
].map(([label, shop]) => ({ label, shop, hex: derive(`comeback/link/v1/secret/${label}/${shop}`).toString('hex') }));

const pepper = Buffer.from(secrets[0].hex, 'hex');
const identifiers = [['email', 'ada@example.com'], ['phone', '+4930123456'], ['email', 'jürgen@example.com']]
  .map(([kind, normalised]) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(kind));
    const mac = createHmac('sha256', pepper).update(length).update(kind).update(normalised);
    return { kind, normalised, hash: mac.digest('hex').slice(0, 32) };
  });

const body = '{"pk":"pk_demo"}';
const hmacs = [{
  label: 'identity-signature', shop: 'shop_demo', message: body,
  hex: createHmac('sha256', Buffer.from(secrets[2].hex, 'hex')).update(body).digest('hex'),
}];

const jwks = [1, 2].map((epoch) => ({
  kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', kid: `shop_demo.${epoch}`, x: shopKey('shop_demo', epoch).x,
}));

const text = `${JSON.stringify({ master_key: b64(master), tokens, secrets, identifiers, hmacs, jwks: { shop: 'shop_demo', epochs: [1, 2], set: JSON.stringify({ keys: jwks }) } }, null, 2)}\n`;
if (process.argv[2] === '--check') {
  const same = readFileSync(new URL('tokens.json', import.meta.url), 'utf8') === text;
  console.log(same ? 'tokens.json agrees' : 'tokens.json differs');
  process.exit(same ? 0 : 1);
}
process.stdout.write(text);
