//! Measures how the pointer leaves the page. Whether that is a leave is the core's to say.

/// Moves older than this say nothing about the speed of the exit.
const WINDOW_MS: f64 = 120.0;
/// Enough for the window at 120 moves a second.
const SAMPLES: usize = 16;
/// A frame. What happens within one has no speed of its own: a pixel over the edge would be a thousand a second.
const FRAME_MS: f64 = 16.0;

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

    /// The pointer left the document at `y`: whether by the top, and its upward speed in CSS pixels per second.
    pub(crate) fn left(&self, at: f64, y: f64) -> (bool, f64) {
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
        let speed = from.map_or(0.0, |(t, from_y)| (from_y - y) * 1_000.0 / (at - t).max(FRAME_MS));
        (y <= 0.0, speed)
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
        let (top, speed) = pointer.left(10_100.0, 0.0);
        assert!(top && (speed - 3_000.0).abs() < 1.0, "{speed}");
    }

    #[test]
    fn a_slow_or_resting_pointer_is_slow_and_another_edge_is_not_the_top() {
        let mut pointer = Pointer::default();
        pointer.moved(0.0, 12.0);
        assert!(pointer.left(2_000.0, -1.0).1 < 10.0);
        assert!(!pointer.left(10.0, 300.0).0);
        pointer.moved(3_000.0, 0.0);
        assert!(pointer.left(3_000.1, -1.0).1 < 100.0, "one pixel over the edge");
        let (_, nothing) = Pointer::default().left(5.0, 0.0);
        assert!(nothing.abs() < f64::EPSILON, "no move was seen: no speed");
    }
}
