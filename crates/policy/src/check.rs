//! What only shows when the parts of a policy are seen together: segments that lead to themselves
//! or grow without bound, and rules that stand but will not do what their author thinks.

use core::ops::Range;
use std::collections::{BTreeMap, BTreeSet};

use comeback_core::consent::Channel;
use comeback_core::policy::{Expr, Policy, Step};
use comeback_core::time::DAY;

use crate::condition::MAX_DEPTH;
use crate::diagnostic::Report;
use crate::quantity::show_span;

/// Comparisons that one condition may cost, segments included. Two segments that each name the one
/// before twice would double the cost at every level.
const MAX_COST: usize = 1_000;

/// A condition with its place.
pub(crate) struct Placed<'p> {
    pub(crate) expr: &'p Expr,
    pub(crate) at: Range<usize>,
}

#[derive(Clone, Copy, Default)]
struct Size {
    depth: usize,
    cost: usize,
}

/// Refuses segments that lead to themselves, and conditions too deep or too dear to evaluate.
/// Segment names are unique and resolved by now.
pub(crate) fn conditions(report: &mut Report<'_>, segments: &[(&str, Placed<'_>)], others: &[Placed<'_>]) {
    let mut sizes: BTreeMap<&str, Size> = BTreeMap::new();
    // Each round measures the segments whose parts are measured: at most one round per segment,
    // and no recursion through segments.
    loop {
        let before = sizes.len();
        for (name, placed) in segments {
            if !sizes.contains_key(name)
                && let Some(size) = measure(placed.expr, &sizes)
            {
                sizes.insert(name, size);
            }
        }
        if sizes.len() == before {
            break;
        }
    }
    for (name, placed) in segments {
        match sizes.get(name) {
            Some(size) => too_large(report, *size, placed),
            None => report_cycle(report, name, segments, placed),
        }
    }
    for placed in others {
        if let Some(size) = measure(placed.expr, &sizes) {
            too_large(report, size, placed);
        }
    }
}

fn too_large(report: &mut Report<'_>, size: Size, placed: &Placed<'_>) {
    if size.depth > MAX_DEPTH {
        let message = format!("with its segments, the condition is nested deeper than {MAX_DEPTH} levels");
        report.error(placed.at.clone(), message, None);
    } else if size.cost > MAX_COST {
        let message = format!("with its segments, the condition makes more than {MAX_COST} comparisons");
        report.error(placed.at.clone(), message, None);
    }
}

/// `None` while a segment in it has no size yet.
fn measure(expr: &Expr, sizes: &BTreeMap<&str, Size>) -> Option<Size> {
    let parts: &[Expr] = match expr {
        Expr::And(parts) | Expr::Or(parts) => parts,
        Expr::Not(inner) => core::slice::from_ref(inner),
        Expr::Compare { .. } | Expr::Is { .. } | Expr::Has { .. } => return Some(Size { depth: 0, cost: 1 }),
        Expr::Segment(name) => {
            return sizes.get(name.as_str()).map(|size| Size { depth: size.depth + 1, cost: size.cost });
        }
    };
    parts.iter().try_fold(Size::default(), |sum, part| {
        let size = measure(part, sizes)?;
        Some(Size { depth: sum.depth.max(size.depth + 1), cost: sum.cost.saturating_add(size.cost) })
    })
}

/// Follows unmeasured segments from `start`. Reports only when the way leads back to `start`: one
/// that merely leads into a circle is sound once the circle is mended.
fn report_cycle(report: &mut Report<'_>, start: &str, segments: &[(&str, Placed<'_>)], at: &Placed<'_>) {
    let parts = |name: &str| {
        let mut names = BTreeSet::new();
        if let Some((_, placed)) = segments.iter().find(|(n, _)| *n == name) {
            segments_in(placed.expr, &mut names);
        }
        names
    };
    // Breadth first, so that the shortest circle is told.
    let mut ways: Vec<Vec<&str>> = vec![vec![start]];
    let mut seen = BTreeSet::new();
    let mut next = 0;
    while let Some(way) = ways.get(next).cloned() {
        next += 1;
        for name in way.last().map(|last| parts(last)).unwrap_or_default() {
            let Some((name, _)) = segments.iter().find(|(n, _)| *n == name) else {
                continue;
            };
            let mut longer = way.clone();
            longer.push(name);
            if *name == start {
                let message = format!("segment `{start}` leads to itself: {}", longer.join(" -> "));
                report.error(at.at.clone(), message, None);
                return;
            }
            if seen.insert(*name) {
                ways.push(longer);
            }
        }
    }
}

/// The segments that an expression names.
pub(crate) fn segments_in<'e>(expr: &'e Expr, names: &mut BTreeSet<&'e str>) {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| segments_in(part, names)),
        Expr::Not(inner) => segments_in(inner, names),
        Expr::Segment(name) => {
            names.insert(name);
        }
        Expr::Compare { .. } | Expr::Is { .. } | Expr::Has { .. } => {}
    }
}

/// Where the parts of a sound policy are written, for [`doubts`].
pub(crate) struct Places {
    pub(crate) caps: Range<usize>,
    pub(crate) quiet_hours: Range<usize>,
    pub(crate) unverified: Range<usize>,
    pub(crate) holdout: Range<usize>,
    pub(crate) link: Range<usize>,
    pub(crate) segments: BTreeMap<String, Range<usize>>,
    pub(crate) offers: BTreeMap<String, Range<usize>>,
    /// Name of each sequence, and of each of its steps.
    pub(crate) sequences: Vec<(Range<usize>, Vec<Range<usize>>)>,
}

/// Warnings about a policy without errors.
pub(crate) fn doubts(report: &mut Report<'_>, policy: &Policy, places: &Places) {
    unused(report, policy, places);
    let mut everyone_before: Option<&str> = None;
    for (sequence, (at, steps_at)) in policy.sequences.iter().zip(&places.sequences) {
        if let Some(before) = everyone_before {
            let message = format!(
                "sequence `{}` is never followed: `{before}` before it is for everyone",
                sequence.name
            );
            report.warn(at.clone(), message, Some("put it first, or give the other a `for`".to_owned()));
        } else if sequence.audience.is_none() {
            everyone_before = Some(&sequence.name);
        }
        steps(report, policy, &sequence.steps, steps_at);
    }
    if policy.caps.day == 0 || policy.caps.week == 0 {
        report.warn(places.caps.clone(), "with a cap of 0 nothing is ever sent", None);
    } else if policy.caps.day > policy.caps.week {
        report.warn(places.caps.clone(), "the cap per day is above the cap per week and never reached", None);
    }
    if policy.caps.unverified_ms < 7 * DAY {
        let message =
            "strangers can type an address into the shop and have it written to again after less than a week";
        report.warn(places.unverified.clone(), message, None);
    }
    if policy.quiet_hours.is_none() {
        report.warn(places.quiet_hours.clone(), "without quiet hours people are written to at night", None);
    }
    match policy.holdout_percent {
        0 => report.warn(
            places.holdout.clone(),
            "without a holdout nobody can tell what the messages earn beyond what would have come anyway",
            None,
        ),
        51.. => report.warn(places.holdout.clone(), "most people are never contacted", None),
        _ => {}
    }
    if let Some(offer) = policy.offers.iter().find(|offer| offer.valid_ms > policy.link_ttl_ms) {
        let message = format!(
            "resume links die after {}, before offer `{}` does",
            show_span(policy.link_ttl_ms),
            offer.name
        );
        report.warn(places.link.clone(), message, None);
    }
}

fn unused(report: &mut Report<'_>, policy: &Policy, places: &Places) {
    let mut names = BTreeSet::new();
    let conditions = policy.segments.iter().map(|s| &s.when);
    let conditions = conditions.chain(policy.offers.iter().filter_map(|o| o.when.as_ref()));
    for expr in conditions.chain(policy.sequences.iter().filter_map(|s| s.audience.as_ref())) {
        segments_in(expr, &mut names);
    }
    for (name, at) in places.segments.iter().filter(|(name, _)| !names.contains(name.as_str())) {
        report.warn(at.clone(), format!("segment `{name}` is not used"), None);
    }
    let steps = policy.sequences.iter().flat_map(|s| &s.steps);
    let given: BTreeSet<&str> = steps.filter_map(|s| s.offer.as_deref()).collect();
    for (name, at) in &places.offers {
        if !given.contains(name.as_str()) {
            report.warn(at.clone(), format!("offer `{name}` is not used"), None);
        }
    }
    for offer in policy.offers.iter().filter(|o| o.percent > 50) {
        if let Some(at) = places.offers.get(&offer.name) {
            report.warn(at.clone(), format!("offer `{}` gives more than half away", offer.name), None);
        }
    }
}

fn steps(report: &mut Report<'_>, policy: &Policy, steps: &[Step], places: &[Range<usize>]) {
    if let (Some(Step { offer: Some(offer), name, .. }), Some(at)) = (steps.first(), places.first()) {
        let message = format!("the first message, `{name}`, already gives offer `{offer}`");
        report.warn(at.clone(), message, Some("it teaches people to leave carts".to_owned()));
    }
    let sms_only = |step: &&Step| step.channels == [Channel::Sms];
    let mut sms = 0u32;
    for (index, (step, at)) in steps.iter().zip(places).enumerate() {
        if step.template == "incentive" && step.offer.is_none() {
            let message = format!("step `{}` uses the template `incentive` without an offer", step.name);
            report.warn(at.clone(), message, None);
        }
        if sms_only(&step) {
            sms += 1;
            if sms > policy.caps.sms_per_abandonment {
                let message = format!(
                    "step `{}` is text message {sms}, and `sms_per_abandonment` is {}: it is never sent",
                    step.name, policy.caps.sms_per_abandonment
                );
                report.warn(at.clone(), message, None);
            }
        }
        for (cap, span, rule) in [(policy.caps.day, DAY, "day"), (policy.caps.week, 7 * DAY, "week")] {
            let earlier = steps.iter().take(index).filter(|s| step.at_ms - s.at_ms < span).count();
            if cap > 0 && earlier >= usize::try_from(cap).unwrap_or(usize::MAX) {
                let message = format!(
                    "step `{}` is message {} within a {rule}, and the cap is {cap}: it will wait",
                    step.name,
                    earlier + 1
                );
                report.warn(at.clone(), message, None);
                break;
            }
        }
    }
}
