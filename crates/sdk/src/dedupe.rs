//! Tells one act reported by several sources from several acts. Holds a short window of reports;
//! exactly-once on the wire is by event id and not decided here.

/// Reports of the same act come within this span of each other.
const WINDOW_MS: f64 = 500.0;

/// Who reported an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// `comeback.push`.
    Api,
    /// A data attribute.
    Attribute,
    /// GA4's `dataLayer`.
    Layer,
    /// The SDK itself.
    Own,
}

impl Source {
    /// From the number that `capture.js` uses.
    pub(crate) fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Api,
            1 => Self::Attribute,
            2 => Self::Layer,
            _ => Self::Own,
        }
    }
}

struct Report {
    at: f64,
    source: Source,
    key: String,
    taken: bool,
}

/// The reports of the last half second.
#[derive(Default)]
pub(crate) struct Dedupe {
    reports: Vec<Report>,
}

impl Dedupe {
    /// Whether this report is news. Of the acts within the window there were as many as the
    /// keenest source reported, so two quick clicks stay two although a second source echoes both.
    pub(crate) fn is_new(&mut self, at: f64, source: Source, key: String) -> bool {
        self.reports.retain(|r| (at - r.at).abs() <= WINDOW_MS);
        let (mut by_source, mut taken) = (0_u32, 0_u32);
        for report in self.reports.iter().filter(|r| r.key == key) {
            by_source += u32::from(report.source == source);
            taken += u32::from(report.taken);
        }
        let new = by_source >= taken;
        self.reports.push(Report { at, source, key, taken: new });
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(reports: &[(f64, Source)]) -> usize {
        let mut dedupe = Dedupe::default();
        reports.iter().filter(|(at, source)| dedupe.is_new(*at, *source, "add_to_cart:a".to_owned())).count()
    }

    #[test]
    fn an_echo_from_another_source_is_not_a_second_act() {
        use Source::{Api, Attribute, Layer};
        assert_eq!(taken(&[(0.0, Attribute), (20.0, Layer), (40.0, Api)]), 1);
        assert_eq!(taken(&[(0.0, Layer), (500.0, Api)]), 1);
        assert_eq!(taken(&[(0.0, Layer), (501.0, Api)]), 2, "too far apart to be one act");
    }

    #[test]
    fn two_quick_clicks_are_two_acts_in_any_order_of_their_echoes() {
        use Source::{Attribute as A, Layer as L};
        for order in [[A, L, A, L], [A, A, L, L], [L, A, A, L], [L, L, A, A]] {
            let reports: Vec<_> = order.iter().enumerate().map(|(i, s)| (i as f64 * 50.0, *s)).collect();
            assert_eq!(taken(&reports), 2, "{order:?}");
        }
    }

    #[test]
    fn different_acts_do_not_hide_each_other() {
        let mut dedupe = Dedupe::default();
        assert!(dedupe.is_new(0.0, Source::Api, "a".to_owned()));
        assert!(dedupe.is_new(0.0, Source::Layer, "b".to_owned()));
    }
}
