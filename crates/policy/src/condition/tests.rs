//! Texts of conditions and what is made of them, or said of them.

use super::*;

fn scope<'s>(segments: &'s [&'s str]) -> Scope<'s> {
    Scope { segments, early: None }
}

/// The canonical JSON of a condition, or the message of its first fault.
fn check(text: &str, expect: &str) {
    let (expr, faults) = parse_condition(text, scope(&["vip", "high_value"]));
    let got = match (faults.first(), expr) {
        (Some(f), _) => format!("{}..{} {}", f.at.start, f.at.end, f.message),
        (None, Some(expr)) => show(&expr),
        (None, None) => "neither expression nor fault".to_owned(),
    };
    assert_eq!(got, expect, "{text}");
}

fn show(expr: &Expr) -> String {
    match expr {
        Expr::And(all) => format!("(and {})", all.iter().map(show).collect::<Vec<_>>().join(" ")),
        Expr::Or(any) => format!("(or {})", any.iter().map(show).collect::<Vec<_>>().join(" ")),
        Expr::Not(inner) => format!("(not {})", show(inner)),
        Expr::Segment(name) => name.clone(),
        Expr::Compare { field, op, value } => format!("[{field:?} {op:?} {value}]"),
        Expr::Is { field, words } => format!("[{field:?} is {}]", words.join("|")),
        Expr::Has { field, word } => format!("[{field:?} has {word}]"),
    }
}

#[test]
fn precedence_and_normal_form() {
    check("cart.value >= 150", "[CartValue Ge 150]");
    check("vip or vip", "vip");
    check("((vip))", "vip");
    check("not not vip", "vip");
    check("not (not (not vip))", "(not vip)");
    check("session.mobile", "[SessionMobile Eq 1]");
    check("cart.margin > -0", "[CartMargin Gt 0]");
    check("vip and (high_value and cart.items > 1)", "(and [CartItems Gt 1] high_value vip)");
    check("cart.items > 1 or vip and high_value", "(or (and high_value vip) [CartItems Gt 1])");
    check("(cart.items > 1 or vip) and high_value", "(and (or [CartItems Gt 1] vip) high_value)");
    check("not vip and high_value", "(and (not vip) high_value)");
    check("not\n  cart.value<1.50", "(not [CartValue Lt 1.5])");
}

#[test]
fn the_order_of_parts_does_not_matter() {
    let parse = |text| parse_condition(text, scope(&["vip"])).0.unwrap();
    assert_eq!(
        parse("vip and (cart.value > 5 or cart.items > 2)"),
        parse("(cart.items>2 or cart.value>5.0) and vip")
    );
    // Unknown values make these two differ.
    assert_ne!(parse("not cart.margin < 0.2"), parse("cart.margin >= 0.2"));
}

#[test]
fn words_and_sets() {
    check("abandonment.cause == \"price\"", "[AbandonmentCause is price]");
    check("abandonment.cause == 'price'", "[AbandonmentCause is price]");
    check("session.stage != \"browse\"", "[SessionStage is cart|checkout|payment|shipping]");
    check("person.country in (\"DE\", \"AT\",\"DE\")", "[PersonCountry is AT|DE]");
    check("not person.country in (\"US\")", "(not [PersonCountry is US])");
    check("cart.classes has \"Garden Chairs\"", "[CartClasses has Garden Chairs]");

    check("abandonment.cause == \"prize\"", "21..28 `abandonment.cause` is never \"prize\"");
    check("abandonment.cause != \"prize\"", "21..28 `abandonment.cause` is never \"prize\"");
    check("person.country == \"UK\"", "18..22 `person.country` is never \"UK\"");
    check("person.country != \"DE\"", "15..17 `person.country` is not compared with `!=`");
    check("person.country < \"DE\"", "15..16 `person.country` is a word and has no `<`");
    check("person.country == DE", "18..20 `person.country` is compared with a word in quotes");
    check("person.country == 3", "18..19 expected a word in quotes, found `3`");
    check("person.country", "0..14 `person.country` is a word and needs a comparison");
    check("person.country in \"DE\"", "18..22 expected `(`, found `\"DE\"`");
    check("person.country in (\"DE\" \"AT\")", "24..28 expected `,` or `)`, found `\"AT\"`");
    check("person.country in (\"DE\",", "23..24 the condition ends where a word in quotes should be");
    check("person.country == \"DE", "18..21 the word that begins with \" does not end");
    check("cart.classes == \"a\"", "13..15 `cart.classes` holds several words and has no `==`");
    check("cart.classes", "0..12 `cart.classes` holds several words and needs `has`");
    check("cart.classes has \"\"", "17..19 a word has 1 to 64 printable characters");
    check("cart.value == \"much\"", "14..20 `cart.value` is a number, \"much\" is a word");
    check("cart.value in (\"1\")", "11..13 `cart.value` is a number; `in` is for words");
    check("session.mobile == \"yes\"", "0..23 `session.mobile` is a flag");
    check("cart.clases has \"a\" or vpi", "0..11 there is no field `cart.clases`");
    check("cart.cuntry in (\"a\", \"b\")", "0..11 there is no field `cart.cuntry`");
}

#[test]
fn what_is_known_late_is_not_asked_early() {
    let early = Scope { segments: &["vip", "rich"], early: Some(&["rich"]) };
    let faults = |text| parse_condition(text, early).1.into_iter().map(|f| (f.at, f.message));
    let found: Vec<_> = faults("vip and (cart.margin > 0.2 or not rich)").collect();
    let expect = [
        (9..20, "`cart.margin` is known only when a step is claimed".to_owned()),
        (34..38, "segment `rich` asks for what is known only when a step is claimed".to_owned()),
    ];
    assert_eq!(found, expect);
    assert_eq!(parse_condition("cart.margin > 0.2 or rich", scope(&["rich"])).1, []);
}

#[test]
fn faults_have_a_place() {
    check("", "0..0 the condition ends where a field, a segment, `not` or `(` should be");
    check("vip and", "6..7 the condition ends where a field, a segment, `not` or `(` should be");
    check("(vip", "3..4 the condition ends where `)` should be");
    check("vip)", "3..4 expected `and`, `or` or the end, found `)`");
    check("vip AND high_value", "4..7 expected `and`, `or` or the end, found `AND`");
    check("cart.value = 3", "11..12 `=` means nothing here");
    check("vip && vip", "4..6 `&&` means nothing here");
    check("cart.value > 1e9", "13..16 `1e9` is not a number");
    check("cart.value > 1234567890123456", "13..29 `1234567890123456` is not a number");
    check("cart.value > 0.0000001", "13..22 `0.0000001` is not a number");
    check("cart.value > -", "13..14 `-` is not a number");
    check("cart.value > ten", "13..16 expected a number, found `ten`");
    check("cart.value >", "11..12 the condition ends where a number should be");
    check("150 <= cart.value", "0..3 expected a field, a segment, `not` or `(`, found `150`");
    check("cart.value", "0..10 `cart.value` is a number and needs a comparison");
    check("vip > 3", "0..3 `vip` is a segment; it is not compared");
    check("cart.valeu > 3", "0..10 there is no field `cart.valeu`");
    check("high-value", "0..10 there is no segment `high-value`");
    check("session.mobile > 0", "0..18 `session.mobile` is a flag");
    check("cart.margin >= 25", "15..17 `cart.margin` is a share between 0 and 1");
    check("vip § vip", "4..6 `§` means nothing here");
}

#[test]
fn nesting_is_bounded() {
    let deep = |n: usize| format!("{}vip{}", "(".repeat(n), ")".repeat(n));
    assert!(parse_condition(&deep(31), scope(&["vip"])).0.is_some());
    check(&deep(32), "32..35 the condition is nested deeper than 32 levels");
    assert!(parse_condition(&deep(900), scope(&["vip"])).0.is_none());
    assert!(parse_condition(&"not ".repeat(499), scope(&["vip"])).0.is_none());
    assert!(parse_condition(&"vip and ".repeat(5_000), scope(&["vip"])).0.is_none());
}

#[test]
fn several_wrong_names_are_found_at_once() {
    let (_, faults) = parse_condition("vpi or cart.vlaue > 3 or vip", scope(&["vip"]));
    let help: Vec<_> = faults.iter().filter_map(|f| f.help.as_deref()).collect();
    assert_eq!(help, ["did you mean `vip`?", "did you mean `cart.value`?"]);
}
