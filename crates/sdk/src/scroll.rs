//! Measures how a page is thrown back up under a finger. Whether that is a leave is the core's to say.

/// A pause longer than this ends a throw, milliseconds.
const PAUSE_MS: f64 = 120.0;

/// The throw under way: where and when it began, and where it was last.
#[derive(Default)]
pub(crate) struct Scroll {
    from: Option<(f64, f64)>,
    last: Option<(f64, f64)>,
}

impl Scroll {
    /// The page is at `y` CSS pixels from its top. Returns how far it was thrown up so far, in CSS pixels, and how
    /// fast on the whole, in CSS pixels per second.
    pub(crate) fn moved(&mut self, at: f64, y: f64) -> Option<(f64, f64)> {
        let last = self.last.replace((at, y));
        let goes_on = last.is_some_and(|(t, from_y)| at - t <= PAUSE_MS && y < from_y);
        if !goes_on {
            self.from = Some((at, y));
            return None;
        }
        let (t, from_y) = self.from?;
        let distance = from_y - y;
        Some((distance, distance * 1_000.0 / (at - t).max(1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throw_is_one_way_and_without_a_pause() {
        let mut scroll = Scroll::default();
        assert_eq!(scroll.moved(0.0, 2_000.0), None);
        assert_eq!(scroll.moved(16.0, 2_100.0), None, "down is reading");
        assert_eq!(scroll.moved(32.0, 2_000.0), Some((100.0, 6_250.0)));
        assert_eq!(scroll.moved(116.0, 1_900.0), Some((200.0, 2_000.0)));
        assert_eq!(scroll.moved(500.0, 1_800.0), None, "begun anew after a pause");
        assert_eq!(scroll.moved(600.0, 1_700.0), Some((100.0, 1_000.0)));
    }
}
