//! How often people of a shop follow its messages, by channel, counted by the shop's one object. What is
//! told twice counts once; a click on a message that is no longer remembered counts nothing.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::REMEMBERED;
use crate::consent::Channel;
use crate::id::SendKey;

/// Messages sent and followed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Performance {
    counts: BTreeMap<Channel, (u64, u64)>,
    /// The last messages, newest last, and whether they were followed.
    last: VecDeque<(SendKey, Channel, bool)>,
}

impl Performance {
    /// A message went out.
    pub fn sent(&mut self, key: &SendKey, channel: Channel) {
        if self.last.iter().any(|(k, _, _)| k == key) {
            return;
        }
        if self.last.len() >= REMEMBERED {
            self.last.pop_front();
        }
        self.last.push_back((key.clone(), channel, false));
        let count = self.counts.entry(channel).or_default();
        count.0 = count.0.saturating_add(1);
    }

    /// Its link was followed.
    pub fn followed(&mut self, key: &SendKey) {
        let Some((_, channel, followed)) = self.last.iter_mut().find(|(k, _, _)| k == key) else { return };
        if !std::mem::replace(followed, true) {
            let count = self.counts.entry(*channel).or_default();
            count.1 = count.1.saturating_add(1);
        }
    }

    /// Sent and followed, by channel.
    #[must_use]
    pub fn counts(&self) -> &BTreeMap<Channel, (u64, u64)> {
        &self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_twice_counts_once_and_strangers_count_nothing() {
        let key = |n: usize| SendKey::derive(&["performance", &n.to_string()]);
        let mut seen = Performance::default();
        for _ in 0..2 {
            seen.sent(&key(1), Channel::Email);
            seen.sent(&key(2), Channel::Sms);
            seen.followed(&key(2));
            seen.followed(&key(3));
        }
        assert_eq!(*seen.counts(), [(Channel::Email, (1, 0)), (Channel::Sms, (1, 1))].into());
        for n in 10..10 + REMEMBERED {
            seen.sent(&key(n), Channel::Email);
        }
        seen.followed(&key(1));
        assert_eq!(seen.counts()[&Channel::Email].1, 0, "forgotten by then");
        assert_eq!(seen.last.len(), REMEMBERED);
    }
}
