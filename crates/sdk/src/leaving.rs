//! Watches for gestures of leaving and measures them: a mouse that goes out by the top; on a phone a page thrown up, a
//! tab that is looked at again, stillness. Which of them is one the core says, from the thresholds of the policy; what
//! follows from it is the session's. Going back in the history is seen by JavaScript (`pages.js`).

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use comeback_core::onsite::{Gesture, LeaveRules};
use gloo_timers::callback::Timeout;
use js_sys::Date;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use web_sys::{EventTarget, MouseEvent, Window};

use crate::pointer::Pointer;
use crate::reflect::{get, number, whole};
use crate::scroll::Scroll;
use crate::session::Host;

/// Fields in which a shopper may be typing or choosing: the pointer may leave for a keyboard
/// suggestion or a native menu that is drawn outside the page.
const BUSY_FIELDS: &str = "input:not([type=button],[type=submit],[type=checkbox],[type=radio],[type=image],[type=reset]),select,textarea,[contenteditable]";
/// A page goes on sliding this long after the finger let go; later than that nobody's finger moves it.
const SLIDE_MS: f64 = 1_500.0;

/// The watch of one page. It lives as long as the page does.
pub(crate) struct Leaving {
    pub(crate) rules: LeaveRules,
    window: Window,
    host: Host,
    mobile: bool,
    pointer: RefCell<Pointer>,
    scroll: RefCell<Scroll>,
    /// When the shopper last touched the page, and whether with two fingers.
    touched: Cell<f64>,
    pinched: Cell<bool>,
    /// Since when the page is out of sight; NaN while it is not.
    hidden: Cell<f64>,
    timer: RefCell<Option<Timeout>>,
}

impl Leaving {
    /// Starts to watch.
    pub(crate) fn watch(window: Window, host: Host, rules: LeaveRules, mobile: bool) -> Rc<Self> {
        let watch = Rc::new(Self {
            rules,
            window,
            host,
            mobile,
            pointer: RefCell::default(),
            scroll: RefCell::default(),
            touched: Cell::new(Date::now()),
            pinched: Cell::new(false),
            hidden: Cell::new(f64::NAN),
            timer: RefCell::new(None),
        });
        watch.listen();
        watch
    }

    /// Tells of a gesture if it is one of leaving.
    pub(crate) fn tell(&self, gesture: Gesture) {
        if gesture.is_leave(&self.rules, self.mobile) {
            self.host.leaving(gesture.trigger(), gesture.is_act());
        }
    }

    fn is_busy(&self) -> bool {
        let focused = self.window.document().and_then(|d| d.active_element());
        focused.is_some_and(|e| e.matches(BUSY_FIELDS).unwrap_or(false))
    }

    fn moved(self: &Rc<Self>, event: &JsValue) {
        let event: &MouseEvent = event.unchecked_ref();
        self.pointer.borrow_mut().moved(event.time_stamp(), f64::from(event.client_y()));
    }

    fn left(self: &Rc<Self>, event: &JsValue) {
        let event: &MouseEvent = event.unchecked_ref();
        // Into something on the page is not out of it.
        if event.related_target().is_some() {
            return;
        }
        let engaged = event.buttons() != 0 || self.is_busy();
        let (top, velocity_px_s) =
            self.pointer.borrow().left(event.time_stamp(), f64::from(event.client_y()));
        self.tell(Gesture::Pointer { top, velocity_px_s, engaged });
    }

    fn scrolled(self: &Rc<Self>, event: &JsValue) {
        let at = number(event, "timeStamp");
        let thrown = self.scroll.borrow_mut().moved(at, self.window.scroll_y().unwrap_or(0.0));
        let Some((distance_px, velocity_px_s)) = thrown else { return };
        // Moved by a script or a link, or by two fingers that make the page larger, it says nothing.
        let engaged = Date::now() - self.touched.get() > SLIDE_MS || self.pinched.get() || self.is_busy();
        self.tell(Gesture::ScrollUp { distance_px, velocity_px_s, engaged });
    }

    /// A finger came down. Two are two until one comes down alone: what slides on after them is still theirs.
    fn grasped(self: &Rc<Self>, event: &JsValue) {
        self.pinched.set(number(&get(event, "touches"), "length") > 1.0);
        self.touched(event);
    }

    fn touched(self: &Rc<Self>, _: &JsValue) {
        self.touched.set(Date::now());
        if self.timer.borrow().is_none() {
            self.wait(self.rules.idle_ms);
        }
    }

    /// Looks after `wait_ms` whether the page was touched meanwhile. A timer is set once, not with every touch.
    fn wait(self: &Rc<Self>, wait_ms: i64) {
        let watch = Rc::clone(self);
        let wait = u32::try_from(wait_ms).unwrap_or(u32::MAX);
        *self.timer.borrow_mut() = Some(Timeout::new(wait, move || {
            let done = watch.timer.borrow_mut().take();
            let still = whole(Date::now() - watch.touched.get());
            if still < watch.rules.idle_ms {
                watch.wait(watch.rules.idle_ms - still);
            } else if watch.hidden.get().is_nan() && !watch.is_busy() {
                watch.tell(Gesture::Idle(still));
            }
            drop(done);
        }));
    }

    fn turned(self: &Rc<Self>, _: &JsValue) {
        let hidden = self.window.document().is_some_and(|d| d.hidden());
        let since = self.hidden.replace(if hidden { Date::now() } else { f64::NAN });
        if !hidden && !since.is_nan() {
            self.touched.set(Date::now());
            self.tell(Gesture::Return(whole(Date::now() - since)));
        }
    }

    fn listen(self: &Rc<Self>) {
        let Some(document) = self.window.document() else { return };
        self.on(&document, "mousemove", Self::moved);
        self.on(&document, "mouseout", Self::left);
        if self.mobile {
            self.on(&document, "scroll", Self::scrolled);
            self.on(&document, "visibilitychange", Self::turned);
            self.on(&document, "touchstart", Self::grasped);
            for name in ["touchmove", "touchend", "keydown"] {
                self.on(&document, name, Self::touched);
            }
            self.wait(self.rules.idle_ms);
        }
    }

    /// Listeners live as long as the page. They only look: none keeps the browser from scrolling at once.
    fn on(self: &Rc<Self>, target: &EventTarget, name: &str, act: fn(&Rc<Self>, &JsValue)) {
        let watch = Rc::clone(self);
        let listener = Closure::<dyn FnMut(JsValue)>::new(move |event: JsValue| act(&watch, &event));
        let _ = target.add_event_listener_with_callback(name, listener.as_ref().unchecked_ref());
        listener.forget();
    }
}
