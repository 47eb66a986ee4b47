//! Measures how the pointer leaves the page. Whether that is a leave is the core's to say.

use comeback_core::onsite::PointerExit;

/// Moves older than this say nothing about the speed of the exit.
const WINDOW_MS: f64 = 120.0;
/// Enough for the window at 120 moves a second.
const SAMPLES: usize = 16;

/// The last moves of the pointer, as (milliseconds, y).
#[derive(Default)]
pub(crate) struct Pointer {
    samples: [(f64, f64); SAMPLES],
    next: usize,
    last: Option<(f64, f64)>,
}

impl Pointer {
    /// A move to `y`, in CSS pixels from the top of the viewport.
    pub(crate) fn moved(&mut self, at: f64, y: f64) {
        self.samples[self.next % SAMPLES] = (at, y);
        self.next += 1;
        self.last = Some((at, y));
    }

    /// The pointer left the document at `y`; `engaged` says the shopper was busy with something.
    pub(crate) fn left(&self, at: f64, y: f64, engaged: bool) -> PointerExit {
        // The oldest move inside the window; a pointer that rested counts from where it rested.
        let known = &self.samples[..self.next.min(SAMPLES)];
        let from = known
            .iter()
            .filter(|(t, _)| at - t <= WINDOW_MS && at > *t)
            .fold(None, |oldest: Option<(f64, f64)>, s| match oldest {
                Some(o) if o.0 <= s.0 => Some(o),
                _ => Some(*s),
            })
            .or(self.last);
        let velocity_px_s = from.map_or(0.0, |(t, from_y)| (from_y - y) * 1_000.0 / (at - t).max(1.0));
        PointerExit { top: y <= 0.0, velocity_px_s, engaged }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speed_is_measured_over_the_last_moves_only() {
        let mut pointer = Pointer::default();
        for step in 0..100_u32 {
            // Ten seconds of wandering at the bottom, then 300 px up within 100 ms.
            pointer.moved(f64::from(step) * 100.0, 600.0);
        }
        for step in 0..5_u32 {
            pointer.moved(10_000.0 + f64::from(step) * 20.0, 300.0 - f64::from(step) * 60.0);
        }
        let exit = pointer.left(10_100.0, 0.0, false);
        assert!(exit.top && (exit.velocity_px_s - 3_000.0).abs() < 1.0, "{exit:?}");
    }

    #[test]
    fn a_slow_or_resting_pointer_is_slow_and_another_edge_is_not_the_top() {
        let mut pointer = Pointer::default();
        pointer.moved(0.0, 12.0);
        assert!(pointer.left(2_000.0, -1.0, false).velocity_px_s < 10.0);
        assert!(!pointer.left(10.0, 300.0, false).top);
        let nothing = Pointer::default().left(5.0, 0.0, false);
        assert!(nothing.velocity_px_s.abs() < f64::EPSILON, "no move was seen: no speed");
    }
}
