//! Providers of messages as the outside knows them: they take a message under a key, perhaps remember the key for a
//! day, perhaps are not there, perhaps take it and lose the answer. What they took is the truth.

use std::collections::BTreeMap;

use comeback_core::id::SendKey;
use comeback_core::time::{DAY, Timestamp};

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Taken now.
    Taken,
    /// The key was taken before; nothing more goes out.
    Repeated,
    /// Refused for good.
    Refused,
    /// Not reached.
    Down,
}

/// A provider.
#[derive(Debug, Clone)]
pub struct Provider {
    idempotent: bool,
    taken: BTreeMap<SendKey, Timestamp>,
}

impl Provider {
    /// One that knows keys, or does not. It forgets them after a day, as real ones do.
    #[must_use]
    pub const fn new(idempotent: bool) -> Self {
        Self { idempotent, taken: BTreeMap::new() }
    }

    /// Whether it knows keys.
    #[must_use]
    pub const fn is_idempotent(&self) -> bool {
        self.idempotent
    }

    /// Takes a message, or knows it already.
    pub fn take(&mut self, key: &SendKey, now: Timestamp) -> Answer {
        let known = self.taken.get(key).is_some_and(|at| now.since(*at) < DAY);
        if self.idempotent && known {
            return Answer::Repeated;
        }
        self.taken.insert(key.clone(), now);
        Answer::Taken
    }
}
