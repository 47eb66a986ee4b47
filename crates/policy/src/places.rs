//! Where the parts of a policy are written, by path: `offer.ten.percent`,
//! `sequence.standard.reminder.at`. A part that is not written stands where the part around it does.

use core::ops::Range;
use std::collections::BTreeMap;

use crate::section::Section;

/// Places by path.
#[derive(Debug, Default)]
pub(crate) struct Places(BTreeMap<String, Range<usize>>);

impl Places {
    /// Notes a part at its name, else at its table, and each of its keys.
    pub(crate) fn note(&mut self, path: &str, section: &Section<'_>) {
        self.0.insert(path.to_owned(), section.span_of("name"));
        for (key, at) in section.places() {
            self.0.insert(format!("{path}.{key}"), at);
        }
    }

    /// Where a part is written.
    pub(crate) fn at(&self, path: &str) -> Range<usize> {
        let mut path = path;
        loop {
            if let Some(at) = self.0.get(path) {
                return at.clone();
            }
            match path.rsplit_once('.') {
                Some((around, _)) => path = around,
                None => return 0..0,
            }
        }
    }

    /// Whether a part is written itself.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.0.contains_key(path)
    }
}
