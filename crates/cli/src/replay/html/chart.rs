//! Charts as SVG: two series, A and B, in the page's two colours. Each says in words what it shows, for
//! whoever does not see it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comeback_core::time::{DAY, Timestamp};

use super::{escape, grouped};

/// A round number not below the largest value, for the top of an axis.
fn top(most: u64) -> u64 {
    let mut step = 1_u64;
    loop {
        for factor in [1, 2, 4, 5, 8, 10] {
            let bound = step.saturating_mul(factor);
            if bound >= most.max(1) && bound >= 4 {
                return bound;
            }
        }
        step = step.saturating_mul(10);
    }
}

#[expect(clippy::cast_precision_loss, reason = "places on a chart")]
fn share(n: u64, of: u64) -> f64 {
    n as f64 / of.max(1) as f64
}

fn open(width: f64, height: f64, title: &str, described: &str) -> String {
    format!(
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\"><desc>{}</desc>",
        escape(title),
        escape(described)
    )
}

/// Lines of the grid and their values, between `y0` (top) and `y1` (zero).
fn grid(out: &mut String, top: u64, x: (f64, f64), y: (f64, f64)) {
    for quarter in 0..=4_u64 {
        let at = y.1 - (y.1 - y.0) * share(quarter, 4);
        let _ = write!(
            out,
            "<line class=\"grid\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>",
            x.0, x.1
        );
        if top.is_multiple_of(4) || quarter % 4 == 0 {
            let value = grouped(top * quarter / 4);
            let _ = write!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
                x.0 - 8.0,
                at + 4.0
            );
        }
    }
}

fn legend(out: &mut String, x: f64) {
    let _ = write!(
        out,
        "<rect class=\"fa\" x=\"{x}\" y=\"2\" width=\"12\" height=\"12\" rx=\"3\"/><text x=\"{}\" y=\"12\">A</text>\
         <rect class=\"fb\" x=\"{}\" y=\"2\" width=\"12\" height=\"12\" rx=\"3\"/><text x=\"{}\" y=\"12\">B</text>",
        x + 17.0,
        x + 40.0,
        x + 57.0
    );
}

/// Every day from the first to the last, also those without a message.
fn calendar(a: &BTreeMap<String, u64>, b: &BTreeMap<String, u64>) -> Vec<(String, u64, u64)> {
    let instant = |day: &String| Timestamp::parse_rfc3339(&format!("{day}T12:00:00Z"));
    let ends = a.keys().chain(b.keys()).filter_map(instant);
    let (Some(first), Some(last)) = (ends.clone().min(), ends.max()) else { return vec![] };
    let mut days = vec![];
    let mut at = first;
    // Ten years of days: a wrong clock in a log must not make an endless chart.
    while at <= last && days.len() < 3_660 {
        let day: String = at.to_rfc3339().chars().take(10).collect();
        let count = |of: &BTreeMap<String, u64>| of.get(&day).copied().unwrap_or(0);
        let (x, y) = (count(a), count(b));
        days.push((day, x, y));
        at = at.plus(DAY);
    }
    days
}

/// Messages per day: two lines.
pub(super) fn days(a: &BTreeMap<String, u64>, b: &BTreeMap<String, u64>) -> String {
    let days = calendar(a, b);
    if days.is_empty() {
        return "<p class=\"note\">Neither sends anything.</p>".to_owned();
    }
    let most = days.iter().map(|(_, a, b)| *a.max(b)).max().unwrap_or(0);
    let (top, x, y) = (top(most), (56.0, 988.0), (28.0, 250.0));
    let described = format!("From {} to {}, at most {most} a day.", days[0].0, days[days.len() - 1].0);
    let mut out = open(1000.0, 282.0, "Messages per day under A and B", &described);
    legend(&mut out, x.0);
    grid(&mut out, top, x, y);
    let last = u64::try_from(days.len().saturating_sub(1)).unwrap_or(0);
    let at = |index: usize| {
        if last == 0 {
            (x.0 + x.1) / 2.0
        } else {
            x.0 + (x.1 - x.0) * share(u64::try_from(index).unwrap_or(0), last)
        }
    };
    for (class, pick) in [("la", 1), ("lb", 2)] {
        let points: Vec<(f64, f64)> = days
            .iter()
            .enumerate()
            .map(|(index, (_, a, b))| {
                let value = if pick == 1 { *a } else { *b };
                (at(index), y.1 - (y.1 - y.0) * share(value, top))
            })
            .collect();
        let text: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = write!(out, "<polyline class=\"{class}\" points=\"{}\"/>", text.join(" "));
        if days.len() <= 45 {
            for ((day, a, b), (x, y)) in days.iter().zip(&points) {
                let fill = if pick == 1 { "fa" } else { "fb" };
                let _ = write!(
                    out,
                    "<circle class=\"{fill}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"><title>{day}: A {a}, B {b}</title></circle>"
                );
            }
        }
    }
    // As many dates as fit beside each other.
    let stride = days.len().div_ceil(9);
    for (index, (day, _, _)) in days.iter().enumerate().step_by(stride) {
        let short = day.get(5..).unwrap_or_default();
        // The last one must not run out of the picture.
        let anchor = if index + 1 == days.len() && index > 0 { "end" } else { "middle" };
        let _ = write!(out, "<text x=\"{:.1}\" y=\"272\" text-anchor=\"{anchor}\">{short}</text>", at(index));
    }
    out.push_str("</svg>");
    out
}

/// A pair of bars per row, lying.
pub(super) fn bars(title: &str, rows: &[(String, u64, u64)]) -> String {
    let most = rows.iter().map(|(_, a, b)| *a.max(b)).max().unwrap_or(0).max(1);
    let height = 24.0 + 58.0 * share(u64::try_from(rows.len()).unwrap_or(0), 1);
    let described: Vec<String> = rows.iter().map(|(name, a, b)| format!("{name}: A {a}, B {b}")).collect();
    let mut out = open(480.0, height, title, &described.join("; "));
    legend(&mut out, 70.0);
    let mut y = 26.0;
    for (name, a, b) in rows {
        let _ = write!(out, "<text class=\"strong\" x=\"0\" y=\"{:.1}\">{}</text>", y + 26.0, escape(name));
        for (class, value, down) in [("fa", a, 0.0), ("fb", b, 22.0)] {
            let wide = (320.0 * share(*value, most)).max(1.0);
            let _ = write!(
                out,
                "<rect class=\"{class}\" x=\"70\" y=\"{:.1}\" width=\"{wide:.1}\" height=\"18\" rx=\"3\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                y + down,
                78.0 + wide,
                y + down + 13.0,
                grouped(*value)
            );
        }
        y += 58.0;
    }
    out.push_str("</svg>");
    out
}

/// A pair of bars per hour, standing.
pub(super) fn hours(a: &[u64; 24], b: &[u64; 24]) -> String {
    let most = a.iter().chain(b).copied().max().unwrap_or(0);
    let (top, x, y) = (top(most), (46.0, 476.0), (24.0, 190.0));
    let busiest = |of: &[u64; 24]| of.iter().enumerate().max_by_key(|(_, n)| **n).map_or(0, |(hour, _)| hour);
    let described = format!("Most messages under A at {} o'clock, under B at {}.", busiest(a), busiest(b));
    let mut out = open(480.0, 214.0, "Messages by hour of the recipient's day", &described);
    legend(&mut out, x.0);
    grid(&mut out, top, x, y);
    let slot = (x.1 - x.0) / 24.0;
    let mut left = x.0;
    for (hour, (a, b)) in a.iter().zip(b).enumerate() {
        for (class, value, shift) in [("fa", a, 2.0), ("fb", b, slot / 2.0)] {
            let tall = (y.1 - y.0) * share(*value, top);
            if *value > 0 {
                let _ = write!(
                    out,
                    "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{tall:.1}\" rx=\"1.5\"><title>{hour}:00: {value}</title></rect>",
                    left + shift,
                    y.1 - tall,
                    slot / 2.0 - 2.0
                );
            }
        }
        if hour % 3 == 0 {
            let _ = write!(
                out,
                "<text x=\"{:.1}\" y=\"208\" text-anchor=\"middle\">{hour}</text>",
                left + slot / 2.0
            );
        }
        left += slot;
    }
    out.push_str("</svg>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_of_an_axis_is_round_and_above_everything() {
        for (most, expect) in
            [(0, 4), (3, 4), (4, 4), (7, 8), (99, 100), (101, 200), (4_100, 5_000), (79_999, 80_000)]
        {
            assert_eq!(top(most), expect, "{most}");
        }
    }

    #[test]
    fn a_day_without_messages_has_its_place() {
        let of = |days: &[(&str, u64)]| days.iter().map(|(d, n)| ((*d).to_owned(), *n)).collect();
        let all = calendar(&of(&[("2026-02-27", 2)]), &of(&[("2026-03-02", 5)]));
        let told: Vec<_> = all.iter().map(|(d, a, b)| (d.as_str(), *a, *b)).collect();
        assert_eq!(
            told,
            [("2026-02-27", 2, 0), ("2026-02-28", 0, 0), ("2026-03-01", 0, 0), ("2026-03-02", 0, 5)]
        );
    }

    #[test]
    fn names_from_a_policy_cannot_leave_the_chart() {
        let svg = bars("t", &[("<script>".to_owned(), 1, 2)]);
        assert!(!svg.contains("<script>") && svg.contains("&lt;script&gt;"));
    }
}
