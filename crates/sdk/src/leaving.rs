//! Signs of leaving, measured from what the page saw: a mouse that goes out by the top; on a phone a page thrown up, a
//! tab that is looked at again, a step back in the history, stillness. Which of them is one of leaving the core says, from
//! the thresholds of the policy. The page is watched by JavaScript (`sdk-js/src/leaving.js`).

use comeback_core::onsite::{Gesture, LeaveRules};

use crate::number::{first, known, whole};
use crate::pointer::Pointer;
use crate::scroll::Scroll;

/// The watch of one page.
pub(crate) struct Leaving {
    pub(crate) rules: LeaveRules,
    pub(crate) pointer: Pointer,
    scroll: Scroll,
    mobile: bool,
}

impl Leaving {
    /// `told`: the members of [`LeaveRules`] in their order.
    pub(crate) fn new(told: &[f64], mobile: bool) -> Self {
        Self { rules: rules(told), pointer: Pointer::default(), scroll: Scroll::default(), mobile }
    }

    /// The gesture behind a sign, if it is one of leaving. By the sign, `at` and `y` are
    ///
    /// | sign | `at` | `y` |
    /// |---|---|---|
    /// | `pointer_top` | the event's own time, ms | where the pointer left, CSS pixels from the top of the viewport |
    /// | `scroll_up` | the event's own time, ms | where the page is, CSS pixels from its top |
    /// | `tab_return` | how long the page was out of sight, ms | |
    /// | `idle` | how long nothing was touched, ms | |
    /// | `back` | | |
    pub(crate) fn gesture(&mut self, sign: &str, at: f64, y: f64, engaged: bool) -> Option<Gesture> {
        let gesture = match sign {
            "pointer_top" => {
                let (top, velocity_px_s) = self.pointer.left(at, y);
                Gesture::Pointer { top, velocity_px_s, engaged }
            }
            "scroll_up" => {
                let (distance_px, velocity_px_s) = self.scroll.moved(at, y)?;
                Gesture::ScrollUp { distance_px, velocity_px_s, engaged }
            }
            "tab_return" => Gesture::Return(whole(at)),
            "idle" => Gesture::Idle(whole(at)),
            "back" => Gesture::Back,
            _ => return None,
        };
        gesture.is_leave(&self.rules, self.mobile).then_some(gesture)
    }
}

/// From when a gesture is one of leaving, as the configuration tells it.
fn rules(told: &[f64]) -> LeaveRules {
    let usual = LeaveRules::default();
    let [velocity, scroll, away, idle, act_below] = first(told);
    LeaveRules {
        min_velocity_px_s: known(velocity).unwrap_or(usual.min_velocity_px_s),
        min_scroll_px_s: known(scroll).unwrap_or(usual.min_scroll_px_s),
        away_ms: known(away).map_or(usual.away_ms, whole),
        idle_ms: known(idle).map_or(usual.idle_ms, whole),
        act_below,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_is_the_gesture_that_the_core_calls_so() {
        let mut phone = Leaving::new(&[], true);
        phone.pointer.moved(0.0, 400.0);
        assert_eq!(phone.gesture("scroll_up", 0.0, 2_000.0, false), None, "a throw begins");
        let signs =
            [("pointer_top", 50.0), ("scroll_up", 100.0), ("tab_return", 8e3), ("idle", 4e4), ("back", 0.0)];
        for (sign, at) in signs {
            let gesture = phone.gesture(sign, at, -1.0, false);
            assert_eq!(gesture.map(Gesture::trigger), Some(sign), "{gesture:?}");
        }
    }

    #[test]
    fn what_the_configuration_does_not_tell_is_as_usual() {
        let usual = Leaving::new(&[f64::NAN; 5], true).rules;
        assert_eq!((usual.idle_ms, usual.away_ms), (30_000, 5_000));
        assert!(!usual.foresees(0.0));
        let told = Leaving::new(&[1.0, 2.0, 3.0, 4.0, 0.5], true).rules;
        assert_eq!((told.away_ms, told.idle_ms), (3, 4));
        assert!(told.foresees(0.5));
    }
}
