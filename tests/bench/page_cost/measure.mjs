// One visit: a page is opened in a fresh browser profile, left alone, used, perhaps its panel opened; and what that cost.
//
// Milliseconds are the CPU time of the page's main thread (Performance.getMetrics in thread ticks), which other programs of
// a machine disturb less than the time that passes. Layout shifts, long tasks and interactions are told by the page's own
// PerformanceObserver. Judges nothing.

import { page as html } from './page.mjs';
import { html as answerOf, serve } from './server.mjs';
import { trace } from './trace.mjs';

export const ARGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--disable-extensions', '--disable-default-apps',
  // A page that knows it is driven by a program is treated otherwise by some of what is measured.
  '--disable-blink-features=AutomationControlled',
];
export const VIEWPORT = { width: 1280, height: 800 };
/** How long a page is left alone: longer than any case here keeps starting things, the 2 s that idle work may wait included. */
const SETTLE_MS = 4_000;
const AFTER_MS = 2_500;
/** A slowed page on a busy machine may be very slow; how long it took is measured, not limited. */
const PATIENCE_MS = 90_000;
const CLICKS = 3;
const TYPED = 'harbour mug';

/** A server for one case. */
export const site = (one) =>
  serve((request) => (request.path === '/' || request.path === '/next' ? answerOf(html(one.parts)) : one.answer(request)));

/** Runs in the page before anything else, in every case alike. */
function observe() {
  const seen = (window.__seen = { shifts: [], tasks: [], events: [], frames: [] });
  const watch = (type, take, more) => new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true, ...more });
  watch('layout-shift', (e) => seen.shifts.push({ value: e.value, at: e.startTime, input: e.hadRecentInput }));
  watch('longtask', (e) => seen.tasks.push({ at: e.startTime, ms: e.duration }));
  const event = (e) => e.interactionId && seen.events.push({ id: e.interactionId, name: e.name, ms: e.duration, work: e.processingEnd - e.processingStart });
  watch('event', event, { durationThreshold: 16 });
  watch('first-input', event);
  watch('long-animation-frame', (e) =>
    seen.frames.push(...e.scripts.map((s) => ({ at: s.startTime, ms: s.duration, url: s.sourceURL.replace(location.origin, ''), by: s.invoker }))));
}

/** Requests of a page by the browser's network log. The document itself is not among them. */
function network(cdp) {
  const byId = new Map();
  let phase = 'load';
  cdp.on('Network.requestWillBeSent', ({ requestId, request, type }) => {
    if (type === 'Document' || request.url.startsWith('data:') || request.url.startsWith('blob:')) return;
    const url = new URL(request.url);
    const sent = request.postDataEntries?.reduce((sum, { bytes }) => sum + Buffer.from(bytes ?? '', 'base64').length, 0) ?? 0;
    byId.set(requestId, { phase, method: request.method, path: url.pathname, sent, body: 0, received: 0, status: 0, cached: false });
  });
  cdp.on('Network.responseReceived', ({ requestId, response }) => {
    const entry = byId.get(requestId);
    if (!entry) return;
    const length = Object.entries(response.headers).find(([name]) => name.toLowerCase() === 'content-length');
    Object.assign(entry, { status: response.status, body: Number(length?.[1] ?? 0), cached: response.fromDiskCache || response.fromPrefetchCache || false });
  });
  cdp.on('Network.requestServedFromCache', ({ requestId }) => {
    if (byId.has(requestId)) byId.get(requestId).cached = true;
  });
  cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (byId.has(requestId)) byId.get(requestId).received = encodedDataLength;
  });
  return {
    enter: (name) => (phase = name),
    all: () => [...byId.values()],
  };
}

async function metrics(cdp) {
  const { metrics } = await cdp.send('Performance.getMetrics');
  const of = Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  return { task: of.TaskDuration * 1000, script: of.ScriptDuration * 1000, layout: (of.LayoutDuration + of.RecalcStyleDuration) * 1000, heap: of.JSHeapUsedSize };
}

const less = (later, earlier) => ({
  task: later.task - earlier.task, script: later.script - earlier.script, layout: later.layout - earlier.layout, heap: later.heap,
});

/** A click by its place: looking an element up would run a test tool's script in the page. */
async function press(page, { x, y, width, height }) {
  await page.mouse.click(x + width / 2, y + height / 2, { delay: 40 });
  await page.waitForTimeout(150);
}

/** The worst interaction, as INP counts below fifty of them: one id is one interaction, however many events it had. */
function interaction(events) {
  const byId = new Map();
  for (const { id, ms, work } of events) {
    const had = byId.get(id) ?? { ms: 0, work: 0 };
    byId.set(id, { ms: Math.max(had.ms, ms), work: Math.max(had.work, work) });
  }
  const all = [...byId.values()];
  return { inp: Math.max(0, ...all.map(({ ms }) => ms)), work: Math.max(0, ...all.map(({ work }) => work)), count: all.length };
}

/** Cumulative layout shift as web.dev defines it: the worst session of shifts, without those that an input explains. */
function cls(shifts) {
  let worst = 0;
  let session;
  for (const { value, at } of shifts.filter((shift) => !shift.input)) {
    const joins = session && at - session.last < 1000 && at - session.first < 5000;
    session = joins ? { ...session, last: at, sum: session.sum + value } : { first: at, last: at, sum: value };
    worst = Math.max(worst, session.sum);
  }
  return worst;
}

/**
 * One visit.
 *
 * @param {import('playwright-core').Browser} browser
 * @param {object} one a case.
 * @param {object} [how]
 * @param {number} [how.throttle] how many times slower the main thread is made.
 * @param {boolean} [how.open] whether to open the case's panel.
 * @param {boolean} [how.traced] whether to tell the CPU time of the tasks in which scripts ran.
 * @param {boolean} [how.next] whether to go on to a second page, with what the first left in the cache.
 */
export async function visit(browser, one, { throttle = 1, open = false, traced = false, next = false } = {}) {
  const at = await site(one);
  const agent = `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${browser.version().split('.')[0]}.0.0.0 Safari/537.36`;
  const context = await browser.newContext({ viewport: VIEWPORT, userAgent: agent });
  try {
    await context.addInitScript(observe);
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    const errors = [];
    page.on('pageerror', (error) => errors.push(String(error)));
    const cdp = await context.newCDPSession(page);
    const log = network(cdp);
    await cdp.send('Network.enable');
    await cdp.send('Performance.enable', { timeDomain: 'threadTicks' });
    if (throttle > 1) await cdp.send('Emulation.setCPUThrottlingRate', { rate: throttle });

    const stop = traced && (await trace(browser));
    await page.goto(at.origin + '/', { waitUntil: 'load' });
    await page.waitForTimeout(SETTLE_MS);
    const loaded = await metrics(cdp);
    const blocking = await page.evaluate(() =>
      performance.getEntriesByType('resource').filter((e) => e.renderBlockingStatus !== 'non-blocking').map((e) => new URL(e.name).pathname));
    const [boundary, places] = await page.evaluate(() => [
      performance.now(),
      Object.fromEntries(['add', 'search'].map((id) => [id, document.getElementById(id).getBoundingClientRect().toJSON()])),
    ]);

    log.enter('use');
    await page.mouse.move(400, 300);
    for (let click = 0; click < CLICKS; click += 1) await press(page, places.add);
    await press(page, places.search);
    await page.keyboard.type(TYPED, { delay: 80 });
    await page.waitForTimeout(AFTER_MS);
    const used = await metrics(cdp);

    let shown;
    if (open) {
      log.enter('panel');
      await one.open(page);
      await page.waitForTimeout(800);
      await page.locator(one.field).first().click();
      await page.keyboard.type('a@b.example', { delay: 80 });
      await page.waitForTimeout(800);
      shown = less(await metrics(cdp), used);
    }
    const seen = await page.evaluate(() => window.__seen);
    const cpu = stop && (await stop(page));
    for (const frame of seen.frames) frame.cpu = cpu ? cpu(frame.at, frame.ms) : undefined;
    if (next) {
      log.enter('next');
      await page.goto(at.origin + '/next', { waitUntil: 'load' });
      await page.waitForTimeout(SETTLE_MS);
    }
    return {
      requests: log.all(), blocking, errors,
      load: loaded, use: less(used, loaded), panel: shown,
      cls: cls(seen.shifts), shifts: seen.shifts.length,
      tasks: seen.tasks.map((task) => ({ ...task, phase: task.at < boundary ? 'load' : 'use' })),
      frames: seen.frames, ...interaction(seen.events),
    };
  } finally {
    await context.close();
    await at.close();
  }
}
