//! Runs futures where they are woken. Ours wait for promises of the platform, whose callbacks are
//! turns of their own, so there is nothing to be gained by queueing another: each call of an object,
//! each request is polled at once, and again in the callback that settles what it waits for.
//!
//! So a future must be ready before it wakes. Promises are; `worker::Delay` is not, hence [`sleep`].
//!
//! Waiting is by number: entry.js watches the promise with a plain closure and reports the number
//! ([`settled`]). The closures that wasm-bindgen makes per promise cost more than the call waited for.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use comeback_core::time::Timestamp;
use js_sys::Promise;
use wasm_bindgen::prelude::*;

use crate::failure::Outcome;

#[wasm_bindgen]
extern "C" {
    /// Reports by [`settled`] when a promise settles. The number is never used again, not even by
    /// the next instance of the runtime: what an instance left behind wakes nothing in its successor.
    #[wasm_bindgen(js_namespace = comebackHost)]
    fn watch(promise: &Promise) -> u32;

    /// Resolves after so many milliseconds.
    #[cfg(feature = "dev")]
    #[wasm_bindgen(js_namespace = comebackHost, js_name = sleep)]
    fn pause(ms: u32) -> Promise;

    /// Ends a call that entry.js began.
    #[wasm_bindgen(js_namespace = comebackHost)]
    fn done(call: u32, answer: &str);

    /// Ends it with an error.
    #[wasm_bindgen(js_namespace = comebackHost)]
    fn failed(call: u32, error: JsValue);
}

struct Task {
    /// Absent while it is polled.
    future: Option<Pin<Box<dyn Future<Output = ()>>>>,
    waker: Waker,
    /// Woken while it was polled.
    again: bool,
}

#[derive(Default)]
struct Wait {
    waker: Option<Waker>,
    result: Option<Result<JsValue, JsValue>>,
}

#[derive(Default)]
struct State {
    tasks: BTreeMap<u32, Task>,
    last: u32,
    waits: BTreeMap<u32, Wait>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::new(State::default());
}

/// A task's number is all its waker holds, which makes the waker as free as the trait demands.
struct Woken(u32);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        run(self.0);
    }
}

/// The instant of a call, as entry.js hands it over.
pub(crate) fn instant(now: f64) -> Timestamp {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of our era")]
    Timestamp::from_millis(now as i64)
}

/// Begins a call: runs the future until it waits, and ends the call when the future does.
pub(crate) fn begin(call: u32, future: impl Future<Output = Outcome<String>> + 'static) {
    let future = Box::pin(async move {
        match future.await {
            Ok(answer) => done(call, &answer),
            Err(failure) => failed(call, failure.into()),
        }
    });
    let task = STATE.with_borrow_mut(|state| {
        state.last = state.last.wrapping_add(1);
        let id = state.last;
        let waker = Waker::from(Arc::new(Woken(id)));
        state.tasks.insert(id, Task { future: Some(future), waker, again: false });
        id
    });
    run(task);
}

fn run(id: u32) {
    let held = STATE.with_borrow_mut(|state| {
        let task = state.tasks.get_mut(&id)?;
        let future = task.future.take();
        task.again = future.is_none();
        Some((future?, task.waker.clone()))
    });
    let Some((mut future, waker)) = held else { return };
    // The state is not borrowed while a future runs: it may begin or wake others.
    while future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
        let woken = STATE.with_borrow_mut(|state| {
            state.tasks.get_mut(&id).is_some_and(|task| std::mem::take(&mut task.again))
        });
        if !woken {
            STATE.with_borrow_mut(|state| {
                if let Some(task) = state.tasks.get_mut(&id) {
                    task.future = Some(future);
                }
            });
            return;
        }
    }
    let ended = STATE.with_borrow_mut(|state| state.tasks.remove(&id));
    drop(ended);
}

/// A promise settled that [`wait`] waits for. Called by entry.js.
pub(crate) fn settled(wait: u32, result: Result<JsValue, JsValue>) {
    let waker = STATE.with_borrow_mut(|state| {
        let wait = state.waits.get_mut(&wait)?;
        wait.result = Some(result);
        wait.waker.take()
    });
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Waits for a promise.
pub(crate) async fn wait(promise: &Promise) -> Result<JsValue, JsValue> {
    let id = watch(promise);
    STATE.with_borrow_mut(|state| state.waits.insert(id, Wait::default()));
    Settling(id).await
}

/// Waits for so many milliseconds.
#[cfg(feature = "dev")]
pub(crate) async fn sleep(ms: u32) {
    // A timer does not fail.
    let _ = wait(&pause(ms)).await;
}

struct Settling(u32);

impl Future for Settling {
    type Output = Result<JsValue, JsValue>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        STATE.with_borrow_mut(|state| match state.waits.get_mut(&self.0) {
            Some(Wait { result: Some(_), .. }) => {
                let result = state.waits.remove(&self.0).and_then(|w| w.result);
                Poll::Ready(result.unwrap_or(Err(JsValue::UNDEFINED)))
            }
            Some(wait) => {
                wait.waker = Some(cx.waker().clone());
                Poll::Pending
            }
            // Polled after its end, which nothing of ours does.
            None => Poll::Ready(Err(JsValue::from_str("waited for twice"))),
        })
    }
}

impl Drop for Settling {
    fn drop(&mut self) {
        STATE.with_borrow_mut(|state| state.waits.remove(&self.0));
    }
}
