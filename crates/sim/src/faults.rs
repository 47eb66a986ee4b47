//! What goes wrong around the core, and when: processes die before or after a write, queues copy, delay and
//! lose, alarms are late, providers are down or lose their answers. Seeded, and with a budget, so that every run
//! comes to rest.

use comeback_core::time::{HOUR, MINUTE, Millis};

use crate::random::Random;

/// The process died: what it had not written is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crash;

/// When the process dies around a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It does not.
    Lives,
    /// Before it: nothing is written.
    DiesBefore,
    /// After it: it is written, and nothing of what was to follow is done.
    DiesAfter,
}

/// The longest an alarm is late on an ordinary day,
const LATEST_ALARM: Millis = 20 * MINUTE;
/// and on one on which the platform is in trouble.
const LATEST_ALARM_EVER: Millis = 40 * HOUR;
/// The longest a delivery is late, and a process dawdles between two calls: longer than a claim's lease, so that
/// slow holders meet new ones.
const LATEST_JOB: Millis = 4 * MINUTE;

/// The weather of one run.
#[derive(Debug, Clone)]
pub struct Weather {
    random: Random,
    left: u32,
    /// One write in so many.
    crash_in: u64,
}

impl Weather {
    /// Nothing goes wrong.
    #[must_use]
    pub fn fair() -> Self {
        Self { random: Random::new(0), left: 0, crash_in: 1 }
    }

    /// Up to `most` things go wrong.
    #[must_use]
    pub fn foul(seed: u64, most: u32) -> Self {
        Self { random: Random::new(seed), left: most, crash_in: 40 }
    }

    /// Whether anything can still go wrong.
    #[must_use]
    pub fn is_fair(&self) -> bool {
        self.left == 0
    }

    fn strikes(&mut self, one_in: u64) -> bool {
        if self.left == 0 || self.random.below(one_in) != 0 {
            return false;
        }
        self.left -= 1;
        true
    }

    /// Around a write.
    pub fn fate(&mut self) -> Fate {
        if !self.strikes(self.crash_in) {
            Fate::Lives
        } else if self.random.percent(50) {
            Fate::DiesBefore
        } else {
            Fate::DiesAfter
        }
    }

    /// When the copies of a job are delivered, counted from now; none if the queue loses it.
    pub fn deliveries(&mut self) -> Vec<Millis> {
        if self.strikes(15) {
            return vec![];
        }
        let copies = if self.strikes(6) { 2 } else { 1 };
        (0..copies).map(|_| self.delay(LATEST_JOB)).collect()
    }

    /// Whether the queue brings the job of a process that died again.
    pub fn redelivers(&mut self) -> bool {
        !self.strikes(3)
    }

    /// How long a process dawdles before its next call.
    pub fn dawdle(&mut self) -> Millis {
        self.delay(LATEST_JOB)
    }

    /// How late an alarm is; `None` if it never fires.
    pub fn alarm_delay(&mut self) -> Option<Millis> {
        if !self.strikes(5) {
            return Some(0);
        }
        match self.random.below(8) {
            0 => None,
            1 => Some(self.random.span(HOUR, LATEST_ALARM_EVER)),
            _ => Some(self.random.span(1_000, LATEST_ALARM)),
        }
    }

    /// Whether a provider's answer gets lost on its way.
    pub fn loses_answer(&mut self) -> bool {
        self.strikes(12)
    }

    /// Whether a provider refuses this one for good.
    pub fn refuses(&mut self) -> bool {
        self.strikes(40)
    }

    /// Whether a provider cannot be reached just now.
    pub fn is_down(&mut self) -> bool {
        self.strikes(15)
    }

    fn delay(&mut self, most: Millis) -> Millis {
        if self.strikes(5) { self.random.span(1_000, most) } else { 0 }
    }
}
