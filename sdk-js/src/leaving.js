// Watches for signs that the shopper is about to leave: a mouse that goes out of the page; on a phone a page thrown up, a
// tab that is looked at again, stillness. What is measured and which of it is a leave is the module's.

/** Fields in which a shopper may be typing or choosing: the pointer may leave for a keyboard suggestion or a native menu
 *  that is drawn outside the page. */
const BUSY = 'input:not([type=button],[type=submit],[type=checkbox],[type=radio],[type=image],[type=reset]),select,textarea,[contenteditable]';
/** A page goes on sliding this long after the finger let go; later than that nobody's finger moves it. */
const SLIDE_MS = 1_500;

/** Calls `leaving(sign, act)` for each sign of leaving; `act` is whether it was something the shopper did. Returns what is
 *  to be called when they went back in the history. */
export function watch({ mind, mobile, leaving }) {
  /** When the shopper last touched the page, and whether with two fingers; since when the page is out of sight. */
  let touched = Date.now(), pinched, hidden, timer;
  const busy = () => document.activeElement?.matches(BUSY);
  const tell = (sign, at = 0, y = 0, engaged = false) => {
    const leaves = mind.leaves(sign, at, y, engaged);
    if (leaves) leaving(sign, leaves > 1);
  };
  // They only look: none keeps the browser from scrolling at once.
  const on = (name, act) => document.addEventListener(name, act, { passive: true });

  on('mousemove', ({ timeStamp, clientY }) => mind.moved(timeStamp, clientY));
  on('mouseout', (event) => {
    // Into something on the page is not out of it.
    if (!event.relatedTarget) tell('pointer_top', event.timeStamp, event.clientY, !!event.buttons || busy());
  });
  if (mobile) {
    const idle = mind.idle_ms();
    // Looks after a while whether the page was touched meanwhile. A timer is set once, not with every touch.
    const wait = (ms) => {
      timer = setTimeout(() => {
        const still = Date.now() - touched;
        timer = 0;
        if (still < idle) wait(idle - still);
        else if (!hidden && !busy()) tell('idle', still);
        // No timer takes more; the pause is over with the next touch then.
      }, Math.min(ms, 2 ** 31 - 1));
    };
    const touch = () => {
      touched = Date.now();
      if (!timer) wait(idle);
    };
    // Moved by a script or a link, or by two fingers that make the page larger, it says nothing.
    on('scroll', (event) => tell('scroll_up', event.timeStamp, scrollY, Date.now() - touched > SLIDE_MS || !!pinched || busy()));
    on('visibilitychange', () => {
      const since = hidden;
      hidden = document.hidden && Date.now();
      if (!since || hidden) return;
      touched = Date.now();
      tell('tab_return', touched - since);
    });
    // Two are two until one comes down alone: what slides on after them is still theirs.
    on('touchstart', ({ touches }) => {
      pinched = touches?.length > 1;
      touch();
    });
    for (const name of ['touchmove', 'touchend', 'keydown']) on(name, touch);
    wait(idle);
  }
  return () => tell('back');
}
