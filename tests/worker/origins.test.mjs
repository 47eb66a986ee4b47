// A shop whose pages live on another origin than the Worker: what they may read, a refusal included; and who is taken for a
// program by its name.

import assert from 'node:assert/strict';
import { request } from 'node:http';
import { after, before, test } from 'node:test';

import { Browser, advance, demoShop, inbox, minutes, mug, reset, resumePath, startShop } from './support/shopper.mjs';

const shopOrigin = 'https://shop.example';
let rig;
before(async () => {
  rig = await startShop({ shop: { origins: [shopOrigin], automation: 'refuse' } });
  await reset(rig);
});
after(() => rig?.stop());

const from = (origin, init = {}) => ({ ...init, headers: { origin, ...init.headers } });
const readable = (answer, what) => {
  assert.equal(answer.headers.get('access-control-allow-origin'), shopOrigin, what);
  assert.equal(answer.headers.get('access-control-allow-credentials'), 'true', what);
  assert.match(answer.headers.get('vary') ?? '', /Origin/, what);
};

test('a page of another origin of the shop reads every answer, a refusal too', async () => {
  const shopper = new Browser(rig);
  const post = (target, body, headers) =>
    shopper.fetch(target, from(shopOrigin, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body), headers }));
  const added = await post('/v1/events', shopper.batch([shopper.event('add_to_cart', { currency: 'EUR', items: [mug] })]));
  assert.equal(added.status, 200);
  readable(added, 'events');
  readable(await post('/v1/identify', { pk: 'pk_demo', email: 'not an address' }), 'a refused address');
  const cart = await shopper.fetch('/v1/cart?pk=pk_demo', from(shopOrigin));
  readable(cart, 'cart');
  assert.match(cart.headers.get('access-control-expose-headers') ?? '', /etag/, 'the version can be read');
  const stale = await shopper.fetch('/v1/cart?pk=pk_demo', from(shopOrigin, { method: 'PUT', body: '{"items":[]}', headers: { 'if-match': '"999"' } }));
  assert.equal(stale.status, 412);
  readable(stale, 'a conflict');
});

test('a link restores on another origin of the shop, and strangers may not read it', async () => {
  const shopper = new Browser(rig);
  await shopper.add();
  await shopper.identify('elsewhere@example.com');
  await advance(rig, 3 * minutes);
  const [message] = await inbox(rig, 'elsewhere@example.com');
  const token = resumePath(message).slice(3);
  const restored = await rig.fetch(`/v1/restore/${token}`, from(shopOrigin));
  assert.equal(restored.status, 200);
  readable(restored, 'restore');
  assert.equal((await restored.json()).cart.id, shopper.cart);
  const stranger = await rig.fetch(`/v1/restore/${token}`, from('https://evil.example'));
  assert.equal(stranger.status, 403);
  assert.equal(stranger.headers.get('access-control-allow-origin'), null);
});

test('programs are told by a word of their name', async () => {
  const allowed = async (agent) => {
    const shopper = new Browser(rig);
    const body = JSON.stringify(shopper.batch([shopper.event('page_view')]));
    const answer = await shopper.fetch('/v1/events', { method: 'POST', body, headers: { 'user-agent': agent } });
    return (await answer.json()).panel.allowed;
  };
  assert.equal(await allowed('Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)'), false);
  assert.equal(await allowed('Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/142.0.0.0'), false);
  assert.equal(await allowed('Mozilla/5.0 (Linux; Android 13; CUBOT X70) AppleWebKit/537.36 Chrome/142.0.0.0 Mobile Safari/537.36'), true);
  assert.equal(await allowed('Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36'), true);
});

test('with a domain in common the cookies are for all of it, and only where the request came to it', async () => {
  const shopRig = await startShop({ shop: { hosts: ['cb.shop.example'], origins: ['https://www.shop.example'], cookie_domain: 'shop.example' } });
  try {
    await reset(shopRig);
    const { hostname, port } = new URL(shopRig.url);
    const body = JSON.stringify(new Browser(shopRig).batch([{ id: 'evt_' + 'd'.repeat(22), t: Date.now(), name: 'add_to_cart', data: { currency: 'EUR', items: [mug] } }]));
    const cookiesAt = (host) =>
      new Promise((done, failed) => {
        const asked = request({ hostname, port, method: 'POST', path: '/v1/events', headers: { host, origin: 'https://www.shop.example', 'content-type': 'text/plain' } }, (reply) => {
          reply.resume();
          done(reply.headers['set-cookie'] ?? []);
        });
        asked.on('error', failed);
        asked.end(body);
      });
    const shared = await cookiesAt('cb.shop.example');
    assert.equal(shared.length, 2);
    for (const cookie of shared) assert.match(cookie, /; HttpOnly; SameSite=Lax.*; Domain=shop\.example$/);
    for (const cookie of await cookiesAt('evilshop.example')) assert.doesNotMatch(cookie, /Domain/);
    const document = { ...(await demoShop(shopRig)), hosts: ['cb.shop.example'] };
    for (const cookie_domain of ['example', 'other.example', '.shop.example', '']) await assert.rejects(shopRig.provision({ ...document, cookie_domain }), /400/, cookie_domain);
  } finally {
    await shopRig.stop();
  }
});
