// The published event catalogue as a judge: what the schema says of a batch, and what it does not
// say of an event (a name or field that is not listed) although nothing else may leave a page.
import { readFile } from 'node:fs/promises';
import Ajv from 'ajv/dist/2020.js';

const read = async (path) => JSON.parse(await readFile(new URL('../../../' + path, import.meta.url), 'utf8'));
export const schema = await read('docs/events.schema.json');
export const vectors = (name) => read(`tests/vectors/events/${name}.json`);
const validate = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true }).compile(schema);

/** Everything that is wrong with a batch by the schema; nothing if it is valid. */
export function faults(batch) {
  return validate(batch) ? [] : validate.errors.map((error) => `${error.instancePath} ${error.message}`);
}

const NAMES = new Set(schema.$defs.name.enum);
const keysOf = (definition) => new Set(Object.keys(schema.$defs[definition].properties));
const EVENT = keysOf('event'), DATA = keysOf('data'), ITEM = keysOf('item');
const beyond = (value, known) => Object.keys(value || {}).filter((key) => !known.has(key));

/** What a page of ours sent that the catalogue does not list. */
export function unlisted({ events, ...head }) {
  const found = beyond(head, new Set(Object.keys(schema.properties)));
  for (const [n, event] of events.entries()) {
    if (!NAMES.has(event.name)) found.push(`events[${n}] ${event.name}`);
    for (const key of [...beyond(event, EVENT), ...beyond(event.data, DATA), ...(event.data?.items || []).flatMap((item) => beyond(item, ITEM))]) found.push(`events[${n}] ${event.name}.${key}`);
  }
  return found;
}
