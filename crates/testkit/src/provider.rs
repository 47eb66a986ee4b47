//! A provider of messages as the outside knows it: it takes a message under a key and, if it is
//! an idempotent one, takes each key once. What it took is the truth that tests are about.

use std::collections::BTreeMap;

use comeback_core::id::SendKey;

/// Its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Taken now.
    Accepted,
    /// The same key was taken before; nothing more goes out.
    Repeated,
    /// Refused for good.
    Refused,
    /// Not reached.
    Down,
}

/// The provider.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Whether it knows idempotency keys.
    pub idempotent: bool,
    /// Whether it cannot be reached.
    pub down: bool,
    /// Refuses the next message for good.
    pub refuse_next: bool,
    taken: BTreeMap<SendKey, u32>,
}

impl Default for Provider {
    fn default() -> Self {
        Self { idempotent: true, down: false, refuse_next: false, taken: BTreeMap::new() }
    }
}

impl Provider {
    /// Takes a message, or not.
    pub fn take(&mut self, key: &SendKey) -> Answer {
        if self.down {
            return Answer::Down;
        }
        if core::mem::take(&mut self.refuse_next) {
            return Answer::Refused;
        }
        let times = self.taken.entry(key.clone()).or_default();
        if self.idempotent && *times > 0 {
            return Answer::Repeated;
        }
        *times += 1;
        Answer::Accepted
    }

    /// The keys it took.
    #[must_use]
    pub fn keys(&self) -> Vec<SendKey> {
        self.taken.keys().cloned().collect()
    }
}
