// The service worker of the push opt-in, served as /comeback-push.js. Shows what is pushed and opens what it leads to;
// answers no fetch and caches nothing, so a shop that has a worker of its own imports this one (`importScripts`).
//
// A push is JSON: `{title, body, url, tag?, icon?, image?, actions?: [{action, title, url}]}`. Anything else is not shown:
// no notice is better than an empty one, and browsers show one of their own then.

const parsed = (data) => {
  try {
    return data.json();
  } catch {
    return null;
  }
};
/** Only a page of this shop: whoever could write a push must not lead anywhere else. */
const own = (url) => {
  const at = new URL(url || '/', self.location.origin);
  return at.origin === self.location.origin ? at.href : self.location.origin + '/';
};

self.addEventListener('push', (event) => {
  const said = parsed(event.data || {});
  if (!said || typeof said.title !== 'string') return;
  const { title, body, url, tag, icon, image, actions = [] } = said;
  event.waitUntil(
    self.registration.showNotification(title, {
      body,
      tag,
      icon,
      image,
      // A later message about the same cart takes the earlier one's place, and says so.
      renotify: !!tag,
      actions: actions.map(({ action, title }) => ({ action, title })),
      data: { url: own(url), actions: Object.fromEntries(actions.map(({ action, url }) => [action, own(url)])) },
    }),
  );
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const { url, actions = {} } = event.notification.data || {};
  event.waitUntil(self.clients.openWindow(actions[event.action] || own(url)));
});
