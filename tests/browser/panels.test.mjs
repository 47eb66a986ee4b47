// Experiments on panels, and every panel at its moment, in a real Chromium against an endpoint made here:
// what is shown, what is told, and what is not.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { EN, FINDINGS } from './support/panel_copy.mjs';
import { CONFIG, MUG as CUP, SOON, add, fired, launched, pause, push, ready, shop, story as storefront, until } from './support/storefront.mjs';

const vectors = JSON.parse(await readFile(new URL('../vectors/experiments.json', import.meta.url), 'utf8'));
const MUG = { ...CUP, item_variant: '350 ml / Ink', price: 28 };
const SHOP = { ...CONFIG.shop, id: 'shop_demo', cart_url: '/cart' };

/** `kinds` are the panels that the shop has words for. */
function story(name, kinds, rules, act) {
  const panels = Object.fromEntries(kinds.map((kind) => [kind, { ...EN[kind], ...(kind === 'exit' && { rules: SOON }), ...rules.panels?.[kind] }]));
  storefront(name, { ...rules, config: { shop: SHOP, shipping: { free_from_minor: 7500 }, panels } }, act);
}
const panel = (page, kind) => page.locator(`comeback-panel[data-panel=${kind}] .card`);

/** A move to the top edge and out of it. Made in the page: how fast a real one is depends on who else is at work here. */
const leave = (page) =>
  page.evaluate(() => {
    const move = (name, clientY) => document.documentElement.dispatchEvent(new MouseEvent(name, { bubbles: true, relatedTarget: null, clientX: 500, clientY }));
    move('mousemove', 400);
    move('mouseout', -2);
  });

/** Something is in the cart and the edge has answered with a bucket. */
async function filled({ at, page, visit }, item = MUG) {
  await visit();
  await push(page, 'track', 'add_to_cart', add(item));
  await until(() => at.events('add_to_cart').length, 'the add');
  await pause(250);
}
const told = (at, name) => at.events(name).map((event) => event.data);

const THREE = { name: 'words', arms: [{ name: 'control', weight: 1 }, { name: 'plain', weight: 1, copy: 'plain', dwell_ms: 0 }, { name: 'nothing', weight: 1, silent: true }] };
/** A bucket that is dealt into this arm of `THREE`, by trying what the vectors and the core say: shares of a third. */
const armOf = async (page) => (await fired(page, 'panel')).find((p) => p.arm)?.arm;

for (const [arm, buckets] of Object.entries(await bucketsByArm())) {
  story(`an experiment on the exit panel: arm ${arm}`, ['exit'], { bucket: buckets, panels: { exit: { experiment: THREE } } }, async (the) => {
    const { at, page } = the;
    await filled(the);
    assert.deepEqual(told(at, 'panel_shown').concat(told(at, 'panel_withheld')), [], 'assigned is not exposed');
    await leave(page);
    const named = { panel: 'exit', experiment: 'words', arm };
    if (arm === 'nothing') {
      await until(() => at.events('panel_withheld').length, 'the moment of what is not shown');
      assert.deepEqual(told(at, 'panel_withheld'), [named]);
      assert.equal(await panel(page, 'exit').count(), 0);
      assert.deepEqual(told(at, 'panel_shown'), []);
      // It counts like one that was shown.
      await leave(page);
      await until(async () => (await fired(page, 'panel')).some((p) => p.why === 'already_shown'), 'held back the second time');
      return;
    }
    await panel(page, 'exit').waitFor();
    assert.equal(await panel(page, 'exit').locator('h2').textContent(), arm === 'plain' ? EN.exit.variants.plain.title : EN.exit.title);
    assert.equal(await panel(page, 'exit').locator('li').count(), arm === 'plain' ? 0 : 2);
    await until(() => at.events('panel_shown').length, 'the exposure');
    assert.deepEqual(told(at, 'panel_shown'), [named]);
    assert.equal(await armOf(page), arm);
  });
}

/** Buckets of `words` at `shop_demo`, from the second implementation below. */
async function bucketsByArm() {
  const found = {};
  for (let bucket = 0; bucket < 10_000 && Object.keys(found).length < 3; bucket += 1) {
    const dealt = deal('shop_demo', 'words', bucket);
    found[THREE.arms[Math.floor((dealt * 3) / 10_000)].name] ??= bucket;
  }
  return found;
}

/** The dealing of `experiment.rs`, once more and by other hands: FNV-1a in a Feistel network. */
function deal(shop, experiment, bucket) {
  let [left, right] = [Math.floor(bucket / 100), bucket % 100];
  for (let round = 0; round < 6; round += 1) {
    let hash = 0xcbf29ce484222325n;
    for (const byte of [...new TextEncoder().encode(shop), 0, ...new TextEncoder().encode(experiment), 0, round, right]) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
    [left, right] = [right, (left + Number((hash >> 32n) % 100n)) % 100];
  }
  return left * 100 + right;
}

test('the frozen vectors of dealing and of shares hold in the browser', async () => {
  assert.ok(vectors.deals.length >= 3 && vectors.arms.length >= 3);
  // Every page takes seconds; natively all rows are asked, here some of each kind.
  const cases = [
    // Of three arms the middle one is a single bucket wide: it is taken exactly if the bucket is dealt there.
    ...vectors.deals.filter((_, n) => n % 6 === 0).map((row) => ({ shop: row.shop, experiment: row.experiment, bucket: row.bucket, weights: [row.dealt, 1, 9_999 - row.dealt], arm: 1, row })),
    // And shares are taken after dealing, so the bucket is one that is dealt to the vector's.
    ...vectors.arms.filter((_, n) => n % 9 === 0).map((row) => ({ shop: 'shop_demo', experiment: 'words', bucket: undeal(row.bucket), weights: row.weights, arm: row.arm, row })),
  ];
  for (const { shop: id, experiment, bucket, weights, arm, row } of cases) {
    const arms = weights.map((weight, n) => ({ name: 'arm' + n, weight }));
    const at = await shop({ bucket, config: { shop: { ...SHOP, id }, panels: { exit: { ...EN.exit, rules: SOON, experiment: { name: experiment, arms } } } } });
    const context = await (await launched()).newContext({ viewport: { width: 1000, height: 700 } });
    const page = await context.newPage();
    await page.addInitScript(() => {
      window.fired = [];
      addEventListener('comeback:panel', (e) => window.fired.push(['panel', e.detail]));
    });
    await filled({ at, page, visit: () => page.goto(at.origin) });
    await leave(page);
    await until(() => armOf(page), JSON.stringify(row));
    assert.equal(await armOf(page), 'arm' + arm, JSON.stringify(row));
    await context.close();
    await at.close();
  }
});

const undealt = new Map();
function undeal(dealt) {
  if (!undealt.size) for (let bucket = 0; bucket < 10_000; bucket += 1) undealt.set(deal('shop_demo', 'words', bucket), bucket);
  return undealt.get(dealt);
}

story('the arm of a first exposure stays, whatever the bucket says', ['exit'], { bucket: 1, arms: { words: 'plain' }, panels: { exit: { experiment: THREE } } }, async (the) => {
  await filled(the);
  await leave(the.page);
  await panel(the.page, 'exit').waitFor();
  assert.equal(await armOf(the.page), 'plain');
});

story('an arm may bring its own patience, and an offer that it names', ['exit'], {
  bucket: 1,
  panels: {
    exit: {
      rules: { dwell_ms: 600_000, max_buy: 0.99 },
      experiment: { name: 'words', arms: [{ name: 'soon', weight: 1, dwell_ms: 0, offer: { name: 'ten', code: 'TEN10', gives: { percent: 10 } } }] },
    },
  },
}, async (the) => {
  await filled(the);
  await leave(the.page);
  await panel(the.page, 'exit').waitFor();
  assert.equal(await panel(the.page, 'exit').locator('[part=offer]').textContent(), 'Use TEN10 for 10% off this order.');
});

story('a banner, when a sequence wrote and the shopper came back', ['banner', 'saved_cart'], {}, async ({ at, page, visit }) => {
  await filled({ at, page, visit });
  at.rules.sequence = true;
  await visit('/next');
  await panel(page, 'banner').waitFor();
  assert.match(await panel(page, 'banner').textContent(), /Your cart is waiting.*1 in it, €28\.00\./);
  assert.equal(await panel(page, 'banner').getByRole('link').getAttribute('href'), '/cart');
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'BODY', 'it takes no focus');
  assert.equal(await page.evaluate(() => document.querySelector('main').inert), false);
  await panel(page, 'banner').getByRole('button', { name: 'Later' }).click();
  await until(() => at.events('panel_closed').length, 'closed');
  await visit('/third');
  await pause(400);
  assert.equal(await page.locator('comeback-panel').count(), 0, 'one in a session');
});

story('who comes back to a cart is told so once, and not on the page of the cart', ['saved_cart', 'returning'], {}, async ({ at, page, context, visit }) => {
  await filled({ at, page, visit });
  await page.close();
  for (const [path, shown] of [['/cart', 0], ['/', 1]]) {
    // A new tab is a new session.
    const again = await context.newPage();
    await again.goto(at.origin + path);
    const before = at.posts().length;
    await until(() => at.posts().length > before, 'the page view');
    await pause(500);
    assert.equal(await panel(again, 'saved_cart').count(), shown, path);
    if (!shown) assert.ok((await fired(again, 'panel')).some((p) => p.panel === 'saved_cart' && p.why === 'at_cart'));
    await again.close();
  }
});

story('who comes back without a cart is greeted otherwise', ['saved_cart', 'returning'], {}, async ({ at, page, context, visit }) => {
  await visit();
  await ready(at);
  assert.equal(await page.locator('comeback-panel').count(), 0, 'not on a first visit');
  await page.close();
  const again = await context.newPage();
  await again.goto(at.origin);
  await panel(again, 'returning').waitFor();
  assert.equal(await panel(again, 'returning').locator('h2').textContent(), EN.returning.title);
});

story('free shipping is counted down as the cart fills, and stays away once closed', ['shipping_progress'], {}, async (the) => {
  const { at, page } = the;
  await filled(the);
  const strip = panel(page, 'shipping_progress');
  await strip.waitFor();
  assert.equal(await strip.locator('h2').textContent(), '€47.00 more for free delivery');
  assert.equal(await strip.getByRole('progressbar').getAttribute('aria-valuenow'), '37');
  await push(page, 'track', 'add_to_cart', add({ ...MUG, item_id: 'bowl', price: 40 }));
  await until(async () => (await strip.locator('h2').textContent()) === '€7.00 more for free delivery', 'counted on');
  assert.equal(at.events('panel_shown').length <= 1, true, 'one panel, one moment');
  await strip.getByRole('button', { name: 'Close' }).click();
  await push(page, 'track', 'remove_from_cart', add({ ...MUG, item_id: 'bowl', price: 40 }));
  await pause(600);
  assert.equal(await strip.count(), 0);
});

story('a survey asks whoever leaves, and its answer is told', ['survey'], { panels: { survey: { rules: { max_buy: 0.99, dwell_ms: 0 } } } }, async (the) => {
  const { at, page } = the;
  await filled(the);
  await leave(page);
  const dialog = panel(page, 'survey');
  await dialog.waitFor();
  await dialog.getByRole('button', { name: 'Delivery costs too much' }).click();
  assert.equal(await dialog.getByRole('status').textContent(), EN.survey.thanks.shipping_cost);
  await until(() => at.events('survey_answer').length, 'the answer');
  assert.deepEqual(told(at, 'survey_answer'), [{ panel: 'survey', reason: 'shipping_cost' }]);
  await dialog.getByRole('button', { name: 'Close' }).first().click();
});

story('a page that replaces its body takes a panel away, and the next one shows', ['declined', 'validation', 'shipping_progress'], {}, async (the) => {
  const { page } = the;
  await filled(the);
  const strip = page.locator('comeback-panel[data-panel=shipping_progress] h2');
  await strip.waitFor();
  await push(page, 'track', 'checkout_error', { step: 'payment', code: 'card_declined', method: 'card' });
  await panel(page, 'declined').waitFor();
  // As routers do that bring pages in as text.
  await page.evaluate(() => document.documentElement.replaceChild(Object.assign(document.createElement('body'), { innerHTML: '<main><h1>Next</h1></main>' }), document.body));
  assert.equal(await page.locator('comeback-panel').count(), 0);
  await push(page, 'track', 'checkout_error', { step: 'shipping', code: 'postcode_invalid', field: 'postcode' });
  await panel(page, 'validation').waitFor();
  await page.keyboard.press('Escape');
  await push(page, 'track', 'add_to_cart', add(MUG));
  await strip.waitFor();
});

story('declined: another way to pay, a person to ask, and a chat that hears what happened', ['declined'], {}, async (the) => {
  const { page } = the;
  await filled(the);
  await push(page, 'track', 'checkout_error', { step: 'payment', code: 'card_declined', method: 'card' });
  const dialog = panel(page, 'declined');
  await dialog.waitFor();
  assert.equal(await dialog.getByRole('link', { name: 'hello@shop.example' }).getAttribute('href'), 'mailto:hello@shop.example');
  await dialog.getByRole('button', { name: 'Chat with us' }).click();
  const [chat] = await fired(page, 'assist');
  assert.deepEqual([chat.chat, chat.error.code, chat.cart.lines[0].item_id], [true, 'card_declined', 'mug']);
  await dialog.getByRole('button', { name: 'PayPal' }).click();
  assert.equal((await fired(page, 'assist'))[1].method, 'PayPal');
});

story('sold out: the next variant that is there, at its price, goes into the cart', ['sold_out'], { findings: FINDINGS }, async (the) => {
  const { at, page } = the;
  await filled(the);
  await page.evaluate(() => comeback.push(['adapter', { read: async () => ({ lines: [] }), replace: async (lines) => (window.replaced = lines) }]));
  await push(page, 'track', 'checkout_error', { step: 'review', code: 'out_of_stock', items: [{ item_id: 'mug', item_variant: '350 ml / Ink' }] });
  const dialog = panel(page, 'sold_out');
  await dialog.waitFor();
  assert.equal(await dialog.getByRole('listitem').getByRole('heading').textContent(), 'Harbour mug, 350 ml / Ink');
  await dialog.getByRole('button', { name: 'Take 250 ml / Ink for €24.00' }).click();
  await dialog.waitFor({ state: 'detached' });
  const [line] = await page.evaluate(() => window.replaced);
  assert.deepEqual([line.item_variant, line.price, line.quantity], ['250 ml / Ink', 24, 1]);
  const set = await until(() => told(at, 'cart_set')[0], 'the cart as it is now');
  assert.deepEqual([set.items[0].item_variant, set.items[0].price], ['250 ml / Ink', 24]);
  const asked = at.requests.find((r) => r.path.startsWith('/v1/check/'));
  assert.equal(asked.query.get('lines'), '[["mug","350 ml / Ink",1,2800]]');
  assert.equal(asked.headers.cookie, undefined);
});

story('validation: the field by its label, what to do, and there', ['validation'], {
  body: '<form><label for="postcode">Postcode *</label><input id="postcode" name="zip"></form><button id="b">Buy</button>',
}, async (the) => {
  const { at, page } = the;
  await filled(the);
  await page.focus('#b');
  await push(page, 'track', 'checkout_error', { step: 'shipping', code: 'postcode_invalid', field: 'postcode' });
  const dialog = panel(page, 'validation');
  await dialog.waitFor();
  assert.match(await dialog.textContent(), /Please look at “Postcode” once more\.A postcode in Ireland/);
  await dialog.getByRole('button', { name: 'Show me “Postcode”' }).click();
  assert.equal(await page.evaluate(() => document.activeElement.id), 'postcode');
  await until(() => at.events('checkout_error').length, 'the refusal');
  assert.deepEqual(told(at, 'checkout_error'), [{ step: 'shipping', code: 'postcode_invalid' }], 'which field stays in the page');
});

story('shipping shock: from when it is free, and the total', ['shipping_cost'], {}, async (the) => {
  const { page } = the;
  await filled(the);
  await push(page, 'track', 'view_shipping_estimate', { currency: 'EUR', value: 1 });
  await pause(300);
  assert.equal(await page.locator('comeback-panel').count(), 0, 'a little is no shock');
  await push(page, 'track', 'view_shipping_estimate', { currency: 'EUR', value: 5.9 });
  const dialog = panel(page, 'shipping_cost');
  await dialog.waitFor();
  assert.match(await dialog.textContent(), /€47\.00 more and delivery is free \(from €75\.00\)\.With delivery at €5\.90 you pay €33\.90\./);
});

story('the cart is checked when it is viewed and before a form is sent', ['cart_check'], {
  findings: [],
  body: '<form data-comeback-check action="/sent"><button id="pay">Pay</button></form>',
}, async (the) => {
  const { at, page } = the;
  await filled(the);
  const checks = () => at.requests.filter((r) => r.path.startsWith('/v1/check/')).length;
  await push(page, 'track', 'view_cart', add(MUG));
  await until(checks, 'the check on view');
  assert.equal(await page.locator('comeback-panel').count(), 0, 'nothing is wrong, nothing is shown');
  at.rules.findings = FINDINGS;
  await page.click('#pay');
  const dialog = panel(page, 'cart_check');
  await dialog.waitFor();
  assert.ok(!page.url().includes('/sent'));
  await dialog.getByRole('button', { name: 'Take 350 ml / Tide for €28.00' }).click();
  await page.waitForURL(/\/sent/);
});

story('what is not to be had is told again to whoever sends the form, and kept back', ['cart_check'], {
  findings: FINDINGS,
  body: '<form data-comeback-check action="/sent"><button id="pay">Pay</button></form>',
}, async (the) => {
  const { page } = the;
  await filled(the);
  await push(page, 'track', 'begin_checkout', add(MUG));
  const dialog = panel(page, 'cart_check');
  await dialog.waitFor();
  await page.keyboard.press('Escape');
  await push(page, 'track', 'view_cart', add(MUG));
  await pause(500);
  assert.equal(await dialog.count(), 0, 'known and left as it is');
  await page.click('#pay');
  await dialog.waitFor();
  await dialog.getByRole('button', { name: 'Leave it as it is' }).click();
  await pause(300);
  assert.ok(!page.url().includes('/sent'), 'the shopper decides, and may send it again when it is mended');
});

story('an edge that does not answer keeps no form back', ['cart_check'], { body: '<form data-comeback-check action="/sent"><button id="pay">Pay</button></form>' }, async (the) => {
  const { page } = the;
  await filled(the);
  await page.route('**/v1/check/**', () => {});
  await page.click('#pay');
  await page.waitForURL(/\/sent/);
});

story('the words are asked for in the language of the page', ['exit'], { html: 'lang="de-AT"' }, async ({ at, visit }) => {
  await visit();
  await ready(at);
  assert.equal(at.requests.find((r) => r.path.startsWith('/v1/config/')).query.get('lang'), 'de-AT');
});

story('a panel without words is no panel', [], {}, async (the) => {
  const { at, page } = the;
  await filled(the);
  await leave(page);
  await push(page, 'track', 'checkout_error', { step: 'payment', code: 'card_declined', method: 'card' });
  await until(() => at.events('checkout_error').length, 'the refusal');
  await pause(300);
  assert.equal(await page.locator('comeback-panel').count(), 0);
  assert.equal(at.requests.some((r) => /panel|help|strip/.test(r.path)), false, 'nothing of panels is loaded');
});
