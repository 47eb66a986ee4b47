// A shopper, a platform and a clock, for tests that speak to the Worker only over HTTP.

import { createHmac, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { root, startRig } from '../../rig/rig.mjs';

/** A system of its own with the demo shop in it. */
export async function startShop(options = {}) {
  const rig = await startRig(options);
  const shop = await demoShop(rig);
  await rig.provision(options.shop ? { ...shop, ...options.shop } : shop);
  return rig;
}

/** The demo shop's document under this system's address. */
export async function demoShop(rig) {
  const text = await readFile(path.join(root, 'www-demo/shop.json'), 'utf8');
  return JSON.parse(text.replaceAll('localhost:8787', new URL(rig.url).host));
}

const tail = () => randomBytes(16).toString('hex').slice(0, 22);

/** Ids as the page makes them. */
export const newCart = () => `cart_${tail()}`;
export const newEvent = () => `evt_${tail()}`;

/** A product of the demo shop as a GA4 item. */
export const mug = { item_id: 'harbour-mug', item_variant: '250 ml / Tide', item_name: 'Harbour mug', price: 24, quantity: 1 };
export const other = { item_id: 'harbour-mug', item_variant: '250 ml / Oat', item_name: 'Harbour mug', price: 24, quantity: 2 };

/** One browser: keeps cookies, sends events, follows links. */
export class Browser {
  constructor(rig, { pk = 'pk_demo', zone = 'UTC' } = {}) {
    this.rig = rig;
    this.pk = pk;
    this.zone = zone;
    this.cookies = new Map();
    this.cart = newCart();
  }

  async fetch(target, init = {}) {
    const headers = new Headers(init.headers);
    if (!headers.has('origin')) headers.set('origin', this.rig.url);
    if (this.cookies.size) headers.set('cookie', [...this.cookies].map(([k, v]) => `${k}=${v}`).join('; '));
    const answer = await this.rig.fetch(target, { ...init, headers });
    for (const line of answer.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split('; ');
      const at = pair.indexOf('=');
      if (attributes.includes('Max-Age=0')) this.cookies.delete(pair.slice(0, at));
      else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return answer;
  }

  post(target, body) {
    return this.fetch(target, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
  }

  event(name, data = {}, { id = newEvent(), t = Date.now() } = {}) {
    return { id, t, name, data };
  }

  batch(events, over = {}) {
    return {
      v: 1, pk: this.pk, cart: this.cart, page: { url: this.rig.url, tz: this.zone, mobile: false },
      consent: { storage: true }, automated: false, events, ...over,
    };
  }

  async send(events, over) {
    const answer = await this.post('/v1/events', this.batch(events, over));
    if (answer.status !== 200) throw new Error(`events: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  /** Puts things into the cart at the system's own time. */
  async add(items = [mug]) {
    return this.send([this.event('add_to_cart', { currency: 'EUR', items }, { t: await now(this.rig) })]);
  }

  async identify(email, { consent = true, ...more } = {}) {
    const answer = await this.post('/v1/identify', {
      pk: this.pk, cart: this.cart, email, consent: { email: consent, wording: '2026-11' }, tz: this.zone, ...more,
    });
    if (answer.status !== 200) throw new Error(`identify: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  async buy(order = tail()) {
    return this.send([this.event('purchase', { transaction_id: order, currency: 'EUR', value: 24, items: [mug] }, { t: await now(this.rig) })]);
  }
}

/** The system's own time in milliseconds. */
export async function now(rig) {
  return (await (await rig.fetch('/dev/clock')).json()).now_ms;
}

/** Moves the virtual clock; everything due happens before it answers. */
export async function advance(rig, seconds) {
  const answer = await rig.fetch('/dev/clock', { method: 'POST', body: JSON.stringify({ advance_s: seconds }) });
  if (answer.status !== 200) throw new Error(`clock: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

export const minutes = 60;
export const hours = 3600;

/** Sets the virtual clock and empties the inbox. */
export async function reset(rig, at = '2026-06-01T12:00:00Z') {
  const answer = await rig.fetch('/dev/reset', { method: 'POST', body: JSON.stringify({ now: at }) });
  if (answer.status !== 200) throw new Error(`reset: ${answer.status}`);
}

/** Messages so far, to one address if given. */
export async function inbox(rig, to) {
  const { messages } = await (await rig.fetch('/dev/inbox.json')).json();
  return messages.filter((m) => to === undefined || m.to === to);
}

/** Breaks or mends a part on purpose. */
export async function fault(rig, name, on) {
  await rig.fetch('/dev/faults', { method: 'POST', body: JSON.stringify({ name, on }) });
}

/** The whole story of a cart. */
export async function story(rig, cart, shop = 'shop_demo') {
  const answer = await rig.admin(`/v1/admin/shops/${shop}/carts/${cart}`);
  if (answer.status !== 200) throw new Error(`explain: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** What the gate decided about a cart, in order. */
export async function decisions(rig, cart, shop) {
  const { log } = await story(rig, cart, shop);
  return log.map((l) => l.entry.what).filter((w) => w.type === 'decided').map((w) => w.record);
}

/** The resume link of a message, as a path. */
export function resumePath(message) {
  return new URL(message.text.match(/https?:\/\/\S+\/r\/[\w.-]+/)[0]).pathname;
}

/** The unsubscribe link of a message, as a path. */
export function unsubscribePath(message) {
  return new URL(message.headers['List-Unsubscribe'].slice(1, -1)).pathname;
}

/** A webhook as Shopify signs it. */
export function shopify(rig, topic, body, { at, secret = rig.secrets.shops.shop_demo.shopify, shop = 'shop_demo' } = {}) {
  const raw = typeof body === 'string' ? body : JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'x-shopify-topic': topic, 'x-shopify-hmac-sha256': createHmac('sha256', secret).update(raw).digest('base64') };
  if (at) headers['x-shopify-triggered-at'] = at;
  return rig.fetch(`/v1/intake/${shop}/shopify`, { method: 'POST', body: raw, headers });
}

/** A call of the shop's server, signed with its identity secret. */
export function signed(rig, target, body) {
  const raw = JSON.stringify(body);
  const hex = createHmac('sha256', rig.secrets.shops.shop_demo.identity).update(raw).digest('hex');
  return rig.fetch(target, { method: 'POST', body: raw, headers: { 'x-comeback-signature': `sha256=${hex}` } });
}

/** Waits until something holds. Bounded; tells what it waited for. */
export async function until(what, holds, { tries = 200, every = 50 } = {}) {
  for (let i = 0; i < tries; i += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, every));
  }
  throw new Error(`waited in vain until ${what}`);
}
