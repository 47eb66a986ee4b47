//! `comeback explain`: the story of one cart in plain words, from what its object tells. Pure: a story
//! in, text out. It adds no judgment of its own; every reason is the one that was recorded when the
//! decision was taken, under the policy version that is named with it.

mod standing;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comeback_core::consent::{Consent, Source};
use comeback_core::effect::{DecisionSummary, Happened};
use comeback_core::id::SendKey;
use comeback_core::recovery::{Phase, Recovery};
use comeback_wire::jobs::Numbered;
use serde::Deserialize;

use crate::failure::Failure;
use crate::shown;

/// What `GET /v1/admin/shops/{shop}/carts/{cart}` answers.
#[derive(Debug, Deserialize)]
pub(crate) struct Story {
    state: Recovery,
    log: Vec<Numbered>,
}

/// Room for `2026-06-01T20:00:00Z` and two spaces: the column of the story's details.
const INDENT: &str = "                      ";

/// Prints an answer as it came, or tells it.
pub(crate) fn print(answer: &str, json: bool, out: &mut dyn std::io::Write) -> Result<(), Failure> {
    if json {
        let value: serde_json::Value = serde_json::from_str(answer)
            .map_err(|e| Failure::Found(format!("the answer is not JSON: {e}")))?;
        return Ok(writeln!(out, "{value:#}")?);
    }
    let story: Story = serde_json::from_str(answer).map_err(|e| {
        Failure::Found(format!("the answer is not a story this version can tell ({e}); try --json"))
    })?;
    Ok(write!(out, "{}", tell(&story))?)
}

/// The whole story.
fn tell(story: &Story) -> String {
    let mut text = standing::head(&story.state);
    text.push('\n');
    if story.log.first().is_some_and(|first| first.seq > 1) {
        text.push_str("The object keeps its last entries only; what came before is in the ledger.\n\n");
    }
    let steps = step_names(&story.log);
    for Numbered { entry, .. } in &story.log {
        let at = entry.at.to_rfc3339();
        push(&mut text, format_args!("{at}  {}", shown::line(&sentence(&entry.what, &steps))));
        if let Happened::Decided { record } = &entry.what {
            details(&mut text, record);
        }
    }
    text.push('\n');
    push(&mut text, format_args!("{}", shown::line(&standing::next(&story.state, &steps))));
    text
}

/// A line. Writing to a `String` cannot fail.
fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    let _ = writeln!(text, "{line}");
}

type Steps<'s> = BTreeMap<&'s SendKey, &'s str>;

/// Which step a send was of: only its offer says so.
fn step_names(log: &[Numbered]) -> Steps<'_> {
    log.iter()
        .filter_map(|n| match &n.entry.what {
            Happened::Offered { key, step, .. } => Some((key, step.as_str())),
            _ => None,
        })
        .collect()
}

/// A send by its step's name where that is known, by its key where not.
fn named(key: &SendKey, steps: &Steps<'_>) -> String {
    steps.get(key).map_or_else(|| key.to_string(), |step| format!("`{step}`"))
}

fn sentence(what: &Happened, steps: &Steps<'_>) -> String {
    match what {
        Happened::Born => "the cart was born".to_owned(),
        Happened::Moved { from, to, because } => {
            format!("{} -> {}: {because}", phase(*from), phase(*to))
        }
        Happened::Left { trigger, likely, sequence, .. } => {
            let follows = sequence.as_ref().map_or_else(
                || "no sequence is for it".to_owned(),
                |name| format!("sequence `{name}` follows"),
            );
            format!("left ({}), probably for {}; {follows}", trigger.as_str(), likely.cause.as_str())
        }
        Happened::Linked { person } => format!("a person was found behind it: {person}"),
        Happened::Offered { key, step, attempt: 1 } => {
            format!("step `{step}` came due and went to the queue as {key}")
        }
        Happened::Offered { step, attempt, .. } => {
            format!("step `{step}` went to the queue again, attempt {attempt}")
        }
        Happened::Decided { record } => {
            let verdict = match record.verdict.as_str() {
                "send" => "SEND",
                "defer" => "NOT YET",
                "skip" => "NO",
                other => other,
            };
            format!("decided on {}: {verdict}, {}", named(&record.key, steps), record.why)
        }
        Happened::ShadowLeft { policy, sequence, .. } => {
            let follows = sequence.as_ref().map_or_else(
                || "would have no sequence for it".to_owned(),
                |name| format!("would follow its sequence `{name}`"),
            );
            format!("in shadow: {policy} {follows}")
        }
        Happened::Shadowed { key, policy, record: None, .. } => {
            format!("in shadow: {policy} has no such step as {}", named(key, steps))
        }
        Happened::Shadowed { key, policy, record: Some(record), .. } => {
            format!("in shadow: {policy} on {}: {}, {}", named(key, steps), record.verdict, record.why)
        }
        Happened::Settled { key, outcome } => format!("{} is settled: {outcome}", named(key, steps)),
        Happened::ArmTried { key, tried } => {
            format!("{} went out with {} of {}, chosen to learn", named(key, steps), tried.arm, tried.learner)
        }
        Happened::ArmWon { key, tried } => {
            format!("an order followed {} of {} in {}", tried.arm, tried.learner, named(key, steps))
        }
        Happened::Clicked { key } => format!("the link of {} was followed", named(key, steps)),
        Happened::Ordered { paid: true } => "an order was seen, paid".to_owned(),
        Happened::Ordered { paid: false } => "an order was seen, not yet known to be paid".to_owned(),
    }
}

/// What a decision rested on.
fn details(text: &mut String, record: &DecisionSummary) {
    let width = record.checks.iter().map(|c| c.rule.len()).max().unwrap_or(0);
    for check in &record.checks {
        let mark = if check.passed { '+' } else { '-' };
        let (rule, found) = (shown::line(&check.rule), shown::line(&check.found));
        push(text, format_args!("{INDENT}{mark} {rule:<width$}  {found}"));
    }
    let consent = record.consent.as_ref().map_or_else(|| "none taken into account".to_owned(), consent);
    push(text, format_args!("{INDENT}consent: {}", shown::line(&consent)));
    let model = record.model.as_deref().unwrap_or("none");
    push(
        text,
        format_args!("{INDENT}policy: {}, model: {}", shown::line(&record.policy), shown::line(model)),
    );
    if !record.events.is_empty() {
        let events: Vec<&str> = record.events.iter().map(comeback_core::id::EventId::as_str).collect();
        push(text, format_args!("{INDENT}events: {}", events.join(" ")));
    }
}

fn consent(consent: &Consent) -> String {
    let by = match consent.source {
        Source::Page => "a page reported it",
        Source::Signed => "the shop's server reported it, signed",
        Source::Person => "the person said so by a link of ours",
    };
    format!(
        "{}, {} at {} under wording {:?}; {by}",
        consent.channel,
        if consent.granted { "given" } else { "refused" },
        consent.at.to_rfc3339(),
        consent.wording,
    )
}

const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Active => "active",
        Phase::Abandoned => "abandoned",
        Phase::Recovering => "recovering",
        Phase::Ordered => "ordered",
        Phase::Recovered => "recovered",
        Phase::Completed => "completed",
        Phase::Exhausted => "exhausted",
        Phase::OptedOut => "opted out",
        Phase::Expired => "expired",
    }
}

#[cfg(test)]
mod tests;
