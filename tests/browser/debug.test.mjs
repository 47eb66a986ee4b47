// The debug overlay: that it tells what happened, and that it changes nothing of it.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { MUG, add, fired, leave, panel, pause, push, ready, story, until } from './support/storefront.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const list = (page, name) => page.locator(`comeback-debug [data-list=${name}]`);
const says = (page, name, pattern) => until(async () => pattern.test(await list(page, name).innerText()), `${pattern} in ${name}`);

const PAGE = {
  // Rules that a careless overlay would fall under, or break.
  head: '<style>* { color: rgb(1, 2, 3) !important; font-size: 40px !important; position: static !important } body > *:last-child { margin-bottom: 50px }</style>',
  body: '<button id="b" autofocus>Buy</button><p>Text</p>',
};
const layout = (page) => page.evaluate(() => [document.documentElement.scrollHeight, document.documentElement.scrollWidth, ...[...document.body.querySelectorAll('*')].map((e) => Object.values(e.getBoundingClientRect().toJSON()).join())]);

story('without the word in the address there is no overlay and nothing of it is fetched', PAGE, async ({ at, page, visit }) => {
  await visit('/?comeback_debugger=1');
  await ready(at);
  assert.equal(await page.locator('comeback-debug').count(), 0);
  assert.ok(!at.requests.some((r) => r.path.endsWith('/debug.js')));
  assert.ok(at.requests.some((r) => r.path.endsWith('/sdk.js')));
});

story('the overlay tells events with their source, consent, score with reasons, why no panel, what was sent and answered', PAGE, async ({ at, page, visit }) => {
  await page.goto(at.origin + '/plain');
  await page.mouse.move(500, 600);
  await ready(at);
  const without = await layout(page);
  const count = at.posts().length;
  await visit('/?comeback_debug');
  await until(() => at.posts().length > count, 'the page view');
  assert.deepEqual(await layout(page), without, 'the page is as it was');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'b', 'the focus stays');
  assert.equal(await page.evaluate(() => document.body.contains(document.querySelector('comeback-debug'))), false);

  await says(page, 'panels', /edge\s+allowed/);
  // A busy machine moves the mouse too slowly for a leave.
  const leaves = (done) => until(async () => (await leave(page), await pause(100), done()), 'a leave', 30_000);
  await leaves(async () => /exit held: empty_cart, nothing in the cart/.test(await list(page, 'why').innerText()));
  await push(page, 'track', 'add_to_cart', add(MUG));
  await page.evaluate((mug) => dataLayer.push({ event: 'view_item', ecommerce: { currency: 'EUR', items: [mug] } }), MUG);
  await push(page, 'consent', { marketing: true });
  await says(page, 'events', /view_item from dataLayer .*mug[^]*add_to_cart from API/);
  await says(page, 'consent', /asked for\s+implied, wording 2026-01/);
  await says(page, 'consent', /chosen\s+\{"marketing":true\}/);
  await says(page, 'consent', /automated\s+true/);
  await says(page, 'score', /model\s+baseline-1\s+likely to buy\s+0\.\d{3}/);
  await says(page, 'score', /[+-]?\d\.\d{3}$/m);
  await says(page, 'sent', /events \d+ bytes, cart cart_\w{22}: .*add_to_cart[^\n]* → 200: cart_\w{22} v1, panel allowed/);
  await says(page, 'panels', /configured\s+exit, declined/);
  await says(page, 'panels', /max_buy/);
  const [score] = (await fired(page, 'score')).slice(-1);
  assert.ok((await list(page, 'score').innerText()).includes(score.buy.toFixed(3)));

  await leaves(() => panel(page, 'exit').isVisible());
  await says(page, 'why', /exit shown/);
  // Above a panel's shade it would be in the way, below it is still to be read beside it.
  assert.deepEqual(await page.evaluate(() => [document.querySelector('comeback-debug').inert, getComputedStyle(document.querySelector('comeback-debug')).position]), [false, 'fixed']);
  await page.keyboard.press('Escape');

  const look = await page.locator('comeback-debug section').evaluate((e) => [getComputedStyle(e).color, getComputedStyle(e).fontSize, getComputedStyle(e).width]);
  assert.deepEqual(look, ['rgb(232, 232, 238)', '12px', '416px'], "the page's rules stay outside");

  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run('comeback-debug', { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }));
  assert.deepEqual(violations.map((v) => [v.id, v.nodes.map((n) => n.html)]), []);
  if (process.env.SHOTS) await page.screenshot({ path: process.env.SHOTS + '/debug.png' });
  await page.locator('comeback-debug').getByRole('button', { name: 'Fold' }).click();
  assert.equal(await list(page, 'sent').isVisible(), false);
  await page.locator('comeback-debug').getByRole('button', { name: 'Close' }).click();
  assert.equal(await page.locator('comeback-debug').count(), 0);
  // The session goes on without it.
  await push(page, 'track', 'remove_from_cart', add(MUG));
  await until(() => at.events('remove_from_cart').length, 'the next event');
});

story('with the overlay nothing is stored or sent before a yes either; an address typed is not on the screen', { config: { consent: { mode: 'required', wording: 'w1' } } }, async ({ at, page, visit }) => {
  await visit('/?comeback_debug=1');
  await push(page, 'track', 'add_to_cart', add(MUG));
  await push(page, 'identify', { email: 'ada@example.com', consent: { email: true } });
  await says(page, 'events', /add_to_cart from API/);
  await says(page, 'consent', /in force, as sent\s+nothing sent/);
  await pause(600);
  assert.deepEqual(at.requests.filter((r) => r.method === 'POST'), []);
  assert.deepEqual(await page.evaluate(() => window.writes), []);
  await push(page, 'consent', { storage: true });
  await says(page, 'sent', /identify → 200/);
  await says(page, 'consent', /in force, as sent\s+\{"storage":true/);
  assert.ok(!(await page.locator('comeback-debug').innerText()).includes('ada@'));
});

story('refusals, beacons and a page that forbids wasm are told', { csp: "script-src 'self' 'unsafe-inline'; style-src 'self'", status: 400 }, async ({ at, page, visit }) => {
  await visit('/?comeback_debug');
  await says(page, 'events', /the module may not run here/);
  await until(() => at.posts().length, 'the page view all the same');
  await says(page, 'sent', /page_view → 400: no/);
  assert.equal(await page.locator('comeback-debug section').evaluate((e) => getComputedStyle(e).borderRadius), '8px', 'the sheet is applied');
  await push(page, 'track', 'add_to_cart', add(MUG));
  await page.evaluate(() => dispatchEvent(new Event('pagehide')));
  await says(page, 'sent', /page_hide → beacon taken/);
});

story('the overlay works with what the configuration holds', { config: { panels: undefined } }, async ({ page, visit }) => {
  await visit('/?x=1&comeback_debug');
  await says(page, 'panels', /configured\s+none/);
});
