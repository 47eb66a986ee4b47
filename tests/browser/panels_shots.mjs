// Pictures of every panel: desktop and phone, light and dark, left to right and right to left.
//   CHROMIUM=/usr/bin/chromium node tests/browser/panels_shots.mjs FOLDER [KIND…]
// Needs a build (dist/assets). Asserts nothing: somebody has to look at them.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SCENES, rulesOf, scene } from './support/panel_scenes.mjs';
import { launched, shop } from './support/storefront.mjs';

const [folder, ...wanted] = process.argv.slice(2);
if (!folder) throw new Error('usage: node tests/browser/panels_shots.mjs FOLDER [KIND…]');
await mkdir(folder, { recursive: true });
const STYLE = '<style>body{font-family:system-ui;margin:24px;color:CanvasText;background:Canvas;color-scheme:light dark}</style>';
const SIZES = { desktop: { viewport: { width: 1000, height: 700 } }, phone: { viewport: { width: 390, height: 780 }, deviceScaleFactor: 2 } };
const browser = await launched();
for (const kind of wanted.length ? wanted : Object.keys(SCENES)) {
  for (const locale of ['en', 'ar']) {
    for (const [size, context] of Object.entries(SIZES)) {
      const at = await shop(rulesOf(kind, locale, { head: STYLE }));
      const held = await browser.newContext({ ...context, reducedMotion: 'reduce' });
      const page = await held.newPage();
      await scene(kind, page, at);
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.screenshot({ path: join(folder, `${kind}-${size}-${colorScheme}-${locale === 'ar' ? 'rtl' : 'ltr'}.png`) });
      }
      await held.close();
      await at.close();
    }
  }
}
await browser.close();
