//! What goes wrong, and when: a crash at a numbered step, or a seeded weather of crashes, copies,
//! delays and losses. Seeds make every run repeatable.

use comeback_core::time::{MINUTE, Millis, SECOND};

/// SplitMix64 (Steele, Lea, Flood 2014): tiny, seedable, good enough to shuffle faults.
#[derive(Debug, Clone)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// A stream from a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is not 0. The bias of the remainder is of no weight here.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next_u64() % n
    }
}

/// The process died at a step: nothing it held in memory is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crash;

/// The longest a chaotic alarm is late.
const LATEST_ALARM: Millis = 20 * MINUTE;
/// The longest a chaotic delivery is late, and the longest a consumer dawdles between two stages:
/// longer than a claim's lease, so that slow holders meet new ones.
const LATEST_JOB: Millis = 4 * MINUTE;

/// Seeded disorder with a budget, so that every run comes to rest.
#[derive(Debug, Clone)]
struct Weather {
    random: SplitMix64,
    left: u32,
}

impl Weather {
    /// True about once in `n`, while the budget lasts.
    fn strikes(&mut self, n: u64) -> bool {
        if self.left == 0 || self.random.below(n) != 0 {
            return false;
        }
        self.left -= 1;
        true
    }

    fn delay(&mut self, most: Millis) -> Millis {
        if self.strikes(4) {
            let most = u64::try_from(most / SECOND).unwrap_or(1).max(1);
            return Millis::try_from(self.random.below(most)).unwrap_or(0) * SECOND;
        }
        0
    }
}

/// The plan of what goes wrong in a run.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    steps: u64,
    crash_at: Option<u64>,
    /// A crashed consumer's job comes again by the queue; if not, only the offer's lease brings it.
    lose_jobs_of_crashed: bool,
    deliver_twice: bool,
    /// So many jobs are lost as soon as they are on the queue.
    lose: u64,
    weather: Option<Weather>,
}

impl Faults {
    /// Nothing goes wrong.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The process dies at this numbered step, once.
    #[must_use]
    pub fn crash_at(step: u64) -> Self {
        Self { crash_at: Some(step), ..Self::default() }
    }

    /// Like [`Self::crash_at`], and the queue never brings the crashed job again.
    #[must_use]
    pub fn crash_and_lose_at(step: u64) -> Self {
        Self { crash_at: Some(step), lose_jobs_of_crashed: true, ..Self::default() }
    }

    /// Every job is delivered twice, at the same time.
    #[must_use]
    pub fn twice() -> Self {
        Self { deliver_twice: true, ..Self::default() }
    }

    /// The queue loses the first so many jobs.
    #[must_use]
    pub fn losing_first(jobs: u64) -> Self {
        Self { lose: jobs, ..Self::default() }
    }

    /// Crashes, copies, delays, losses, early and late wakeups, up to `most` of them.
    #[must_use]
    pub fn chaos(seed: u64, most: u32) -> Self {
        Self { weather: Some(Weather { random: SplitMix64::new(seed), left: most }), ..Self::default() }
    }

    /// Steps passed so far; a run without faults tells how many there are to crash at.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// One step, before or after a write or an act.
    pub(crate) fn step(&mut self) -> Result<(), Crash> {
        let step = self.steps;
        self.steps += 1;
        if self.crash_at == Some(step) || self.weather.as_mut().is_some_and(|w| w.strikes(40)) {
            return Err(Crash);
        }
        Ok(())
    }

    /// When the copies of a job are delivered, counted from now; none if the queue loses it.
    pub(crate) fn deliveries(&mut self) -> Vec<Millis> {
        if self.lose > 0 {
            self.lose -= 1;
            return vec![];
        }
        let Some(weather) = &mut self.weather else {
            return if self.deliver_twice { vec![0, 0] } else { vec![0] };
        };
        if weather.strikes(12) {
            return vec![];
        }
        let copies = if weather.strikes(5) { 2 } else { 1 };
        (0..copies).map(|_| weather.delay(LATEST_JOB)).collect()
    }

    /// Whether the queue brings the job of a crashed consumer again.
    pub(crate) fn redelivers(&mut self) -> bool {
        !self.lose_jobs_of_crashed && !self.weather.as_mut().is_some_and(|w| w.strikes(3))
    }

    /// How long a consumer dawdles before its next stage.
    pub(crate) fn dawdle(&mut self) -> Millis {
        self.weather.as_mut().map_or(0, |w| w.delay(LATEST_JOB))
    }

    /// How late an alarm is.
    pub(crate) fn alarm_delay(&mut self) -> Millis {
        self.weather.as_mut().map_or(0, |w| w.delay(LATEST_ALARM))
    }
}
