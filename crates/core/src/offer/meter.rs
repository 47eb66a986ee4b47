//! How many messages a shop sent in the last hour, for the bound while a policy is being rolled out.
//! Counted by the minute, so that what is kept is small; a minute counts until it is wholly an hour
//! past, so no hour ever has more than its bound.

use std::collections::BTreeMap;

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
    /// Takes room for one message, if `most` an hour leave any. Taking again under the same key takes
    /// nothing more: the room moves to the present minute, for that is when the message goes out whose
    /// first holder died.
    pub fn take(&mut self, now: Timestamp, key: &SendKey, most: u32) -> Room {
        let minute = now.millis().div_euclid(MINUTE);
        self.minutes.retain(|m, messages| minute - m < WINDOW && *messages > 0);
        self.taken.retain(|_, m| minute - *m < WINDOW);
        let count = self.minutes.values().fold(0_u32, |a, b| a.saturating_add(*b));
        if let Some(held) = self.taken.get_mut(key) {
            let before = std::mem::replace(held, minute);
            if let Some(there) = self.minutes.get_mut(&before) {
                *there = there.saturating_sub(1);
            }
            let here = self.minutes.entry(minute).or_insert(0);
            *here = here.saturating_add(1);
            return Room { sent_this_hour: count.saturating_sub(1), room_at: None };
        }
        if count >= most {
            return Room { sent_this_hour: count, room_at: Some(self.room_at(now, count, most)) };
        }
        let here = self.minutes.entry(minute).or_insert(0);
        *here = here.saturating_add(1);
        self.taken.insert(key.clone(), minute);
        Room { sent_this_hour: count, room_at: None }
    }

    /// The message went out: it goes on counting.
    pub fn sent(&mut self, key: &SendKey) {
        self.taken.remove(key);
    }

    /// The message was refused: its room is free again.
    pub fn give_back(&mut self, key: &SendKey) {
        let Some(minute) = self.taken.remove(key) else { return };
        if let Some(here) = self.minutes.get_mut(&minute) {
            *here = here.saturating_sub(1);
        }
    }

    fn room_at(&self, now: Timestamp, count: u32, most: u32) -> Timestamp {
        let mut left = count;
        for (minute, messages) in &self.minutes {
            left = left.saturating_sub(*messages);
            if left < most {
                return Timestamp::from_millis((minute + WINDOW).saturating_mul(MINUTE));
            }
        }
        // A bound of nothing has no room at any time; somebody may lift it.
        now.plus(HOUR)
    }
}
