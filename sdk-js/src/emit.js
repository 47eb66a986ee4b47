/** Tells the page, on window and after the current call, so that a listener may call back in. */
export const emit = (name, detail) =>
  queueMicrotask(() => window.dispatchEvent(new CustomEvent('comeback:' + name, { detail })));

/** `['on', name, act]`: at once, so that nothing that happens while the module loads is missed. */
export const listen = ([, name, act]) => addEventListener('comeback:' + name, (event) => act(event.detail));
