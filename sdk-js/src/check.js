// A cart is checked before it is sent: for forms that ask for it (`data-comeback-check`) and for scripts.
// Loaded where the shop has words for what may be found; what is found is shown by help.js.

/** What takes longer holds nobody up, unless it is before the shopper's eyes. */
const PATIENCE_MS = 2500;

/** Watches the page's forms; resolves scripts' questions: `check(done)` calls `done(right)`. */
export function guard(openPanel) {
  const shown = () => document.querySelector('comeback-panel[data-panel=cart_check]');
  const check = () =>
    Promise.race([
      openPanel('cart_check', { data: { submit: true } }).catch(() => true),
      new Promise((done) => setTimeout(() => shown() || done(true), PATIENCE_MS)),
    ]).then((right) => right !== false);
  const passed = new WeakSet(), asking = new WeakSet();
  addEventListener(
    'submit',
    (event) => {
      const { target: form, submitter } = event;
      if (!form.hasAttribute('data-comeback-check') || passed.delete(form)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      // A second click while it is checked is the same one.
      if (asking.has(form)) return;
      asking.add(form);
      check().then((right) => {
        asking.delete(form);
        if (!right) return;
        passed.add(form);
        form.requestSubmit(submitter?.form === form ? submitter : undefined);
      });
    },
    true,
  );
  return (done) => check().then(done);
}
