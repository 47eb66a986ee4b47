//! `comeback simulate --check` and `comeback simulate --out`: the shop simulator at the desk. Threads, the clock that
//! measures the run, files and printing are here; what happens in a simulation is comeback-sim's.

mod log;
mod table;

use std::io::{IsTerminal as _, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use comeback_core::policy::Policy;
use comeback_sim::broken::Rule;
use comeback_sim::checker::Kind;
use comeback_sim::run::{self, Found, Report, Trial};
use comeback_sim::trial;
use comeback_sim::world::Setup;
use serde::Serialize;

use crate::failure::Failure;
use crate::policy;

pub(crate) use log::write as write_log;

/// Preset that is checked if none is named: the one that uses most of the language.
const DEFAULT_POLICY: &str = "multichannel";
/// Carts that are simulated if no number is given.
pub(crate) const DEFAULT_CARTS: u64 = 10_000;

/// What is to be simulated.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// How many carts.
    pub(crate) carts: u64,
    /// Which chance.
    pub(crate) seed: u64,
    /// A file or a preset.
    pub(crate) policy: Option<String>,
    /// What to do with it.
    pub(crate) what: What,
}

/// What a simulation is for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// See whether anybody is wronged.
    Check,
    /// The same with a rule switched off.
    Without(Rule),
    /// The same for every rule, as a table.
    Trials,
    /// Print the rules.
    Rules,
    /// Write what comes in as a journal, for so many days.
    Log {
        /// Over how many days shoppers come.
        days: u32,
        /// Where to.
        out: String,
    },
}

/// Runs what was asked.
pub(crate) fn run(asked: &Asked, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    match &asked.what {
        What::Rules => rules(json, out),
        What::Trials => trials(asked, json, out),
        What::Check => check(asked, None, json, out),
        What::Without(rule) => check(asked, Some(*rule), json, out),
        What::Log { days, out: file } => write_log(asked, *days, file, json, out),
    }
}

/// The policy that was named, or the one that makes most of it.
fn policy_of(asked: &Asked) -> Result<Policy, Failure> {
    policy::load(asked.policy.as_deref().unwrap_or(DEFAULT_POLICY))
}

/// A policy in which every rule has something to hold back, unless one was named.
fn trial_setup(asked: &Asked) -> Result<Setup, Failure> {
    let named = policy_of(asked)?;
    let policy = if asked.policy.is_some() { named } else { trial::policy(&named) };
    Ok(Setup { trouble: trial::TROUBLE, ..Setup::of(policy) })
}

/// What a check says, in the order in which it is printed.
#[derive(Debug, Serialize)]
struct Summary {
    carts: u64,
    sends: u64,
    deferred: u64,
    skipped: u64,
    duplicates: u64,
    lost: u64,
    after_purchase: u64,
    after_opt_out: u64,
    cap_breaches: u64,
    quiet_breaches: u64,
    other_breaches: u64,
    seed: u64,
    policy: String,
    policy_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    without: Option<&'static str>,
    groups: u64,
    events: u64,
    seconds: f64,
    peak_rss_kb: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failures: Vec<Told>,
}

/// A kind of promise that was broken, with the shortest story found that shows it.
#[derive(Debug, Serialize)]
struct Told {
    kind: &'static str,
    group: u64,
    what: String,
    story: Vec<String>,
}

fn check(asked: &Asked, without: Option<Rule>, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let setup = match without {
        Some(_) => Setup { broken: without, ..trial_setup(asked)? },
        None => Setup::of(policy_of(asked)?),
    };
    let begun = now();
    let report = in_threads(asked, &setup, |n| run::shard(asked.seed, n, asked.carts, &setup), Report::add)?;
    let seconds = begun.elapsed().as_secs_f64();
    let summary = Summary {
        carts: report.carts,
        sends: report.sends,
        deferred: report.deferred,
        skipped: report.skipped,
        duplicates: report.count(Kind::Duplicate),
        lost: report.count(Kind::Lost),
        after_purchase: report.count(Kind::AfterPurchase),
        after_opt_out: report.count(Kind::AfterOptOut),
        cap_breaches: report.count(Kind::Cap),
        quiet_breaches: report.count(Kind::Quiet),
        other_breaches: report.count(Kind::Other),
        seed: asked.seed,
        policy: setup.policy.name.clone(),
        policy_version: setup.policy.version.clone(),
        without: without.map(Rule::as_str),
        groups: report.groups,
        events: report.events,
        seconds,
        peak_rss_kb: peak_rss_kb(),
        failures: failures(asked.seed, &report, &setup),
    };
    match json {
        true => writeln!(out, "{}", serde_json::to_string_pretty(&summary).map_err(wrong)?)?,
        false => table::check(&summary, out)?,
    }
    if report.is_clean() { Ok(()) } else { Err(Failure::Told) }
}

/// One short story for each kind of promise that was broken.
fn failures(seed: u64, report: &Report, setup: &Setup) -> Vec<Told> {
    let first = |kind| report.told.iter().find(|(_, b)| b.kind == kind);
    let mut told = vec![];
    for kind in Kind::ALL {
        let Some((found, breach)) = first(kind) else { continue };
        let Found { group, .. } = *found;
        let story = run::shrink(seed, *found, kind, setup).map(|s| s.lines()).unwrap_or_default();
        told.push(Told { kind: kind.as_str(), group, what: breach.what.clone(), story });
    }
    told
}

/// A rule switched off, and as what that showed.
#[derive(Debug, Serialize)]
struct Tried {
    rule: &'static str,
    tells: &'static str,
    shows_as: &'static str,
    caught: bool,
    carts: u64,
    breaches: u64,
}

fn trials(asked: &Asked, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let setup = trial_setup(asked)?;
    let mut whole = Report::default();
    for n in 0..run::shards(asked.carts) {
        whole.add(run::shard(asked.seed, n, asked.carts, &setup));
    }
    let rules: Vec<Tried> = Rule::ALL
        .iter()
        .map(|rule| {
            let trial = Trial::of(*rule, asked.seed, &setup);
            Tried {
                rule: rule.as_str(),
                tells: rule.tells(),
                shows_as: rule.shows_as().as_str(),
                caught: trial.is_caught(),
                carts: trial.report.carts,
                breaches: trial.report.count(rule.shows_as()),
            }
        })
        .collect();
    let all = rules.iter().all(|r| r.caught) && whole.is_clean();
    match json {
        true => {
            let told = serde_json::json!({
                "seed": asked.seed, "policy": setup.policy.name, "clean_with_all": whole.is_clean(), "rules": rules,
            });
            writeln!(out, "{told:#}")?;
        }
        false => table::trials(&rules, &whole, out)?,
    }
    if all { Ok(()) } else { Err(Failure::Told) }
}

fn rules(json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let rules = Rule::ALL.iter().map(|r| (r.as_str(), r.tells(), r.shows_as().as_str()));
    if json {
        let rules: Vec<_> = rules
            .map(
                |(rule, tells, shows)| serde_json::json!({ "rule": rule, "tells": tells, "shows_as": shows }),
            )
            .collect();
        return Ok(writeln!(out, "{:#}", serde_json::json!({ "rules": rules }))?);
    }
    for (rule, tells, shows) in rules {
        writeln!(out, "{rule:18} {shows:15} {tells}")?;
    }
    Ok(())
}

/// Runs the shards of a simulation in as many threads as the machine has, and adds up what they say. Which thread
/// takes which shard changes nothing: a shard is a function of its number.
fn in_threads<S: Default + Send>(
    asked: &Asked,
    setup: &Setup,
    shard: impl Fn(u64) -> S + Sync,
    add: impl Fn(&mut S, S) + Sync,
) -> Result<S, Failure> {
    let shards = run::shards(asked.carts);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let shown = std::io::stderr().is_terminal();
    let (next, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let sum = Mutex::new(S::default());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut own = S::default();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= shards {
                        break;
                    }
                    add(&mut own, shard(n));
                    let over = done.fetch_add(1, Ordering::Relaxed) + 1;
                    if shown {
                        let percent = over * 100 / shards.max(1);
                        let name = &setup.policy.name;
                        let _ = write!(std::io::stderr(), "\r{name}: {percent} % of {} carts", asked.carts);
                    }
                }
                if let Ok(mut sum) = sum.lock() {
                    add(&mut sum, own);
                }
            });
        }
    });
    if shown {
        let _ = writeln!(std::io::stderr());
    }
    sum.into_inner().map_err(|_| Failure::Found("a thread of the simulation died".to_owned()))
}

fn wrong(error: impl std::fmt::Display) -> Failure {
    Failure::Found(error.to_string())
}

/// Measures a run; nothing in it depends on what it reads.
#[expect(clippy::disallowed_methods, reason = "how long a run took is this shell's to tell")]
fn now() -> Instant {
    Instant::now()
}

/// The most memory that this process ever had, where the system tells.
pub(crate) fn peak_rss_kb() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
