// The opt-in to push: never on load, never of the browser's own accord, and what a push becomes in the service worker.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EN } from './support/panel_copy.mjs';
import { KEY, askable } from './support/panel_scenes.mjs';
import { CONFIG, MUG, add, distinct, fired, launched, pause, push, ready, shop, story, until } from './support/storefront.mjs';

const strip = (page) => page.locator('comeback-panel[data-panel=push] [role=region]');
const rules = (over = {}) => ({ config: { panels: { push: { ...EN.push, rules: { dwell_ms: 0, min_pages: 2, ...over } } }, push: { key: KEY } } });
const asked = (page) => page.evaluate(() => window.asked);

async function engaged({ at, page, context, visit }) {
  await context.addInitScript(askable);
  await visit();
  await ready(at);
  await push(page, 'track', 'add_to_cart', add(MUG));
  await pause(600);
  assert.deepEqual([await strip(page).count(), await asked(page)], [0, []], 'not on a first page, whatever is put in');
  await visit('/second');
  await until(() => distinct(at.events('page_view')) === 2, 'the second page');
  await pause(500);
  assert.deepEqual([await strip(page).count(), await asked(page)], [0, []], 'never on load');
  await push(page, 'track', 'add_to_cart', add(MUG));
  await strip(page).waitFor();
  assert.deepEqual(await asked(page), [], 'the browser asks nothing yet');
}

story('asked after engagement: first by us, on a yes by the browser, then told to the edge', rules(), async (the) => {
  const { at, page } = the;
  at.rules.serve = (entry, url, reply) => url.pathname === '/v1/push/subscriptions' && (reply(200, 'application/json', '{"subscription":"kept"}') || true);
  await engaged(the);
  await strip(page).getByRole('button', { name: EN.push.cta }).click();
  const sent = JSON.parse((await until(() => at.requests.find((r) => r.path === '/v1/push/subscriptions'), 'the subscription')).body);
  assert.deepEqual(await asked(page), ['permission', '/comeback-push.js', 65, true]);
  assert.deepEqual(sent.subscription, { endpoint: 'https://push.example/1', expirationTime: null, keys: { p256dh: 'BA', auth: 'AA' } });
  assert.deepEqual(sent.consent, { push: true, wording: '2026-01' });
  assert.match(sent.cart, /^cart_/);
  await strip(page).getByText(EN.push.sent).waitFor();
});

story('a no to us asks the browser nothing, and nobody again', rules(), async (the) => {
  const { at, page, visit } = the;
  await engaged(the);
  await strip(page).getByRole('button', { name: EN.push.dismiss }).click();
  await visit('/third');
  await push(page, 'track', 'add_to_cart', add(MUG));
  await until(() => distinct(at.events('add_to_cart')) === 3, 'a third time');
  await pause(400);
  assert.deepEqual([await strip(page).count(), await asked(page)], [0, []]);
});

story('a no to the browser is no error and no subscription', rules(), async (the) => {
  const { at, page } = the;
  await engaged(the);
  await page.evaluate(() => (window.permits = 'denied'));
  await strip(page).getByRole('button', { name: EN.push.cta }).click();
  await strip(page).waitFor({ state: 'detached' });
  assert.deepEqual(await asked(page), ['permission']);
  assert.ok(!at.requests.some((r) => r.path === '/v1/push/subscriptions'));
  assert.deepEqual(await fired(page, 'error'), []);
});

for (const [why, script] of [
  ['was asked before', () => (Notification.permission = 'denied')],
  ['knows no push', () => delete window.PushManager],
]) {
  story('a browser that ' + why + ' is not asked', rules({ min_pages: 0 }), async ({ at, page, context, visit }) => {
    await context.addInitScript(askable);
    await context.addInitScript(script);
    await visit();
    await ready(at);
    await push(page, 'track', 'add_to_cart', add(MUG));
    await until(async () => (await fired(page, 'panel')).some((p) => p.panel === 'push' && p.why === 'not_askable'), 'why not');
    assert.equal(await strip(page).count(), 0);
  });
}

for (const [how, worker, answer] of [
  ['that is there already and is named', '/shop-sw.js', ['permission', 65, true]],
  ['that nobody named', undefined, []],
]) {
  story("a shop's own worker " + how, { config: { panels: { push: { ...rules().config.panels.push, worker } }, push: { key: KEY } } }, async (the) => {
    const { at, page, context } = the;
    at.rules.serve = (entry, url, reply) => url.pathname === '/v1/push/subscriptions' && (reply(200, 'application/json', '{"subscription":"kept"}') || true);
    await context.addInitScript(() => (window.there = { active: { scriptURL: location.origin + '/shop-sw.js?v=3' }, pushManager: { getSubscription: async () => null } }));
    await engaged(the);
    await strip(page).getByRole('button', { name: EN.push.cta }).click();
    if (worker) await until(() => at.requests.find((r) => r.path === '/v1/push/subscriptions'), 'the subscription');
    else await until(async () => (await fired(page, 'error')).some(({ message }) => /name it in panels\.push\.worker/.test(message)), 'what is wrong');
    assert.deepEqual(await asked(page), answer);
  });
}

/** A worker of the shop's that takes ours in, as the README has it, and has pushes of its own. */
const SHOPS = `importScripts('/comeback-push.js');
  addEventListener('push', (event) => {
    const text = event.data?.text();
    if (text?.startsWith('shop:')) event.waitUntil(registration.showNotification(text, { tag: 'shop' }));
  });`;

for (const script of ['/comeback-push.js', '/shop-sw.js'])
test('the service worker ' + script + ' shows what is pushed, leads only into the shop, and shows nothing of what it cannot read', async () => {
  const at = await shop({ config: CONFIG, serve: (entry, url, reply) => url.pathname === '/shop-sw.js' && (reply(200, 'text/javascript', SHOPS) || true) });
  const context = await (await launched()).newContext();
  try {
    await context.grantPermissions(['notifications'], { origin: at.origin });
    const page = await context.newPage();
    const cdp = await context.newCDPSession(page);
    const registered = new Promise((done) => cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => registrations[0] && done(registrations[0].registrationId)));
    await cdp.send('ServiceWorker.enable');
    await page.goto(at.origin);
    await page.evaluate((script) => navigator.serviceWorker.register(script).then(() => navigator.serviceWorker.ready).then(() => 1), script);
    const registrationId = await registered;
    const deliver = (data) => cdp.send('ServiceWorker.deliverPushMessage', { origin: at.origin + '/', registrationId, data });
    const shown = () => page.evaluate(async () => (await (await navigator.serviceWorker.ready).getNotifications()).map(({ title, body, tag, data }) => ({ title, body, tag, data })));
    await deliver(JSON.stringify({ comeback: 1, title: 'Your cart', body: 'It is still here.', url: '/r/abc', tag: 'cart_1', actions: [{ action: 'shop', title: 'Shop', url: 'https://evil.example/' }] }));
    await until(async () => (await shown()).length === 1, 'the note');
    assert.deepEqual(await shown(), [{ title: 'Your cart', body: 'It is still here.', tag: 'cart_1', data: { comeback: 1, url: at.origin + '/r/abc', actions: { shop: at.origin + '/' } } }]);
    await deliver(JSON.stringify({ comeback: 1, title: 'Your cart', body: 'Later.', url: 'javascript:alert(1)', tag: 'cart_1' }));
    await until(async () => (await shown())[0]?.body === 'Later.', 'the later one in its place');
    assert.equal((await shown())[0].data.url, at.origin + '/');
    for (const data of ['no json', '{}', '{"comeback":1,"title":7}', '{"title":"of another worker"}', '']) await deliver(data);
    await pause(300);
    assert.ok(!(await shown()).some(({ title, data }) => /another worker/.test(title) && data));
    assert.equal((await shown()).filter(({ tag }) => tag === 'cart_1').length, 1);
    await deliver('shop: new glazes');
    await pause(300);
    assert.equal((await shown()).filter(({ tag }) => tag === 'shop').length, script === '/shop-sw.js' ? 1 : 0, "the shop's own pushes are the shop's");
  } finally {
    await context.close();
    await at.close();
  }
});
