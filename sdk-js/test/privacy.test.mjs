// What consent platforms say, in our three purposes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { denied, google, shopify } from '../src/privacy.js';

test('Google: what is not named stays as it was', () => {
  assert.deepEqual(google({ analytics_storage: 'granted', ad_user_data: 'denied' }), { storage: true, marketing: false, profiling: undefined });
  assert.deepEqual(google(undefined), { storage: undefined, marketing: undefined, profiling: undefined });
});

test('Google: a default that denies keeps us waiting, wherever it holds; one that grants opens nothing', () => {
  const layer = (...said) => said.map((entry) => Object.assign(Object.create(null), entry));
  assert.ok(denied(layer(['js', 0], ['consent', 'default', { analytics_storage: 'denied', region: ['DE'] }])));
  assert.ok(!denied(layer(['consent', 'default', { analytics_storage: 'granted' }], ['consent', 'update', { analytics_storage: 'denied' }])));
  assert.ok(![undefined, null, [], [null, 1, 'x', ['consent', 'default']]].some(denied));
});

test('Shopify: asked at once where it is known, loaded where it is not, and listened to', () => {
  const listeners = {};
  globalThis.document = { addEventListener: (name, act) => (listeners[name] = act) };
  globalThis.window = {};
  assert.equal(shopify(() => assert.fail('no shop of theirs')), undefined);
  assert.deepEqual(Object.keys(listeners), []);

  const api = { analyticsProcessingAllowed: () => true, marketingAllowed: () => false, preferencesProcessingAllowed: () => true };
  const told = [];
  let loaded;
  window.Shopify = { loadFeatures: (features, done) => (assert.equal(features[0].name, 'consent-tracking-api'), (loaded = done)) };
  assert.ok(!shopify((choice) => told.push(choice)));
  window.Shopify.customerPrivacy = api;
  loaded();
  assert.deepEqual(told, [{ storage: true, marketing: false, profiling: true }]);
  assert.deepEqual(shopify(() => {}), told[0]);
  api.analyticsProcessingAllowed = () => false;
  listeners.visitorConsentCollected();
  delete globalThis.window;
  delete globalThis.document;
});
