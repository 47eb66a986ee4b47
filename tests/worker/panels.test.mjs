// Experiments on panels at the running edge: what pages are told, whose word counts for an arm, and where an exposure is kept.
// And the check of a cart's lines, which asks nobody who they are.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { Browser, mug, now, reset, signed, startShop, story } from './support/shopper.mjs';

const vectors = JSON.parse(await readFile(new URL('../vectors/experiments.json', import.meta.url), 'utf8'));
const policy = `
[policy]
name = "panels"
[[offer]]
name = "ten"
kind = "percent"
percent = 10
valid_for = "72h"
[[sequence]]
name = "standard"
steps = [{ name = "only", at = "1h", channel = ["email"], template = "reminder" }]
[[experiment]]
name = "exit_copy"
hypothesis = "Plain words keep more people than none."
panel = "exit"
arms = [{ name = "control" }, { name = "plain", copy = "plain", offer = "ten" }, { name = "nothing", silent = true }]
[[panel]]
panel = "survey"
off = true
[shipping]
free_from = 75
[jurisdiction]
packs = []
`;

let rig;
before(async () => {
  rig = await startShop({
    shop: {
      policy: undefined,
      policy_toml: policy,
      offer_codes: { ten: 'BACK10' },
      panels: { exit: { title: 'Before you go' }, survey: { title: 'Why?' }, i18n: { de: { exit: { title: 'Bevor Sie gehen' } } } },
    },
  });
  await reset(rig);
});
after(() => rig?.stop());

const config = async (query = '') => (await rig.fetch('/v1/config/pk_demo' + query)).json();

/** The dealing of the core once more and by other hands: FNV-1a in a Feistel network over hundreds and units. */
function deal(shop, experiment, bucket) {
  let [left, right] = [Math.floor(bucket / 100), bucket % 100];
  for (let round = 0; round < 6; round += 1) {
    let hash = 0xcbf29ce484222325n;
    for (const byte of [...Buffer.from(shop), 0, ...Buffer.from(experiment), 0, round, right]) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
    [left, right] = [right, (left + Number((hash >> 32n) % 100n)) % 100];
  }
  return left * 100 + right;
}
const ARMS = ['control', 'plain', 'nothing'];
const armOf = (bucket) => ARMS[Math.floor((deal('shop_demo', 'exit_copy', bucket) * 3) / 10_000)];

/** A browser with a cart whose bucket gives this arm. */
async function shopperIn(arm) {
  for (;;) {
    const shopper = new Browser(rig);
    const answer = await shopper.add();
    if (armOf(answer.bucket) === arm) return shopper;
  }
}
const moment = async (shopper, name, arm, over = {}) =>
  shopper.send([shopper.event(name, { panel: 'exit', experiment: 'exit_copy', arm, ...over }, { t: await now(rig) })]);
const exposures = async (shopper) => (await story(rig, shopper.cart)).log.map((n) => n.entry.what).filter((what) => what.type === 'exposed');
const state = async (shopper) => (await story(rig, shopper.cart)).state;

test('what pages are told of panels: words in their language, rules, arms and an offer with its code', async () => {
  const told = await config();
  assert.equal(told.shop.id, 'shop_demo');
  assert.equal(told.shipping.free_from_minor, 7500);
  assert.equal(told.panels.survey.enabled, false);
  assert.deepEqual(told.panels.exit.experiment, {
    name: 'exit_copy',
    arms: [
      { name: 'control', weight: 1 },
      { name: 'plain', weight: 1, copy: 'plain', offer: { name: 'ten', code: 'BACK10', gives: { percent: 10 } } },
      { name: 'nothing', weight: 1, silent: true },
    ],
  });
  const samples = (locale) => ({
    money: new Intl.NumberFormat(locale, { style: 'currency', currency: 'EUR' }).format(1234567890.12),
    count: new Intl.NumberFormat(locale).format(1234567890),
    percent: new Intl.NumberFormat(locale, { style: 'percent' }).format(12345678.9),
    grouped: locale === 'es' ? 5 : 4,
  });
  assert.deepEqual(told.shop.samples, samples(told.shop.locale));
  const german = await config('?lang=de-AT');
  assert.deepEqual(german.shop.samples, samples('de'));
  assert.deepEqual([german.panels.exit.title, german.shop.locale], ['Bevor Sie gehen', 'de']);
  assert.equal(german.panels.i18n, undefined);
});

test('the frozen vectors hold in workerd: the bucket of a page, and how it is dealt', async () => {
  for (const { unit, bucket } of vectors.buckets.filter((v) => v.shop === 'shop_demo' && v.name === 'page' && v.unit.startsWith('vis_'))) {
    const shopper = new Browser(rig);
    // The name of the cookie is the edge's; its value is anything that is an id.
    await shopper.send([shopper.event('page_view')]);
    const cookie = [...shopper.cookies.keys()].find((name) => shopper.cookies.get(name).startsWith('vis_'));
    shopper.cookies.set(cookie, unit);
    assert.equal((await shopper.add()).bucket, bucket);
  }
  for (const row of vectors.deals) assert.equal(deal(row.shop, row.experiment, row.bucket), row.dealt, 'the second implementation is right');
  // The edge takes the arm that is dealt, and no other: ten buckets, all arms.
  const seen = new Set();
  for (let n = 0; n < 10 || seen.size < 3; n += 1) {
    const shopper = new Browser(rig);
    const arm = armOf((await shopper.add()).bucket);
    seen.add(arm);
    for (const named of [...ARMS.filter((a) => a !== arm), arm]) await moment(shopper, named === 'nothing' ? 'panel_withheld' : 'panel_shown', named);
    assert.deepEqual((await exposures(shopper)).map((e) => e.exposure.arm), [arm]);
  }
});

test('an exposure is recorded at its moment, once per event, and told to the next page', async () => {
  const shopper = await shopperIn('plain');
  assert.deepEqual(await exposures(shopper), [], 'assigned is not exposed');
  const event = shopper.event('panel_shown', { panel: 'exit', experiment: 'exit_copy', arm: 'plain' }, { t: await now(rig) });
  await shopper.send([event]);
  const { arms } = await shopper.send([event]);
  assert.deepEqual(arms, { exit_copy: 'plain' });
  assert.deepEqual(await exposures(shopper), [{ type: 'exposed', panel: 'exit', exposure: { experiment: 'exit_copy', arm: 'plain' } }]);
});

test('a silent arm is an exposure when its panel would have been shown', async () => {
  const shopper = await shopperIn('nothing');
  await moment(shopper, 'panel_shown', 'nothing');
  assert.deepEqual(await exposures(shopper), [], 'it cannot have been shown');
  await moment(shopper, 'panel_withheld', 'nothing');
  assert.deepEqual(await exposures(shopper), [{ type: 'exposed', panel: 'exit', exposure: { experiment: 'exit_copy', arm: 'nothing' }, withheld: true }]);
});

test("a page's word invents no arm, experiment or panel", async () => {
  const shopper = await shopperIn('control');
  await moment(shopper, 'panel_shown', 'invented');
  await moment(shopper, 'panel_shown', 'control', { experiment: 'invented' });
  await moment(shopper, 'panel_shown', 'control', { panel: 'survey' });
  await moment(shopper, 'panel_withheld', 'control');
  assert.deepEqual(await exposures(shopper), []);
  assert.equal((await state(shopper)).assignments, undefined);
});

test('the first arm goes with the person: to the next cart, and two that meet are a conflict', async () => {
  const email = 'arms@example.com';
  const [first, second] = [await shopperIn('plain'), await shopperIn('nothing')];
  await moment(first, 'panel_shown', 'plain');
  await first.identify(email);
  await moment(second, 'panel_withheld', 'nothing');
  // By the shop's word the two are one.
  for (const shopper of [first, second]) await signed(rig, '/v1/identify', { pk: 'pk_demo', cart: shopper.cart, email });
  const arms = (await state(second)).assignments;
  assert.deepEqual(arms.map((a) => [a.arm, a.conflict]), [['plain', true]]);
  assert.equal((await second.send([second.event('page_view')])).arms.exit_copy, 'plain');
});

test('lines of a cart are checked without a cookie: sold out with what is there instead, price, and nothing of the shop', async () => {
  const lines = [
    ['harbour-mug', '350 ml / Ink', 1, 2800],
    ['harbour-mug', '250 ml / Tide', 1, 2300],
    ['harbour-mug', mug.item_variant, 1, 2400],
    ['coffee-carafe', '900 ml / Ink', 3, 5800],
    ['unheard-of', null, 1, 100],
  ];
  const answer = await rig.fetch('/v1/check/pk_demo?lines=' + encodeURIComponent(JSON.stringify(lines)));
  assert.equal(answer.status, 200);
  assert.deepEqual([answer.headers.get('access-control-allow-origin'), answer.headers.get('set-cookie')], ['*', null]);
  const { currency, findings } = await answer.json();
  assert.equal(currency, 'EUR');
  assert.deepEqual(findings.map((f) => [f.problem, f.left, f.was_minor, f.now_minor]), [
    ['sold_out', 0, undefined, 2800],
    ['price', 1, 2300, 2400],
    ['fewer', 1, undefined, 5800],
  ]);
  assert.equal(findings[0].instead[0].item_variant, '350 ml / Tide');
  assert.doesNotMatch(JSON.stringify(findings), /cost|stock|class/);
  for (const bad of ['', '?lines=', '?lines=%7B%7D', '?lines=%FF', '?lines=' + 'x'.repeat(9000)]) assert.equal((await rig.fetch('/v1/check/pk_demo' + bad)).status, 400, bad.slice(0, 20));
  assert.equal((await rig.fetch('/v1/check/pk_other?lines=[]')).status, 404);
});
