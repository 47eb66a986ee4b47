//! A policy against what a shop is known to have.

#![allow(clippy::unwrap_used, reason = "tests; clippy.toml spares only what stands in a #[test] itself")]

use comeback_policy::{GoodsKnown, Severity, check_goods, parse, parse_for, presets};

const FULL: &str = include_str!("full.toml");

fn classes(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn a_margin_without_unit_costs_is_refused_with_its_line() {
    let (_, classic) = presets().iter().find(|(name, _)| *name == "classic").unwrap();
    let unknown = GoodsKnown { unit_costs: Some(false), ..GoodsKnown::default() };
    let refused = parse_for("classic.toml", classic, &unknown).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "error: `cart.margin` is never known: the catalogue has no unit costs
  --> classic.toml:21:8
   |
21 | when = \"cart.margin >= 0.25 and person.offers_90d == 0\"
   |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   = help: give the catalogue a unit cost for each of its goods, or ask for `cart.value`",
    );
    let known = GoodsKnown { unit_costs: Some(true), ..GoodsKnown::default() };
    assert!(parse_for("classic.toml", classic, &known).is_ok());
    assert!(parse("classic.toml", classic).is_ok(), "without a shop nothing is assumed");
}

#[test]
fn a_compiled_policy_is_judged_without_lines() {
    let policy = parse("full", FULL).unwrap().0;
    assert_eq!(check_goods(&policy, &GoodsKnown::default()), []);

    let sold = classes(&["furnitures", "books"]);
    let templates = classes(&["reminder", "incentive", "last_calls"]);
    let goods = GoodsKnown { unit_costs: Some(false), classes: Some(&sold), templates: Some(&templates) };
    let told = check_goods(&policy, &goods);
    let messages: Vec<&str> = told.iter().map(|d| d.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "offer.fifteen.min_margin: offer `fifteen` can never be given: the catalogue has no unit costs",
            "abandonment.idle_by_class: the catalogue has no product class \"furniture\"",
            "browse.dwell_by_class: the catalogue has no product class \"furniture\"",
            "sequence.standard.steps.last_call.template: the shop has no template `last_call`",
        ],
    );
    assert!(told.iter().all(|d| d.severity == Severity::Error && d.line == 0));
    assert_eq!(
        told[1].to_string(),
        "error: abandonment.idle_by_class: the catalogue has no product class \"furniture\"\n --> full\n  = help: did you mean `furnitures`?",
    );
}

/// The same faults with a text in hand stand at their lines.
#[test]
fn a_text_is_judged_with_lines() {
    let sold = classes(&["books"]);
    let goods = GoodsKnown { classes: Some(&sold), ..GoodsKnown::default() };
    let errors = parse_for("full", FULL, &goods).unwrap_err().errors;
    let lines: Vec<&str> = errors.iter().map(|e| e.source.as_str()).collect();
    assert_eq!(lines, ["idle_by_class = { furniture = \"2h\" }", "dwell_by_class = { furniture = \"90s\" }"]);
}

/// A margin that a segment asks for is found through it.
#[test]
fn a_margin_hides_in_no_segment() {
    let text = "[policy]\nname = 'p'\n[[segment]]\nname = 'rich'\nwhen = 'cart.margin > 0.3'\n[[segment]]\nname = 'good'\nwhen = 'rich or person.orders > 2'\n[[sequence]]\nname = 's'\nsteps = [{ name = 'a', at = '1h', channel = ['email'], template = 'reminder', when = 'good' }]\n";
    let unknown = GoodsKnown { unit_costs: Some(false), ..GoodsKnown::default() };
    let errors = parse_for("p", text, &unknown).unwrap_err().errors;
    assert_eq!(errors.iter().map(|e| e.line).collect::<Vec<_>>(), [5, 8, 11]);
}
