// The debug overlay, loaded instead of sdk.js where the address says `comeback_debug`: it starts the
// session as always and shows what comes in, what goes out and why. Changes nothing of what the
// session does, stores nothing, and is gone with the page.

/** Reasons to hold a panel back (`core::onsite::Hold`), in words. One that is not here is shown as it is. */
const HELD = {
  has_cart: 'there is a cart, which another panel speaks of',
  first_visit: 'the first visit in this browser',
  no_sequence: 'no sequence wrote about this cart',
  at_cart: 'the cart is before the shopper',
  nothing_missing: 'shipping is free already, or never',
  not_askable: 'the browser was asked for push, or cannot be',
  busy: 'another panel is open there',
  given: 'this help was given before, or the panel was closed, in this session',
  empty_cart: 'nothing in the cart, or less than the shop set',
  too_early: 'the page was only just opened',
  likely_to_buy: 'likely to buy without help',
  already_shown: 'one panel per session',
  cooling_down: 'shown not long ago in this browser',
  not_allowed: 'the edge has not allowed panels, or the shop has none configured',
};
const SOURCES = ['API', 'attribute', 'dataLayer', 'SDK'];
/** Lines kept per list: a page that is open for hours must not grow. */
const MOST = 100;

// `important` in here outdoes what a page's own `*` rules say of the host, and the box inherits nothing.
const SHEET = `
:host{all:initial!important;position:fixed!important;inset-block-end:8px!important;inset-inline-end:8px!important;z-index:2147482999!important}
*{box-sizing:border-box}
.box{font:12px/1.45 ui-monospace,Menlo,Consolas,monospace;color:#e8e8ee;color-scheme:dark;width:min(416px,calc(100vw - 16px));max-height:min(70vh,640px);display:flex;flex-direction:column;background:#17171c;border:1px solid #4a4a55;border-radius:8px;box-shadow:0 6px 24px rgb(0 0 0/.4);overflow:hidden}
header{display:flex;gap:8px;align-items:center;padding:6px 8px;border-block-end:1px solid #35353e}
h2{flex:1;margin:0;font:inherit;font-weight:700}
button{font:inherit;color:inherit;background:#2b2b34;border:1px solid #55555f;border-radius:4px;padding:2px 8px;min-height:24px;min-width:24px;cursor:pointer}
button:focus-visible{outline:2px solid #9db8ff;outline-offset:1px}
main{overflow:auto;padding:0 8px 8px}
.closed main{display:none}
h3{margin:8px 0 2px;font:inherit;font-weight:700;color:#9db8ff}
dl{display:grid;grid-template-columns:auto 1fr;gap:0 8px;margin:0}
dt{color:#b9b9c3}
dd,ol{margin:0;padding:0;min-width:0;overflow-wrap:anywhere}
ol{list-style:none}
li{padding:2px 0;border-block-start:1px solid #2b2b34;overflow-wrap:anywhere}
time{color:#b9b9c3}
.bad{color:#ff9d9d}.good{color:#9be29b}.held{color:#ffd48a}`;

const make = (tag, attributes, ...children) => {
  const element = document.createElement(tag);
  for (const name in attributes) element.setAttribute(name, attributes[name]);
  element.append(...children.map(String));
  return element;
};
const short = (value) => {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 160 ? text.slice(0, 157) + '…' : text;
};
const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

/** Opens the overlay; every entry of the record it keeps is also shown. */
function open({ pk, endpoint }) {
  const host = make('comeback-debug', {});
  const root = host.attachShadow({ mode: 'open' });
  // A constructed sheet needs no 'unsafe-inline' in the page's style-src.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(SHEET);
  root.adoptedStyleSheets = [sheet];
  const box = make('section', { class: 'box', 'aria-label': 'Comeback debug' });
  const head = make('header', {});
  const main = make('main', { tabindex: '0', 'aria-label': 'What happened' });
  const button = (text, label, act) => {
    const made = make('button', { type: 'button', 'aria-label': label }, text);
    made.addEventListener('click', act);
    return made;
  };
  const record = [];
  const fold = button('–', 'Fold', () => fold.setAttribute('aria-expanded', String(!box.classList.toggle('closed'))));
  fold.setAttribute('aria-expanded', 'true');
  head.append(
    make('h2', {}, 'comeback ', pk),
    button('copy', 'Copy everything as JSON', () => navigator.clipboard?.writeText(JSON.stringify(record, null, 1))),
    fold,
    button('×', 'Close', () => host.remove()),
  );
  const lists = {};
  for (const [name, tag] of [['consent', 'dl'], ['score', 'dl'], ['panels', 'dl'], ['why', 'ol'], ['events', 'ol'], ['sent', 'ol']]) {
    if (name !== 'why') main.append(make('h3', {}, name));
    main.append((lists[name] = make(tag, { 'data-list': name })));
  }
  box.append(head, main);
  root.append(box);
  // Beside the body: a page's own `body > *` rules and our panel's `inert` do not reach it.
  document.documentElement.append(host);

  const clock = () => new Date().toTimeString().slice(0, 8);
  const keep = (list, entry) => {
    record.push({ at: Date.now(), list, ...entry });
    if (record.length > 5 * MOST) record.shift();
  };
  return {
    /** Replaces the facts under a heading. */
    facts(list, facts) {
      keep(list, { facts });
      const filled = Object.entries(facts).filter(([, value]) => value !== undefined);
      lists[list].replaceChildren(...filled.flatMap(([name, value]) => [make('dt', {}, name), make('dd', {}, short(value))]));
    },
    /** Puts a line on top of a list; returns it, so that an answer can be added to it. */
    line(list, text, kind = '', detail) {
      keep(list, { text, detail });
      const line = make('li', { class: kind });
      line.append(make('time', {}, clock()), ' ', text);
      lists[list].prepend(line);
      if (lists[list].childElementCount > MOST) lists[list].lastChild.remove();
      return {
        add(more, kind) {
          keep(list, { text: more });
          line.append(' → ' + more);
          if (kind) line.className = kind;
        },
      };
    },
    ours: (url) => String(url?.url || url).startsWith(endpoint + '/v1/'),
  };
}

/** What a body to the edge says, in one line. */
function told(path, body) {
  const batch = path.endsWith('/v1/events') && parsed(body);
  if (!batch) return path;
  const names = batch.events.map((event) => event.name);
  return `${path} ${new Blob([body]).size} bytes, cart ${batch.cart || '–'}: ${names.join(', ') || 'no events'}`;
}

const answered = ({ cart, score, panel, ignored }) =>
  [
    cart ? `${cart.id} v${cart.version}${cart.closed ? ' closed' : ''}` : 'no cart',
    score && `buy ${score.buy.toFixed(3)}`,
    panel && `panel ${panel.allowed ? 'allowed' : 'not allowed'}${panel.why ? ' (' + panel.why + ')' : ''}`,
    ignored && `${ignored} ignored`,
  ]
    .filter(Boolean)
    .join(', ');

export async function start(options) {
  const overlay = open(options);
  const consent = { 'asked for': 'unknown yet', chosen: 'nothing yet', 'in force, as sent': 'nothing sent', 'global privacy control': navigator.globalPrivacyControl === true, automated: navigator.webdriver === true };
  const panels = {};
  const showConsent = (more) => overlay.facts('consent', Object.assign(consent, more));
  const showPanels = (more) => overlay.facts('panels', Object.assign(panels, more));
  const sent = (url, body) => {
    const path = new URL(url, location.href).pathname;
    const batch = parsed(body);
    if (batch?.consent && path.endsWith('/v1/events')) showConsent({ 'in force, as sent': batch.consent });
    // A contact is the one thing here that must not stand on a screen that somebody shares.
    return overlay.line('sent', path.endsWith('/v1/events') ? told(path, body) : path, '', path.endsWith('/v1/events') ? batch : undefined);
  };

  const fetched = window.fetch;
  window.fetch = function (url, init) {
    const reply = fetched.apply(this, arguments);
    if (overlay.ours(url)) {
      const line = sent(String(url?.url || url), init?.body);
      reply.then(
        async (response) => {
          const said = await response.clone().json().catch(() => null);
          const bad = !response.ok && (said?.detail || said?.title || '');
          line.add(response.status + (said?.panel || said?.cart !== undefined ? ': ' + answered(said) : bad ? ': ' + bad : ''), response.ok ? 'good' : 'bad');
          if (said?.panel) showPanels({ edge: (said.panel.allowed ? 'allowed' : 'not allowed') + (said.panel.why ? ` (${said.panel.why})` : '') });
        },
        (error) => line.add('no answer: ' + error.message, 'bad'),
      );
    }
    return reply;
  };
  const beacon = navigator.sendBeacon;
  navigator.sendBeacon = function (url, body) {
    const taken = beacon.apply(navigator, arguments);
    if (overlay.ours(url)) sent(String(url), body).add(taken ? 'beacon taken' : 'beacon refused', taken ? 'good' : 'bad');
    return taken;
  };

  const on = (name, act) => addEventListener('comeback:' + name, (event) => act(event.detail));
  on('score', ({ model, buy, reasons }) =>
    overlay.facts('score', { model, 'likely to buy': buy.toFixed(3), ...Object.fromEntries(reasons.map(({ feature, effect }) => [feature, (effect > 0 ? '+' : '') + effect.toFixed(3)])) }),
  );
  on('panel', ({ panel, state, why }) =>
    overlay.line('why', `${panel} ${state}${why ? ': ' + why + (HELD[why] ? ', ' + HELD[why] : '') : ''}`, state === 'held' ? 'held' : 'good'),
  );
  on('restore', ({ mode, report }) => overlay.line('events', `restore: ${mode}, ${short(report)}`, '', report));
  on('error', ({ kind, message, status }) =>
    overlay.line('events', kind === 'module' ? 'the module may not run here: capture without score and panels' : `error: ${kind} ${status || ''} ${message || ''}`, 'bad'),
  );

  showConsent({});
  showPanels({ edge: 'not answered yet' });
  overlay.facts('score', { model: 'none yet' });
  options.config.then(({ consent, panels, leaving }) => {
    showConsent({ 'asked for': consent ? `${consent.mode}, wording ${consent.wording}` : 'no configuration came: nothing before a yes' });
    showPanels({ configured: panels ? Object.keys(panels).join(', ') : 'none', 'exit rules': panels?.exit?.rules, leaving });
  });

  const take = await import('./sdk.js').then((module) => module.start(options));
  return (source, t, entry) => {
    if (source === 2) {
      const name = entry.event || (entry[0] === 'event' && entry[1]);
      if (name) overlay.line('events', `${name} from dataLayer ${short(entry.ecommerce || entry[2] || {})}`, '', name);
    } else if (entry[0] === 'track') overlay.line('events', `${entry[1]} from ${SOURCES[source]} ${short(entry[2] || {})}`, '', entry[2]);
    else if (entry[0] === 'consent') showConsent({ chosen: entry[1] });
    else overlay.line('events', `command ${entry[0]}`);
    return take(source, t, entry);
  };
}
