// The one panel: an accessible dialog in a shadow root, loaded when it is first needed. Shows copy
// from the configuration as text, never as HTML, and reports what the shopper did.

const SHEET = `
:host{all:initial;position:fixed;inset:0;z-index:2147483000;display:grid;place-items:center;padding:16px;
 font:var(--comeback-font,16px/1.5 system-ui,sans-serif);color:var(--comeback-text,#1b1b1f);color-scheme:var(--comeback-scheme,light dark)}
*{box-sizing:border-box}
.shade{position:absolute;inset:0;background:var(--comeback-shade,rgb(0 0 0/.55))}
.card{position:relative;width:min(100%,var(--comeback-width,28rem));max-height:100%;overflow:auto;padding:24px;
 background:var(--comeback-surface,#fff);border-radius:var(--comeback-radius,12px);box-shadow:0 12px 48px rgb(0 0 0/.3)}
h2{margin:0 44px 8px 0;font-size:1.25em;line-height:1.3}
h3{margin:0;font-size:1em}
p{margin:0 0 12px}
ul{margin:0 0 16px;padding:0;list-style:none}
li{padding:8px 0;border-block-start:1px solid var(--comeback-line,#d9d9e0)}
li p{margin:0}
label{display:block;margin-block-end:4px;font-weight:600}
.check{display:flex;gap:8px;align-items:center;min-height:44px;font-weight:400;margin-block:8px}
.check input{flex:none;width:24px;height:24px;margin:0;accent-color:var(--comeback-accent,#1a4fd6)}
input[type=email]{width:100%;min-height:44px;padding:8px 12px;font:inherit;color:inherit;background:transparent;
 border:1px solid var(--comeback-border,#767680);border-radius:8px}
.hint{margin:4px 0 0;font-size:.875em;color:var(--comeback-muted,#55555e)}
.act,a{min-height:44px;min-width:44px}
.act{display:block;width:100%;margin-block-start:8px;padding:8px 16px;font:inherit;cursor:pointer;border-radius:8px;
 border:1px solid var(--comeback-border,#767680);background:transparent;color:inherit}
.main{background:var(--comeback-accent,#1a4fd6);border-color:transparent;color:var(--comeback-on-accent,#fff);font-weight:600}
.close{position:absolute;inset-block-start:12px;inset-inline-end:12px;width:44px;margin:0;padding:0;border:0;font-size:24px;line-height:1}
a{display:inline-flex;align-items:center;color:var(--comeback-link,#1a4fd6)}
.card:focus{outline:none}
:focus-visible{outline:3px solid var(--comeback-focus,#1a4fd6);outline-offset:2px}
@media (prefers-reduced-motion:no-preference){.card{animation:in .18s ease-out}@keyframes in{from{opacity:0;transform:translateY(8px)}}}
@media (prefers-color-scheme:dark){
 :host{color:var(--comeback-text-dark,#f2f2f5)}
 .card{background:var(--comeback-surface-dark,#1f1f24)}
 .hint{color:var(--comeback-muted-dark,#b9b9c3)}
 a{color:var(--comeback-link-dark,#9db8ff)}
 .main{background:var(--comeback-accent-dark,#9db8ff);color:var(--comeback-on-accent-dark,#10131c)}
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
const FAILED = 'That did not work. Please try again.';

let sheet;

const make = (tag, attributes, ...children) => {
  const element = document.createElement(tag);
  for (const name in attributes) {
    const value = attributes[name];
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter(Boolean));
  return element;
};
const words = (tag, text, attributes) => text && make(tag, attributes || {}, String(text));
const button = (text, part, click) => words('button', text, { type: 'button', class: part === 'main' ? 'act main' : 'act', part: 'button ' + part, click });

function exitBody(copy, { submit, tell, ask }, close) {
  const reasons = make('ul', { part: 'reasons' });
  for (const { title, body } of copy.reasons || []) reasons.append(make('li', {}, words('h3', title), words('p', body)));
  const email = make('input', { type: 'email', id: 'email', name: 'email', required: true, autocomplete: 'email', part: 'input', 'aria-describedby': 'hint' });
  const box = make('input', { type: 'checkbox', name: 'consent', required: true });
  const status = make('p', { role: 'status', part: 'status' });
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
          await submit(email.value.trim(), box.checked);
          // Said and done: what argued for it goes, and "no" is no answer any more.
          form.remove();
          reasons.remove();
          // The question is answered: its words go too, and the dialog is named by the answer.
          ask(copy.sent_title);
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
  const dismiss = button(copy.dismiss || copy.close || 'Close', 'dismiss', () => close());
  return [reasons.childElementCount && reasons, copy.cta && copy.email_label && form, status, dismiss];
}

function declinedBody(copy, { assist, tell }, close) {
  const choose = (method) => () => {
    tell('clicked');
    close();
    assist(method);
  };
  const support = make('p', { part: 'support' });
  const link = (href, text) => support.append(make('a', { href, part: 'link', click: () => tell('clicked') }, text), ' ');
  if (copy.support_url) link(copy.support_url, copy.support_label || copy.support_url.replace(/^https?:\/\//, ''));
  if (copy.support_email) link('mailto:' + copy.support_email, copy.support_email);
  const methods = copy.methods || [];
  return [
    // Where the ways to pay are named, a button that only says "another way" is one too many.
    ...methods.map((method, i) => button(method, i ? 'method' : 'main', choose(method))),
    !methods.length && button(copy.cta, 'main', choose(null)),
    support.querySelector('a') && support,
    button(copy.dismiss, 'dismiss', () => close()),
  ];
}

function restoreBody(copy, { tell }, close) {
  const choose = (mode) => () => {
    tell('clicked');
    close(mode);
  };
  return [
    button(copy.merge, 'main', choose('merge')),
    button(copy.replace, 'replace', choose('replace')),
    button(copy.keep, 'keep', choose('keep')),
  ];
}

const BODIES = { exit: exitBody, declined: declinedBody, restore: restoreBody };

/** Shows a panel and resolves when it is closed, to what was chosen in it. */
export function show(kind, copy, ways) {
  if (kind === 'restore') copy = { ...RESTORE_COPY, ...copy };
  const opener = document.activeElement;
  const host = make('comeback-panel', { 'data-panel': kind, part: 'host' });
  const root = host.attachShadow({ mode: 'open' });
  // A constructed sheet needs no 'unsafe-inline' in the page's style-src.
  if (!sheet) (sheet = new CSSStyleSheet()).replaceSync(SHEET);
  root.adoptedStyleSheets = [sheet];

  return new Promise((done) => {
    const others = [];
    const close = (answer) => {
      if (!host.isConnected) return;
      host.remove();
      others.forEach((element) => (element.inert = false));
      // Back to where the shopper was, unless the page put it elsewhere meanwhile.
      if (opener?.isConnected) opener.focus({ preventScroll: true });
      ways.tell('closed');
      done(answer);
    };
    const card = make('div', { class: 'card', part: 'panel', role: 'dialog', 'aria-modal': 'true', 'aria-labelledby': 'title', tabindex: '-1' });
    ways = {
      ...ways,
      ask(title) {
        const [head, body] = ['title', 'body'].map((id) => root.getElementById(id));
        body?.remove();
        card.removeAttribute('aria-describedby');
        if (title) return head.replaceChildren(title);
        head.remove();
        card.removeAttribute('aria-labelledby');
        card.setAttribute('aria-label', copy.sent || copy.title || 'Your cart');
      },
    };
    if (copy.body) card.setAttribute('aria-describedby', 'body');
    if (ways.locale) card.setAttribute('lang', ways.locale);
    card.append(
      words('h2', copy.title || 'Your cart', { id: 'title', part: 'title' }),
      words('p', copy.body, { id: 'body', part: 'body' }) || '',
      ...BODIES[kind](copy, ways, close).filter(Boolean),
      make('button', { type: 'button', class: 'act close', part: 'close', 'aria-label': copy.close || 'Close', click: () => close() }, '×'),
    );
    root.append(make('div', { class: 'shade', part: 'shade', click: () => close() }), card);

    root.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        close();
      } else if (event.key === 'Tab') {
        const stops = [...card.querySelectorAll('button,input,a[href]')].filter((element) => !element.closest('[inert]'));
        const from = root.activeElement;
        const edge = event.shiftKey ? stops[0] : stops[stops.length - 1];
        if (from === edge || from === card || !from) {
          event.preventDefault();
          stops[event.shiftKey ? stops.length - 1 : 0]?.focus();
        }
      }
    });

    document.body.append(host);
    // The page behind must not be reached by a screen reader's cursor either.
    for (const element of document.body.children) {
      if (element !== host && !element.inert) {
        element.inert = true;
        others.push(element);
      }
    }
    card.focus({ preventScroll: true });
    ways.tell('shown');
  });
}
