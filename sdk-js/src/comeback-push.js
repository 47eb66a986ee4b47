// The service worker of the push opt-in, served as /comeback-push.js. Shows what is pushed and opens what it leads to;
// answers no fetch and caches nothing, so a shop that has a worker of its own imports this one (`importScripts`).
//
// A push is JSON: `{comeback: 1, title, body, url, tag?, icon?, image?, actions?: [{action, title, url}]}`. Anything else is another's and
// left alone, and so are clicks on what was not shown here.

const parsed = (data) => {
  try {
    return data.json();
  } catch {
    return null;
  }
};
/** Only a page of this shop: whoever could write a push must not lead anywhere else. */
const own = (url) => {
  const home = self.location.origin + '/';
  try {
    const at = new URL(url || '/', home);
    return at.href.startsWith(home) ? at.href : home;
  } catch {
    return home;
  }
};

self.addEventListener('push', (event) => {
  const said = parsed(event.data || {});
  if (said?.comeback !== 1 || typeof said.title !== 'string') return;
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
      data: { comeback: 1, url: own(url), actions: Object.fromEntries(actions.map(({ action, url }) => [action, own(url)])) },
    }),
  );
});

self.addEventListener('notificationclick', (event) => {
  const { comeback, url, actions = {} } = event.notification.data || {};
  if (comeback !== 1) return;
  event.notification.close();
  event.waitUntil(self.clients.openWindow(own(actions[event.action] || url)));
});
