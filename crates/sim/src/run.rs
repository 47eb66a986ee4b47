//! A run: how many carts make how many groups, one shard after the other, each a function of its number; what was
//! counted; and the shortest story that shows what went wrong.

use comeback_core::time::Timestamp;

use crate::broken::Rule;
use crate::checker::{self, Breach, Kind, Rules};
use crate::journal::Event;
use crate::life::{self, Group};
use crate::random::Random;
use crate::reading::rules_of;
use crate::world::{self, Setup};

/// Carts of a shard. Large enough that a thread has something to do, small enough to show progress.
pub const SHARD: u64 = 500;
/// Carts after which a trial gives up: what happens once in some thousand carts has happened ten times by then.
pub const ENOUGH: u64 = 40_000;
/// Breaches that are kept to be told; more are counted.
const KEPT: usize = 20;

/// What a run amounted to.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Carts born.
    pub carts: u64,
    /// Messages that providers took.
    pub sends: u64,
    /// Answers "later".
    pub deferred: u64,
    /// Answers "no".
    pub skipped: u64,
    /// Times the core was called.
    pub events: u64,
    /// Groups of shoppers.
    pub groups: u64,
    /// Broken promises, by [`Kind::ALL`].
    pub breaches: [u64; 7],
    /// The first of them, each with the group it happened in.
    pub told: Vec<(Found, Breach)>,
}

/// Where a breach was found: enough to see it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// The group.
    pub group: u64,
    /// How many carts it was given.
    pub carts: u16,
}

impl Report {
    /// How often a promise of this kind was broken.
    #[must_use]
    pub fn count(&self, kind: Kind) -> u64 {
        Kind::ALL.iter().zip(self.breaches).find(|(k, _)| **k == kind).map_or(0, |(_, n)| n)
    }

    /// Whether every promise was kept.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.breaches.iter().all(|n| *n == 0)
    }

    fn add_breaches(&mut self, found: Found, breaches: Vec<Breach>) {
        for breach in breaches {
            for (count, kind) in self.breaches.iter_mut().zip(Kind::ALL) {
                *count += u64::from(kind == breach.kind);
            }
            if self.told.len() < KEPT {
                self.told.push((found, breach));
            }
        }
    }

    /// Adds another shard's. Shards may come in any order; what is kept to be told is sorted.
    pub fn add(&mut self, other: Self) {
        self.carts += other.carts;
        self.sends += other.sends;
        self.deferred += other.deferred;
        self.skipped += other.skipped;
        self.events += other.events;
        self.groups += other.groups;
        for (count, more) in self.breaches.iter_mut().zip(other.breaches) {
            *count += more;
        }
        self.told.extend(other.told);
        self.told.sort_by_key(|(found, breach)| (*found, breach.at));
        self.told.truncate(KEPT);
    }
}

/// How many shards so many carts make.
#[must_use]
pub const fn shards(carts: u64) -> u64 {
    carts.div_ceil(SHARD)
}

/// The groups of a shard, as number and carts: they have [`SHARD`] carts together, the last shard the rest.
fn groups(seed: u64, shard: u64, carts: u64) -> Vec<Found> {
    let mut left = carts.saturating_sub(shard * SHARD).min(SHARD);
    let mut random = Random::of(seed, &[4, shard]);
    let mut groups = vec![];
    while left > 0 {
        let wanted = match random.below(10) {
            0..=3 => 1,
            4..=6 => 2,
            7..=8 => 3,
            _ => 5,
        };
        let size = left.min(wanted);
        groups.push(Found {
            group: shard * SHARD + groups.len() as u64,
            carts: u16::try_from(size).unwrap_or(1),
        });
        left -= size;
    }
    groups
}

/// Runs one shard of a simulation of so many carts.
#[must_use]
pub fn shard(seed: u64, shard: u64, carts: u64, setup: &Setup) -> Report {
    let rules = rules_of(&setup.policy);
    let mut report = Report::default();
    for found in groups(seed, shard, carts) {
        let group = life::group(seed, found.group, found.carts, setup.days);
        let outcome = world::run(&group, setup);
        report.carts += u64::from(found.carts);
        report.sends += outcome.sends;
        report.deferred += outcome.deferred;
        report.skipped += outcome.skipped;
        report.events += outcome.events;
        report.groups += 1;
        let breaches = judged(&outcome, &rules);
        report.add_breaches(found, breaches);
    }
    report
}

fn judged(outcome: &world::Outcome, rules: &Rules) -> Vec<Breach> {
    let mut breaches = checker::check(&outcome.story, rules);
    if outcome.restless {
        let at = outcome.story.facts.last().map_or(0, |e| e.at);
        let what = "the run did not come to rest: two parts of the system wake each other".to_owned();
        breaches.push(Breach { kind: Kind::Lost, at, what });
    }
    breaches
}

/// What came in at the edge from the shoppers of one shard, in fair weather and in the order of its arrival within
/// each group.
#[must_use]
pub fn journal(seed: u64, shard: u64, carts: u64, setup: &Setup) -> Vec<Event> {
    let setup = Setup { journal: true, trouble: 0, broken: None, ..setup.clone() };
    let mut events = vec![];
    for found in groups(seed, shard, carts) {
        let group = life::group(seed, found.group, found.carts, setup.days);
        events.extend(world::run(&group, &setup).journal);
    }
    events
}

/// The whole run in one thread.
#[must_use]
pub fn run(seed: u64, carts: u64, setup: &Setup) -> Report {
    let mut report = Report::default();
    for n in 0..shards(carts) {
        report.add(shard(seed, n, carts, setup));
    }
    report
}

/// The shortest story found that still shows a breach of the same kind.
#[derive(Debug, Clone)]
pub struct Shrunk {
    /// The group as it is left.
    pub group: Group,
    /// Acts it began with.
    pub acts_before: usize,
    /// What happened in it.
    pub outcome: world::Outcome,
    /// What was wrong.
    pub breaches: Vec<Breach>,
}

/// Makes the story of a breach short: fewer acts, better weather, as long as the same kind of promise is broken.
#[must_use]
pub fn shrink(seed: u64, found: Found, kind: Kind, setup: &Setup) -> Option<Shrunk> {
    let rules = rules_of(&setup.policy);
    let fails = |group: &Group| {
        let outcome = world::run(group, setup);
        let mut breaches = judged(&outcome, &rules);
        breaches.retain(|b| b.kind == kind);
        (!breaches.is_empty()).then_some((outcome, breaches))
    };
    let mut group = life::group(seed, found.group, found.carts, setup.days);
    let acts_before = group.acts.len();
    let mut best = fails(&group)?;
    for trouble in 0..group.trouble {
        let calmer = Group { trouble, ..group.clone() };
        if let Some(shorter) = fails(&calmer) {
            (group, best) = (calmer, shorter);
            break;
        }
    }
    // Greedily: halves first, then single acts, until nothing more can go.
    let mut size = group.acts.len().div_ceil(2).max(1);
    loop {
        let mut removed = false;
        let mut at = 0;
        while at < group.acts.len() {
            let mut acts = group.acts.clone();
            acts.drain(at..(at + size).min(acts.len()));
            let shorter = Group { acts, ..group.clone() };
            if let Some(found) = fails(&shorter) {
                (group, best, removed) = (shorter, found, true);
            } else {
                at += size;
            }
        }
        if size > 1 {
            size = size.div_ceil(2);
        } else if !removed {
            break;
        }
    }
    let (outcome, breaches) = best;
    Some(Shrunk { group, acts_before, outcome, breaches })
}

/// A rule switched off and what the checker said.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Which rule.
    pub rule: Rule,
    /// What was counted without it.
    pub report: Report,
}

impl Trial {
    /// Runs shards without a rule until its absence is found out, or until it should have been: some rules are needed
    /// by one shopper of thousands.
    #[must_use]
    pub fn of(rule: Rule, seed: u64, setup: &Setup) -> Self {
        let setup = Setup { broken: Some(rule), ..setup.clone() };
        let mut trial = Self { rule, report: Report::default() };
        for n in 0..shards(ENOUGH) {
            trial.report.add(shard(seed, n, ENOUGH, &setup));
            if trial.is_caught() {
                break;
            }
        }
        trial
    }

    /// Whether its absence was found out, as what it should.
    #[must_use]
    pub fn is_caught(&self) -> bool {
        self.report.count(self.rule.shows_as()) > 0
    }
}

impl Shrunk {
    /// The story, a line for each thing that was done or happened.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let group = &self.group;
        let home = group.home_of(0);
        let mut lines = vec![format!(
            "group {}, {} of {} acts left, {} ({}{}), {} things go wrong",
            group.number,
            group.acts.len(),
            self.acts_before,
            home.zone,
            home.country,
            if home.region.is_empty() { String::new() } else { format!("-{}", home.region) },
            group.trouble,
        )];
        let mut told: Vec<(i64, String)> = vec![];
        for planned in &group.acts {
            let late = planned.arrives.iter().map(|t| t.since(planned.said) / 1_000);
            let late: Vec<String> = late.map(|s| format!("+{s} s")).collect();
            told.push((
                planned.said.millis(),
                format!("done     {:?}, arrives {}", planned.act, late.join(" and ")),
            ));
        }
        for entry in &self.outcome.story.facts {
            told.push((entry.at, format!("happened {:?}", entry.fact)));
        }
        for breach in &self.breaches {
            told.push((breach.at, format!("WRONG    {}: {}", breach.kind.as_str(), breach.what)));
        }
        told.sort_by_key(|(at, _)| *at);
        let instant = |at: i64| Timestamp::from_millis(at).to_rfc3339();
        lines.extend(told.into_iter().map(|(at, what)| format!("{} {what}", instant(at))));
        lines
    }
}
