//! The benchmark table as Markdown. Only lays out; what a figure means is said where it is measured.

use super::{Pair, Run};
use crate::size::Budgeted;
use std::fmt::Write as _;

/// Of one figure over all runs.
pub(super) fn median(runs: &[Run], figure: impl Fn(&Run) -> f64) -> f64 {
    middle(runs.iter().map(figure).collect())
}

fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let half = values.len() / 2;
    match (values.get(half.wrapping_sub(1)), values.get(half)) {
        (Some(low), Some(high)) if values.len().is_multiple_of(2) => f64::midpoint(*low, *high),
        (_, Some(value)) => *value,
        _ => f64::NAN,
    }
}

/// Median, lowest and highest ratio of CPU per request, each run against the floor's run next to it.
pub(super) fn cpu_ratio(pair: &Pair) -> (f64, f64, f64) {
    let ratios: Vec<f64> = pair.ours.iter().zip(&pair.floor).map(|(o, f)| o.cpu_us / f.cpu_us).collect();
    let low = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let high = ratios.iter().copied().fold(0.0, f64::max);
    (middle(ratios), low, high)
}

/// Drops the pairs of runs during which others took most of the machine.
pub(super) fn keep_quietest(pair: &mut Pair, most: usize) {
    let mut both: Vec<(Run, Run)> =
        std::mem::take(&mut pair.ours).into_iter().zip(std::mem::take(&mut pair.floor)).collect();
    both.sort_by(|(a, b), (c, d)| a.others.max(b.others).total_cmp(&c.others.max(d.others)));
    both.truncate(most);
    (pair.ours, pair.floor) = both.into_iter().unzip();
}

pub(super) fn markdown(about: &str, pairs: &[Pair], sizes: &[Budgeted]) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_all(&mut out, about, pairs, sizes);
    out
}

fn write_all(out: &mut String, about: &str, pairs: &[Pair], sizes: &[Budgeted]) -> std::fmt::Result {
    writeln!(out, "{about}.\n")?;
    writeln!(
        out,
        "| case | state | conns | CPU µs/request: ours / floor | **CPU ratio** (lowest to highest) | target | req/s | p50 µs | p99 µs | others' cores |"
    )?;
    writeln!(out, "|---|---|---:|---:|---:|---|---:|---:|---:|---:|")?;
    for pair in pairs {
        let (ratio, low, high) = cpu_ratio(pair);
        let both = |figure: fn(&Run) -> f64| {
            format!("{:.0} / {:.0}", median(&pair.ours, figure), median(&pair.floor, figure))
        };
        let target = pair.target.map_or_else(
            || "–".to_owned(),
            |target| format!("<= {target:.1}: {}", if ratio <= target { "met" } else { "missed" }),
        );
        let others = median(&pair.ours, |r| r.others).max(median(&pair.floor, |r| r.others));
        writeln!(
            out,
            "| {} | {} | {} | {} | **{ratio:.2}** ({low:.2} to {high:.2}) | {target} | {} | {} | {} | {others:.2} |",
            pair.case,
            pair.state,
            pair.connections,
            both(|r| r.cpu_us),
            both(|r| r.per_second),
            both(|r| f64::from(r.p50_us)),
            both(|r| f64::from(r.p99_us)),
        )?;
    }
    writeln!(out, "\nFloors:")?;
    let mut told: Vec<&str> = Vec::new();
    for pair in pairs {
        if !told.contains(&pair.case) {
            told.push(pair.case);
            writeln!(out, "- {}: {}", pair.case, pair.floor_name)?;
        }
    }
    writeln!(out, "\n| size | bytes | limit | share | |\n|---|---:|---:|---:|---|")?;
    for size in sizes {
        #[expect(clippy::cast_precision_loss, reason = "sizes far below 2^52")]
        let share = size.value as f64 / size.limit as f64;
        let verdict = if size.value <= size.limit { "ok" } else { "over" };
        writeln!(out, "| {} | {} | {} | {share:.2} | {verdict} |", size.name, size.value, size.limit)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(cpu_us: f64) -> Run {
        Run { cpu_us, per_second: 1.0, p50_us: 1, p99_us: 1, stalls: 0, others: 0.0 }
    }

    #[test]
    fn a_ratio_is_of_neighbours_and_judged_by_its_median() {
        let pair = Pair {
            case: "c",
            floor_name: "f",
            state: "memory",
            connections: 1,
            target: Some(2.0),
            ours: vec![run(200.0), run(900.0), run(210.0)],
            floor: vec![run(100.0), run(300.0), run(100.0)],
        };
        let (ratio, low, high) = cpu_ratio(&pair);
        assert_eq!((ratio, low, high), (2.1, 2.0, 3.0));
        assert!(markdown("a", &[pair], &[]).contains("<= 2.0: missed"));
    }

    #[test]
    fn the_quietest_pairs_stay_together() {
        let noisy = |cpu_us, others| Run { others, ..run(cpu_us) };
        let mut pair = Pair {
            case: "c",
            floor_name: "f",
            state: "memory",
            connections: 1,
            target: None,
            ours: vec![noisy(9.0, 0.1), noisy(2.0, 0.2), noisy(4.0, 0.0)],
            floor: vec![noisy(9.0, 1.0), noisy(1.0, 0.0), noisy(2.0, 0.1)],
        };
        keep_quietest(&mut pair, 2);
        let cpu = |runs: &[Run]| runs.iter().map(|r| r.cpu_us).collect::<Vec<_>>();
        assert_eq!((cpu(&pair.ours), cpu(&pair.floor)), (vec![4.0, 2.0], vec![2.0, 1.0]));
    }

    #[test]
    fn medians_of_even_and_odd() {
        assert!((middle(vec![3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((middle(vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
    }
}
