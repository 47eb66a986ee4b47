//! `comeback explain`: the story of one cart in plain words, from what its object tells or an
//! archive kept. It adds no judgment of its own; every reason is the one that was recorded when the
//! decision was taken, under the policy version that is named with it.

mod archive;
mod rested;
mod standing;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comeback_core::cause::Cause;
use comeback_core::effect::Happened;
use comeback_core::id::{CartId, SendKey, ShopId};
use comeback_core::money::Currency;
use comeback_core::recovery::{Phase, Recovery, Trigger};
use comeback_core::time::Timestamp;
use comeback_wire::jobs::Numbered;
use serde::Deserialize;

use crate::admin::Client;
use crate::arguments::Subject;
use crate::failure::Failure;
use crate::shown;

pub(crate) use archive::from_log;

/// What `GET /v1/admin/shops/{shop}/carts/{cart}` answers; from a log there is no state.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub(crate) struct Story {
    #[serde(default)]
    pub(crate) state: Option<Recovery>,
    pub(crate) log: Vec<Numbered>,
    /// What amounts are in, where the state does not say: entries name minor units only.
    #[serde(skip)]
    pub(crate) currency: Option<Currency>,
}

impl Story {
    /// The shop's currency, in which offers are reckoned.
    fn home(&self) -> Option<Currency> {
        let told = |state: &Recovery| state.home.unwrap_or(state.cart.currency);
        self.state.as_ref().map(told).or(self.currency)
    }
}

/// What `GET /v1/admin/shops/{shop}/sends/{key}` answers.
#[derive(Deserialize)]
struct SendFound {
    cart: CartId,
}

/// Room for `2026-06-01T20:00:00Z` and two spaces: the column of the story's details.
const INDENT: &str = "                      ";

/// Asks a deployment, and prints its answer as it came, or tells it.
pub(crate) fn from_edge(
    client: &Client,
    shop: &ShopId,
    subject: &Subject,
    json: bool,
    out: &mut dyn std::io::Write,
) -> Result<(), Failure> {
    let cart = match subject {
        Subject::Cart(cart) => cart.clone(),
        Subject::Send(key) | Subject::Decision(key, _) => {
            let found: SendFound = client.understood(&client.get(shop, &format!("sends/{key}"))?)?;
            found.cart
        }
    };
    let answer = client.get(shop, &format!("carts/{cart}"))?;
    if json && matches!(subject, Subject::Cart(_)) {
        let value: serde_json::Value = client.understood(&answer)?;
        return Ok(writeln!(out, "{value:#}")?);
    }
    let story: Story = serde_json::from_str(&answer).map_err(|e| {
        Failure::Found(format!("the answer is not a story this version can tell ({e}); try --json"))
    })?;
    print(&cart, story, subject, json, out)
}

/// Prints what a subject asks for of a cart's story.
pub(crate) fn print(
    cart: &CartId,
    story: Story,
    subject: &Subject,
    json: bool,
    out: &mut dyn std::io::Write,
) -> Result<(), Failure> {
    let story = about(story, subject);
    if story.log.is_empty() {
        let what = match subject {
            Subject::Cart(_) => String::new(),
            Subject::Send(key) => format!(" and {key}"),
            Subject::Decision(key, at) => format!(" and a decision on {key} at {at}"),
        };
        return Err(Failure::Found(format!("{cart}: nothing is known of it{what}")));
    }
    if json {
        let all = serde_json::json!({ "cart": cart, "log": story.log });
        return Ok(writeln!(out, "{all:#}")?);
    }
    Ok(write!(out, "{}", tell(&story, Some(cart)))?)
}

/// Of a send: how its cart was left, and all that was about it. Of a decision: the same up to it.
fn about(mut story: Story, subject: &Subject) -> Story {
    let (key, at) = match subject {
        Subject::Cart(_) => return story,
        Subject::Send(key) => (key, None),
        Subject::Decision(key, at) => (key, Some(at)),
    };
    let of = |what: &Happened| match what {
        Happened::Offered { key: k, .. }
        | Happened::Settled { key: k, .. }
        | Happened::Clicked { key: k }
        | Happened::Shadowed { key: k, .. } => k == key,
        Happened::Decided { record } => record.key == *key,
        _ => false,
    };
    let first = story.log.iter().position(|n| of(&n.entry.what)).unwrap_or(story.log.len());
    let last =
        |wanted: fn(&Happened) -> bool| story.log.iter().take(first).rposition(|n| wanted(&n.entry.what));
    let left = last(|what| matches!(what, Happened::Left { .. }))
        .or_else(|| last(|what| matches!(what, Happened::Moved { to: Phase::Abandoned, .. })));
    let log = std::mem::take(&mut story.log);
    let kept = log.into_iter().enumerate().filter(|(i, n)| {
        let decided_then = match at {
            None => true,
            Some(at) => {
                matches!(n.entry.what, Happened::Decided { .. } | Happened::Shadowed { .. })
                    && same_instant(n.entry.at, at)
            }
        };
        Some(*i) == left || (of(&n.entry.what) && decided_then)
    });
    story.log = kept.map(|(_, n)| n).collect();
    if !story.log.iter().any(|n| of(&n.entry.what)) {
        story.log.clear();
    }
    story
}

/// Whether a person means this instant: to the second, or to the millisecond if they say so.
fn same_instant(at: Timestamp, said: &str) -> bool {
    let second = Timestamp::from_millis(at.millis() - at.millis().rem_euclid(1_000));
    Timestamp::parse_rfc3339(said).is_some_and(|said| said == at || said == second)
}

/// The whole story.
pub(crate) fn tell(story: &Story, cart: Option<&CartId>) -> String {
    let mut text = match (&story.state, cart) {
        (Some(state), _) => standing::head(state),
        (None, Some(cart)) => format!("{cart}, as its log tells\n"),
        (None, None) => String::new(),
    };
    text.push('\n');
    if story.state.is_some() && story.log.first().is_some_and(|first| first.seq > KEPT_FROM) {
        text.push_str("The object keeps its last entries only; what came before is in the ledger.\n\n");
    }
    let steps = step_names(&story.log);
    for Numbered { entry, .. } in &story.log {
        let at = entry.at.to_rfc3339();
        push(&mut text, format_args!("{at}  {}", shown::line(&sentence(&entry.what, &steps))));
        rested::details(&mut text, entry, story.home());
    }
    if let Some(state) = &story.state {
        text.push('\n');
        push(&mut text, format_args!("{}", shown::line(&standing::next(state, &steps))));
    }
    text
}

/// Number of a log's first entry.
const KEPT_FROM: u64 = 1;

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
            format!("left: {}; probably because {}; {follows}", how(*trigger), why(likely.cause))
        }
        Happened::Linked { person } => format!("a person was found behind it: {person}"),
        Happened::Offered { key, step, attempt: 1 } => {
            format!("step `{step}` came due and went to the queue as {key}")
        }
        Happened::Offered { step, attempt, .. } => {
            format!("step `{step}` went to the queue again, attempt {attempt}")
        }
        Happened::Decided { record } => {
            let verdict = verdict(&record.verdict);
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
            let verdict = verdict(&record.verdict);
            format!("in shadow: {policy} would say on {}: {verdict}, {}", named(key, steps), record.why)
        }
        Happened::WentOut { key, channel } => format!("{} went out by {channel}", named(key, steps)),
        Happened::Settled { key, outcome } => format!("{} is settled: {outcome}", named(key, steps)),
        Happened::ArmTried { key, tried } => {
            format!("{} went out with {} of {}, chosen to learn", named(key, steps), tried.arm, tried.learner)
        }
        Happened::ArmWon { key, tried } => {
            format!("an order followed {} of {} in {}", tried.arm, tried.learner, named(key, steps))
        }
        Happened::Exposed { panel, exposure, withheld: false } => {
            format!("panel `{panel}` was shown with arm `{}` of `{}`", exposure.arm, exposure.experiment)
        }
        Happened::Exposed { panel, exposure, withheld: true } => {
            let (arm, experiment) = (&exposure.arm, &exposure.experiment);
            format!("panel `{panel}` would have been shown; arm `{arm}` of `{experiment}` shows nothing")
        }
        Happened::Clicked { key } => format!("the link of {} was followed", named(key, steps)),
        Happened::Ordered { paid: true } => "an order was seen, paid".to_owned(),
        Happened::Ordered { paid: false } => "an order was seen, not yet known to be paid".to_owned(),
        Happened::Forgotten => {
            "the shopper wanted the cart forgotten: what was told before is gone".to_owned()
        }
    }
}

const fn how(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Idle => "nothing happened for a while",
        Trigger::PageExit => "the page was left",
        Trigger::CheckoutError => "checkout refused something and nothing followed",
        Trigger::PlatformEnd => "the platform said that the session was over",
        Trigger::AbruptEnd => "a checkout fell silent",
        Trigger::Browse => "a product was looked at for long and not put into a cart",
    }
}

const fn why(cause: Cause) -> &'static str {
    match cause {
        Cause::DeclinedCard => "the card was declined",
        Cause::OutOfStock => "something was sold out",
        Cause::ShippingCost => "shipping cost more than was thought",
        Cause::Validation => "the form would not take an entry",
        Cause::Price => "of the price",
        Cause::Distraction => "of something else: nothing speaks for any other cause",
    }
}

fn verdict(name: &str) -> &str {
    match name {
        "send" => "SEND",
        "defer" => "NOT YET",
        "skip" => "NO",
        other => other,
    }
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
        Phase::Forgotten => "forgotten",
    }
}

#[cfg(test)]
mod tests;
