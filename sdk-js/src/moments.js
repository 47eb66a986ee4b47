// Panels at their moments: which are asked, what the module is told of each, and what becomes of its answer. The rules
// are the core's; how a panel looks is panel.js's. Nothing of it works without the module.
import { OWN } from './capture.js';
import { emit } from './emit.js';
import { floats, number } from './ga4.js';
import { STRIP } from './strips.js';

/** Of a panel, in the order of `panels::held`. */
const RULES = ['max_buy', 'dwell_ms', 'cooldown_ms', 'again_ms', 'min_cart_minor', 'min_pages'];

export function moments({ mind, settings, opened, page, show, state, remember }) {
  if (!mind) return undefined;
  const words = settings.panels || {};
  /** Help that was given and panels that were closed in this session; whether a panel that comes of itself was shown. */
  let helped = [], shownInSession = false;
  /** The edge allows panels; unknown is no. The cart is part of a sequence that its shopper came back from. */
  let allowed = false, inSequence = false;
  // A page that a resume link led to has its own greeting.
  let arrived = page.linked, foresaw = false;
  let bucket, arms;

  /** The experiment on a panel and this visitor's arm: the one that they were exposed to, else what the bucket gives. Without
   *  a bucket there is no object that could record it, and so no experiment. */
  function armOf(panel) {
    const { name, arms: all } = (panel !== 'cart_check' && words[panel]?.experiment) || {};
    if (!name || !Array.isArray(all)) return {};
    const at = bucket === undefined ? undefined : mind.arm(name, bucket, floats(...all.map((arm) => arm.weight)));
    const arm = all.find((arm) => arm.name === arms?.[name]) || all[at];
    return arm ? { experiment: name, arm } : {};
  }

  /** Decides on one panel and sees to it. `about` tells one trouble from another: help is given once for each. Returns
   *  whether its time had come; `quiet`: why it had not is no news. */
  function consider(panel, about = '', data, quiet) {
    const now = Date.now();
    const { kept, returning } = state();
    const copy = words[panel];
    const { experiment, arm } = armOf(panel);
    const key = panel + ':' + about;
    // A place that is taken is not waited for: neither panel nor silent arm had its moment.
    const taken = panel !== 'shipping_progress' && document.querySelector('comeback-panel' + (STRIP.test(panel) ? '[data-strip]' : ':not([data-strip])'));
    const rules = { ...copy?.rules, ...arm };
    // In the order of `panels::held`.
    const told = [
      !!copy && copy.enabled !== false,
      ...RULES.map((rule) => rules[rule]),
      now - opened,
      returning,
      inSequence,
      page.push,
      location.pathname === settings.shop?.cart_url,
      shownInSession,
      kept.last_shown,
      kept.shown[panel],
      helped.includes(key),
      allowed,
    ];
    const why = taken ? 'busy' : mind.held(now, panel, floats(...told));
    if (why) {
      // Nor is it that a shop has no words for a panel.
      if (why !== 'off' && !quiet) emit('panel', { panel, state: 'held', why });
      return false;
    }
    if (mind.is_proactive(panel)) {
      shownInSession = true;
      kept.last_shown = now;
      // Those two speak of the cart as it is, which changes; they stay away once closed.
    } else if (!/^(shipping_progress|cart_check)$/.test(panel)) helped.push(key);
    kept.shown[panel] = now;
    remember();
    show(panel, { experiment, arm, data });
    return true;
  }

  const asked = (moment) => mind.panels(moment).split(' ');

  return {
    /** Asks for the panels of a moment in their order, up to the first whose time has come. */
    moment: (name) => asked(name).some((panel) => consider(panel)),
    /** The score says that the shopper is about to leave. It goes on saying so, and is heard until a panel shows. */
    foreseen() {
      foresaw ||= allowed && asked('leaving').some((panel) => consider(panel, '', undefined, true));
    },
    /** What is to be done, when it was taken in, about a trouble that an event tells of. */
    trouble({ name, data }, source, raw) {
      const help = (panel, about) => () => consider(panel, about, raw);
      if (name === 'checkout_error') {
        // Another card is another try; another field of the form too.
        return help(mind.help_for('' + (data.step ?? ''), '' + (data.code ?? '')), raw?.field || data.method);
      }
      if (name === 'view_shipping_estimate') return mind.is_shock(number(data.value) ?? NaN) ? help('shipping_cost') : undefined;
      if (name === 'begin_checkout') return help('cart_check');
      // What speaks of the cart as it changes stays away once it was closed.
      if (name === 'panel_closed' && data.panel === 'shipping_progress') helped.push('shipping_progress:');
      if (!/cart/.test(name)) return undefined;
      return () => {
        if (/^(view_cart|cart_set)$/.test(name) && source !== OWN) consider('cart_check', '', raw);
        asked('filling').some((panel) => consider(panel));
      };
    },
    /** The edge has told how the shopper stands. Returns whether it is the first time that it allows panels. */
    answered(panel, theirs, held) {
      if (panel) (allowed = panel.allowed === true), (inSequence = panel.sequence === true);
      if (theirs !== undefined) (bucket = theirs), (arms = held);
      const first = allowed && !arrived;
      arrived ||= first;
      return first;
    },
    /** What the next page of this visit has to know. */
    memory: () => ({ helped, shown: shownInSession }),
    recall(brief) {
      helped = [...(Array.isArray(brief?.helped) ? brief.helped : []), ...helped];
      shownInSession ||= brief?.shown === true;
    },
  };
}
