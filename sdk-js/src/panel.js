// What every panel is made of, and the two most wanted ones: the exit panel and the choice between two
// carts. Loaded when a panel is first needed; the others are in modules of their own, which take their
// parts from here. Shows copy from the configuration as text, never as HTML, and reports what the shopper did.
import { like, unit } from './money.js';
import { STRIP } from './strips.js';

// Each size and weight of a font is looked up anew, which takes a slow device 10 ms and more: three do.
const SHEET = `
:host{all:initial;position:fixed;inset:0;z-index:2147483000;display:grid;place-items:center;padding:16px;
 font:var(--comeback-font,16px/1.5 system-ui,sans-serif);color:var(--comeback-text,#1b1b1f);color-scheme:var(--comeback-scheme,light dark)}
*{box-sizing:border-box}
.shade{position:absolute;inset:0;background:var(--comeback-shade,rgb(0 0 0/.55))}
.card{position:relative;width:min(100%,var(--comeback-width,28rem));max-height:100%;overflow:auto;padding:24px;
 background:var(--comeback-surface,#fff);border-radius:var(--comeback-radius,12px);box-shadow:0 12px 48px rgb(0 0 0/.3)}
h2{margin:0 0 8px;margin-inline-end:44px;line-height:1.3}
h2,.act.close{font-size:1.25em;font-weight:600}
h3{margin:0;font-size:1em;font-weight:600}
p{margin:0 0 12px}
ul{margin:0 0 16px;padding:0;list-style:none}
li{padding:8px 0;border-block-start:1px solid var(--comeback-line,#d9d9e0)}
li p{margin:0}
label{display:block;margin-block-end:4px;font-weight:600}
.check{display:flex;gap:8px;align-items:center;min-height:44px;font-weight:400;margin-block:8px}
.check input{flex:none;width:24px;height:24px;margin:0;accent-color:var(--comeback-accent,#1a4fd6)}
input[type=email]{width:100%;min-height:44px;padding:8px 12px;font:inherit;color:inherit;background:transparent;
 border:1px solid var(--comeback-border,#767680);border-radius:8px}
.hint{margin:4px 0 0;color:var(--comeback-muted,#55555e)}
.act,a{min-height:44px;min-width:44px}
.act{display:block;width:100%;margin-block-start:8px;padding:8px 16px;font:inherit;cursor:pointer;border-radius:8px;
 border:1px solid var(--comeback-border,#767680);background:transparent;color:inherit}
.main{background:var(--comeback-accent,#1a4fd6);border-color:transparent;color:var(--comeback-on-accent,#fff);font-weight:600}
.close{position:absolute;inset-block-start:12px;inset-inline-end:12px;width:44px;margin:0;padding:0;border:0;line-height:1}
a{display:inline-flex;align-items:center;color:var(--comeback-link,#1a4fd6)}
:host([data-strip]){inset:auto 0 0;z-index:2147482000;pointer-events:none}
:host([data-strip]) .card{pointer-events:auto;width:min(100%,var(--comeback-strip-width,40rem));padding:16px 20px}
.row{display:flex;gap:8px;flex-wrap:wrap}
.row>*{flex:1 1 8rem}
a.act{display:flex;justify-content:center;text-align:center;text-decoration:none}
a.act.main{color:var(--comeback-on-accent,#fff)}
.bar{height:8px;margin:0 0 12px;border-radius:4px;background:var(--comeback-line,#d9d9e0);overflow:hidden}
.bar i{display:block;height:100%;background:var(--comeback-accent,#1a4fd6)}
.code{font-family:ui-monospace,monospace;font-weight:600}
.late{visibility:hidden}
.card:focus{outline:none}
:focus-visible{outline:3px solid var(--comeback-focus,#1a4fd6);outline-offset:2px}
@media (prefers-reduced-motion:no-preference){.card:not(.late){animation:in .18s ease-out}@keyframes in{from{opacity:0;transform:translateY(8px)}}}
@media (forced-colors:active){.card,.bar{border:1px solid}}
@media (prefers-color-scheme:dark){
 :host{color:var(--comeback-text-dark,#f2f2f5)}
 .card{background:var(--comeback-surface-dark,#1f1f24)}
 .hint{color:var(--comeback-muted-dark,#b9b9c3)}
 a{color:var(--comeback-link-dark,#9db8ff)}
 .main,a.act.main{background:var(--comeback-accent-dark,#9db8ff);color:var(--comeback-on-accent-dark,#10131c)}
 .bar,li{border-color:var(--comeback-line-dark,#3d3d46)}
 .bar{background:var(--comeback-line-dark,#3d3d46)}
 .bar i{background:var(--comeback-accent-dark,#9db8ff)}
 .act,input[type=email]{border-color:var(--comeback-border-dark,#8e8e99)}
 .act.main,.close{border-color:transparent}
 :focus-visible{outline-color:var(--comeback-focus-dark,#9db8ff)}
}`;

/** What a shop that configured no words for a choice gets. */
const RESTORE_COPY = {
  title: 'You have two carts',
  body: 'The cart from your link differs from the one that is here. Which one would you like?',
  merge: 'Put both together',
  replace: 'Use the cart from the link',
  keep: 'Keep what is here',
};
export const FAILED = 'That did not work. Please try again.';
const RTL = /^(ar|ckb|dv|fa|he|ps|sd|ug|ur|yi)\b/i;

let sheet;
// One dialog and one strip at a time.
const open = {};
/** What is shown there; a page that replaced its body has taken it away. */
const shownAt = (place) => open[place]?.card.isConnected && open[place];

export const make = (tag, attributes, ...children) => {
  const element = document.createElement(tag);
  for (const name in attributes) {
    const value = attributes[name];
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter(Boolean));
  return element;
};
export const words = (tag, text, attributes) => text && make(tag, attributes || {}, String(text));
export const button = (text, part, click) => words('button', text, { type: 'button', class: part === 'main' ? 'act main' : 'act', part: 'button ' + part, click });
export const link = (text, href, part, click) => words('a', text, { href, class: part === 'main' ? 'act main' : 'act', part: 'link ' + part, click });
const RIGHT_TO_LEFT = /[\u0590-\u08ff]/;
/** `{name}` in a text by its value. Where the text runs from right to left a value keeps its own direction: "350 ml" stays that. */
export const fill = (text, values) => {
  const isolated = (value) => (RIGHT_TO_LEFT.test(text) ? '\u2068' + value + '\u2069' : value);
  return text && String(text).replace(/\{(\w+)\}/g, (all, name) => isolated(values[name] ?? ''));
};

/** What the edge told of the shop. */
let shop = {};
/** A number as the reader writes it: by the sample that the edge told, else by the browser's formatter. */
function written(kind, value, locale, options) {
  const sample = shop.samples?.[kind];
  return sample && value >= 0 ? like(sample, value, shop.samples.grouped) : new Intl.NumberFormat(locale, options).format(kind === 'percent' ? value / 100 : value);
}
/** Minor units as the reader writes them. */
export const money = (minor, currency, locale) => written(currency === shop.currency && 'money', minor / unit(currency), locale, { style: 'currency', currency });
export const count = (pieces, locale) => written('count', pieces, locale);
/** What a cart is worth, in minor units. */
export const worth = ({ lines, currency }) => {
  const one = unit(currency);
  return lines.reduce((sum, line) => sum + Math.round((line.price || 0) * one) * line.quantity, 0);
};

/** The offer of a panel in its words, with the code to copy. */
export function offerOf({ copy, offer, locale, settings }) {
  if (!offer) return '';
  const { percent, amount_minor: amount } = offer.gives || {};
  const gives = percent ? written('percent', percent, locale, { style: 'percent' }) : amount ? money(amount, settings.shop.currency, locale) : '';
  const [before, after = ''] = (fill(copy.offer, { gives, code: '\n' }) || '\n').split('\n');
  return make('p', { part: 'offer' }, before, make('span', { class: 'code', part: 'code' }, offer.code), after);
}

const afterFrame = (act) => requestAnimationFrame(() => setTimeout(act));

/** The host of a panel in the page, its card, and the way to end it. */
export function frame(ways, strip) {
  const { kind, copy, locale, tell } = ways;
  const host = make('comeback-panel', { 'data-panel': kind, 'data-strip': strip, part: 'host' });
  const root = host.attachShadow({ mode: 'open' });
  // A constructed sheet needs no 'unsafe-inline' in the page's style-src.
  if (!sheet) (sheet = new CSSStyleSheet()).replaceSync(SHEET);
  root.adoptedStyleSheets = [sheet];
  const title = words('h2', copy.title || 'Your cart', { id: 'title', part: 'title' });
  const card = make(
    'div',
    { class: 'card late', part: 'panel', 'aria-labelledby': 'title', tabindex: '-1', lang: locale, dir: locale && (RTL.test(locale) ? 'rtl' : 'ltr'), ...(strip ? { role: 'region' } : { role: 'dialog', 'aria-modal': 'true' }) },
    // A strip takes no focus, so it is said.
    strip ? make('div', { role: 'status' }) : title,
  );
  const others = [];
  let done, seen, opener;
  const place = strip ? 'strip' : 'dialog';
  const close = (answer) => {
    if (!host.isConnected) return;
    const held = root.activeElement;
    host.remove();
    delete open[place];
    others.forEach((element) => (element.inert = false));
    // Back to where the shopper was, unless the page put it elsewhere meanwhile.
    if ((held || !strip) && opener?.isConnected) opener.focus({ preventScroll: true });
    if (seen) tell('closed');
    done(answer);
  };
  const dismiss = make('button', { type: 'button', class: 'act close', part: 'close', 'aria-label': copy.close || 'Close', click: () => close() }, '×');

  const settle = () => {
    if (!host.isConnected) return;
    seen = true;
    card.className = 'card';
    if (strip) card.firstChild.append(title);
    else {
      opener = document.activeElement;
      card.focus({ preventScroll: true });
      // The page behind must not be reached by a screen reader's cursor either.
      for (const element of document.body.children) {
        if (element !== host && !element.inert && !element.matches('comeback-panel[data-strip]')) {
          element.inert = true;
          others.push(element);
        }
      }
    }
    tell('shown');
  };

  /** Puts it into the page; resolves when it is closed, to what was chosen in it. */
  const show = (...children) => {
    card.append(dismiss);
    if (!strip) root.append(make('div', { class: 'shade', part: 'shade', click: () => close() }));
    root.append(card);
    root.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        close();
      } else if (event.key === 'Tab' && !strip) {
        const stops = [...card.querySelectorAll('button,input,a[href]')].filter((element) => !element.closest('[inert]'));
        const from = root.activeElement;
        const edge = event.shiftKey ? stops[0] : stops[stops.length - 1];
        if (from === edge || from === card || !from) {
          event.preventDefault();
          stops[event.shiftKey ? stops.length - 1 : 0]?.focus();
        }
      }
    });
    open[place] = { kind, card, close, title };
    document.body.append(host);
    // Piece by piece, each in a frame of its own, so that none is long; a focus in this task would lay out everything within it.
    const rest = children.filter(Boolean);
    const fill = () => {
      dismiss.before(...rest.splice(0, 2));
      afterFrame(rest.length ? fill : settle);
    };
    afterFrame(fill);
    return new Promise((resolve) => (done = resolve));
  };
  return { card, close, show, root, title };
}

/** A paragraph that describes the panel. */
export function about(card, text) {
  if (text) card.setAttribute('aria-describedby', 'body');
  return words('p', text, { id: 'body', part: 'body' });
}

function exit(ways) {
  const { copy, tell, identify } = ways;
  const { card, close, show, title } = frame(ways);
  const body = about(card, copy.body);
  const reasons = make('ul', { part: 'reasons' });
  for (const { title, body } of copy.reasons || []) reasons.append(make('li', {}, words('h3', title), words('p', body)));
  const email = make('input', { type: 'email', id: 'email', name: 'email', required: true, autocomplete: 'email', part: 'input', 'aria-describedby': 'hint' });
  const box = make('input', { type: 'checkbox', name: 'consent', required: true });
  const status = make('p', { role: 'status', part: 'status' });
  const dismiss = button(copy.dismiss || copy.close || 'Close', 'dismiss', () => close());
  const form = make(
    'form',
    {
      part: 'form',
      // Only here does the address leave the page.
      submit: async (event) => {
        event.preventDefault();
        if (form.inert) return;
        form.inert = true;
        tell('clicked');
        try {
          await identify({ email: email.value.trim(), consent: { email: box.checked } });
          // Said and done: what argued for it goes, and "no" is no answer any more.
          form.remove();
          reasons.remove();
          // The question is answered: its words go too, and the dialog is named by the answer.
          body?.remove();
          card.removeAttribute('aria-describedby');
          if (copy.sent_title) title.replaceChildren(copy.sent_title);
          else {
            title.remove();
            card.removeAttribute('aria-labelledby');
            card.setAttribute('aria-label', copy.sent || copy.title || 'Your cart');
          }
          status.textContent = copy.sent || '✓';
          dismiss.textContent = copy.close || 'Close';
          dismiss.focus();
        } catch {
          form.inert = false;
          status.textContent = copy.failed || FAILED;
        }
      },
    },
    words('label', copy.email_label, { for: 'email' }),
    email,
    words('p', copy.email_hint, { class: 'hint', id: 'hint' }),
    make('label', { class: 'check' }, box, make('span', {}, copy.consent_label || '')),
    words('button', copy.cta, { type: 'submit', class: 'act main', part: 'button main' }),
  );
  return show(body, reasons.childElementCount && reasons, offerOf(ways), copy.cta && copy.email_label && form, status, dismiss);
}

function restore(ways) {
  ways.copy = { ...RESTORE_COPY, ...ways.copy };
  const { copy, tell } = ways;
  const { card, close, show } = frame(ways);
  const choose = (mode) => () => {
    tell('clicked');
    close(mode);
  };
  return show(
    about(card, copy.body),
    button(copy.merge, 'main', choose('merge')),
    button(copy.replace, 'replace', choose('replace')),
    button(copy.keep, 'keep', choose('keep')),
  );
}

const OWN = { exit, restore };
const HELP = /^(declined|sold_out|validation|shipping_cost|cart_check)$/;

/**
 * Shows a panel and resolves when it is closed, to what was chosen in it. `told` is what the session said:
 * `{experiment, arm, data}`; `page` is what it may use of the page: settings, cart, events.
 */
export async function show(kind, told, page) {
  shop = page.settings.shop || {};
  const base = page.settings.panels?.[kind] || {};
  const { experiment, arm } = told;
  const named = { panel: kind, ...(arm && { experiment, arm: arm.name }) };
  const ways = {
    ...page,
    kind,
    data: told.data || {},
    copy: { ...base, ...base.variants?.[arm?.copy] },
    offer: arm && 'offer' in arm ? arm.offer : base.rules?.offer,
    locale: shop.locale,
    tell(state) {
      page.own('panel_' + state, named);
      page.emit('panel', { ...named, state });
    },
    /** What is shown there already, if it is of this kind. */
    open: shownAt,
  };
  if (shownAt(STRIP.test(kind) ? 'strip' : 'dialog') && kind !== 'shipping_progress') return undefined;
  const module = OWN[kind] ? OWN : await (HELP.test(kind) ? import('./help.js') : import('./strip.js'));
  if (!arm?.silent) return module[kind]?.(ways);
  // An arm that shows nothing is counted when a shopper would have seen it: who left before is in neither.
  afterFrame(() => afterFrame(() => ways.tell('withheld')));
}
