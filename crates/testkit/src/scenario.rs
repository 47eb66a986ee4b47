//! A story as a few lines: who does what when, under which policy, and what comes of it.

use comeback_core::policy::Policy;
use comeback_core::time::{DAY, Timestamp};

use crate::act::Act;
use crate::faults::Faults;
use crate::fixture::at;
use crate::provider::Provider;
use crate::timeline::story;
use crate::world::{Breakage, Doing, World};

/// A list of acts under a policy, until an end.
#[derive(Debug, Clone)]
pub struct Scenario {
    policy: Policy,
    faults: Faults,
    provider: Provider,
    breakage: Breakage,
    until: Option<Timestamp>,
    /// Arrival, and the act with its own time.
    acts: Vec<(Timestamp, Doing)>,
}

impl Scenario {
    /// Nothing happens yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            faults: Faults::none(),
            provider: Provider::default(),
            breakage: Breakage::None,
            until: None,
            acts: vec![],
        }
    }

    /// At `day hh:mm`, somebody does something. `ada/phone` is ada on another device, with a cart
    /// of its own; `ada#2` is her second cart in the same browser.
    #[must_use]
    pub fn at(self, when: &str, subject: &str, act: Act) -> Self {
        self.at_instant(at(when), subject, act)
    }

    /// Like [`Self::at`] with an instant.
    #[must_use]
    pub fn at_instant(self, when: Timestamp, subject: &str, act: Act) -> Self {
        self.arriving(when, when, subject, act)
    }

    /// An act that happened at `said` and arrives at `arrives`.
    #[must_use]
    pub fn held_back(self, said: &str, arrives: &str, subject: &str, act: Act) -> Self {
        self.arriving(at(said), at(arrives), subject, act)
    }

    fn arriving(mut self, said: Timestamp, arrives: Timestamp, subject: &str, act: Act) -> Self {
        let id = u64::try_from(self.acts.len()).unwrap_or(u64::MAX);
        let doing = Doing { subject: subject.to_owned(), act, id, said, first: true };
        self.acts.push((arrives, doing));
        self
    }

    /// The act of this index, in the order of telling, arrives once more: at that time, or with
    /// its first arrival if that is later.
    #[must_use]
    pub fn replaying(mut self, index: usize, arrives: Timestamp) -> Self {
        let (first, doing) = &self.acts[index];
        let again = (arrives.max(*first), Doing { first: false, ..doing.clone() });
        self.acts.push(again);
        self
    }

    /// How many acts there are.
    #[must_use]
    pub fn acts(&self) -> usize {
        self.acts.len()
    }

    /// What goes wrong.
    #[must_use]
    pub fn with(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    /// The provider knows no idempotency keys.
    #[must_use]
    pub fn provider_without_keys(mut self) -> Self {
        self.provider.idempotent = false;
        self
    }

    /// The shell is wrong in this way.
    #[must_use]
    pub fn broken(mut self, breakage: Breakage) -> Self {
        self.breakage = breakage;
        self
    }

    /// How long to watch; ten days if nothing is said.
    #[must_use]
    pub fn until(mut self, when: &str) -> Self {
        self.until = Some(at(when));
        self
    }

    /// Plays it.
    #[must_use]
    pub fn run(&self) -> World {
        let mut world =
            World::new(self.policy.clone(), self.provider.clone(), self.faults.clone(), self.breakage);
        for (arrives, doing) in &self.acts {
            world.plan(*arrives, doing.clone());
        }
        world.run_until(self.until.unwrap_or_else(|| crate::fixture::day_zero().plus(10 * DAY)));
        world
    }
}

/// Plays a scenario and compares its story, line by line; indentation does not matter.
///
/// # Panics
/// When the story is another one.
#[track_caller]
pub fn check(scenario: &Scenario, expect: &str) {
    let world = scenario.run();
    let told = story(&world.timeline);
    let lines =
        |text: &str| text.lines().map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join("\n");
    assert_eq!(lines(&told), lines(expect), "\nthe story was:\n{told}\n");
}
