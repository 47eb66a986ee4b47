// What consent platforms say is kept to, and what must not happen before or against it: requests, cookies and writes that
// are looked for and must not be there. A list of them is printed by COMEBACK_REFUTED=1.
import assert from 'node:assert/strict';
import { after } from 'node:test';
import { MUG, add, distinct, leave, pause, push, story as storefront, until } from './support/storefront.mjs';

/** With a cookie of the shop's own there: an edge on its origin must not be sent that one either. */
const story = (name, rules, act) =>
  storefront(name, rules, async (the) => {
    await the.context.addCookies([{ name: 'shop', value: '1', url: the.at.origin, httpOnly: true }]);
    return act(the);
  });

const REQUIRED = { consent: { mode: 'required', wording: 'w1' } };
const IMPLIED = { consent: { mode: 'implied', wording: 'w1' } };
/** What a page may fetch before anything was agreed to: the SDK's files and the configuration, by GET. */
const OPEN = /^\/(|\w*|favicon\.ico|comeback\.js|sdk\/.*|v1\/config\/pk_demo|v1\/check\/pk_demo)$/;
const refuted = [];
after(() => process.env.COMEBACK_REFUTED && console.log(refuted.join('\n')));

/** Nothing was sent, nothing but what is open to all was asked for, without cookies; nothing was written. */
async function untouched({ at, page, context }, when) {
  await pause(900);
  assert.deepEqual(at.requests.filter((r) => r.method !== 'GET' || !OPEN.test(r.path)).map((r) => r.method + ' ' + r.path), [], when);
  assert.deepEqual(at.requests.filter((r) => r.cookies && r.path.startsWith('/v1/')).map((r) => r.path), [], when);
  assert.deepEqual(await page.evaluate(() => window.writes), [], when);
  assert.deepEqual(await page.evaluate(() => [Object.keys(localStorage), Object.keys(sessionStorage), document.cookie]), [[], [], ''], when);
  assert.deepEqual(await page.evaluate(async () => (await indexedDB.databases()).length + (await caches.keys()).length), 0, when);
  assert.deepEqual((await context.cookies()).map((cookie) => cookie.name), ['shop'], when);
  refuted.push(`${when}: no POST, no request but the SDK's files and the configuration, no cookie sent or set, no localStorage, sessionStorage, IndexedDB or cache`);
}
const shopping = async (page) => {
  await push(page, 'track', 'view_item', add(MUG));
  await push(page, 'track', 'add_to_cart', add(MUG));
  await push(page, 'identify', { email: 'ada@example.com', consent: { email: true } });
  await leave(page);
  await page.evaluate(() => dispatchEvent(new Event('pagehide')));
};
const gtag = (...said) => `<script>dataLayer = window.dataLayer || []; function gtag() { dataLayer.push(arguments) } ${said.map((entry) => `gtag(${entry})`).join(';')}</script>`;

story('Google Consent Mode: nothing before an update grants it, even where the shop would not ask', {
  config: IMPLIED,
  head: gtag("'consent', 'default', { analytics_storage: 'denied', ad_user_data: 'denied', ad_personalization: 'denied' }"),
}, async (the) => {
  const { at, page, visit } = the;
  await visit();
  await shopping(page);
  await untouched(the, 'Consent Mode, default denied, shop asks nobody');
  await page.evaluate(() => gtag('consent', 'update', { analytics_storage: 'granted', ad_user_data: 'denied', ad_personalization: 'granted' }));
  await until(() => at.events('add_to_cart').length, 'what was held');
  assert.deepEqual(at.posts()[0].consent, { storage: true, marketing: false, profiling: true, wording: 'w1' });
  await until(() => at.requests.some((r) => r.path === '/v1/identify'), 'the contact that was held');
  await page.evaluate(() => gtag('consent', 'update', { analytics_storage: 'denied' }));
  await until(() => at.posts().some((p) => p.consent.storage === false), 'the farewell');
  assert.deepEqual(await page.evaluate(() => [Object.keys(localStorage), Object.keys(sessionStorage)]), [[], []]);
});

for (const [how, csp] of [['', undefined], [', where wasm is forbidden', "script-src 'self' 'unsafe-inline'"]])
story('where silence is a yes a no is said once and holds on the pages that follow' + how, { config: IMPLIED, csp }, async ({ at, page, visit }) => {
  await visit('/one');
  await push(page, 'track', 'add_to_cart', add(MUG));
  await until(() => at.events('add_to_cart').length, 'the add');
  await push(page, 'consent', { storage: false });
  await until(() => at.posts().some((p) => p.consent.storage === false), 'the farewell');
  assert.deepEqual(await page.evaluate(() => [Object.keys(localStorage), Object.keys(JSON.parse(localStorage['comeback.v1'])), Object.keys(sessionStorage)]), [['comeback.v1'], ['consent'], []], 'but for the no nothing is kept');
  const count = at.requests.filter((r) => r.method === 'POST').length;
  await visit('/two');
  await shopping(page);
  await pause(900);
  assert.equal(at.requests.filter((r) => r.method === 'POST').length, count, 'nothing is sent');
  assert.deepEqual(await page.evaluate(() => Object.keys(JSON.parse(localStorage['comeback.v1']))), ['consent']);
  refuted.push('Implied, a no on the page before: no POST, nothing in storage but the no');
  await visit('/three');
  await push(page, 'consent', { storage: true });
  await push(page, 'track', 'add_to_cart', add(MUG));
  await until(() => at.posts().some((p) => p.page.url?.endsWith('/three') && p.events.some((event) => event.name === 'add_to_cart')), 'a later yes counts again');
});

story('Google Consent Mode: a default that grants opens nothing that the shop asks for', {
  config: REQUIRED,
  head: gtag("'consent', 'default', { analytics_storage: 'granted' }"),
}, async (the) => {
  await the.visit();
  await shopping(the.page);
  await untouched(the, 'Consent Mode, default granted, shop asks');
});

story('Google Consent Mode: a yes of an earlier page outlives the default of the next', {
  config: REQUIRED,
  head: gtag("'consent', 'default', { analytics_storage: 'denied', wait_for_update: 500 }"),
}, async ({ at, page, visit }) => {
  await visit();
  await page.evaluate(() => gtag('consent', 'update', { analytics_storage: 'granted' }));
  await push(page, 'track', 'add_to_cart', add(MUG));
  await until(() => at.events('add_to_cart').length, 'the cart');
  await visit('/next');
  await until(() => distinct(at.events('page_view')) === 2, 'the next page');
  assert.equal(at.posts().at(-1).cart, at.posts().find((p) => p.cart).cart);
});

const shopify = (may) => `<script>Shopify = { customerPrivacy: { analyticsProcessingAllowed: () => ${may}, marketingAllowed: () => false, preferencesProcessingAllowed: () => true } }</script>`;
story('Shopify: a no is kept to whatever the shop says, and a yes is heard when it comes', { config: IMPLIED, head: shopify(false) }, async (the) => {
  const { at, page, visit } = the;
  await visit();
  await shopping(page);
  await untouched(the, "Shopify's customer privacy, analytics not allowed");
  await page.evaluate(() => {
    Shopify.customerPrivacy.analyticsProcessingAllowed = () => true;
    document.dispatchEvent(new CustomEvent('visitorConsentCollected', { detail: { analyticsAllowed: true } }));
  });
  await until(() => at.posts().length, 'what was held');
  assert.deepEqual(at.posts()[0].consent, { storage: true, marketing: false, profiling: true, wording: 'w1' });
});

story('Shopify: what is allowed already is a yes', { config: REQUIRED, head: shopify(true) }, async ({ at, page, visit }) => {
  await visit();
  await push(page, 'track', 'add_to_cart', add(MUG));
  await until(() => at.events('add_to_cart').length, 'the cart');
});

story('the API: nothing before a yes; a no on another wording asks again', { config: REQUIRED }, async (the) => {
  const { at, page, visit } = the;
  await visit();
  await shopping(page);
  await untouched(the, 'mode required, nothing said');
  await push(page, 'consent', { marketing: true, profiling: true });
  await untouched(the, 'mode required, a yes to other purposes');
  await push(page, 'consent', { storage: true });
  await until(() => at.events('add_to_cart').length, 'what was held');
  await until(async () => (await page.evaluate(() => JSON.parse(localStorage['comeback.v1']).consent?.wording)) === 'w1', 'the version of the wording is kept');
  at.rules.config.consent.wording = 'w2';
  await visit('/next');
  await push(page, 'track', 'view_item', add(MUG));
  await pause(900);
  // What the page before was still sending went by the yes that it had.
  const sent = at.posts().filter((p) => !p.page.url?.endsWith('/'));
  assert.deepEqual(sent, [], 'the yes was to other words');
  refuted.push('the wording changed: no POST on the strength of a yes to other words');
});

story('Global Privacy Control: marketing and profiling are off on the wire, and no person enters the score', { config: IMPLIED }, async ({ at, page, context, visit }) => {
  await context.addInitScript(() => Object.defineProperty(navigator, 'globalPrivacyControl', { value: true }));
  await visit();
  await push(page, 'consent', { storage: true, marketing: true, profiling: true });
  await push(page, 'track', 'add_to_cart', add(MUG));
  await until(() => at.events('add_to_cart').length, 'the cart');
  await visit('/again');
  await push(page, 'track', 'view_item', add(MUG));
  await until(() => at.events('view_item').length, 'a return');
  for (const post of at.posts()) assert.deepEqual([post.consent.marketing, post.consent.profiling], [false, false]);
  const reasons = await page.evaluate(() => window.fired.filter(([kind]) => kind === 'score').flatMap(([, score]) => score.reasons.map(({ feature }) => feature)));
  assert.ok(!reasons.includes('returning'), reasons.join());
  refuted.push('GPC: no marketing, no profiling on the wire, no feature of a person in the score, whatever was chosen');
});

story('an address that is typed anywhere leaves no trace before it is submitted', {
  config: IMPLIED,
  body: '<form><input id="mail" type="email" name="email"><input id="tel" type="tel"><button id="b" type="button">Buy</button></form>',
}, async ({ at, page, visit }) => {
  await visit();
  await push(page, 'track', 'add_to_cart', add(MUG));
  await page.locator('#mail').pressSequentially('ada@example.com');
  await page.locator('#tel').pressSequentially('+353861234567');
  await page.evaluate(() => document.querySelector('#mail').dispatchEvent(new Event('change', { bubbles: true })));
  await page.locator('#b').click();
  await until(() => at.events('add_to_cart').length, 'the cart');
  await page.evaluate(() => dispatchEvent(new Event('pagehide')));
  await pause(500);
  const told = JSON.stringify(at.requests.map((r) => [r.path, r.body, r.headers]));
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  for (const typed of ['ada@', 'ada%40', '353861234567']) assert.ok(!told.includes(typed) && !kept.includes(typed), typed);
  assert.ok(!at.requests.some((r) => r.path === '/v1/identify'));
  refuted.push('typed, changed, left: no address or number in any request, header or storage');
});
