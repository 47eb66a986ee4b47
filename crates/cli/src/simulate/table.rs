//! What a simulation says, for people.

use std::io::Write;

use comeback_sim::run::Report;

use super::{Summary, Tried};
use crate::failure::Failure;

/// The summary of a check.
pub(super) fn check(summary: &Summary, out: &mut dyn Write) -> Result<(), Failure> {
    let s = summary;
    write!(
        out,
        "{} carts of {} groups of shoppers, policy {}, seed {}",
        s.carts, s.groups, s.policy, s.seed
    )?;
    match s.without {
        Some(rule) => writeln!(out, ", without the rule {rule}\n")?,
        None => writeln!(out, "\n")?,
    }
    for (name, count) in [("sends", s.sends), ("deferred", s.deferred), ("skipped", s.skipped)] {
        writeln!(out, "  {name:<16}{count:>12}")?;
    }
    writeln!(out)?;
    let promises = [
        ("duplicates", s.duplicates, "one planned contact reached somebody twice"),
        ("lost", s.lost, "a due step that ended in nothing, or for a reason that is none"),
        ("after_purchase", s.after_purchase, "handed over after an order was acknowledged"),
        ("after_opt_out", s.after_opt_out, "handed over after a no, or in a pause"),
        ("cap_breaches", s.cap_breaches, "more than promised"),
        ("quiet_breaches", s.quiet_breaches, "at a quiet hour, or on a day of rest"),
        (
            "other_breaches",
            s.other_breaches,
            "without a yes, while stopped, to a program, held out, not reached yet, against another law",
        ),
    ];
    for (name, count, tells) in promises {
        writeln!(out, "  {name:<16}{count:>12}  {tells}")?;
    }
    let memory = s.peak_rss_kb.map_or_else(String::new, |kb| format!(", {} MB at most", kb / 1024));
    writeln!(out, "\n  {} calls of the core in {:.1} s{memory}", s.events, s.seconds)?;
    for failure in &s.failures {
        writeln!(out, "\n{} in group {}: {}", failure.kind, failure.group, failure.what)?;
        writeln!(out, "again with --seed {} --carts {}; the shortest story that shows it:", s.seed, s.carts)?;
        for line in &failure.story {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}

/// The table of rules switched off.
pub(super) fn trials(rules: &[Tried], whole: &Report, out: &mut dyn Write) -> Result<(), Failure> {
    let clean = if whole.is_clean() { "nobody is wronged" } else { "NOT CLEAN" };
    writeln!(out, "with every rule, {} carts: {clean}\n", whole.carts)?;
    writeln!(
        out,
        "{:<18} {:<8} {:<15} {:>9} {:>7}  left undone",
        "without", "", "shows as", "breaches", "carts"
    )?;
    for r in rules {
        let caught = if r.caught { "caught" } else { "MISSED" };
        writeln!(
            out,
            "{:<18} {caught:<8} {:<15} {:>9} {:>7}  {}",
            r.rule, r.shows_as, r.breaches, r.carts, r.tells
        )?;
    }
    Ok(())
}
