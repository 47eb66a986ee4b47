//! What an entry of a story rested on: what was known, whose consent, which versions, which events. Says
//! what was recorded at the time and judges nothing.

use comeback_core::consent::{Consent, Source};
use comeback_core::effect::{DecisionSummary, Entry, Happened};
use comeback_core::money::{Currency, Money};
use comeback_core::offer::Grant;
use comeback_core::policy::{Facts, Kind, Value};

use super::{INDENT, push};
use crate::shown;

/// Widest line of facts.
const WIDE: usize = 100;

/// The lines below an entry.
pub(super) fn details(text: &mut String, entry: &Entry, home: Option<Currency>) {
    match &entry.what {
        Happened::Decided { record } => {
            push(text, format_args!("{INDENT}this decision: {}@{}", record.key, entry.at.to_rfc3339()));
            decision(text, record, home);
        }
        Happened::Left { likely, policy, facts, .. } => {
            for reason in &likely.reasons {
                push(text, format_args!("{INDENT}because {}", shown::line(reason)));
            }
            known(text, facts);
            push(text, format_args!("{INDENT}policy: {}", shown::line(policy)));
        }
        Happened::ShadowLeft { steps, .. } => {
            for step in steps {
                let by: Vec<&str> = step.channels.iter().map(|c| c.as_str()).collect();
                let (name, at) = (shown::line(&step.step), step.at.to_rfc3339());
                push(text, format_args!("{INDENT}`{name}` at {at} by {}", by.join(" or ")));
            }
        }
        Happened::Shadowed { record: Some(record), due, .. } => {
            if let Some(due) = due {
                push(text, format_args!("{INDENT}it would have been due at {}", due.to_rfc3339()));
            }
            for check in record.checks.iter().filter(|c| !c.passed) {
                let (rule, found) = (shown::line(&check.rule), shown::line(&check.found));
                push(text, format_args!("{INDENT}- {rule}  {found}"));
            }
        }
        _ => {}
    }
}

fn decision(text: &mut String, record: &DecisionSummary, home: Option<Currency>) {
    let width = record.checks.iter().map(|c| c.rule.len()).max().unwrap_or(0);
    for check in &record.checks {
        let mark = if check.passed { '+' } else { '-' };
        let (rule, found) = (shown::line(&check.rule), shown::line(&check.found));
        push(text, format_args!("{INDENT}{mark} {rule:<width$}  {found}"));
    }
    known(text, &record.facts);
    if !record.segments.is_empty() {
        push(text, format_args!("{INDENT}segments: {}", shown::line(&record.segments.join(", "))));
    }
    if record.verdict == "send" {
        if let (Some(channel), Some(template)) = (record.channel, &record.template) {
            push(text, format_args!("{INDENT}message: {channel}, template {}", shown::line(template)));
        }
        let offer = record.grant.as_ref().map_or_else(|| "none".to_owned(), |held| grant(held, home));
        push(text, format_args!("{INDENT}offer: {}", shown::line(&offer)));
    }
    for exposure in &record.exposures {
        let told = format!("experiment: {}, arm {}", exposure.experiment, exposure.arm);
        push(text, format_args!("{INDENT}{}", shown::line(&told)));
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

fn grant(grant: &Grant, home: Option<Currency>) -> String {
    let cost = match (grant.cost_minor, home) {
        (None, _) => "cost unknown".to_owned(),
        (Some(minor), Some(currency)) => format!("at most {} given away", Money { minor, currency }),
        // An archive names no currency, so nobody knows where the point goes.
        (Some(minor), None) => format!("at most {minor} minor units of the shop's currency given away"),
    };
    let chosen = match (&grant.learner, &grant.cohort) {
        (Some(learner), Some(cohort)) => format!(", chosen by {learner} for {cohort}"),
        (Some(learner), None) => format!(", chosen by {learner}"),
        _ => String::new(),
    };
    let again = if grant.again { ", as in an earlier message" } else { "" };
    format!("{}, {cost}, until {}{chosen}{again}", grant.offer, grant.valid_until.to_rfc3339())
}

/// What conditions could ask about, a few to a line.
fn known(text: &mut String, facts: &Facts) {
    let mut line = String::new();
    let mut lead = "knew: ";
    for (field, value) in facts.iter() {
        let spec = field.spec();
        let value = match (spec.kind, value) {
            (Kind::Flag, Value::Number(n)) => (if *n == 0.0 { "no" } else { "yes" }).to_owned(),
            // Two places are enough for people; the recorded value stands in --json.
            // An empty sum is -0; adding 0 takes its sign away.
            (_, Value::Number(n)) => format!("{}", (n * 100.0).round() / 100.0 + 0.0),
            (_, Value::Word(word)) => word.to_string(),
            (_, Value::Words(words)) if words.is_empty() => "none".to_owned(),
            (_, Value::Words(words)) => words.join("+"),
        };
        let said = format!("{} {}", spec.name, shown::line(&value));
        if !line.is_empty() && line.len() + said.len() > WIDE {
            push(text, format_args!("{INDENT}{lead}{line}"));
            line.clear();
            lead = "      ";
        }
        if !line.is_empty() {
            line.push_str(", ");
        }
        line.push_str(&said);
    }
    if !line.is_empty() {
        push(text, format_args!("{INDENT}{lead}{line}"));
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
