// Panels that do not stand in the way: they sit at the lower edge, take no focus and are said to those who
// cannot see them. And the survey, which is small.
import { FAILED, about, button, count, fill, frame, link, make, money, offerOf, words, worth } from './panel.js';

/** Title, a line, a way on and a way out; where there is a cart, also a way to be rid of it. */
function note(ways, href, values = {}) {
  ways.copy = { ...ways.copy, title: fill(ways.copy.title, values) };
  const { copy, tell, forget } = ways;
  const { card, close, show } = frame(ways, true);
  const drop = () => {
    tell('clicked');
    forget();
    close();
  };
  return show(
    about(card, fill(copy.body, values)),
    offerOf(ways),
    make('div', { class: 'row' }, link(copy.cta, href, 'main', () => tell('clicked')), button(copy.dismiss, 'dismiss', () => close()), button(copy.forget, 'forget', drop)),
  );
}

/** The cart as a text may name it. */
function told({ cart, locale }) {
  const { lines, currency } = cart();
  const pieces = lines.reduce((sum, line) => sum + line.quantity, 0);
  return { count: count(pieces, locale), total: money(worth({ lines, currency }), currency, locale), item: lines[0]?.item_name || '' };
}

const cartUrl = ({ copy, settings }) => copy.url || settings.shop?.cart_url || '/';

export const banner = (ways) => note(ways, cartUrl(ways), told(ways));
export const saved_cart = (ways) => note(ways, cartUrl(ways), told(ways));
export const returning = (ways) => note(ways, ways.copy.url || '/');

/** May we tell you by push? The browser asks after a yes, and never of itself. */
export function push(ways) {
  const { copy, tell, emit } = ways;
  const { card, close, show } = frame(ways, true);
  const status = make('p', { role: 'status', part: 'status' });
  // Here before the click: some browsers let a page ask only while that lasts.
  const asking = import('./push.js');
  const ask = async () => {
    tell('clicked');
    try {
      const { opt_in } = await asking;
      if (!(await opt_in(ways))) return close();
      row.remove();
      status.textContent = copy.sent || '✓';
    } catch (error) {
      emit('error', { kind: 'push', message: error.message });
      status.textContent = copy.failed || FAILED;
    }
  };
  const row = make('div', { class: 'row' }, button(copy.cta, 'main', ask), button(copy.dismiss, 'dismiss', () => close()));
  return show(about(card, copy.body), status, row);
}

/** Of the strip that is open. */
let bar;

/** How far it is to free shipping. One that is open follows the cart. */
export function shipping_progress(ways) {
  const { cart, settings, locale } = ways;
  const { lines, currency } = cart();
  const from = settings.shipping?.free_from_minor;
  const value = worth({ lines, currency });
  const gap = Math.max(0, from - value);
  const values = { gap: money(gap, currency, locale), threshold: money(from, currency, locale) };
  const text = fill(gap ? ways.copy.title : ways.copy.reached || ways.copy.title, values);
  const share = Math.min(100, Math.round((value / from) * 100));
  const shown = ways.open('strip');
  if (shown && shown.kind !== ways.kind) return undefined;
  if (!shown) bar = make('div', { class: 'bar', part: 'bar', role: 'progressbar', 'aria-labelledby': 'title', 'aria-valuemin': '0', 'aria-valuemax': '100' }, make('i', { part: 'bar-fill' }));
  bar.setAttribute('aria-valuenow', share);
  // By script: a page's style-src may forbid style attributes.
  bar.firstChild.style.width = share + '%';
  if (shown) {
    shown.title.textContent = text;
    return undefined;
  }
  ways.copy = { ...ways.copy, title: text };
  const { card, show } = frame(ways, true);
  return show(about(card, fill(ways.copy.body, values)), bar);
}

/** What stopped you? The answer steers what is written, if anything is. */
export function survey(ways) {
  const { copy, tell, own } = ways;
  const { card, close, show } = frame(ways);
  const status = make('p', { role: 'status', part: 'status' });
  const dismiss = button(copy.dismiss, 'dismiss', () => close());
  const answer = (reason) => () => {
    tell('clicked');
    own('survey_answer', { panel: 'survey', reason });
    choices.remove();
    status.textContent = copy.thanks?.[reason] || copy.sent || '✓';
    if (dismiss) dismiss.textContent = copy.close || 'Close';
    (dismiss || card).focus();
  };
  const choices = make('div', { role: 'group', 'aria-labelledby': 'title', part: 'reasons' });
  for (const { reason, label } of copy.reasons || []) choices.append(button(label, 'reason', answer(reason)));
  return show(about(card, copy.body), choices, status, dismiss);
}
