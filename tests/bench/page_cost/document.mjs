// The figures of the page cost as Markdown: medians with their lowest and highest, beside the empty page of the same run.
//
// Says what was measured and no more; a limit that is not held is said to be not held.

const sorted = (list) => [...list].sort((a, b) => a - b);
export const median = (list) => {
  const all = sorted(list);
  const middle = all.length >> 1;
  return all.length % 2 ? all[middle] : (all[middle - 1] + all[middle]) / 2;
};
const whole = (n) => Math.round(n).toLocaleString('en-GB');
/** `12 (10–19)`: median, lowest and highest. */
const spread = (list, digits = 0) => {
  const [low, high] = [Math.min(...list), Math.max(...list)].map((n) => n.toFixed(digits));
  return `${median(list).toFixed(digits)}${low === high ? '' : ` (${low}–${high})`}`;
};
const table = (head, rows) => [head, head.map((_, n) => (n ? '--:' : '---')), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
const sum = (list, of) => list.reduce((total, one) => total + of(one), 0);

const inPhase = (run, ...phases) => run.requests.filter(({ phase }) => phases.includes(phase));
const isWasm = ({ path }) => path.endsWith('.wasm');
const isCode = ({ path }) => /\.(js|wasm)$/.test(path);
const longest = (run, phase) => Math.max(0, ...run.tasks.filter((task) => !phase || task.phase === phase).map(({ ms }) => ms));

/** Tells requests apart by what never varies between runs; the runs' own counts may, by a retry or a timer. */
const counts = (runs, of) => spread(runs.map(of));

function requests(cases) {
  const rows = cases.filter(({ open }) => !open).map(({ name, runs }) => {
    const next = inPhase(runs[0], 'next');
    const asked = next.filter(({ cached, received }) => !cached && received > 0);
    return [
      name,
      counts(runs, (run) => inPhase(run, 'load').filter((r) => !isWasm(r)).length) + (inPhase(runs[0], 'load').some(isWasm) ? ' + wasm' : ''),
      whole(median(runs.map((run) => sum(inPhase(run, 'load').filter(isCode), (r) => r.body)))),
      whole(median(runs.map((run) => sum(inPhase(run, 'load'), (r) => r.received)))),
      counts(runs, (run) => inPhase(run, 'use').length),
      whole(median(runs.map((run) => sum(inPhase(run, 'load', 'use').filter(isCode), (r) => r.body)))),
      whole(median(runs.map((run) => sum(inPhase(run, 'load', 'use'), (r) => r.sent)))),
      `${asked.length}, ${whole(sum(asked, (r) => r.received))}`,
    ];
  });
  return table(
    ['page', 'requests before the first intent', 'code, bytes', 'all received, bytes', 'requests while used', 'code until then, bytes', 'sent until then, bytes', 'next page: requests, bytes'],
    rows,
  );
}

/** Differences are taken run by run: the empty page of the same run is the one beside it. */
const added = (runs, base, of) => runs.map((run, n) => of(run) - of(base[n]));

function thread(cases, base) {
  const rows = cases.filter(({ open }) => !open).map(({ name, runs }) => {
    const ms = (of) => spread(runs.map(of));
    const ratio = (median(runs.map((run) => run.load.task)) / median(base.map((run) => run.load.task))).toFixed(2);
    return [
      name, ms((run) => run.load.task), ratio, spread(added(runs, base, (run) => run.load.task)), ms((run) => run.load.script),
      ms((run) => run.use.task), spread(added(runs, base, (run) => run.use.task)),
      `${counts(runs, (run) => run.tasks.filter(({ phase }) => phase === 'load').length)}; ${ms((run) => longest(run, 'load'))}`,
      `${counts(runs, (run) => run.tasks.filter(({ phase }) => phase === 'use').length)}; ${ms((run) => longest(run, 'use'))}`,
      ms((run) => run.inp), spread(runs.map((run) => run.cls), 3),
    ];
  });
  return table(
    ['page', 'until idle, ms', '× empty', 'added, ms', 'of it script, ms', 'while used, ms', 'added, ms', 'long tasks until idle; longest, ms', 'while used; longest, ms', 'INP, ms', 'CLS'],
    rows,
  );
}

function panels(cases) {
  const rows = cases.filter(({ open }) => open).map(({ name, runs }) => [
    name, counts(runs, (run) => inPhase(run, 'panel').length), whole(median(runs.map((run) => sum(inPhase(run, 'panel').filter(isCode), (r) => r.body)))),
    whole(median(runs.map((run) => sum(inPhase(run, 'load', 'use', 'panel').filter(isCode), (r) => r.body)))),
    spread(runs.map((run) => run.panel.task)), spread(runs.map((run) => run.panel.script)), spread(runs.map((run) => longest(run))),
    spread(runs.map((run) => run.inp)), spread(runs.map((run) => run.cls), 3),
  ]);
  return table(['page', 'requests for it', 'code for it, bytes', 'code in all, bytes', 'main thread, ms', 'of it script, ms', 'longest task of the visit, ms', 'INP, ms', 'CLS'], rows);
}

/** Runs of our scripts in frames above 50 ms, by the browser's own long animation frames: `ms` is the time that passed, `cpu` that
 *  of the whole task. */
const withOurs = (run) => run.frames.filter(({ url }) => /^\/(comeback\.js|sdk\/)/.test(url));

function limits(cases, budget) {
  const plain = cases.find(({ id, open }) => id === 'comeback' && !open)?.runs;
  const open = cases.find(({ id, open }) => id === 'comeback' && open)?.runs;
  if (!plain || !open) return '';
  const code = (run) => sum(run.requests.filter((r) => r.phase !== 'next' && isCode(r)), (r) => r.body);
  const row = (what, limit, value, held) => [what, limit, value, held ? 'held' : '**not held**'];
  const asked = plain.map((run) => inPhase(run, 'load').filter((r) => !isWasm(r)).length);
  const base = plain.map(code);
  const full = open.map(code);
  const worst = (list) => Math.max(0, ...list);
  const cls = [...plain, ...open].map((run) => run.cls);
  const own = (of) => [...plain, ...open].map((run) => worst(withOurs(run).map(of)));
  const [cpu, passed] = [own((frame) => frame.cpu), own((frame) => frame.ms)];
  const long = passed.filter((ms) => ms > 50).length;
  const limits = table(['limit', 'is', 'measured', ''], [
    row('requests before the first intent, besides the wasm', '2', spread(asked), Math.max(...asked) <= 2),
    row('code of a page without a panel, bytes', whole(budget.sdk_base_brotli), whole(median(base)), Math.max(...base) <= budget.sdk_base_brotli),
    row('code of a page with a panel, bytes', whole(budget.sdk_with_panel_brotli), whole(median(full)), Math.max(...full) <= budget.sdk_with_panel_brotli),
    row('CLS', '0', spread(cls, 3), Math.max(...cls) === 0),
    row('longest task with a script of ours in any visit, ms of CPU', '50', worst(cpu) ? spread(cpu) : 'below what the browser reports', worst(cpu) <= 50),
    row('render-blocking requests', '0', String(sum(plain, (run) => run.blocking.length)), plain.every((run) => run.blocking.length === 0)),
  ]);
  return `${limits}

The CPU time is that of the longest task, by the browser's trace, in which a script of ours ran. In time that passed, in which the other
processes of the browser had the cores too, a script of ours ran for ${spread(passed)} ms at most, for more than 50 in ${long} of ${passed.length} visits.`;
}

function ourRequests(cases) {
  const run = (cases.find(({ id, open }) => id === 'comeback' && open) ?? { runs: [] }).runs[0];
  if (!run) return '';
  const name = { load: 'before the first intent', use: 'while used', panel: 'for the panel' };
  return table(['request', 'when', 'body, bytes', 'sent, bytes'], run.requests.map((r) => [`\`${r.method} ${r.path}\``, name[r.phase], whole(r.body), whole(r.sent)]));
}

/** The whole document. */
export function markdown({ about, cases }) {
  const base = cases.find(({ id }) => id === 'empty').runs;
  return `# What a page pays

Written by \`cargo xtask page-cost\`, which measures everything below in one run; not edited by hand.
Chromium ${about.chromium}, main thread slowed down ${about.throttle} times, each page visited ${about.runs === 1 ? 'once' : about.runs + ' times'}, in turns, each time in a fresh profile.
${about.cores} cores of ${about.cpu}, load average ${Math.min(...about.load)}–${Math.max(...about.load)} meanwhile${about.priority ? `, browser at priority ${about.priority}` : ''}, ${about.started.slice(0, 10)}.
Figures are medians, in brackets lowest and highest. Above ${about.cores} the load average says that others took the machine too: then trust
bytes and counts, and of milliseconds only that which lies far apart.

## Limits of ours

${limits(cases, about.budget)}

## Bytes and requests

The page is the same for all: 24 products, a search field, a button that puts something into the cart, GA4's data layer. It is opened
and left alone for 4 s; what was requested by then is *before the first intent*. Then the pointer moves, the button is pressed three
times and eleven letters are typed: *while used*. The document itself is not counted. Code is JavaScript and wasm under brotli 11; all
received includes headers.

${requests(cases)}

## Main thread

CPU time of the page's main thread by Chromium's own account. *Added* compares with the empty page of the same run. A long task is
one above 50 ms, whoever caused it. INP is the worst interaction of the visit, from input to paint, in steps of 8 ms.

${thread(cases, base)}

## With a panel opened

After the same use, the pointer leaves at the top (ours, ouibounce) or the event that its survey waits for is captured (PostHog); then an
address is typed into the panel's field. Main thread is that part alone.

${panels(cases)}

## Our requests one by one

${ourRequests(cases)}

## How each is loaded

- **comeback**: the tag of the README. The edge is a double in the form of [http.md](http.md): the demo shop's configuration, consent implied so that
  everything is captured and sent.
- **posthog-js**: \`array.js\` by an async tag with \`defaults: '2026-01-30'\`, autocapture on, session recording, heatmaps and dead clicks off,
  surveys on with one that waits for an event. Its documented snippet is larger than the queue that stands for it here.
- **Customer.io**: \`standalone.js\` by an async tag with the in-app plug-in and anonymous messages, as its settings answer says; gist comes inside the
  plug-in's chunk. The hosts of gist are replaced by this server's, which has no message for the visitor.
- **web-vitals**: all five metrics, bundled with esbuild, sent by beacon. **ouibounce**: bundled with esbuild, with a modal in the page.

## What is not comparable

- They do different things. PostHog brings product analytics, flags and more; Customer.io messages that are designed at a desk; web-vitals measures and
  nothing else; ouibounce shows a given element and captures nothing. None of them keeps or restores a cart.
- Customer.io's messages are drawn by a page of its own in a frame that only its servers have: a shown message is not measured.
- Everything comes from one origin on this machine: no latency, no TLS, no CORS preflights (which JSON posts to other origins would need), answers of the
  edges at once and small.
- Four times slower than this machine is a stand-in for a phone and not one. Headless Chromium paints without a GPU.
- CPU time holds what the driver of the browser and the observers cost, in every page alike.
`;
}
