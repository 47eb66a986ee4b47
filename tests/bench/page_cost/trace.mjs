// CPU time of the main thread's tasks, by Chromium's trace. The browser's own observers tell of time that passed, in which
// other programs of a small machine have their turn too.

const MARK = 'page-cost';
/** What the page waits for: tasks, each with the promises that it settled, which are seen to after it. `events`: of one thread. */
function tasksOf(events) {
  const tasks = [];
  for (const { name, ts, dur, tdur } of events.filter(({ ph }) => ph === 'X').sort((a, b) => a.ts - b.ts)) {
    const last = tasks.at(-1);
    if (last && ts < last.end) continue;
    if (/RunTask$/.test(name)) tasks.push({ ts, end: ts + dur, cpu: tdur / 1000 });
    else if (last && /MicrotaskCheckpoint$/.test(name)) Object.assign(last, { end: ts + dur, cpu: last.cpu + tdur / 1000 });
  }
  return tasks;
}

/** Starts a trace of the whole browser, of which there can be one at a time. Returns `stop`. */
export async function trace(browser) {
  const cdp = await browser.newBrowserCDPSession();
  const events = [];
  cdp.on('Tracing.dataCollected', ({ value }) => events.push(...value));
  await cdp.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['toplevel', 'blink.user_timing'], recordMode: 'recordAsMuchAsPossible', traceBufferSizeInKb: 400_000 },
  });
  /**
   * Ends the trace. Resolves to `cpu(at, ms)`: CPU time in ms of the task of this page in which a script ran for `ms` from `at`, a
   * time as `performance.now()` has it.
   */
  return async function stop(page) {
    // What tells the page's process, and its clock from the trace's.
    await page.evaluate((name) => performance.mark(name), MARK);
    const complete = new Promise((done) => cdp.once('Tracing.tracingComplete', done));
    await cdp.send('Tracing.end');
    await complete;
    await cdp.detach();
    const mark = events.findLast(({ name, args }) => name === MARK && args.data?.startTime !== undefined);
    if (!mark) throw new Error('the trace has no mark of the page');
    const tasks = tasksOf(events.filter(({ pid, tid }) => pid === mark.pid && tid === mark.tid));
    const from = mark.ts - mark.args.data.startTime * 1000;
    return (at, ms) => {
      const [start, end] = [from + at * 1000, from + (at + ms) * 1000];
      const shared = (task) => Math.min(task.end, end) - Math.max(task.ts, start);
      // The clocks differ by a hair: a task beside that of the script may seem to touch it.
      const [met] = tasks.filter((task) => shared(task) > 0).sort((a, b) => shared(b) - shared(a));
      if (!met) throw new Error(`the trace has no task at ${Math.round(at)} ms: it is cut short`);
      return met.cpu;
    };
  };
}
