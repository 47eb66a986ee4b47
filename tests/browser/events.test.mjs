// The published event catalogue: the schema and the frozen vectors (which crates/wire reads too, so
// that the schema and the edge's reader agree), and its names and fields against GA4's own.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { faults, schema, unlisted, vectors } from './support/catalogue.mjs';

const text = (path) => readFile(new URL('../../' + path, import.meta.url), 'utf8');

for (const { what, batch } of await vectors('valid')) {
  test('valid: ' + what, () => assert.deepEqual(faults(batch), []));
}
for (const { what, batch } of await vectors('invalid')) {
  test('not valid: ' + what, () => assert.notDeepEqual(faults(batch), []));
}

test('every name of the catalogue is in a valid vector, in the document and in the types, and no other is documented', async () => {
  const names = [...schema.$defs.name.enum].sort();
  const used = new Set((await vectors('valid')).flatMap(({ batch }) => batch.events.map((event) => event.name)));
  assert.deepEqual(names.filter((name) => !used.has(name)), []);
  const section = (await text('docs/events.md')).split('## Names')[1].split('\n## ')[0];
  const documented = section.split('\n').filter((row) => row.startsWith('| `')).flatMap((row) => [...row.split('|')[1].matchAll(/`(\w+)`/g)].map((hit) => hit[1]));
  assert.deepEqual(documented.sort(), names);
  const types = (await text('sdk-js/index.d.ts')).split('export interface Events {')[1].split('\n}')[0];
  const typed = [...types.matchAll(/^ {2}(\w+)\??:/gm)].map((hit) => hit[1]);
  assert.deepEqual(typed.filter((name) => !names.includes(name)), [], 'types name only what there is');
  const own = ['exit_intent', 'page_hide', 'panel_shown', 'panel_withheld', 'panel_closed', 'panel_clicked', 'survey_answer'];
  assert.deepEqual(names.filter((name) => !typed.includes(name)).sort(), own.sort(), 'the rest the SDK reports itself');
});

test('every field of the catalogue is documented', async () => {
  const document = await text('docs/events.md');
  for (const definition of ['data', 'item']) {
    for (const field of Object.keys(schema.$defs[definition].properties)) assert.ok(document.includes('`' + field + '`'), definition + '.' + field);
  }
});

test("names and fields are GA4's where GA4 has them; the others are known to be ours", async () => {
  const ga4 = await vectors('ga4');
  const ours = schema.$defs.name.enum.filter((name) => !ga4.events[name]);
  assert.deepEqual(ours.sort(), ['cart_set', 'checkout_error', 'exit_intent', 'page_hide', 'page_view', 'panel_clicked', 'panel_closed', 'panel_shown', 'panel_withheld', 'survey_answer', 'try_coupon', 'view_shipping_estimate']);
  assert.deepEqual(Object.keys(schema.$defs.item.properties).filter((field) => !ga4.item.includes(field)), ['image_url', 'item_url']);
  const fields = new Set(Object.values(ga4.events).flatMap((event) => event.fields));
  const data = Object.keys(schema.$defs.data.properties).filter((field) => field !== 'items' && !fields.has(field));
  assert.deepEqual(data.sort(), ['accepted', 'arm', 'code', 'dwell_ms', 'experiment', 'method', 'panel', 'reason', 'step', 'trigger']);
  // GA4 requires items nearly everywhere; an event of GA4's that lacks them is taken all the same.
  for (const name of ['begin_checkout', 'add_shipping_info', 'add_payment_info', 'view_item']) {
    assert.ok(ga4.events[name].required.includes('items'), name);
    assert.deepEqual(faults({ v: 1, pk: 'pk_demo', events: [{ id: 'evt_1', t: 1, name, data: {} }] }), []);
  }
});

test('what is not listed is found', () => {
  const batch = (event) => ({ v: 1, pk: 'pk_demo', events: [{ id: 'evt_1', t: 1, ...event }] });
  assert.deepEqual(unlisted(batch({ name: 'page_view', data: { email: 'a@example.com' } })), ['events[0] page_view.email']);
  assert.deepEqual(unlisted(batch({ name: 'view_item', data: { items: [{ item_id: 'a', note: 'x' }] } })), ['events[0] view_item.note']);
  assert.deepEqual(unlisted(batch({ name: 'gtm.click' })), ['events[0] gtm.click']);
});
