//! How many messages a shop sent in the last hour, for the bound while a policy is being rolled out.
//! Counted by the minute, so that what is kept is small; a minute counts until it is wholly an hour
//! past, so no hour ever has more than its bound.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::id::SendKey;
use crate::time::{HOUR, MINUTE, Timestamp};

/// Minutes after which a minute no longer counts.
const WINDOW: i64 = 61;

/// What the last hour holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RunMeter {
    /// Messages by minute since the epoch.
    minutes: BTreeMap<i64, u32>,
    /// The minute of each message that may still be refused.
    taken: BTreeMap<SendKey, i64>,
    /// Those of them that asked more than once.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    again: BTreeSet<SendKey>,
}

/// Whether the hour has room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Room {
    /// Messages of the last hour, this one not counted.
    pub sent_this_hour: u32,
    /// When there is room again, if there is none now.
    pub room_at: Option<Timestamp>,
}

impl RunMeter {
    /// Takes room for one message, if `most` an hour leave any. Asking again under the same key in the
    /// same minute takes nothing more; later it takes room in the present minute as well, for its first
    /// holder may have died before the message went out, or after.
    pub fn take(&mut self, now: Timestamp, key: &SendKey, most: u32) -> Room {
        let minute = now.millis().div_euclid(MINUTE);
        self.minutes.retain(|m, messages| minute - m < WINDOW && *messages > 0);
        self.taken.retain(|_, m| minute - *m < WINDOW);
        self.again.retain(|key| self.taken.contains_key(key));
        let own = self.taken.get(key).copied();
        let sum = self.minutes.values().fold(0_u32, |a, b| a.saturating_add(*b));
        let count = sum.saturating_sub(u32::from(own.is_some()));
        if count >= most && own != Some(minute) {
            return Room { sent_this_hour: count, room_at: Some(self.room_at(now, count, most, own)) };
        }
        if own.is_some() {
            self.again.insert(key.clone());
        }
        if own != Some(minute) {
            let here = self.minutes.entry(minute).or_insert(0);
            *here = here.saturating_add(1);
            self.taken.insert(key.clone(), minute);
        }
        // What it held before the present minute counts, but not against itself.
        Room { sent_this_hour: count.min(most.saturating_sub(1)), room_at: None }
    }

    /// The message went out: it goes on counting.
    pub fn sent(&mut self, key: &SendKey) {
        self.taken.remove(key);
        self.again.remove(key);
    }

    /// The message was refused: its room is free again, unless it had been asked for more than once:
    /// then an earlier holder may have sent it.
    pub fn give_back(&mut self, key: &SendKey) {
        let Some(minute) = self.taken.remove(key).filter(|_| !self.again.remove(key)) else { return };
        if let Some(here) = self.minutes.get_mut(&minute) {
            *here = here.saturating_sub(1);
        }
    }

    /// When there is room again; what the send itself holds, in that minute, is not in its way.
    fn room_at(&self, now: Timestamp, count: u32, most: u32, own: Option<i64>) -> Timestamp {
        let mut left = count;
        for (minute, messages) in &self.minutes {
            left = left.saturating_sub(messages.saturating_sub(u32::from(own == Some(*minute))));
            if left < most {
                return Timestamp::from_millis((minute + WINDOW).saturating_mul(MINUTE));
            }
        }
        // A bound of nothing has no room at any time; somebody may lift it.
        now.plus(HOUR)
    }
}
