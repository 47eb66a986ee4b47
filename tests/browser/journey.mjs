// The whole journey in a real browser against a running system: browse, add, leave -> panel; go -> message;
// click -> exact cart on another device; buy -> the sequence ends. Prints one line per step with what was
// seen and exits non-zero at the first that fails. `cargo xtask demo --headless` runs it.
//
//   BASE_URL=http://localhost:8787 CHROMIUM=/usr/bin/chromium node tests/browser/journey.mjs [--shots DIR]

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { chromium } from 'playwright-core';

const { values } = parseArgs({ options: { shots: { type: 'string' } } });
const base = process.env.BASE_URL ?? 'http://localhost:8787';
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
});

let steps = 0;
async function step(name, run) {
  const started = performance.now();
  try {
    const saw = await run();
    steps += 1;
    console.log(`ok   ${name}: ${saw} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  } catch (error) {
    console.log(`FAIL ${name}: ${error.message}`);
    await browser.close();
    process.exit(1);
  }
}

async function shot(page, name) {
  if (!values.shots) return;
  await mkdir(values.shots, { recursive: true });
  await page.screenshot({ path: path.join(values.shots, `${name}.png`) });
}

const api = async (target, body) => {
  const answer = await fetch(`${base}${target}`, body ? { method: 'POST', body: JSON.stringify(body) } : {});
  assert.ok(answer.ok, `${target}: ${answer.status}`);
  return answer.json();
};
const email = `journey.${Date.now()}@example.com`;
const inbox = async () => (await api('/dev/inbox.json')).messages.filter((m) => m.to === email);

/** Waits until something is so; a page's own work takes a moment. */
async function until(what, holds, seconds = 15) {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const value = await holds();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited in vain until ${what}`);
}

const cartOf = (page) => page.evaluate(() => JSON.parse(localStorage.getItem('demo.cart') ?? '{}'));
const device = async (options) => {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Dublin', ...options });
  const page = await context.newPage();
  page.on('pageerror', (error) => {
    console.log(`FAIL the page threw: ${error.message}`);
    process.exitCode = 1;
  });
  return page;
};

const laptop = await device({ viewport: { width: 1280, height: 800 } });
let message;
let left;

await step('the shop opens', async () => {
  await laptop.goto(`${base}/`);
  await laptop.locator('#privacy-accept').click();
  await shot(laptop, '1-shop');
  return `${await laptop.title()}, ${await laptop.locator('a[href*="product"]').count()} links to products`;
});

await step('a product goes into the cart', async () => {
  await laptop.goto(`${base}/product.html?id=harbour-mug`);
  await laptop.locator('#add').click();
  left = await until('the cart has a line', async () => {
    const cart = await cartOf(laptop);
    return (cart.lines ?? cart.items ?? cart)?.length ? cart : undefined;
  });
  const sent = await until('the SDK has a cart id', () => laptop.evaluate(() => JSON.parse(localStorage.getItem('comeback.v1') ?? '{}').cart));
  return `cart ${String(sent?.id ?? sent).slice(0, 12)}…`;
});

await step('leaving by the top edge brings one kind panel', async () => {
  await laptop.goto(`${base}/cart.html`);
  await laptop.locator('li.line').first().waitFor();
  await until('the page has been open for a while', () => laptop.evaluate(() => performance.now() > 4500));
  await laptop.mouse.move(600, 500);
  await laptop.mouse.move(610, 300, { steps: 3 });
  await laptop.mouse.move(620, 60, { steps: 3 });
  await laptop.mouse.move(620, 2, { steps: 2 });
  // Headless Chromium sends no leave of its own when the pointer goes beyond the edge.
  await laptop.evaluate(() => {
    for (const type of ['mouseout', 'mouseleave']) {
      document.documentElement.dispatchEvent(new MouseEvent(type, { bubbles: type === 'mouseout', clientX: 620, clientY: -4, relatedTarget: null }));
    }
  });
  const dialog = laptop.getByRole('dialog');
  await dialog.waitFor({ timeout: 8000 });
  await laptop.waitForTimeout(400); // the panel fades in
  await shot(laptop, '2-panel');
  return (await dialog.innerText()).split('\n')[0];
});

await step('"send me my cart" with consent', async () => {
  const dialog = laptop.getByRole('dialog');
  await dialog.getByRole('textbox').fill(email);
  await dialog.getByRole('checkbox').check();
  const answered = laptop.waitForResponse((r) => r.url().includes('/v1/identify'));
  await dialog.getByRole('button', { name: /send me my cart/i }).click();
  const answer = await answered;
  assert.equal(answer.status(), 200);
  await laptop.waitForTimeout(300);
  await shot(laptop, '3-sent');
  return `identify answered ${answer.status()}`;
});

await step('gone: the message is in the inbox', async () => {
  await laptop.goto('about:blank');
  await api('/dev/clock', { advance_s: 180 });
  const messages = await inbox();
  assert.equal(messages.length, 1, `${messages.length} messages`);
  [message] = messages;
  const page = await device({ viewport: { width: 1100, height: 900 } });
  await page.goto(`${base}/dev/inbox`);
  await shot(page, '4-inbox');
  await page.close();
  return `"${message.subject}" with ${message.headers['List-Unsubscribe-Post']}`;
});

const phone = await device({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
await step('the link opens this cart on another device', async () => {
  const link = message.text.match(/https?:\/\/\S+\/r\/[\w.-]+/)[0];
  await phone.goto(`${base}${new URL(link).pathname}`);
  await shot(phone, '5-landing');
  const text = await phone.locator('main').innerText();
  assert.match(text, /harbour mug/i);
  return text.split('\n').filter(Boolean).slice(0, 3).join(' | ');
});

await step('one button, and the very same cart is back', async () => {
  await phone.locator('form button').first().click();
  await phone.waitForURL(/\/cart/);
  await phone.locator('#privacy-accept').click().catch(() => {});
  await phone.locator('li.line').first().waitFor({ timeout: 15_000 });
  await shot(phone, '6-restored');
  assert.deepEqual(await cartOf(phone), left);
  assert.doesNotMatch(phone.url(), /comeback_restore/);
  return `${await phone.locator('li.line').count()} line(s), ${await phone.locator('#subtotal').innerText()}`;
});

await step('a declined card brings help, another method pays', async () => {
  await phone.goto(`${base}/checkout.html`);
  await phone.locator('#email').fill(email);
  await phone.locator('#to-delivery').click();
  await phone.locator('#name').fill('Ada Byrne');
  await phone.locator('#street').fill('1 Quay Street');
  await phone.locator('#postcode').fill('H91 X2X2');
  await phone.locator('#city').fill('Galway');
  await phone.locator('#to-payment').click();
  await phone.locator('#method-card').check();
  await phone.locator('#card-number').fill('4000 0000 0000 0002');
  await phone.locator('#card-expiry').fill('12/30');
  await phone.locator('#card-cvc').fill('123');
  await phone.locator('#pay').click();
  const dialog = phone.getByRole('dialog');
  await dialog.waitFor({ timeout: 8000 });
  await phone.waitForTimeout(300);
  await shot(phone, '7-declined');
  const said = (await dialog.innerText()).split('\n')[0];
  await dialog.getByRole('button', { name: /paypal/i }).click();
  await dialog.waitFor({ state: 'detached' });
  assert.ok(await phone.locator('#method-paypal').isChecked(), 'the shop took the choice over');
  const told = phone.waitForRequest((r) => r.url().includes('/v1/events') && (r.postData() ?? '').includes('"purchase"'));
  await phone.locator('#pay').click();
  await phone.waitForURL(/thanks/);
  await told;
  await shot(phone, '8-thanks');
  return said;
});

await step('the order ended the sequence', async () => {
  await phone.waitForTimeout(500);
  await api('/dev/clock', { advance_s: 100 * 3600 });
  const messages = await inbox();
  assert.equal(messages.length, 1, `${messages.length} messages after the order`);
  return 'a hundred hours later still one message';
});

await browser.close();
if (process.exitCode) {
  console.log('a page threw on the way');
} else {
  console.log(`${steps} steps, all as they should be`);
}
