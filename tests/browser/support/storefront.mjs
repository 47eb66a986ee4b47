// A shop's page and an endpoint that records every request, and a real Chromium to open it in. Every
// batch that a page sends is judged by the published event catalogue. Knows nothing of the Worker.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { faults, unlisted } from './catalogue.mjs';

const dist = process.env.COMEBACK_DIST || join(dirname(fileURLToPath(import.meta.url)), '../../../dist');
const TYPES = { js: 'text/javascript', wasm: 'application/wasm', json: 'application/json' };

/** A panel that is asked at once, and shown at most once a day. */
export const SOON = { max_buy: 0.99, dwell_ms: 0, cooldown_ms: 86_400_000 };
export const COPY = {
  exit: {
    enabled: true,
    rules: SOON,
    title: 'Before you go',
    body: 'Your cart is saved for two weeks.',
    cta: 'Send me my cart',
    dismiss: 'No, thanks',
    email_label: 'Email',
    email_hint: 'One link, no newsletter.',
    consent_label: 'You may email me about this cart.',
    sent: 'Sent. Have a look at your inbox.',
    reasons: [
      { title: 'Shipping', body: 'Free from 50 euros.' },
      { title: 'Returns', body: 'Thirty days.' },
    ],
  },
  declined: {
    title: 'Your card was declined',
    body: 'Nothing was charged.',
    cta: 'Try again',
    dismiss: 'Close',
    support_label: 'We are here:',
    support_url: 'https://shop.example/help',
    support_email: 'help@shop.example',
    methods: ['PayPal', 'Invoice'],
  },
};
export const CONFIG = {
  shop: { name: 'Demo', currency: 'EUR', locale: 'en-GB' },
  consent: { mode: 'implied', wording: '2026-01' },
  panels: COPY,
};
export const MUG = { item_id: 'mug', item_name: 'Mug', price: 12.5, quantity: 1 };
export const BOWL = { item_id: 'bowl', item_name: 'Bowl', price: 30, quantity: 2 };
export const add = (item) => ({ currency: 'EUR', value: item.price * item.quantity, items: [item] });

let browser;
export const launched = () =>
  (browser ||= chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    // A shopper's browser has the back/forward cache.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--host-resolver-rules=MAP *.shop.test 127.0.0.1'],
  }));
after(async () => (await browser)?.close());

/**
 * A shop and an endpoint on one origin. `rules` may change between requests: `tag` is what the
 * script tag has besides, `serve(entry, url, reply)` may answer a request before anything else does.
 */
export async function shop(rules = {}) {
  const requests = [];
  const wrong = [];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://localhost');
    let body = '';
    for await (const chunk of request) body += chunk;
    const entry = { method: request.method, path: url.pathname, query: url.searchParams, body, headers: request.headers, cookies: request.headers.cookie };
    requests.push(entry);
    // As the edge answers a page of another origin of its shop.
    const { origin } = request.headers;
    const cors = rules.cors && origin ? { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true', vary: 'origin', 'set-cookie': rules.cors } : {};
    const reply = (status, type, content, headers = {}) => response.writeHead(status, { 'content-type': type, ...cors, ...headers }).end(content);
    /** The request was carried out, but nobody hears of it. */
    reply.lost = () => response.destroy();
    const json = (value, status = 200) => reply(status, 'application/json', JSON.stringify(value));
    if (await rules.serve?.(entry, url, reply)) return;
    if (url.pathname.startsWith('/v1/config/')) return json({ ...CONFIG, ...rules.config });
    if (url.pathname === '/v1/events') {
      if (rules.status) return json({ type: 'about:blank', title: 'no', status: rules.status }, rules.status);
      if (rules.hold) await rules.hold;
      const batch = JSON.parse(body);
      const { cart } = batch;
      wrong.push(...faults(batch), ...unlisted(batch));
      const known = cart !== null && cart !== rules.forgotten;
      return json({ cart: known ? { id: cart, version: 1, closed: cart === rules.closed } : null, bucket: rules.bucket ?? 1, arms: rules.arms, score: null, panel: { allowed: rules.allowed ?? true, why: '', sequence: rules.sequence } });
    }
    if (url.pathname.startsWith('/v1/check/')) return json({ currency: 'EUR', findings: rules.findings || [] });
    if (url.pathname === '/v1/identify') return json({ person: 'new' });
    if (url.pathname.startsWith('/v1/restore/') && rules.failures?.length) return json({ title: 'later' }, rules.failures.shift());
    if (url.pathname.startsWith('/v1/restore/')) return rules.restore ? json(rules.restore) : json({ title: 'gone' }, 410);
    if (/^\/(comeback(-push)?\.js|sdk\/.*)$/.test(url.pathname)) {
      const file = await readFile(join(dist, 'assets', url.pathname)).catch(() => null);
      // As dist/assets/_headers has it: a pixel's sandbox has an origin of its own.
      return file ? reply(200, TYPES[url.pathname.split('.').pop()], file, { 'access-control-allow-origin': '*' }) : reply(404, 'text/plain', '');
    }
    if (url.pathname === '/favicon.ico') return reply(204, 'text/plain', '');
    const head = rules.head || '';
    const content = `<!doctype html><html ${rules.html || 'lang="en"'}><head><meta name="viewport" content="width=device-width"><title>Shop</title>${head}
      <script async src="/comeback.js" data-shop="pk_demo"${rules.tag ? ' ' + rules.tag : ''}></script></head>
      <body style="min-height:900px"><main><h1>Shop</h1>${rules.body || '<button id="b">Buy</button>'}</main></body></html>`;
    reply(200, 'text/html; charset=utf-8', content, rules.csp ? { 'content-security-policy': rules.csp } : {});
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const posts = () => requests.filter((r) => r.path === '/v1/events').map((r) => JSON.parse(r.body));
  return {
    origin,
    requests,
    rules,
    posts,
    wrong,
    /** Events by id, so that one sent twice counts once and is seen in `sent`. */
    events: (name) => posts().flatMap((p) => p.events).filter((e) => !name || e.name === name),
    close: () => new Promise((done) => (server.closeAllConnections(), server.close(done))),
  };
}

/** Runs `act` with a fresh shop and a fresh browser profile; a page error or a console error of ours fails it. */
export function story(name, rules, act) {
  test(name, async () => {
    const at = await shop(rules);
    const context = await (await launched()).newContext({ viewport: { width: 1000, height: 700 }, ...rules.context });
    await context.addInitScript(() => {
      const writes = (window.writes = []);
      const { setItem } = Storage.prototype;
      Storage.prototype.setItem = function (key, value) {
        writes.push(key);
        return setItem.call(this, key, value);
      };
      const cookie = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie');
      Object.defineProperty(document, 'cookie', { ...cookie, set: (value) => writes.push('cookie ' + value) });
      const { open } = IDBFactory.prototype;
      IDBFactory.prototype.open = function (...args) {
        writes.push('indexedDB');
        return open.apply(this, args);
      };
      window.fired = [];
      for (const kind of ['panel', 'restore', 'score', 'assist', 'error']) addEventListener('comeback:' + kind, (e) => window.fired.push([kind, e.detail]));
    });
    const page = await context.newPage();
    const errors = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    const visit = async (path = '/') => {
      await page.goto(at.origin + path);
      // A shopper is there: the tag asks the edge for nothing before.
      await page.mouse.move(500, 600);
      return page;
    };
    try {
      await act({ at, page, context, visit });
      assert.deepEqual(errors, [], 'nothing is thrown into the page');
      assert.deepEqual(at.wrong, [], 'everything that was sent is in the event catalogue');
    } finally {
      await context.close();
      await at.close();
    }
  });
}

/** How many there are by id: what was not acknowledged before its page was left may come again with the next. */
export const distinct = (events) => new Set(events.map((event) => event.id)).size;

/** Waits for what the endpoint saw. */
export async function until(what, told, limit = 8_000) {
  const end = Date.now() + limit;
  for (;;) {
    const value = await what();
    if (value) return value;
    if (Date.now() > end) assert.fail('never came: ' + told);
    await new Promise((done) => setTimeout(done, 25));
  }
}
export const pause = (ms) => new Promise((done) => setTimeout(done, ms));
export const push = (page, ...entry) => page.evaluate((entry) => (window.comeback = window.comeback || []).push(entry), entry);
export const fired = (page, kind) => page.evaluate((kind) => window.fired.filter(([k]) => k === kind).map(([, d]) => d), kind);
export const panel = (page, kind) => page.locator(`comeback-panel[data-panel=${kind}] [role=dialog]`);
/** The session runs and the edge has answered: from here on a panel may show. */
export const ready = (at) => until(() => at.events('page_view').length, 'the page view').then(() => pause(150));

/**
 * A move to an edge and out of it. The slow one is a real one; the fast one is made in the page, because how fast a real
 * one is depends on who else is at work here.
 */
export async function leave(page, { speed = 'fast', edge = 'top' } = {}) {
  if (speed === 'slow') {
    await page.mouse.move(500, 400);
    for (let step = 1; step <= 40; step += 1) {
      await page.mouse.move(500, 400 - (399 * step) / 40);
      await pause(50);
    }
  }
  // Headless Chromium has no outside to move to; these are the events that a window gets then.
  await page.evaluate(
    ([fast, edge]) => {
      const tell = (name, clientX, clientY) => document.documentElement.dispatchEvent(new MouseEvent(name, { bubbles: true, relatedTarget: null, clientX, clientY }));
      // To the side it goes upwards as fast, so that only the edge tells the two apart.
      if (fast) tell('mousemove', 500, 520);
      if (edge === 'top') tell('mouseout', 500, -2);
      else tell('mouseout', -2, 120);
    },
    [speed === 'fast', edge],
  );
}
