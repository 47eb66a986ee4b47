//! Lines a little out of order are put in order: what is read waits until nothing earlier can be
//! expected. Holds a window of a log, by time and by number.

use std::collections::BTreeMap;

use comeback_core::time::{MINUTE, Millis, Timestamp};

/// How far out of order a line may be and still be put in its place.
const SPAN: Millis = 10 * MINUTE;
/// Most that waits for its place, whatever the times say.
const MOST: usize = 100_000;

/// What waits.
pub(super) struct Window<T> {
    waiting: BTreeMap<(Timestamp, u64), T>,
    newest: Timestamp,
    told: Timestamp,
    over: bool,
}

impl<T> Window<T> {
    pub(super) fn new() -> Self {
        let least = Timestamp::from_millis(i64::MIN);
        Self { waiting: BTreeMap::new(), newest: least, told: least, over: false }
    }

    /// Whether more must be read before the next can be taken.
    pub(super) fn wants_more(&self) -> bool {
        let ripe =
            || self.waiting.first_key_value().is_some_and(|((at, _), _)| self.newest.since(*at) > SPAN);
        !self.over && self.waiting.len() < MOST && !ripe()
    }

    /// Nothing more comes.
    pub(super) fn is_over(&mut self) {
        self.over = true;
    }

    /// Puts something in its place. Of one instant the lower number goes first. Whether it came too
    /// late for its place.
    pub(super) fn put(&mut self, at: Timestamp, number: u64, what: T) -> bool {
        self.newest = self.newest.max(at);
        self.waiting.insert((at, number), what);
        at < self.told
    }

    /// The next, with the instant at which it counts: its own, or that of what was taken before it if
    /// it came too late.
    pub(super) fn take(&mut self) -> Option<(Timestamp, T)> {
        let ((at, _), what) = self.waiting.pop_first()?;
        self.told = self.told.max(at);
        Some((self.told, what))
    }

    /// The last instant that was taken.
    pub(super) fn told(&self) -> Timestamp {
        self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_little_late_finds_its_place_and_what_is_too_late_counts_when_it_came() {
        let mut window = Window::new();
        let mut taken = vec![];
        for (number, minute) in (0_u64..).zip([0, 5, 3, 20, 19, 40, 7]) {
            let late = window.put(Timestamp::from_millis(minute * MINUTE), number, minute);
            assert_eq!(late, minute == 7, "{minute}");
            while !window.wants_more() {
                taken.extend(window.take().map(|(at, what)| (at.millis() / MINUTE, what)));
            }
        }
        window.is_over();
        assert!(!window.wants_more());
        while let Some((at, what)) = window.take() {
            taken.push((at.millis() / MINUTE, what));
        }
        assert_eq!(taken, [(0, 0), (3, 3), (5, 5), (19, 19), (20, 20), (20, 7), (40, 40)]);
        assert_eq!(window.told().millis() / MINUTE, 40);
    }
}
