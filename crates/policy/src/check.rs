//! What only shows when the parts of a policy are seen together. Here: segments that lead to
//! themselves or grow without bound. In the rooms below: rules that contradict each other, and rules
//! that stand but will not do what their author thinks.

use core::ops::Range;
use std::collections::{BTreeMap, BTreeSet};

use comeback_core::policy::{Expr, Field};

use crate::condition::MAX_DEPTH;
use crate::diagnostic::Report;

mod experiments;
mod law;
mod meaning;
mod offers;
mod sequences;

pub(crate) use meaning::{all_conditions, meaning};
pub(crate) use offers::asks_margin;

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

/// The fields that an expression asks for itself.
pub(crate) fn fields_in(expr: &Expr) -> BTreeSet<Field> {
    let mut fields = BTreeSet::new();
    visit(expr, &mut |part| match part {
        Expr::Compare { field, .. } | Expr::Is { field, .. } | Expr::Has { field, .. } => {
            fields.insert(*field);
        }
        _ => {}
    });
    fields
}

/// Every part of an expression, itself first. The parser bounds its depth.
pub(crate) fn visit<'e>(expr: &'e Expr, see: &mut impl FnMut(&'e Expr)) {
    see(expr);
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| visit(part, see)),
        Expr::Not(inner) => visit(inner, see),
        Expr::Segment(_) | Expr::Compare { .. } | Expr::Is { .. } | Expr::Has { .. } => {}
    }
}
