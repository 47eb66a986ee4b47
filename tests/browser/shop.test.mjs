// The demo shop by itself, in a real Chromium and without the SDK (its script answers 404 here): it must stand alone, be
// usable by everybody, and tell the SDK exactly what its pages say. What the SDK makes of it is tested elsewhere.
//
//   node --test tests/browser/shop.test.mjs        CHROMIUM=/path/to/chromium

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const SHOP = fileURLToPath(new URL('../../www-demo', import.meta.url));
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TYPES = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript', '.json': 'application/json', '.svg': 'image/svg+xml' };
const json = (name) => JSON.parse(readFileSync(path.join(SHOP, name), 'utf8'));

const MUG = { item_id: 'harbour-mug', item_variant: '350 ml / Tide', quantity: 2 };
const SOLD_OUT = { item_id: 'porridge-bowl', item_variant: 'Rust', quantity: 1 };
const LAST_ONE = { item_id: 'coffee-carafe', item_variant: '900 ml / Ink', quantity: 1 };
const ORDER = { id: 'W-1', lines: [MUG], subtotal_minor: 5600, delivery_minor: 590, delivery_days: '2 to 3 working days', total_minor: 6190, method: 'card', email: 'a@shopper.example', told: true };
const CONSENT = { storage: true, marketing: true, profiling: true };
const PAGES = {
  catalogue: '/',
  product: '/product.html?id=harbour-mug',
  'product without options': '/product.html?id=linen-towel',
  'unknown product': '/product.html?id=nothing',
  cart: '/cart.html',
  checkout: '/checkout.html',
  thanks: '/thanks.html?order=W-1',
  'unknown order': '/thanks.html?order=W-2',
  returns: '/returns.html',
  contact: '/contact.html',
};

let browser, server, base;

before(async () => {
  server = http.createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    try {
      const file = path.join(SHOP, pathname === '/' ? 'index.html' : path.normalize(pathname));
      response.setHeader('content-type', TYPES[path.extname(file)] ?? 'application/octet-stream');
      response.end(await readFile(file));
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${server.address().port}`;
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
});

after(async () => {
  await browser?.close();
  server?.close();
});

/**
 * Opens a page as a returning shopper (or, with `fresh`, as a new one). Every command for the SDK and every dataLayer
 * entry is kept over navigations: `await page.said()`. A script error or a request to another host fails the test.
 */
async function open(t, url, { width = 1280, height = 900, lines = [MUG, SOLD_OUT, LAST_ONE], fresh = false } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => /^(data:|http:\/\/127\.0\.0\.1)/.test(request.url()) || faults.push(`asked ${request.url()}`));
  page.on('response', (reply) => reply.status() < 400 || reply.url().endsWith('/comeback.js') || faults.push(`${reply.status()} ${reply.url()}`));
  const said = [];
  await page.exposeFunction('testSaid', (entry) => said.push(entry));
  await page.addInitScript(
    ({ cart, order, consent, fresh }) => {
      window.comeback = { entries: [], push: (...entries) => entries.forEach((entry) => { window.comeback.entries.push(entry); window.testSaid(JSON.parse(JSON.stringify(entry))); }) };
      window.dataLayer = { push: (entry) => window.testSaid(['dataLayer', entry]) };
      if (fresh || localStorage.getItem('demo.cart')) return;
      localStorage.setItem('demo.cart', JSON.stringify({ lines: cart }));
      localStorage.setItem('demo.orders', JSON.stringify([order]));
      localStorage.setItem('demo.consent', JSON.stringify(consent));
    },
    { cart: lines, order: ORDER, consent: CONSENT, fresh },
  );
  t.after(async () => {
    await context.close();
    assert.deepEqual(faults, []);
  });
  await page.goto(base + url, { waitUntil: 'networkidle' });
  page.said = () => said;
  page.events = () => said.filter(([command]) => command === 'track' || command === 'dataLayer').map(([command, name]) => (command === 'track' ? name : name.event)).filter(Boolean);
  page.data = (name) => said.findLast(([command, event]) => command === 'track' && event === name)?.[2];
  return page;
}

const axe = async (page) => {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  return violations.map((v) => `${v.id}: ${v.nodes.map((node) => node.target.join(' ')).join(', ')}`);
};

/** Interactive elements under 44 px, without links inside a sentence (the inline exception of WCAG 2.5.8). */
const smallTargets = (page) =>
  page.evaluate(() =>
    [...document.querySelectorAll('a[href], button, input, select, summary, [role=button]')]
      .filter((node) => node.checkVisibility({ visibilityProperty: true }))
      .filter((node) => {
        const inSentence = getComputedStyle(node).display === 'inline' && [...node.parentElement.childNodes].some((other) => other.nodeType === 3 && other.data.trim());
        const { width, height } = node.getBoundingClientRect();
        return !inSentence && (width < 43.9 || height < 43.9);
      })
      .map((node) => `${node.tagName.toLowerCase()}#${node.id} "${node.textContent.trim().slice(0, 20)}" ${JSON.stringify(node.getBoundingClientRect())}`),
  );

const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

const layoutShift = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        let sum = 0;
        new PerformanceObserver((list) => list.getEntries().forEach((entry) => (sum += entry.value))).observe({ type: 'layout-shift', buffered: true });
        setTimeout(() => resolve(sum), 100);
      }),
  );

async function assertFits(page) {
  assert.equal(await overflow(page), 0, 'scrolls sideways');
  assert.deepEqual(await smallTargets(page), []);
  assert.deepEqual(await axe(page), []);
}

async function fillContact(page, { email = 'ada@shopper.example', remind = false } = {}) {
  await page.getByLabel('Email', { exact: true }).fill(email);
  if (remind) await page.getByLabel(/by email/).check();
  await page.getByRole('button', { name: 'Continue to delivery' }).click();
}

async function fillDelivery(page) {
  await page.getByLabel('Name').fill('Ada Shopper');
  await page.getByLabel('Street and house number').fill('1 Quay Road');
  await page.getByLabel('Postcode or Eircode').fill('P81 X000');
  await page.getByLabel('Town or city').fill('Skibbereen');
  await page.getByRole('button', { name: 'Continue to payment' }).click();
}

async function pay(page, number) {
  await page.getByLabel('Card number').fill(number);
  await page.getByLabel(/Expiry/).fill('12/45');
  await page.getByLabel('Security code').fill('123');
  await page.getByRole('button', { name: /^Pay €/ }).click();
}

// ---- the files

test('what the shop is provisioned with is what its pages sell', () => {
  const catalogue = json('catalogue.json');
  const shop = json('shop.json');
  const sold = catalogue.products.flatMap((product) =>
    product.variants.map((variant) => {
      const query = new URLSearchParams({ id: product.item_id });
      if (variant.item_variant) query.set('variant', variant.item_variant);
      return { item_id: product.item_id, item_variant: variant.item_variant, title: product.name, price_minor: variant.price_minor, image_url: variant.image, item_url: `/product.html?${query}`, stock: variant.stock };
    }),
  );
  // Costs and classes are the edge's to know; no page has them.
  assert.deepEqual(shop.catalogue.map(({ unit_cost_minor, class: kind, ...shown }) => shown), sold);
  for (const { unit_cost_minor, price_minor } of shop.catalogue) assert.ok(unit_cost_minor > 0 && unit_cost_minor < price_minor);
  assert.doesNotMatch(JSON.stringify(catalogue), /cost/);
  assert.equal(shop.currency, catalogue.currency);
  assert.equal(new Set(sold.map((row) => `${row.item_id}|${row.item_variant}`)).size, sold.length, 'a line is found by item and variant');
  for (const { price_minor, stock, image_url } of sold) {
    assert.ok(Number.isInteger(price_minor) && price_minor > 0 && Number.isInteger(stock));
    assert.ok(statSync(path.join(SHOP, image_url)).size < 4096);
  }
  assert.ok(sold.some((row) => row.stock === 0) && sold.some((row) => row.item_variant === null));
  for (const product of catalogue.products)
    for (const variant of product.variants) {
      assert.equal(variant.item_variant, variant.options.join(' / ') || null);
      variant.options.forEach((option, index) => assert.ok(product.options[index].values.includes(option)));
    }
});

test('the static catalogue page says the names and prices of catalogue.json', () => {
  const cards = [...readFileSync(path.join(SHOP, 'index.html'), 'utf8').matchAll(/id=([\w-]+)">\s*<img src="([^"]+)"[\s\S]*?card-name">([^<]+)[\s\S]*?card-price">([^<]+)/g)].map((match) => match.slice(1));
  const euro = (minor) => `€${(minor / 100).toFixed(2)}`;
  assert.deepEqual(
    cards,
    json('catalogue.json').products.map((product) => {
      const prices = product.variants.map((variant) => variant.price_minor);
      const least = Math.min(...prices);
      return [product.item_id, product.variants[0].image, product.name, (Math.max(...prices) > least ? 'from ' : '') + euro(least)];
    }),
  );
});

test('the words about delivery, the towel and consent agree with the data', () => {
  const { shipping, free_shipping_minor, products } = json('catalogue.json');
  const returns = readFileSync(path.join(SHOP, 'returns.html'), 'utf8');
  for (const zone of shipping) for (const minor of [zone.standard_minor, zone.express_minor]) assert.ok(returns.includes(`€${(minor / 100).toFixed(2)}`), String(minor));
  for (const page of ['returns.html', 'index.html', 'shop.json']) assert.ok(readFileSync(path.join(SHOP, page), 'utf8').includes(`ree from €${free_shipping_minor / 100}`), page);
  const offered = JSON.parse(/data-comeback-add='([^']+)'/.exec(readFileSync(path.join(SHOP, 'cart.html'), 'utf8'))[1]);
  const towel = products.find((product) => product.item_id === offered.item_id);
  assert.equal(Math.round(offered.price * 100), towel.variants[0].price_minor);
  assert.equal(offered.item_name, towel.name);
  assert.match(readFileSync(path.join(SHOP, 'js/tracking.js'), 'utf8'), new RegExp(`CONSENT_WORDING = '${json('shop.json').consent.wording}'`));
});

test('the shop is light and asks no other host', () => {
  const files = readdirSync(SHOP, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
  // shop.json is for the admin API; no page loads it
  const bytes = files.filter((file) => !file.endsWith('shop.json')).reduce((sum, file) => sum + statSync(file).size, 0);
  assert.ok(bytes < 160 * 1024, `${bytes} bytes`);
  for (const file of files.filter((name) => name.endsWith('.html'))) {
    const html = readFileSync(file, 'utf8');
    assert.doesNotMatch(html, /(src|href)="(https?:)?\/\//, file);
    assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)|\sstyle="|\son\w+="/, `${file}: a strict CSP would refuse it`);
    for (const image of html.match(/<img[^>]*>/g) ?? []) assert.match(image, /width="\d+" height="\d+" alt="/, image);
  }
});

// ---- every page

for (const [name, url] of Object.entries(PAGES)) {
  for (const width of [320, 1280]) {
    test(`${name} at ${width} px: no sideways scroll, large targets, axe clean, nothing jumped while it loaded`, async (t) => {
      const page = await open(t, url, { width, height: 720 });
      await assertFits(page);
      const shift = await layoutShift(page);
      assert.ok(shift < 0.01, `layout shift ${shift}`);
    });
  }
}

test('the privacy bar fits too, at 320 px and when the page is zoomed to 400 %', async (t) => {
  const page = await open(t, '/', { width: 320, height: 720, fresh: true });
  await page.getByRole('button', { name: 'Accept' }).waitFor();
  await assertFits(page);
  const zoomed = await open(t, '/', { width: 320, height: 256, fresh: true });
  assert.equal(await zoomed.locator('#privacy-bar').evaluate((bar) => getComputedStyle(bar).position), 'static');
  await assertFits(zoomed);
});

test('the checks above do see faults', async (t) => {
  const page = await open(t, '/contact.html', { width: 320 });
  await page.evaluate(() => document.querySelector('main').insertAdjacentHTML('beforeend', '<button style="width:30px;height:30px;padding:0"></button><div style="width:400px">wide</div>'));
  assert.equal((await smallTargets(page)).length, 1);
  assert.ok((await overflow(page)) > 0);
  assert.match((await axe(page)).join(), /button-name/);
  await page.evaluate(() => document.querySelector('h1').before(Object.assign(document.createElement('div'), { style: 'height:200px' })));
  assert.ok((await layoutShift(page)) > 0.01);
});

for (const url of ['/', PAGES.product, PAGES.cart, PAGES.checkout]) {
  test(`${url}: by keyboard every control is reached, shows its focus and is not under the privacy bar`, async (t) => {
    const page = await open(t, url, { width: 390, height: 800 });
    await page.evaluate(() => localStorage.removeItem('demo.consent'));
    await page.reload({ waitUntil: 'networkidle' });
    await page.locator('#privacy-bar').waitFor();
    // one stop for each radio group; things in closed parts are none
    const expected = await page.evaluate(() => {
      const groups = new Set();
      return [...document.querySelectorAll('a[href], button, input, select, summary')].filter((node) => {
        if (!node.checkVisibility({ visibilityProperty: true })) return false;
        if (node.type !== 'radio') return true;
        const first = !groups.has(node.name);
        groups.add(node.name);
        return first;
      }).length;
    });
    const problems = [];
    let stops = 0;
    for (; stops < 120; stops++) {
      await page.keyboard.press('Tab');
      const seen = await page.evaluate(() => {
        const node = document.activeElement;
        if (node === document.body || node.dataset.testSeen) return null;
        node.dataset.testSeen = 'yes';
        const bar = document.querySelector('#privacy-bar');
        const box = node.getBoundingClientRect();
        const style = getComputedStyle(node);
        return {
          what: `${node.tagName}#${node.id} ${node.textContent.slice(0, 20)}`,
          outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
          clear: bar.contains(node) || (box.top < bar.getBoundingClientRect().top && box.bottom > 0),
        };
      });
      if (!seen) break;
      if (!seen.outlined || !seen.clear) problems.push(seen);
    }
    assert.deepEqual(problems, []);
    assert.equal(stops, expected);
  });
}

// ---- the journey

test('a shopper buys: from the catalogue over cart and checkout to the thank-you page', async (t) => {
  const page = await open(t, '/', { width: 390, height: 800, fresh: true });
  assert.ok(!page.said().some(([command]) => command === 'consent'), 'no choice yet');
  await page.getByRole('button', { name: 'Accept' }).click();
  assert.deepEqual(page.said().at(-1), ['consent', CONSENT]);

  await page.getByRole('link', { name: /Harbour mug/ }).click();
  await page.getByRole('radio', { name: '350 ml' }).check();
  await page.getByRole('radio', { name: 'Ink' }).check();
  await page.getByText('Sold out in this version').waitFor();
  assert.equal(await page.locator('#add').getAttribute('aria-disabled'), 'true');
  await page.getByRole('radio', { name: 'Tide' }).check();
  await page.getByRole('button', { name: 'One more' }).click();
  await page.getByRole('button', { name: 'Add to cart' }).click();
  const [item] = page.data('add_to_cart').items;
  assert.deepEqual(item, { item_id: 'harbour-mug', item_variant: '350 ml / Tide', item_name: 'Harbour mug', price: 28, quantity: 2, image_url: `${base}/img/harbour-mug-tide.svg`, item_url: `${base}/product.html?id=harbour-mug&variant=350+ml+%2F+Tide` });
  assert.deepEqual([page.data('add_to_cart').currency, page.data('add_to_cart').value], ['EUR', 56]);
  await page.getByRole('link', { name: 'Cart, 2 items' }).click();

  await page.locator('#subtotal', { hasText: '€56.00' }).waitFor();
  assert.equal(await page.locator('#free-text').textContent(), '€19.00 more for free standard delivery');
  await page.getByLabel('Deliver to').selectOption('DE');
  await page.getByRole('button', { name: 'Estimate' }).click();
  assert.equal(await page.locator('#total').textContent(), '€64.90');
  await page.getByRole('button', { name: 'One more' }).click();
  assert.equal(await page.evaluate(() => document.activeElement.dataset.step), '1', 'focus stays on the button after the redraw');
  assert.equal(await page.locator('#total').textContent(), '€84.00', 'free from 75');
  await page.getByRole('button', { name: 'One less' }).click();
  await page.getByRole('button', { name: 'Add the towel' }).click();
  await page.getByRole('button', { name: 'Remove Linen tea towel' }).click();
  assert.equal(await page.locator('#subtotal').textContent(), '€56.00');
  await page.getByRole('link', { name: 'Check out' }).click();

  await fillContact(page, { email: 'not an address' });
  await page.getByRole('alert').getByText('One thing needs your attention').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'errors');
  await page.getByRole('link', { name: 'Enter an email address like' }).click();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'email');
  assert.deepEqual(page.data('checkout_error'), { step: 'contact', code: 'validation' });
  await fillContact(page);
  await fillDelivery(page);

  await pay(page, '4242 4242 4242 4241');
  await page.getByText('Check the card number').first().waitFor();
  await assertFits(page);
  await pay(page, '4242 4242 4242 4242');
  await page.getByRole('heading', { name: 'Thank you for your order' }).waitFor();
  await page.getByRole('link', { name: 'Cart, 0 items' }).waitFor();
  assert.equal(await page.locator('#total').textContent(), '€61.90');
  const bought = page.data('purchase');
  assert.equal(bought.transaction_id, new URL(page.url()).searchParams.get('order'));
  assert.deepEqual([bought.value, bought.items.length, bought.items[0].quantity], [56, 1, 2]);

  await page.reload({ waitUntil: 'networkidle' });
  assert.deepEqual(page.events(), [
    'view_item', 'add_to_cart', 'view_cart', 'view_shipping_estimate', 'add_to_cart', 'remove_from_cart', 'remove_from_cart',
    'begin_checkout', 'checkout_error', 'add_shipping_info', 'checkout_error', 'add_payment_info', 'purchase',
  ]);
  assert.ok(!page.said().some(([command]) => command === 'identify'), 'no box was ticked');
});

test('a declined card shows an error, keeps the cart, and another method works', async (t) => {
  const page = await open(t, '/checkout.html', { lines: [MUG], width: 390 });
  await fillContact(page);
  await fillDelivery(page);
  await pay(page, '4000 0000 0000 0002');
  await page.getByRole('alert').getByText('Your bank declined this card').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'errors');
  assert.deepEqual(page.data('checkout_error'), { step: 'payment', code: 'card_declined', method: 'card' });
  assert.equal(await page.locator('.cart-link').getAttribute('aria-label'), 'Cart, 2 items');
  await assertFits(page);
  await page.getByRole('button', { name: 'Use PayPal' }).click();
  assert.ok(await page.getByRole('radio', { name: 'PayPal' }).isChecked());
  assert.ok(await page.locator('#card-fields').isHidden());
  await page.getByRole('button', { name: 'Pay €61.90 with PayPal' }).click();
  await page.getByRole('heading', { name: 'Thank you' }).waitFor();
  assert.deepEqual(page.data('add_payment_info'), { payment_type: 'paypal' });
});

test('the last piece is gone at the till: the next variant is offered, and nothing was charged', async (t) => {
  const page = await open(t, '/checkout.html', { lines: [LAST_ONE], width: 390 });
  await fillContact(page);
  await fillDelivery(page);
  await pay(page, '4242424242424242');
  await page.getByRole('alert').getByText('Coffee carafe, 900 ml / Ink has just sold out').waitFor();
  assert.deepEqual(page.data('checkout_error'), { step: 'payment', code: 'sold_out', method: 'card' });
  await assertFits(page);
  await page.getByRole('button', { name: 'Take 600 ml / Ink instead (€48.00)' }).click();
  assert.equal(await page.locator('#subtotal').textContent(), '€48.00');
  await page.getByRole('button', { name: /^Pay €/ }).click();
  await page.getByRole('heading', { name: 'Thank you' }).waitFor();
});

test('an address is told only after its step was sent, with a box ticked for each channel', async (t) => {
  const page = await open(t, '/checkout.html', { lines: [MUG] });
  const identified = () => page.said().filter(([command]) => command === 'identify').map(([, who]) => who);
  assert.ok(!(await page.getByLabel(/by email/).isChecked()) && !(await page.getByLabel(/by text message/).isChecked()), 'boxes start empty');
  await page.getByLabel('Email', { exact: true }).pressSequentially('ada@shopper.example');
  await page.getByLabel(/by email/).check();
  await page.getByLabel(/^Phone/).fill('+353 87 123 4567');
  await page.getByLabel(/^Phone/).blur();
  assert.deepEqual(identified(), [], 'typing tells nothing');
  await page.getByRole('button', { name: 'Continue to delivery' }).click();
  assert.deepEqual(identified(), [{ email: 'ada@shopper.example', consent: { email: true, sms: false, wording: '2026-11' } }]);
  await page.getByRole('button', { name: 'Change contact' }).click();
  await page.getByLabel(/by email/).uncheck();
  await page.getByLabel(/by text message/).check();
  await page.getByRole('button', { name: 'Continue to delivery' }).click();
  assert.deepEqual(identified().at(-1), { phone: '+353 87 123 4567', consent: { email: false, sms: true, wording: '2026-11' } });
});

test('the adapter reads and replaces the cart, and the page follows', async (t) => {
  const page = await open(t, '/cart.html', { lines: [MUG] });
  const call = (work, lines) =>
    page.evaluate(([work, lines]) => window.comeback.entries.find(([command]) => command === 'adapter')[1][work](lines), [work, lines]);
  assert.deepEqual(await call('read'), { currency: 'EUR', lines: [MUG] });
  const restored = [{ ...MUG, quantity: 3 }, { item_id: 'linen-towel', item_variant: null, quantity: 1 }, { item_id: 'no-longer-made', item_variant: null, quantity: 1 }];
  await call('replace', restored);
  assert.deepEqual((await call('read')).lines, restored.slice(0, 2), 'what the shop does not know is left out');
  assert.equal(await page.locator('#subtotal').textContent(), '€100.00');
  await page.getByRole('link', { name: 'Cart, 4 items' }).waitFor();
  await call('replace', restored);
  assert.equal((await call('read')).lines[0].quantity, 3, 'twice is once');
  await page.evaluate(() => window.dispatchEvent(new CustomEvent('comeback:restore', { detail: { report: [{ kind: 'sold_out', item_id: 'porridge-bowl', item_variant: 'Rust' }] } })));
  await page.getByText('Porridge bowl, Rust has sold out meanwhile.').waitFor();
});

test('a cart under way is not called empty; a failure can be tried again, a dead link cannot', async (t) => {
  const page = await open(t, '/cart.html?comeback_restore=tok', { lines: [] });
  await page.getByRole('heading', { name: 'Fetching your cart…' }).waitFor();
  // Longer than any wait that could have been meant as an answer.
  await page.waitForTimeout(5500);
  assert.equal(await page.locator('#empty').isVisible(), false);
  const fail = (status) =>
    page.evaluate((status) => {
      window.retried ??= 0;
      window.dispatchEvent(new CustomEvent('comeback:error', { detail: { kind: 'restore', status, retry: () => (window.retried += 1) } }));
    }, status);
  await fail(503);
  await page.getByRole('heading', { name: 'Your cart could not be fetched' }).waitFor();
  assert.equal(await page.locator('#empty').isVisible(), false);
  await page.getByRole('button', { name: 'Try again' }).click();
  assert.equal(await page.evaluate(() => window.retried), 1);
  await page.getByRole('heading', { name: 'Fetching your cart…' }).waitFor();
  await fail(410);
  await page.getByText('The link has run out').waitFor();
  assert.equal(await page.locator('#try-again').isVisible(), false);
});

test('the notice after a restore says what was done', async (t) => {
  const page = await open(t, '/cart.html', { lines: [MUG] });
  const report = [{ kind: 'sold_out', item_id: 'porridge-bowl', item_variant: 'Rust' }];
  for (const [mode, title] of [['keep', 'Your cart was kept here'], ['merge', 'Both carts were put together'], ['replace', 'Your cart is back']]) {
    await page.evaluate((detail) => window.dispatchEvent(new CustomEvent('comeback:restore', { detail })), { mode, report });
    await page.getByRole('heading', { name: title }).waitFor();
    assert.equal(await page.getByText('has sold out meanwhile').count(), mode === 'keep' ? 0 : 1);
  }
});

test('a refusal is remembered and can be changed from the foot of any page', async (t) => {
  const page = await open(t, '/returns.html', { fresh: true });
  await page.getByRole('button', { name: 'Only necessary' }).click();
  const no = ['consent', { storage: false, marketing: false, profiling: false }];
  assert.deepEqual(page.said().at(-1), no);
  await page.goto(`${base}/contact.html`, { waitUntil: 'networkidle' });
  assert.deepEqual(page.said().at(-1), no, 'told again on the next page');
  assert.equal(await page.locator('#privacy-bar').count(), 0);
  await page.getByRole('button', { name: 'Change my choice' }).click();
  await page.getByRole('button', { name: 'Accept' }).click();
  assert.deepEqual(page.said().at(-1), ['consent', CONSENT]);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'privacy-open', 'focus goes back');
});
