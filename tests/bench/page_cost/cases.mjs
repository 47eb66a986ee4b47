// What is measured: the empty page, ours, and others, each set up as its documentation tells a shop to.
//
// A case is `{ id, name, parts, answer, open?, shut? }`: `parts` is what it adds to the page, `answer` what its paths are
// answered with, `open` brings up its panel by what a shopper does. Nothing here measures.

import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

import { build } from 'esbuild';

import { file, json } from './server.mjs';

const root = path.resolve(import.meta.dirname, '../../..');
const PK = 'pk_demo';
/** The tag's own address follows releases, so it may not be kept for long. */
const TAG_CACHE = 'public, max-age=300';

/** A fast real move to the top edge; headless Chromium has no outside to move to, so what a window gets then is dispatched. */
async function leave(page) {
  // Away from the search field first: whoever is in a field is not leaving.
  await page.mouse.click(600, 420);
  for (const y of [360, 280, 200]) await page.mouse.move(600, y);
  await page.evaluate(() => {
    for (const [type, bubbles] of [['mouseout', true], ['mouseleave', false]]) {
      document.documentElement.dispatchEvent(new MouseEvent(type, { bubbles, clientX: 600, clientY: -2, relatedTarget: null }));
    }
  });
}

export const empty = { id: 'empty', name: 'empty page', parts: {}, answer: () => undefined };

/** As the edge tells how a language writes amounts. */
const samples = (locale, currency) => ({
  money: new Intl.NumberFormat(locale, { style: 'currency', currency }).format(1234567890.12),
  count: new Intl.NumberFormat(locale).format(1234567890),
  percent: new Intl.NumberFormat(locale, { style: 'percent' }).format(12345678.9),
  grouped: 4,
});

/** The answers of the edge, in the form of docs/http.md: the demo shop's configuration, and a cart that is open. */
function edge(request) {
  if (request.path === `/v1/config/${PK}`) {
    const { name, currency, locale, consent, panels } = JSON.parse(readFileSync(path.join(root, 'www-demo/shop.json'), 'utf8'));
    // Consent as the peers take it, so that everything happens; a panel that any leave may open, also a throttled page's.
    const exit = { ...panels.exit, rules: { max_buy: 0.99, dwell_ms: 0 } };
    return json(
      { shop: { name, currency, locale, samples: samples(locale, currency) }, consent: { ...consent, mode: 'implied' }, panels: { ...panels, exit }, leaving: { min_velocity_px_s: 50 } },
      { 'cache-control': 'public, max-age=60, stale-while-revalidate=600' },
    );
  }
  if (request.path === '/v1/events' && request.method === 'POST') {
    const { cart } = JSON.parse(request.body);
    return json({ cart: cart && { id: cart, version: 1, closed: false }, bucket: 1, score: null, panel: { allowed: true, why: '' } });
  }
  return undefined;
}

/** Ours, from `dist/assets` of a build. */
export function ours(dist) {
  const assets = path.join(dist, 'assets');
  const files = new Map();
  for (const name of readdirSync(assets, { recursive: true })) {
    if (/^(comeback\.js|sdk\/[^/]+\/[^/]+\.(js|wasm))$/.test(name)) files.set('/' + name, readFileSync(path.join(assets, name)));
  }
  return {
    id: 'comeback',
    name: 'comeback',
    files,
    parts: { head: `<script async src="/comeback.js" data-shop="${PK}"></script>` },
    answer(request) {
      const content = files.get(request.path);
      return content ? file(request.path, content, request.path === '/comeback.js' ? TAG_CACHE : undefined) : edge(request);
    },
    async open(page) {
      await leave(page);
      await page.locator('comeback-panel [role=dialog]').waitFor();
    },
    field: 'comeback-panel input[type=email]',
  };
}

/** posthog-js by its tag, with surveys switched on and one popover that waits for an event. */
function posthog(folder, version) {
  const dist = path.join(folder, 'posthog-js/dist');
  const survey = {
    id: 'survey', name: 'Leaving', type: 'popover', description: '', feature_flag_keys: null, linked_flag_key: null, targeting_flag_key: null,
    internal_targeting_flag_key: null, start_date: '2026-01-01T00:00:00Z', end_date: null, enable_partial_responses: false,
    questions: [{ id: 'q', type: 'open', question: 'What kept you from buying?', description: '', buttonText: 'Send' }],
    conditions: { events: { values: [{ name: 'leaving' }], repeatedActivation: true }, actions: { values: [] } },
    appearance: { position: 'right', displayThankYouMessage: false },
  };
  const config = { token: 'phc', surveys: true, supportedCompression: ['gzip', 'gzip-js'], hasFeatureFlags: false, sessionRecording: false,
    autocapture_opt_out: false, capturePerformance: false, autocaptureExceptions: false, captureDeadClicks: false, heatmaps: false, siteApps: [] };
  return {
    id: 'posthog',
    name: `posthog-js ${version} + surveys`,
    // The documented snippet is a queue and this script element; of the queue only the one call that is made is kept here.
    parts: {
      head: `<script>window.posthog=[];posthog.__SV=1;posthog._i=[['phc',{api_host:location.origin,defaults:'2026-01-30'},'posthog']]</script>
<script async src="/static/array.js"></script>`,
    },
    answer({ path: at }) {
      const script = /^\/static\/(?:[\d.]+\/)?([\w-]+\.js)$/.exec(at);
      if (script) return file(script[1], readFileSync(path.join(dist, script[1])));
      if (at === '/array/phc/config.js') {
        const text = `(function(){window._POSTHOG_REMOTE_CONFIG=window._POSTHOG_REMOTE_CONFIG||{};window._POSTHOG_REMOTE_CONFIG.phc={config:${JSON.stringify(config)},siteApps:[]}})()`;
        return file('config.js', text, 'public, max-age=300');
      }
      if (at === '/array/phc/config') return json(config);
      if (at.startsWith('/flags')) return json({ flags: {}, errorsWhileComputingFlags: false, requestId: 'r' });
      if (at.startsWith('/api/surveys')) return json({ surveys: [survey], survey_config: {} });
      return at.startsWith('/e/') || at.startsWith('/i/') ? json({ status: 1 }) : undefined;
    },
    async open(page) {
      await page.evaluate(() => window.posthog.capture('leaving'));
      await page.locator('[class*="PostHogSurvey"] textarea').waitFor();
    },
    field: '[class*="PostHogSurvey"] textarea',
  };
}

/** Customer.io's tag; its in-app plug-in brings in gist, which is part of the package. */
function customerio(folder, version) {
  const umd = path.join(folder, '@customerio/cdp-analytics-browser/dist/umd');
  const gist = JSON.parse(readFileSync(path.join(folder, 'customerio-gist-web/package.json'), 'utf8')).version;
  return {
    id: 'customerio',
    name: `Customer.io ${version} + gist ${gist}`,
    // The documented snippet without the queue for calls other than these two.
    parts: {
      head: `<script>(()=>{const a=window.cioanalytics=[];a.invoked=true;a._writeKey='k';a._loadOptions={integrations:{'Customer.io In-App Plugin':{siteId:'site',anonymousInApp:true}}};
a.SNIPPET_VERSION='4.15.3';a.push(['page']);
const s=document.createElement('script');s.async=true;s.dataset.globalCustomerioAnalyticsKey='cioanalytics';
s.src=location.origin+'/v1/analytics-js/snippet/k/analytics.min.js';document.head.append(s)})()</script>`,
    },
    answer({ path: at, origin }) {
      if (at === '/v1/analytics-js/snippet/k/analytics.min.js') return file('a.js', readFileSync(path.join(umd, 'standalone.js')));
      const chunk = /^\/v1\/analytics-js\/([\w-]+\.js)$/.exec(at);
      if (chunk) {
        // Its hosts are written into it; here all of them are the page's own.
        return file(chunk[1], readFileSync(path.join(umd, chunk[1]), 'utf8').replace(/https:\/\/[\w.]+\.gist\.build/g, ''));
      }
      if (at === '/v1/projects/k/settings') {
        return json({
          integrations: {
            'Customer.io Data Pipelines': { apiKey: 'k', apiHost: new URL(origin).host + '/v1', protocol: 'http', versionSettings: { version: '4.4.7', componentTypes: ['browser'] } },
          },
          metrics: { sampleRate: 0 }, remotePlugins: [],
        });
      }
      if (/^\/v1\/[a-z]$/.test(at)) return json({ success: true });
      return /^\/api\/v\d\/(users|logs|branding)/.test(at) ? json([], { 'x-gist-queue-polling-interval': '600' }) : undefined;
    },
  };
}

/** A script of a bundle's own, as a shop with a build would have it. */
async function bundled(folder, id, name, source, more = {}) {
  const done = await build({
    stdin: { contents: source, resolveDir: folder },
    bundle: true, minify: true, write: false, format: 'iife', target: ['chrome96', 'firefox95', 'safari15'], logLevel: 'silent',
    nodePaths: [folder],
  });
  const content = done.outputFiles[0].text;
  const answer = ({ path: at, method }) => {
    if (at === `/${id}.js`) return file(`${id}.js`, content);
    return at === '/vitals' && method === 'POST' ? { status: 204 } : undefined;
  };
  return { id, name, answer, ...more, parts: { head: `<script async src="/${id}.js"></script>`, ...more.parts } };
}

const VITALS = `import { onCLS, onINP, onLCP, onFCP, onTTFB } from 'web-vitals';
const queue = new Set();
const flush = () => { if (queue.size) { navigator.sendBeacon('/vitals', JSON.stringify([...queue])); queue.clear(); } };
for (const on of [onCLS, onINP, onLCP, onFCP, onTTFB]) on((metric) => queue.add(metric));
addEventListener('visibilitychange', () => { if (document.visibilityState === 'hidden') flush(); });`;

const BOUNCE = `import ouibounce from 'ouibounce';
const start = () => ouibounce(document.getElementById('bounce'), { aggressive: true, timer: 0 });
document.readyState === 'loading' ? addEventListener('DOMContentLoaded', start) : start();`;

const MODAL = `<div id="bounce" style="display:none;position:fixed;inset:0;background:#0008"><div style="width:28rem;margin:10% auto;padding:24px;background:#fff">
<h2>Before you go</h2><label>Email <input type="email"></label><button type="button">Send me my cart</button></div></div>`;

/** The others, from the `node_modules` folder they were installed into. */
export async function peers(folder, versions) {
  return [
    posthog(folder, versions['posthog-js']),
    customerio(folder, versions['@customerio/cdp-analytics-browser']),
    await bundled(folder, 'web-vitals', `web-vitals ${versions['web-vitals']}`, VITALS),
    await bundled(folder, 'ouibounce', `ouibounce ${versions.ouibounce}`, BOUNCE, {
      parts: { end: MODAL },
      async open(page) {
        await leave(page);
        await page.locator('#bounce input').waitFor();
      },
      field: '#bounce input',
    }),
  ];
}
