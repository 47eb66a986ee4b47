//! The report as one file that needs nothing else: no script, no font, no picture from elsewhere.

mod chart;

use std::fmt::Write as _;

use comeback_core::money::{Currency, Money};

use super::Outcome;
use super::compare::{Delta, Side};
use super::report;

/// Text on its way into HTML.
fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
        out
    })
}

/// 1234567 as 1,234,567.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn signed(a: u64, b: u64) -> String {
    match b.checked_sub(a) {
        Some(0) => "no change".to_owned(),
        Some(more) => format!("+{}", grouped(more)),
        None => format!("\u{2212}{}", grouped(a - b)),
    }
}

/// The whole page.
pub(super) fn page(outcome: &Outcome) -> String {
    let mut out = String::with_capacity(64 * 1024);
    let (a, b) = (escape(&outcome.a.name), escape(&outcome.b.name));
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{a} against {b}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
    );
    let _ = writeln!(
        out,
        "<header><p class=\"eyebrow\">Policy replay</p><h1><span class=\"tag a\">A</span> {a} <span class=\"against\">against</span> \
         <span class=\"tag b\">B</span> {b}</h1><p class=\"lede\">{}</p></header>",
        escape(&lede(outcome))
    );
    tiles(&mut out, outcome);
    charts(&mut out, outcome);
    differences(&mut out, outcome);
    reasons(&mut out, outcome);
    carts(&mut out, outcome);
    about(&mut out, outcome);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn lede(outcome: &Outcome) -> String {
    let t = &outcome.tally;
    let day = |at: comeback_core::time::Timestamp| {
        at.to_rfc3339().chars().take(10).collect::<String>().replace('-', "\u{2011}")
    };
    format!(
        "What B would have sent instead of A to {} carts between {} and {}: {} messages added, {} removed, {} moved, {} reworded, {} as before.",
        grouped(outcome.carts),
        day(outcome.head.from),
        day(outcome.head.to),
        grouped(t.all.added),
        grouped(t.all.removed),
        grouped(t.all.moved),
        grouped(t.all.reworded),
        grouped(t.all.same),
    )
}

fn tiles(out: &mut String, outcome: &Outcome) {
    let (a, b) = (&outcome.tally.a, &outcome.tally.b);
    out.push_str("<section class=\"tiles\" aria-label=\"Totals\">\n");
    for (name, x, y) in [
        ("Messages", a.sends, b.sends),
        ("Carts written to", a.carts, b.carts),
        ("Offers given", a.offers_given(), b.offers_given()),
        ("Times put off", Side::total(&a.deferred), Side::total(&b.deferred)),
        ("Steps left out", Side::total(&a.skipped), Side::total(&b.skipped)),
    ] {
        tile(out, name, &grouped(x), &grouped(y), &signed(x, y));
    }
    let (x, y) = (a.total_cost(), b.total_cost());
    let diff = if outcome.rates.is_empty() { "no rates given".to_owned() } else { format!("{:+.2}", y - x) };
    tile(out, "Cost of messages", &format!("{x:.2}"), &format!("{y:.2}"), &diff);
    out.push_str("</section>\n");
}

fn tile(out: &mut String, name: &str, a: &str, b: &str, diff: &str) {
    let _ = writeln!(
        out,
        "<div class=\"tile\"><h2>{name}</h2><p class=\"pair\"><span class=\"va\">{a}</span><span class=\"arrow\">\u{2192}</span>\
         <span class=\"vb\">{b}</span></p><p class=\"diff\">{diff}</p></div>"
    );
}

fn charts(out: &mut String, outcome: &Outcome) {
    let (a, b) = (&outcome.tally.a, &outcome.tally.b);
    out.push_str("<section><h2>Messages per day</h2><p class=\"note\">By the recipients' own calendar.</p>");
    let _ = write!(out, "<div class=\"scroll wide\">{}</div>", chart::days(&a.by_day, &b.by_day));
    out.push_str("</section>\n<div class=\"two\">\n<section><h2>By channel</h2>");
    let rows = report::joined(&a.by_channel, &b.by_channel);
    out.push_str(&chart::bars("Messages by channel", &rows));
    out.push_str(
        "</section>\n<section><h2>By hour of the day</h2><p class=\"note\">Where the recipient is.</p>",
    );
    out.push_str(&chart::hours(&a.by_hour, &b.by_hour));
    out.push_str("</section>\n</div>\n");
}

fn differences(out: &mut String, outcome: &Outcome) {
    let t = &outcome.tally;
    out.push_str(
        "<section><h2>What differs</h2><p class=\"note\">A message that moved goes to the same cart for the same step, or near it, at another \
         time, by another channel or with another offer. One that is reworded is the same but for its template, or counts for another arm of an \
         experiment.</p><div class=\"scroll\"><table><thead><tr><th scope=\"col\"></th><th scope=\"col\">Same</th>\
         <th scope=\"col\">Moved</th><th scope=\"col\">Reworded</th><th scope=\"col\">Added</th><th scope=\"col\">Removed</th></tr></thead>\n",
    );
    let row = |out: &mut String, name: &str, d: &Delta| {
        let cell = |n: u64, class: &str| {
            if n == 0 {
                "<td class=\"zero\">0</td>".to_owned()
            } else {
                format!("<td class=\"{class}\">{}</td>", grouped(n))
            }
        };
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th>{}{}{}{}{}</tr>",
            escape(name),
            cell(d.same, ""),
            cell(d.moved, "moved"),
            cell(d.reworded, "moved"),
            cell(d.added, "added"),
            cell(d.removed, "removed")
        );
    };
    for (title, table) in [("Channel", &t.by_channel), ("Step", &t.by_step), ("Segment", &t.by_segment)] {
        let _ = writeln!(
            out,
            "<tbody><tr class=\"group\"><th colspan=\"6\" scope=\"rowgroup\">{title}</th></tr>"
        );
        for (name, delta) in table {
            row(out, name, delta);
        }
        out.push_str("</tbody>\n");
    }
    out.push_str("<tbody class=\"sum\">");
    row(out, "All messages", &t.all);
    out.push_str("</tbody></table></div></section>\n");
}

fn reasons(out: &mut String, outcome: &Outcome) {
    let (a, b) = (&outcome.tally.a, &outcome.tally.b);
    out.push_str("<section><h2>Why not, or not yet</h2><div class=\"scroll\"><table><thead><tr><th scope=\"col\"></th><th scope=\"col\">A</th><th scope=\"col\">B</th><th scope=\"col\">Change</th></tr></thead>\n");
    for (title, x, y) in
        [("Put off because", &a.deferred, &b.deferred), ("Left out because", &a.skipped, &b.skipped)]
    {
        let rows = report::joined(x, y);
        if rows.is_empty() {
            continue;
        }
        let _ = writeln!(
            out,
            "<tbody><tr class=\"group\"><th colspan=\"4\" scope=\"rowgroup\">{title}</th></tr>"
        );
        for (name, x, y) in rows {
            let _ = writeln!(
                out,
                "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(&name),
                grouped(x),
                grouped(y),
                signed(x, y)
            );
        }
        out.push_str("</tbody>\n");
    }
    let offers = |s: &Side| s.offers.iter().map(|(name, given)| (name.clone(), given.times)).collect();
    let rows = report::joined(&offers(a), &offers(b));
    if !rows.is_empty() {
        out.push_str(
            "<tbody><tr class=\"group\"><th colspan=\"4\" scope=\"rowgroup\">Offer given</th></tr>\n",
        );
        for (name, x, y) in rows {
            let given = |s: &Side| {
                let amounts = s.offers.get(&name).map(|given| given.at_most_minor.iter());
                let money =
                    |(currency, minor): (&Currency, &i64)| Money { minor: *minor, currency: *currency };
                let told: Vec<String> = amounts.into_iter().flatten().map(|a| money(a).to_string()).collect();
                if told.is_empty() { "nothing".to_owned() } else { told.join(" and ") }
            };
            let _ = writeln!(
                out,
                "<tr><th scope=\"row\">{} <small>gives away at most {} under A, {} under B</small></th><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(&name),
                given(a),
                given(b),
                grouped(x),
                grouped(y),
                signed(x, y)
            );
        }
        out.push_str("</tbody>\n");
    }
    out.push_str("</table></div></section>\n");
}

fn carts(out: &mut String, outcome: &Outcome) {
    let t = &outcome.tally;
    let most = 60;
    let _ = writeln!(
        out,
        "<section><h2>Carts that get other messages</h2><p class=\"note\">{} in all; the {} with most changes. \
         <code>comeback simulate \u{2026} --cart CART</code> tells everything about one.</p><div class=\"scroll\"><table class=\"carts\"><thead><tr>\
         <th scope=\"col\">Cart</th><th scope=\"col\">Value</th><th scope=\"col\">Changes</th></tr></thead><tbody>",
        grouped(t.changed_carts),
        t.listed.len().min(most),
    );
    for cart in t.listed.iter().take(most) {
        let changes = cart.changes.iter().fold(String::new(), |mut list, change| {
            let text = report::change(change);
            let class = match text.chars().next() {
                Some('+') => "added",
                Some('-') => "removed",
                _ => "moved",
            };
            let _ = write!(list, "<li class=\"{class}\">{}</li>", escape(text.get(2..).unwrap_or_default()));
            list
        });
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\"><code>{}</code></th><td>{}</td><td><ul>{changes}</ul></td></tr>",
            escape(cart.cart.as_str()),
            Money { minor: cart.value_minor, currency: cart.currency },
        );
    }
    out.push_str("</tbody></table></div></section>\n");
}

fn about(out: &mut String, outcome: &Outcome) {
    out.push_str("<section class=\"about\"><h2>What this rests on</h2><dl>\n");
    for (name, told) in report::head(outcome) {
        let class = if name == "ASSUMED" { " class=\"assumed\"" } else { "" };
        let _ = writeln!(out, "<div{class}><dt>{}</dt><dd>{}</dd></div>", escape(&name), escape(&told));
    }
    out.push_str(
        "</dl><p class=\"note\">Shoppers are taken to do what the log says they did, whichever policy writes to them: a replay tells what would have \
         been sent, not what would have been bought. A click on a message counts only under the policy that sent it. Nothing after the end of the \
         log is told.</p></section>\n",
    );
}

const STYLE: &str = include_str!("html/style.css");
