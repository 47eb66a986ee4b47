//! How often people of a shop follow its messages, by channel, counted by the shop's one object.
//!
//! Counted are samples: of each week and channel the [`SAMPLE`] messages with the lowest keys. Keys are
//! hashes, so these are drawn evenly whatever the shop sends, a message that is told twice is the same
//! one, and a busy channel is remembered as long as a quiet one. The week that has not ended does not
//! count: its messages have had no time to be followed, and most those of the busiest channel.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::consent::Channel;
use crate::id::SendKey;
use crate::time::{DAY, Timestamp};

/// Messages of a week and channel that are remembered. Seven weeks of them tell a rate of 5 % to about a
/// seventh.
const SAMPLE: usize = 128;
/// Weeks remembered, the present one among them.
const WEEKS: i64 = 8;
/// Characters of a key that are kept: 60 bits.
const KEPT: usize = 12;

/// Messages sent and followed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Performance {
    /// By channel and week since the epoch: the messages, and whether they were followed.
    weeks: BTreeMap<Channel, BTreeMap<i64, BTreeMap<String, bool>>>,
}

fn week(at: Timestamp) -> i64 {
    at.millis().div_euclid(7 * DAY)
}

fn short(key: &SendKey) -> String {
    let tail = key.as_str().split_once('_').map_or(key.as_str(), |(_, tail)| tail);
    tail.chars().take(KEPT).collect()
}

impl Performance {
    /// A message went out. Whether that changed anything.
    pub fn sent(&mut self, at: Timestamp, key: &SendKey, channel: Channel) -> bool {
        let weeks = self.weeks.entry(channel).or_default();
        let newest = weeks.keys().next_back().copied().unwrap_or(i64::MIN).max(week(at));
        if newest - week(at) >= WEEKS {
            return false;
        }
        weeks.retain(|held, _| newest - held < WEEKS);
        let sample = weeks.entry(week(at)).or_default();
        let key = short(key);
        let full = sample.len() >= SAMPLE;
        if sample.contains_key(&key) || full && sample.keys().next_back().is_some_and(|last| *last < key) {
            return false;
        }
        sample.insert(key, false);
        if full {
            sample.pop_last();
        }
        true
    }

    /// Its link was followed. Whether that changed anything.
    pub fn followed(&mut self, key: &SendKey) -> bool {
        let key = short(key);
        let mut samples = self.weeks.values_mut().flat_map(BTreeMap::values_mut);
        let followed = samples.find_map(|sample| sample.get_mut(&key));
        followed.is_some_and(|followed| !std::mem::replace(followed, true))
    }

    /// Sent and followed, by channel, of the weeks that have ended.
    #[must_use]
    pub fn counts(&self, now: Timestamp) -> BTreeMap<Channel, (u64, u64)> {
        let ended = (week(now) - WEEKS + 1)..week(now);
        let counts = |weeks: &BTreeMap<i64, BTreeMap<String, bool>>| {
            weeks
                .iter()
                .filter(|(week, _)| ended.contains(*week))
                .flat_map(|(_, sample)| sample.values())
                .fold((0_u64, 0_u64), |(sent, followed), was_followed| {
                    (sent + 1, followed + u64::from(*was_followed))
                })
        };
        self.weeks.iter().map(|(channel, weeks)| (*channel, counts(weeks))).filter(|(_, c)| c.0 > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEEK: i64 = 7 * DAY;

    fn key(n: i64) -> SendKey {
        SendKey::derive(&["performance", &n.to_string()])
    }

    #[test]
    fn what_is_told_twice_counts_once_and_strangers_count_nothing() {
        let mut seen = Performance::default();
        let monday = Timestamp::from_millis(2_900 * WEEK);
        for first in [true, false] {
            assert_eq!(seen.sent(monday, &key(1), Channel::Email), first);
            assert_eq!(seen.sent(monday, &key(2), Channel::Sms), first);
            assert_eq!(seen.followed(&key(2)), first);
            assert!(!seen.followed(&key(3)));
        }
        assert_eq!(seen.counts(monday), [].into(), "too early to tell");
        let counts = [(Channel::Email, (1, 0)), (Channel::Sms, (1, 1))];
        assert_eq!(seen.counts(monday.plus(WEEK)), counts.into());
        assert_eq!(seen.counts(monday.plus(WEEKS * WEEK)), [].into(), "too long ago");
    }

    /// Two channels are followed equally often, one carries fifty times as much, and people take days
    /// to follow: neither looks better, and no more is held than a sample.
    #[test]
    fn a_busy_channel_looks_no_worse_than_a_quiet_one() {
        let mut seen = Performance::default();
        let start = 2_900 * WEEK;
        let mut follows: Vec<(i64, SendKey)> = vec![];
        let mut n = 0;
        for hour in 0..(6 * 7 * 24) {
            let at = start + hour * DAY / 24;
            for (channel, messages) in [(Channel::Email, 50), (Channel::Sms, 1)] {
                for _ in 0..messages {
                    n += 1;
                    seen.sent(Timestamp::from_millis(at), &key(n), channel);
                    if n % 10 == 0 {
                        follows.push((at + 3 * DAY, key(n)));
                    }
                }
            }
            follows.retain(|(due, key)| {
                let is_due = *due <= at;
                if is_due {
                    seen.followed(key);
                }
                !is_due
            });
        }
        let counts = seen.counts(Timestamp::from_millis(start + 6 * WEEK + 3 * DAY));
        for channel in [Channel::Email, Channel::Sms] {
            let (sent, followed) = counts[&channel];
            assert_eq!(sent, 768, "{counts:?}");
            assert!((45..=110).contains(&followed), "a tenth of 768, less what is under way: {counts:?}");
        }
    }

    #[test]
    fn clocks_of_carts_that_are_weeks_behind_drop_nothing() {
        let mut seen = Performance::default();
        let now = Timestamp::from_millis(2_900 * WEEK);
        assert!(seen.sent(now, &key(1), Channel::Email));
        assert!(!seen.sent(Timestamp::from_millis(2_800 * WEEK), &key(2), Channel::Email));
        assert!(seen.sent(Timestamp::from_millis(2_895 * WEEK), &key(3), Channel::Email));
        assert_eq!(seen.counts(now.plus(WEEK)), [(Channel::Email, (2, 0))].into());
    }
}
