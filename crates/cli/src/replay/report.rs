//! What two replays amount to, for people on a terminal and for programs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comeback_core::experiment::Exposure;
use comeback_core::policy::{Expr, Field, Offer, Policy};
use comeback_core::time::Timestamp;
use serde_json::{Value, json};

use super::Outcome;
use super::compare::{Change, Delta, Kind, Side};
use crate::shown;

/// Carts that are named on a terminal; the report has more.
const NAMED: usize = 10;

fn push(text: &mut String, line: std::fmt::Arguments<'_>) {
    let _ = writeln!(text, "{line}");
}

/// The head: what was read, what was assumed, what is not known.
pub(super) fn head(outcome: &Outcome) -> Vec<(String, String)> {
    let h = &outcome.head;
    let mut lines = vec![
        ("A".to_owned(), format!("`{}` {}", outcome.a.name, outcome.a.version)),
        ("B".to_owned(), format!("`{}` {}", outcome.b.name, outcome.b.version)),
        ("log".to_owned(), format!("{} of {}, {}", h.form, h.shop, h.file)),
        ("from".to_owned(), h.source.clone()),
        ("span".to_owned(), format!("{} to {}", h.from.to_rfc3339(), h.to.to_rfc3339())),
        (
            "read".to_owned(),
            format!("{}, {}", counted(outcome.events, "event"), counted(outcome.carts, "cart")),
        ),
    ];
    if outcome.parts > 1 {
        let told =
            format!("in {} parts, each of carts and persons that the others do not meet", outcome.parts);
        lines.push(("read".to_owned(), told));
    }
    if is_shared(&outcome.a) || is_shared(&outcome.b) {
        lines.push(("taken as".to_owned(), SHARED.to_owned()));
    }
    if !h.assumed.is_empty() {
        lines.push(("ASSUMED".to_owned(), h.assumed.join("; ")));
    }
    let mut unknown = h.unknown.clone();
    if goes_by_margin(&outcome.a) || goes_by_margin(&outcome.b) {
        unknown.push(MARGIN.to_owned());
    }
    if !unknown.is_empty() {
        lines.push(("not known".to_owned(), unknown.join("; ")));
    }
    let rates: Vec<String> = outcome.rates.iter().map(|(c, r)| format!("{c} {r}")).collect();
    let rates =
        if rates.is_empty() { "none given (--cost), so costs are 0".to_owned() } else { rates.join(", ") };
    lines.push(("rates".to_owned(), rates));
    let broken = &outcome.broken;
    if let Some(told) = broken.told() {
        lines.push(("left out".to_owned(), told));
    }
    if let Some(told) = broken.told_late() {
        lines.push(("late".to_owned(), format!("{told}, taken when they came")));
    }
    lines
}

/// What a replay takes the place of that a shop keeps of all its carts together.
const SHARED: &str = "each cart is decided on by itself: a day's budget of an offer is untouched, learners have learned \
                      nothing, channels are not measured, the bound per hour has room";

/// Whether a policy goes by anything that carts share.
fn is_shared(policy: &Policy) -> bool {
    policy.offers.iter().any(|o| o.budget_day.is_some())
        || !policy.learners.is_empty()
        || policy.channels.by_performance
        || policy.rollout.per_hour.is_some()
}

/// No log says what goods cost.
const MARGIN: &str = "what goods cost: no offer is given that asks for a margin";

/// Whether an offer asks what is left of the value.
fn goes_by_margin(policy: &Policy) -> bool {
    fn asks(policy: &Policy, expr: &Expr) -> bool {
        match expr {
            Expr::And(all) | Expr::Or(all) => all.iter().any(|e| asks(policy, e)),
            Expr::Not(inner) => asks(policy, inner),
            // Segments make no circles: such a policy is refused.
            Expr::Segment(name) => policy.segments.iter().any(|s| s.name == *name && asks(policy, &s.when)),
            Expr::Compare { field, .. } | Expr::Is { field, .. } | Expr::Has { field, .. } => {
                *field == Field::CartMargin
            }
        }
    }
    let when = |offer: &Offer| offer.when.as_ref().is_some_and(|when| asks(policy, when));
    policy.offers.iter().any(|offer| offer.min_margin.is_some() || when(offer))
}

/// For a terminal.
pub(super) fn text(outcome: &Outcome, html: Option<&str>) -> String {
    let mut text = String::new();
    for (name, told) in head(outcome) {
        push(&mut text, format_args!("{name:<10} {}", shown::line(&told)));
    }
    let (a, b, t) = (&outcome.tally.a, &outcome.tally.b, &outcome.tally);
    push(&mut text, format_args!("\n{:<60} {:>12} {:>12} {:>12}", "", "A", "B", "B - A"));
    let mut row = |name: &str, a: u64, b: u64| {
        let diff = i128::from(b) - i128::from(a);
        push(&mut text, format_args!("{:<60} {a:>12} {b:>12} {diff:>+12}", shown::line(name)));
    };
    row("messages", a.sends, b.sends);
    row("carts written to", a.carts, b.carts);
    for (name, x, y) in joined(&a.by_channel, &b.by_channel) {
        row(&format!("  by {name}"), x, y);
    }
    row("put off", Side::total(&a.deferred), Side::total(&b.deferred));
    for (name, x, y) in joined(&a.deferred, &b.deferred) {
        row(&format!("  {}", cut(&name)), x, y);
    }
    row("left out", Side::total(&a.skipped), Side::total(&b.skipped));
    for (name, x, y) in joined(&a.skipped, &b.skipped) {
        row(&format!("  {}", cut(&name)), x, y);
    }
    row("offers given", a.offers_given(), b.offers_given());
    let (x, y) = (a.total_cost(), b.total_cost());
    push(&mut text, format_args!("{:<60} {x:>12.2} {y:>12.2} {:>+12.2}", "cost of messages", y - x));

    for (title, table) in [
        ("messages that differ, by channel", &t.by_channel),
        ("by step", &t.by_step),
        ("by segment", &t.by_segment),
    ] {
        push(
            &mut text,
            format_args!(
                "\n{title:<60} {:>9} {:>9} {:>9} {:>9} {:>9}",
                "same", "moved", "reworded", "added", "removed"
            ),
        );
        let all = title.starts_with("messages").then_some(("all", &t.all));
        for (name, delta) in table.iter().map(|(name, delta)| (name.as_str(), delta)).chain(all) {
            let Delta { same, moved, reworded, added, removed } = delta;
            let name = shown::line(name);
            push(
                &mut text,
                format_args!("  {name:<58} {same:>9} {moved:>9} {reworded:>9} {added:>9} {removed:>9}"),
            );
        }
    }
    if !t.listed.is_empty() {
        push(
            &mut text,
            format_args!("\n{} carts get other messages; --cart tells all about one:", t.changed_carts),
        );
    }
    for cart in t.listed.iter().take(NAMED) {
        let changes: Vec<String> = cart.changes.iter().map(change).collect();
        push(&mut text, format_args!("  {}  {}", cart.cart, shown::line(&changes.join("; "))));
    }
    if let Some(kb) = outcome.peak_rss_kb {
        push(&mut text, format_args!("\npeak memory {} MB", kb / 1024));
    }
    if let Some(html) = html {
        push(&mut text, format_args!("report {}", shown::line(html)));
    }
    text
}

/// `1 line`, `2 lines`.
fn counted(number: u64, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn cut(name: &str) -> String {
    let cut: String = name.chars().take(56).collect();
    if cut.len() < name.len() { format!("{}…", cut.trim_end()) } else { cut }
}

/// One difference in words.
pub(super) fn change(change: &Change) -> String {
    let at = |t: Timestamp| t.to_rfc3339().chars().take(16).collect::<String>().replace('T', " ");
    match (change.kind, &change.a, &change.b) {
        (Kind::Added, _, Some(b)) => format!("+ {} {} by {}", b.step, at(b.at), b.channel),
        (Kind::Removed, Some(a), _) => format!("- {} {} by {}", a.step, at(a.at), a.channel),
        (_, Some(a), Some(b)) => {
            let mut what = vec![];
            if a.at != b.at {
                what.push(format!("{} -> {}", at(a.at), at(b.at)));
            }
            if a.channel != b.channel {
                what.push(format!("{} -> {}", a.channel, b.channel));
            }
            if a.offer != b.offer {
                let name = |o: &Option<String>| o.clone().unwrap_or_else(|| "no offer".to_owned());
                what.push(format!("{} -> {}", name(&a.offer), name(&b.offer)));
            }
            if a.template != b.template {
                what.push(format!("{} -> {}", a.template, b.template));
            }
            if a.exposures != b.exposures {
                what.push(format!("{} -> {}", arms(&a.exposures), arms(&b.exposures)));
            }
            format!("~ {} {}", b.step, what.join(", "))
        }
        _ => String::new(),
    }
}

/// `short of words`, `no experiment`.
fn arms(exposures: &[Exposure]) -> String {
    if exposures.is_empty() {
        return "no experiment".to_owned();
    }
    exposures.iter().map(|e| format!("{} of {}", e.arm, e.experiment)).collect::<Vec<_>>().join(" and ")
}

/// Two tables as one, with 0 where one has no row.
pub(super) fn joined<K: Ord + ToString>(
    a: &BTreeMap<K, u64>,
    b: &BTreeMap<K, u64>,
) -> Vec<(String, u64, u64)> {
    let mut all: BTreeMap<&K, (u64, u64)> = BTreeMap::new();
    for (key, n) in a {
        all.entry(key).or_default().0 = *n;
    }
    for (key, n) in b {
        all.entry(key).or_default().1 = *n;
    }
    all.into_iter().map(|(key, (a, b))| (key.to_string(), a, b)).collect()
}

/// For programs.
pub(super) fn json(outcome: &Outcome) -> Value {
    let t = &outcome.tally;
    let side = |policy: &Policy, side: &Side| json!({ "name": policy.name, "version": policy.version, "total_cost": side.total_cost(), "replay": side });
    json!({
        "log": outcome.head,
        "events": outcome.events,
        "carts": outcome.carts,
        "broken": outcome.broken,
        "rates": outcome.rates,
        "a": side(&outcome.a, &t.a),
        "b": side(&outcome.b, &t.b),
        "difference": {
            "all": t.all, "by_channel": t.by_channel, "by_segment": t.by_segment, "by_step": t.by_step,
            "changed_carts": t.changed_carts, "listed": t.listed,
        },
        "parts": outcome.parts,
        "each_cart_by_itself": is_shared(&outcome.a) || is_shared(&outcome.b),
        "peak_rss_kb": outcome.peak_rss_kb,
    })
}
