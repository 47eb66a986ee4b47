// The opt-in to push: asks the browser only after the shopper said yes to us, so that a no costs no more than a
// closed strip. Loaded on that yes. What is sent by it is the edge's.

/** The worker that shows what is pushed; on the shop's own origin, as browsers ask for. */
const WORKER = '/comeback-push.js';

const raw = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (char) => char.charCodeAt(0));

/**
 * Resolves to whether the shopper may be told by push from now on. Must be called while the click lasts: browsers show
 * the question only then.
 */
export async function opt_in({ settings, subscribe }) {
  const { worker = WORKER } = settings.panels.push;
  const wanted = raw(settings.push.key);
  // The shop's own service worker and subscription are the shop's: neither is replaced.
  const there = await navigator.serviceWorker.getRegistration('/');
  const script = (there?.active || there?.waiting || there?.installing)?.scriptURL;
  if (script && new URL(script).pathname !== new URL(worker, location).pathname) throw new Error('the shop has another service worker: name it in panels.push.worker');
  const held = await there?.pushManager.getSubscription();
  const fits = held?.options.applicationServerKey && String(new Uint8Array(held.options.applicationServerKey)) === String(wanted);
  if (held && !fits) throw new Error('the shop has a subscription of its own');
  if ((await Notification.requestPermission()) !== 'granted') return false;
  if (!script) await navigator.serviceWorker.register(worker);
  const { pushManager } = await navigator.serviceWorker.ready;
  const subscription = held || (await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: wanted }));
  await subscribe(subscription.toJSON());
  return true;
}
