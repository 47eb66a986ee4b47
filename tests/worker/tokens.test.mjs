// Links that must not be believed: forged, expired, for something else, under another key, of
// another shop. Each gets a page that explains itself, offers the shop and tells nothing.

import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { after, before, test } from 'node:test';

import { Browser, advance, demoShop, inbox, minutes, reset, resumePath, startShop, story, unsubscribePath } from './support/shopper.mjs';

let rig;
let good;
let unsubscribe;
let shopper;
const email = 'token.owner@example.com';

before(async () => {
  rig = await startShop();
  await reset(rig);
  shopper = new Browser(rig);
  await shopper.add();
  await shopper.identify(email);
  await advance(rig, 3 * minutes);
  const [message] = await inbox(rig, email);
  good = resumePath(message).slice('/r/'.length);
  unsubscribe = unsubscribePath(message).slice('/u/'.length);
});
after(() => rig?.stop());

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString());

/** Explained, without leaking anything of cart or owner. */
async function refused(target, init, status) {
  const answer = await rig.fetch(target, init);
  const text = await answer.text();
  assert.equal(answer.status, status, `${target.slice(0, 40)}: ${answer.status}`);
  assert.match(answer.headers.get('content-type'), /text\/html/);
  assert.match(text, /Wendle/, 'the page still offers the shop');
  assert.doesNotMatch(text, /Harbour mug|token\.owner|snd_|cart_/, 'nothing leaks');
  assert.doesNotMatch(text, /panic|stack|error:/i);
}

function forgeries() {
  const [head, body, signature] = good.split('.');
  const header = decode(head);
  const claims = decode(body);
  const { privateKey } = generateKeyPairSync('ed25519');
  const resign = (h, c) => {
    const input = `${encode(h)}.${encode(c)}`;
    return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`;
  };
  return {
    'alg none': `${encode({ ...header, alg: 'none' })}.${body}.`,
    'alg none, old signature': `${encode({ ...header, alg: 'none' })}.${body}.${signature}`,
    'wrong key': resign(header, claims),
    'other claims under the old signature': `${head}.${encode({ ...claims, sub: 'cart_other' })}.${signature}`,
    'longer life': `${head}.${encode({ ...claims, exp: claims.exp + 1 })}.${signature}`,
    'other shop in kid': resign({ ...header, kid: 'shop_other.1' }, claims),
    'an epoch that does not exist': resign({ ...header, kid: 'shop_demo.999' }, claims),
    'critical header': resign({ ...header, crit: ['exp'] }, claims),
    truncated: good.slice(0, -10),
    padded: `${good}==`,
    'nothing in three parts': 'a..',
    words: 'not-a-token',
    long: 'a'.repeat(3000),
    'a flipped bit': good.slice(0, -1) + (good.endsWith('A') ? 'Q' : 'A'),
  };
}

test('forged links are refused on every route that takes them', async () => {
  for (const [name, token] of Object.entries(forgeries())) {
    await refused(`/r/${token}`, {}, 400).catch((e) => assert.fail(`${name}: ${e.message}`));
    await refused(`/r/${token}`, { method: 'POST' }, 400).catch((e) => assert.fail(`${name}, POST: ${e.message}`));
    await refused(`/u/${token}`, {}, 400).catch((e) => assert.fail(`${name}, /u: ${e.message}`));
    const api = await rig.fetch(`/v1/restore/${token}`);
    assert.equal(api.status, 400, name);
    assert.equal(api.headers.get('content-type'), 'application/problem+json');
  }
});

test('a link is good for its own purpose only', async () => {
  await refused(`/r/${unsubscribe}`, {}, 400);
  await refused(`/u/${good}`, {}, 400);
  await refused(`/u/${good}`, { method: 'POST', body: 'do=unsubscribe_all' }, 400);
  assert.equal((await rig.fetch(`/r/${good}`)).status, 200);
  assert.equal((await rig.fetch(`/u/${unsubscribe}`)).status, 200);
});

test('the public keys of the host verify its links with any JOSE library', async () => {
  const { keys } = await (await rig.fetch('/.well-known/jwks.json')).json();
  const [head, body, signature] = good.split('.');
  const jwk = keys.find((k) => k.kid === decode(head).kid);
  assert.equal(jwk.kty, 'OKP');
  const key = await crypto.subtle.importKey('jwk', { kty: jwk.kty, crv: jwk.crv, x: jwk.x }, 'Ed25519', false, ['verify']);
  assert.ok(await crypto.subtle.verify('Ed25519', key, Buffer.from(signature, 'base64url'), Buffer.from(`${head}.${body}`)));
  assert.deepEqual(Object.keys(decode(body)).sort(), ['aud', 'exp', 'iat', 'iss', 'jti', 'sub']);
});

test('a link of another shop is refused on this host, and the other way round', async () => {
  const document = await demoShop(rig);
  const port = new URL(rig.url).port;
  await rig.admin('/v1/admin/shops/shop_other', {
    method: 'PUT',
    body: { ...document, shop: 'shop_other', pk: 'pk_other', name: 'Wendle Other', hosts: [`127.0.0.1:${port}`] },
  });
  const there = await fetch(`http://127.0.0.1:${port}/r/${good}`);
  assert.equal(there.status, 400);
  assert.doesNotMatch(await there.text(), /Harbour mug/);
  assert.equal((await fetch(`http://127.0.0.1:${port}/v1/restore/${good}`)).status, 400);
  const answer = await rig.admin(`/v1/admin/shops/shop_other/carts/${shopper.cart}`);
  assert.equal(answer.status, 404, 'and its cart is not the other shop\'s');
  for (const taken of [{ pk: 'pk_demo' }, { hosts: [`localhost:${port}`] }]) {
    const grab = await rig.admin('/v1/admin/shops/shop_thief', { method: 'PUT', body: { ...document, shop: 'shop_thief', pk: 'pk_thief', hosts: ['thief.example'], ...taken } });
    assert.equal(grab.status, 400, JSON.stringify(taken));
  }
});

test('an old link explains that it is old', async () => {
  const before = await story(rig, shopper.cart);
  await advance(rig, 15 * 24 * 3600);
  await refused(`/r/${good}`, {}, 410);
  await refused(`/r/${good}`, { method: 'POST' }, 410);
  assert.equal((await rig.fetch(`/v1/restore/${good}`)).status, 410);
  assert.equal((await rig.fetch(`/u/${unsubscribe}`)).status, 200, 'unsubscribing lives longer');
  assert.equal((await story(rig, shopper.cart)).state.clicked, before.state.clicked);
});

test('a revoked link and a revoked key are dead at once; new links are born under a new key', async () => {
  await reset(rig);
  const one = new Browser(rig);
  await one.add();
  await one.identify('revoked@example.com');
  await advance(rig, 3 * minutes);
  const [message] = await inbox(rig, 'revoked@example.com');
  const path = resumePath(message);
  assert.equal((await rig.fetch(path)).status, 200);
  await rig.admin('/v1/admin/shops/shop_demo/revocations', { method: 'POST', body: { jti: message.send_id } });
  await refused(path, {}, 410);
  const answer = await rig.admin('/v1/admin/shops/shop_demo/revocations', { method: 'POST', body: { kid: 'shop_demo.1' } });
  assert.equal((await answer.json()).epoch, 2);
  await refused(path, {}, 410);
  assert.equal((await rig.fetch(unsubscribePath(message))).status, 200, 'nobody loses the right to unsubscribe');
  const two = new Browser(rig);
  await two.add();
  await two.identify('reborn@example.com');
  await advance(rig, 3 * minutes);
  const [next] = await inbox(rig, 'reborn@example.com');
  assert.equal(decode(resumePath(next).slice(3).split('.')[0]).kid, 'shop_demo.2');
  assert.equal((await rig.fetch(resumePath(next))).status, 200);
});
