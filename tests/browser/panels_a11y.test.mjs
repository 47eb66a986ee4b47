// Every panel for those who cannot see or point: axe finds nothing, in both directions of writing, light and
// dark; the focus goes through a dialog and back; a strip takes none and is reached all the same.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { SCENES, STRIPS, rulesOf, scene } from './support/panel_scenes.mjs';
import { launched, pause, shop } from './support/storefront.mjs';

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** Where the focus is, below shadow roots. */
const focused = (page) =>
  page.evaluate(() => {
    const inner = document.activeElement?.shadowRoot?.activeElement;
    return inner ? (inner.getAttribute('aria-label') || inner.textContent || inner.id).trim() : document.activeElement?.id || document.activeElement?.tagName;
  });

for (const kind of Object.keys(SCENES)) {
  for (const locale of ['en', 'ar']) {
    test(`${kind}, ${locale}: axe finds nothing, and the keyboard goes through it and back`, async () => {
      const at = await shop(rulesOf(kind, locale));
      const context = await (await launched()).newContext({ viewport: { width: 390, height: 780 }, reducedMotion: 'reduce' });
      const page = await context.newPage();
      try {
        const card = await scene(kind, page, at);
        await pause(100);
        assert.equal(await card.evaluate((card) => getComputedStyle(card).direction), locale === 'ar' ? 'rtl' : 'ltr');
        for (const colorScheme of ['light', 'dark']) {
          await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
          await page.evaluate(axe);
          const { violations } = await page.evaluate((tags) => window.axe.run('comeback-panel', { runOnly: tags }), TAGS);
          assert.deepEqual(violations.map((v) => [v.id, v.nodes.map((n) => n.html)]), [], colorScheme);
        }
        // WCAG 2.2, 2.5.8: what can be pressed is large enough, and nothing hangs out of the phone.
        const boxes = await card.locator('button,a,input').evaluateAll((all) => all.map((e) => [e.textContent, e.getBoundingClientRect().toJSON()]));
        for (const [text, { left, right, width, height }] of boxes) assert.ok(width >= 24 && height >= 24 && left >= 0 && right <= 390, text);

        const stops = [];
        if (STRIPS.includes(kind)) {
          assert.ok(['BODY', 'HTML'].includes(await focused(page)), 'it takes no focus');
          await page.focus('#b');
        } else {
          assert.equal(await page.evaluate(() => document.querySelector('main').inert), true);
        }
        for (let n = 0; n < boxes.length + 1; n += 1) {
          await page.keyboard.press('Tab');
          stops.push(await focused(page));
        }
        const inside = new Set(stops.slice(0, boxes.length));
        assert.equal(inside.size, boxes.length, `every stop once: ${stops}`);
        if (!STRIPS.includes(kind)) assert.equal(stops.at(-1), stops[0], 'and round again');
        await page.keyboard.press('Shift+Tab');
        await card.getByRole('button').last().focus();
        await page.keyboard.press('Escape');
        await card.waitFor({ state: 'detached' });
        assert.equal(await page.evaluate(() => document.querySelector('main').inert), false);
      } finally {
        await context.close();
        await at.close();
      }
    });
  }
}
