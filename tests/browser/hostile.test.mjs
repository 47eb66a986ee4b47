// A page that is not as it should be: entries of any kind, a strict policy, two clicks at once, two panels at once. Nothing
// is thrown into it, and what was right goes on.
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BOWL, MUG, add, fired, leave, panel, pause, push, ready, story, until } from './support/storefront.mjs';

const dist = process.env.COMEBACK_DIST || join(dirname(fileURLToPath(import.meta.url)), '../../dist');
const ENTRIES = `[{ event: Symbol() }, { event: Object.create(null) }, { get event() { throw new Error('theirs') } }, { get 0() { throw new Error('theirs') } },
  null, undefined, 7, 'x', Symbol(), [], Object.freeze({ event: 'add_to_cart', ecommerce: Object.freeze({ items: 'no list' }) }),
  { event: 'add_to_cart', ecommerce: { currency: ['EUR'], items: [{ item_id: 'vase', price: 9, quantity: 1 }] } },
  { event: 'add_to_cart', ecommerce: { currency: 'EUR', items: [{ item_id: {}, item_name: Symbol(), price: {}, quantity: 1n }] } },
  { event: 'view_cart', ecommerce: { currency: 'EUR', items: [null, 7, { item_id: 'cup', price: 'x', quantity: {} }] } }]`;

story('entries of any kind: nothing is thrown, what is right is captured, the next page too', {
  head: `<script>dataLayer = ${ENTRIES}; comeback = ${ENTRIES}.concat([['track', 'add_to_cart', ${JSON.stringify(add(MUG))}]])</script>`,
}, async ({ at, page, visit }) => {
  await visit();
  await page.evaluate((entries) => {
    for (const entry of eval(entries)) dataLayer.push(entry), comeback.push(entry);
    dataLayer.push({ event: 'view_item', ecommerce: { currency: 'EUR', items: [{ item_id: 'mug' }] } });
  }, ENTRIES);
  await until(() => at.events('view_item').length && at.events('add_to_cart').some((e) => e.data.items[0].item_id === 'mug'), 'what is right');
  await visit('/next');
  await push(page, 'track', 'add_to_cart', add(BOWL));
  await until(() => at.events('add_to_cart').some((e) => e.data.items[0].item_id === 'bowl'), 'the next page');
  assert.equal(await page.evaluate(() => typeof JSON.parse(localStorage['comeback.v1']).currency), 'string');
});

for (const [what, layer] of [['no list', '{ push() {} }'], ['frozen', 'Object.freeze([])']]) {
  story(`a dataLayer that is ${what}: the tag goes on`, { head: `<script>dataLayer = ${layer}</script>` }, async ({ at, page, visit }) => {
    await visit();
    await push(page, 'track', 'add_to_cart', add(MUG));
    await until(() => at.events('add_to_cart').length, 'the add');
  });
}

story('fields of another kind are told in their own, or not at all', {}, async ({ at, page, visit }) => {
  await visit();
  await push(page, 'track', 'checkout_error', { step: 2, code: 402, method: true });
  await push(page, 'track', 'try_coupon', { coupon: 7, accepted: 'yes' });
  await push(page, 'track', 'view_item', { ...add(MUG), dwell_ms: '12' });
  await push(page, 'track', 'purchase', add(MUG));
  await until(() => at.events('purchase').length, 'the order');
  assert.deepEqual(at.events('checkout_error')[0].data, { step: '2', code: '402' });
  assert.deepEqual(at.events('try_coupon')[0].data, { coupon: '7' });
  assert.equal(at.events('view_item')[0].data.dwell_ms, 12);
  assert.match(at.events('purchase')[0].data.transaction_id, /^order_/, 'an order without a number is an order');
});

story('one event that the edge does not understand takes no other with it', {}, async ({ at, page, visit }) => {
  at.rules.serve = (entry, url, reply) =>
    url.pathname === '/v1/events' && JSON.parse(entry.body).events.some((e) => e.name === 'try_coupon') && (reply(400, 'application/problem+json', '{"title":"no"}') || true);
  await visit();
  await ready(at);
  await page.evaluate((mug) => {
    comeback.push(['track', 'add_to_cart', mug], ['track', 'try_coupon', { coupon: 'X', accepted: false }], ['track', 'begin_checkout', mug]);
  }, add(MUG));
  const alone = (name) => at.posts().some((p) => p.events.length === 1 && p.events[0].name === name);
  await until(() => alone('add_to_cart') && alone('try_coupon') && alone('begin_checkout'), 'one by one');
  await until(async () => (await fired(page, 'error')).length, 'the refusal');
  assert.deepEqual((await fired(page, 'error')).map(({ kind, status }) => [kind, status]), [['refused', 400]], 'told once, of the one');
  await push(page, 'track', 'view_item', add(MUG));
  await until(() => at.events('view_item').length, 'and on');
});

story('a pinned version with its integrity, under a policy of nonces', {}, async ({ at, page, visit }) => {
  const [version] = await readdir(join(dist, 'sdk'));
  const { integrity } = JSON.parse(await readFile(join(dist, 'sdk', version, 'manifest.json'), 'utf8')).files['comeback.js'];
  const html = (integrity) => `<!doctype html><title>x</title><script nonce="n0" async integrity="${integrity}" src="/sdk/${version}/comeback.js" data-shop="pk_demo"></script><main><h1>x</h1></main>`;
  let told = integrity;
  at.rules.serve = (entry, url, reply) =>
    url.pathname === '/pinned' &&
    (reply(200, 'text/html', html(told), { 'content-security-policy': "default-src 'none'; script-src 'nonce-n0' 'strict-dynamic' 'wasm-unsafe-eval'; connect-src 'self'; style-src 'self'" }) || true);
  await visit('/pinned');
  await push(page, 'track', 'add_to_cart', add(MUG));
  await until(() => at.events('add_to_cart').length, 'it runs');
  await pause(200);
  await leave(page);
  await panel(page, 'exit').waitFor();
  const before = at.posts().length;
  told = 'sha384-' + 'A'.repeat(64);
  await visit('/pinned');
  await pause(600);
  assert.equal(at.posts().slice(before).filter((p) => p.events.some((e) => e.name === 'page_view')).length, 0, 'another file does not run');
});

story('two clicks send a checked form once', { config: { panels: { cart_check: { title: 'x' } } }, findings: [], body: '<form data-comeback-check action="/sent"><button id="pay">Pay</button></form>' }, async ({ at, page, visit }) => {
  await visit();
  await push(page, 'track', 'add_to_cart', add(MUG));
  await ready(at);
  await page.evaluate(() => {
    window.sent = 0;
    document.querySelector('form').addEventListener('submit', (event) => (event.preventDefault(), (window.sent += 1)));
    for (let n = 0; n < 3; n += 1) document.querySelector('#pay').click();
  });
  await until(() => page.evaluate(() => window.sent), 'it is sent');
  await pause(500);
  assert.equal(await page.evaluate(() => window.sent), 1);
});

story('a panel whose place is taken has had no moment', {}, async ({ at, page, visit }) => {
  await visit();
  await push(page, 'track', 'add_to_cart', add(MUG));
  await ready(at);
  await push(page, 'track', 'checkout_error', { step: 'payment', code: 'card_declined', method: 'card' });
  await panel(page, 'declined').waitFor();
  await leave(page);
  await until(async () => (await fired(page, 'panel')).some((p) => p.panel === 'exit' && p.why === 'busy'), 'held, and told so');
  await page.keyboard.press('Escape');
  await panel(page, 'declined').waitFor({ state: 'detached' });
  await leave(page);
  await panel(page, 'exit').waitFor();
});
