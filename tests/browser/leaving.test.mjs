// What is a gesture of leaving and what only looks like one, in a real Chromium with a mouse and as a phone. The
// thresholds come with the configuration, as a policy's `[leaving]` has them.
import assert from 'node:assert/strict';
import { MUG, add, fired, leave, pause, push, ready, story, until } from './support/storefront.mjs';

const PHONE = { viewport: { width: 390, height: 700 }, hasTouch: true, isMobile: true };
const FIELDS = '<button id="b">Buy</button><select id="s"><option>1</option></select><input id="i" autocomplete="email"><textarea id="t"></textarea><p id="e" contenteditable>x</p><iframe id="f" srcdoc="<p>a frame"></iframe>';
const TALL = FIELDS + '<div style="height:6000px"></div><a id="top" href="#b">Up</a>';

/** A mouseout as a browser makes it where a headless one cannot: to another window, a native menu, a scrollbar. */
const out = (page, { x = 500, y = -2, buttons = 0, from = 300 }) =>
  page.evaluate(
    ([x, y, buttons, from]) => {
      const move = (name, clientX, clientY) => document.documentElement.dispatchEvent(new MouseEvent(name, { bubbles: true, relatedTarget: null, clientX, clientY, buttons }));
      move('mousemove', x, from);
      move('mouseout', x, y);
    },
    [x, y, buttons, from],
  );
/** Fingers that move over the glass, `by` CSS pixels in all: down the glass is back up the page. */
async function thrown(page, { by = 500, wait = 0, from = 4_000, fingers = 1 } = {}) {
  const session = await page.context().newCDPSession(page);
  await page.evaluate((y) => scrollTo(0, y), from);
  await pause(200);
  const start = by > 0 ? 100 : 600;
  const points = (y) => Array.from({ length: fingers }, (_, n) => ({ x: 100 + 150 * n, y: n ? 350 : y }));
  await session.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: points(start) });
  for (let step = 1; step <= 10; step += 1) {
    await session.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: points(start + (by * step) / 10) });
    if (wait) await pause(wait);
  }
  await session.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await pause(300);
}
const turned = (page, hidden) =>
  page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
    Object.defineProperty(document, 'visibilityState', { value: hidden ? 'hidden' : 'visible', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
const away = async (page, ms) => {
  await turned(page, true);
  await pause(ms);
  await turned(page, false);
};
const routed = async (page, ...ways) => {
  for (const way of ways) {
    await page.evaluate((way) => (way === 'back' ? history.back() : way === 'forward' ? history.forward() : history.pushState({}, '', way)), way);
    await pause(250);
  }
};

const mouse = { body: FIELDS };
const phone = { body: TALL, context: PHONE };
const leaving = (thresholds) => ({ config: { leaving: { idle_ms: 600_000, away_ms: 600_000, ...thresholds } } });

/** Name, page, what is done, and which trigger is told; none: it must not fire. */
const CASES = [
  ['a fast exit by the top', mouse, (page) => leave(page), 'pointer_top'],
  ['an open select (Firefox tells that the mouse left the page)', mouse, async (page) => (await page.focus('#s'), out(page, {}))],
  ['a menu of autofill under a focused field', mouse, async (page) => (await page.focus('#i'), out(page, {}))],
  ['a menu of suggestions over a text area', mouse, async (page) => (await page.focus('#t'), out(page, {}))],
  ['an input method over an editable element', mouse, async (page) => (await page.focus('#e'), out(page, {}))],
  ['one pixel out at the edge', mouse, (page) => out(page, { y: -1, from: 0 }).then(() => pause(50)).then(() => out(page, { y: -1, from: 0 }))],
  ['a slow way out', mouse, (page) => leave(page, { speed: 'slow' })],
  ['the scrollbar', mouse, (page) => out(page, { x: 1_001, y: 350 })],
  ['developer tools docked below', mouse, async (page) => (await page.setViewportSize({ width: 1000, height: 400 }), out(page, { y: 401, from: 390 }))],
  ['developer tools docked at the side', mouse, async (page) => (await page.setViewportSize({ width: 600, height: 700 }), out(page, { x: 601, y: 200 }))],
  ['focus that goes to another window', mouse, (page) => page.evaluate(() => (window.dispatchEvent(new FocusEvent('blur')), document.querySelector('#b').dispatchEvent(new FocusEvent('focusout', { bubbles: true, relatedTarget: null }))))],
  ['a drag out of the page', mouse, (page) => out(page, { buttons: 1 })],
  ['from one element to another at the top', mouse, (page) => page.evaluate(() => document.querySelector('#b').dispatchEvent(new MouseEvent('mouseout', { bubbles: true, relatedTarget: document.body, clientX: 5, clientY: -2 })))],
  ['into a frame of the page', mouse, (page) => page.hover('#f')],
  ['another tab for a while, with a mouse', { ...mouse, ...leaving({ away_ms: 100 }) }, (page) => away(page, 300)],
  ['stillness, with a mouse', { ...mouse, ...leaving({ idle_ms: 300 }) }, () => pause(900)],
  ['back in a router, with a mouse', mouse, (page) => routed(page, '/a', '/b', 'back')],

  // How fast a real finger is depends on who else is at work here, so little is asked of it.
  ['a page thrown up', { ...phone, ...leaving({ min_scroll_px_s: 300 }) }, (page) => thrown(page), 'scroll_up'],
  ['a page read upwards', { ...phone, ...leaving() }, (page) => thrown(page, { wait: 60 })],
  ['a page thrown down', { ...phone, ...leaving() }, (page) => thrown(page, { by: -500 })],
  ['a short flick', { ...phone, ...leaving({ min_scroll_px_s: 300 }) }, (page) => thrown(page, { by: 120, from: 100 })],
  ['a link to the top', { ...phone, ...leaving() }, (page) => page.evaluate(() => (scrollTo(0, 4_000), new Promise((done) => setTimeout(done, 1_800)))).then(() => page.evaluate(() => scrollTo(0, 0)))],
  ['two fingers that make the page larger', { ...phone, ...leaving({ min_scroll_px_s: 300 }) }, (page) => thrown(page, { fingers: 2 })],
  ['a keyboard that pushes the page about', { ...phone, ...leaving({ min_scroll_px_s: 300 }) }, async (page) => (await page.focus('#i', { preventScroll: true }), thrown(page))],
  ['the address bar that comes and goes', { ...phone, ...leaving() }, async (page) => (await page.setViewportSize({ width: 390, height: 640 }), page.setViewportSize({ width: 390, height: 700 }))],
  ['back from another app', { ...phone, ...leaving({ away_ms: 300 }) }, (page) => away(page, 600), 'tab_return'],
  ['a glance at another app', { ...phone, ...leaving({ away_ms: 5_000 }) }, (page) => away(page, 200)],
  ['back in a router', { ...phone, ...leaving() }, (page) => routed(page, '/a', '/b', 'back'), 'back'],
  ['on in a router', { ...phone, ...leaving() }, (page) => routed(page, '/a', '/b')],
  ['a link within the page', { ...phone, ...leaving() }, (page) => page.evaluate(() => document.querySelector('#top').click())],
  ['stillness', { ...phone, ...leaving({ idle_ms: 500 }) }, () => pause(1_500), 'idle'],
  ['reading with a finger on the glass now and then', { ...phone, ...leaving({ idle_ms: 4_000 }) }, async (page) => {
    for (let n = 0; n < 8; n += 1) await page.touchscreen.tap(200, 600), await pause(600);
  }],
  ['stillness in a field', { ...phone, ...leaving({ idle_ms: 4_000 }) }, async (page) => (await page.focus('#i'), pause(4_500))],
];

for (const [name, rules, act, trigger] of CASES) {
  story((trigger ? 'leaving: ' : 'not leaving: ') + name, { ...rules, config: { ...rules.config } }, async ({ at, page, visit }) => {
    await visit();
    await push(page, 'track', 'add_to_cart', add(MUG));
    await ready(at);
    await until(() => at.events('add_to_cart').length, 'the cart');
    await pause(200);
    await act(page);
    const panels = page.locator('comeback-panel[data-panel=exit]');
    if (trigger) await panels.waitFor();
    await pause(trigger ? 500 : 400);
    const told = at.events('exit_intent').map((event) => event.data.trigger);
    assert.equal(await panels.count(), trigger ? 1 : 0);
    // To be away or still is no act of the shopper's.
    assert.deepEqual(told, trigger && !/^(tab_return|idle)$/.test(trigger) ? [trigger] : []);
  });
}

for (const [name, act_below, shown] of [['low enough', 0.99, 1], ['not that low', 0.01, 0], ['nothing said', undefined, 0]]) {
  story('a score alone is a reason: ' + name, leaving({ act_below }), async ({ at, page, visit }) => {
    await visit();
    await ready(at);
    await push(page, 'track', 'try_coupon', { coupon: 'TEN', accepted: false });
    await push(page, 'track', 'add_to_cart', add(MUG));
    await push(page, 'track', 'try_coupon', { coupon: 'TWENTY', accepted: false });
    await until(() => at.events('try_coupon').length === 2, 'what lowers it');
    await pause(500);
    assert.equal(await page.locator('comeback-panel[data-panel=exit]').count(), shown);
    assert.deepEqual(at.events('exit_intent'), [], 'no gesture was made');
    assert.ok((await fired(page, 'score')).length);
  });
}
