//! The canonical form and its hash: what reaches it, what does not, what is refused, and the
//! versions of the shipped presets, which may change only together with their meaning.

#![allow(clippy::unwrap_used, reason = "tests; clippy.toml spares only what stands in a #[test] itself")]

use comeback_core::consent::Channel;
use comeback_core::policy::{Expr, FIELDS, Facts, Field, FieldSpec, Kind, Op, Policy};
use comeback_core::recovery::Trigger;
use comeback_core::time::{DAY, HOUR, MINUTE, QuietHours};
use comeback_policy::{CanonicalError, from_canonical, parse, presets, to_canonical, version_of};
use proptest::prelude::*;

fn preset(name: &str) -> Policy {
    let (_, text) = presets().iter().find(|(n, _)| *n == name).unwrap();
    parse(name, text).unwrap().0
}

#[test]
fn presets_are_sound_and_their_versions_frozen() {
    let cases = [
        ("classic", "pol_ye7dzyp25dbcuzeqo3tpm5pd4b", 0),
        ("early", "pol_oy5u2pfryoenurxixp6fewzh2r", 0),
        ("multichannel", "pol_tjo4m7k7ut62erdnxv7tai4npi", 0),
        ("gentle", "pol_ulnml7teaey26pb7bbpxeyzzxe", 0),
        ("peak", "pol_5jvvgxv3cximau7rekslm2ezkq", 0),
        ("high-value", "pol_7wodq2zdfvgrroqp2qpolvuokh", 0),
        ("browse", "pol_s2yfrtza7jmctanjz5td3q32r5", 0),
        // No quiet hours, no holdout: both meant, both worth a warning.
        ("demo", "pol_cdppqnzk4g5w34rahohp6timcd", 2),
    ];
    let mut found = vec![];
    for (name, text) in presets() {
        let (mut policy, warnings) = parse(name, text).unwrap();
        assert_eq!(*name, policy.name);
        // What the law says changes with the law; what the preset says is frozen.
        policy.jurisdictions.clear();
        found.push((*name, version_of(&to_canonical(&policy).unwrap()), warnings.len()));
    }
    let found: Vec<_> =
        found.iter().map(|(name, version, doubts)| (*name, version.as_str(), *doubts)).collect();
    assert_eq!(found, cases);
}

#[test]
fn the_demo_preset_says_what_the_demo_relies_on() {
    let demo = preset("demo");
    assert_eq!((demo.idle_ms, demo.holdout_percent, demo.quiet_hours), (MINUTE, 0, None));
    assert_eq!((demo.caps.day, demo.caps.week), (3, 10));
    let steps: Vec<_> = demo.sequences[0]
        .steps
        .iter()
        .map(|s| (s.name.as_str(), s.at_ms, s.channels.as_slice(), s.template.as_str()))
        .collect();
    assert_eq!(
        steps,
        [
            ("reminder", MINUTE, &[Channel::Email][..], "reminder"),
            ("nudge", 10 * MINUTE, &[Channel::Sms][..], "sms_reminder"),
            ("last_call", 72 * HOUR, &[Channel::Email][..], "last_call"),
        ],
    );
}

#[test]
fn classic_means_what_it_says() {
    let classic = preset("classic");
    let ordinary = Facts::default().with(Field::CartValue, 80.0);
    let dear = Facts::default().with(Field::CartValue, 150.0);
    assert_eq!(classic.sequence_for(Trigger::Idle, &ordinary).map(|s| s.name.as_str()), Some("standard"));
    assert_eq!(classic.sequence_for(Trigger::Idle, &dear), None);
    let offer = classic.offer("ten").unwrap();
    let when = offer.when.as_ref().unwrap();
    assert_eq!((offer.percent, offer.valid_ms), (10, 3 * DAY));
    // An unknown margin gets no offer.
    assert!(!classic.holds(when, &ordinary.clone().with(Field::PersonOffers90d, 0.0)));
    assert!(
        classic.holds(when, &ordinary.clone().with(Field::PersonOffers90d, 0.0).with(Field::CartMargin, 0.3))
    );
    assert!(
        !classic
            .holds(when, &ordinary.clone().with(Field::PersonOffers90d, 1.0).with(Field::CartMargin, 0.3))
    );
}

#[test]
fn defaults_are_the_products() {
    let text = "[policy]\nname='d'\n[[sequence]]\nname='s'\nsteps=[{name='a',at='1h',channel=['push'],template='reminder'}]";
    let (policy, _) = parse("d", text).unwrap();
    assert_eq!(policy.idle_ms, 15 * MINUTE);
    assert_eq!(policy.attribution_click_ms, 5 * DAY);
    assert_eq!((policy.caps.day, policy.caps.week, policy.caps.sms_per_abandonment), (1, 3, 1));
    assert_eq!(policy.caps.unverified_ms, 30 * DAY);
    assert_eq!(policy.quiet_hours, Some(QuietHours { from: 1260, to: 540 }));
    assert_eq!((policy.link_ttl_ms, policy.cart_retention_ms), (14 * DAY, 90 * DAY));
    assert_eq!((policy.holdout_percent, policy.default_zone.as_str()), (10, "UTC"));
}

const A: &str = r#"
[policy]
name = "same"
[[segment]]
name = "vip"
when = "person.orders >= 3 and not session.mobile"
[[segment]]
name = "big"
when = "cart.value > 100"
[[offer]]
name = "ten"
kind = "percent"
percent = 10
valid_for = "72h"
[[sequence]]
name = "standard"
for = "vip or big or cart.items > 2"
steps = [{ name = "a", at = "90m", channel = ["email", "push"], template = "last_call", offer = "ten" }]
[quiet_hours]
from = "00:00"
to = "00:00"
[holdout]
percent = 10
"#;

/// `A` in other words: order, comments, defaults spelt out or left out, other spellings.
const B: &str = r#"
quiet_hours = { to = "12:30", from = "12:30" }
# The same again.
[[sequence]]
for = """
(cart.items > 2.0) or
  (big or not not vip) or vip"""
name = "standard"
[[sequence.steps]]
offer = "ten"
template = "last_call"
channel = ["email", "push"]
at = "5400s"
name = "a"

[[offer]]
valid_for = "3d"
percent = 0x0A
name = "ten"
kind = "percent"

[caps]
unverified = "30d"
[[segment]]
name = "big"
when = "cart.value > 100.000"
[[segment]]
when = "not session.mobile == 1 and (person.orders >= 3)"
name = "vip"
[policy]
description = ""
name = "same"
"#;

#[test]
fn the_same_meaning_has_the_same_version() {
    let (a, b) = (parse("a", A).unwrap().0, parse("b", B).unwrap().0);
    assert_eq!(to_canonical(&a), to_canonical(&b));
    assert_eq!(a, b);
    for (from, to) in [
        ("90m", "91m"),
        ("percent = 10\nvalid", "percent = 11\nvalid"),
        (r#"["email", "push"]"#, r#"["push", "email"]"#),
        ("not session.mobile", "session.mobile"),
        (">= 3", "> 3"),
        ("to = \"00:00\"", "to = \"00:01\""),
        ("\"same\"", "\"other\""),
    ] {
        assert_eq!(A.matches(from).count(), 1, "{from}");
        let other = parse("a", &A.replace(from, to)).unwrap().0;
        assert_ne!(other.version, a.version, "{from} -> {to}");
    }
}

#[test]
fn only_the_named_policy_is_loaded() {
    let policy = preset("classic");
    let canonical = to_canonical(&policy).unwrap();
    assert_eq!(from_canonical(&policy.version, &canonical).unwrap(), policy);

    let tampered = canonical.replace("\"percent\":10", "\"percent\":90");
    assert_ne!(tampered, canonical);
    assert!(matches!(from_canonical(&policy.version, &tampered), Err(CanonicalError::WrongHash { .. })));
    assert!(matches!(from_canonical("pol_", &canonical), Err(CanonicalError::WrongHash { .. })));

    // Rightly hashed, but not what this build can obey.
    let load = |text: &str| from_canonical(&version_of(text), text);
    assert!(matches!(load("{}"), Err(CanonicalError::NotAPolicy(_))));
    assert!(matches!(load("[1,"), Err(CanonicalError::NotAPolicy(_))));
    assert!(matches!(load(&"[".repeat(2_000)), Err(CanonicalError::NotAPolicy(_))));
    assert!(matches!(load(&" ".repeat(2 << 20)), Err(CanonicalError::TooLarge)));
    let newer = canonical.replace("\"day\":1,", "\"day\":1,\"month\":6,");
    assert_eq!(load(&newer), Err(CanonicalError::Unknown("caps.month".to_owned())));
}

fn condition_text() -> impl Strategy<Value = String> {
    // Not the margin: the test's `vip` hangs on it.
    let is_number = |spec: &&FieldSpec| matches!(spec.kind, Kind::Number(_));
    let fields: Vec<&str> =
        FIELDS.iter().filter(is_number).map(|spec| spec.name).filter(|name| *name != "cart.margin").collect();
    let number = (0u32..2, 0u32..1_000_000).prop_map(|(whole, part)| format!("{whole}.{part:06}"));
    let leaf = prop_oneof![
        (
            proptest::sample::select(fields),
            proptest::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]),
            number
        )
            .prop_map(|(field, op, number)| format!("{field} {op} {number}")),
        Just("session.mobile".to_owned()),
        Just("vip".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|a| format!("not ({a})")),
            proptest::collection::vec(inner.clone(), 2..4)
                .prop_map(|parts| format!("({})", parts.join(" and "))),
            proptest::collection::vec(inner, 2..4).prop_map(|parts| format!("({})", parts.join(" or "))),
        ]
    })
}

/// Evaluates a condition text by itself, knowing nothing of the parser: words are replaced by their
/// truth until one is left. Only for texts of `condition_text`, where every group has parentheses.
fn truth(text: &str, facts: &Facts, vip: bool) -> bool {
    let held = |name: &str| match name {
        "cart.value" => facts.number(Field::CartValue),
        "cart.items" => facts.number(Field::CartItems),
        "score.buy" => facts.number(Field::ScoreBuy),
        _ => None,
    };
    let mut words: Vec<String> =
        text.replace('(', " ( ").replace(')', " ) ").split_whitespace().map(str::to_owned).collect();
    let mut index = 0;
    while index < words.len() {
        if words[index].contains('.') && words[index] != "session.mobile" {
            let number: f64 = words[index + 2].parse().unwrap();
            let value = held(&words[index]);
            let holds = value.is_some_and(|v| match words[index + 1].as_str() {
                "<" => v < number,
                "<=" => v <= number,
                ">" => v > number,
                ">=" => v >= number,
                "==" => v.to_bits() == number.to_bits(),
                _ => v.to_bits() != number.to_bits(),
            });
            words.splice(index..index + 3, [holds.to_string()]);
        } else if words[index] == "session.mobile" {
            words[index] = (facts.number(Field::SessionMobile) == Some(1.0)).to_string();
        } else if words[index] == "vip" {
            words[index] = vip.to_string();
        }
        index += 1;
    }
    loop {
        let close = words.iter().position(|w| w == ")");
        let Some(close) = close else { break };
        let open = words[..close].iter().rposition(|w| w == "(").unwrap();
        let inner = words[open + 1..close].to_vec();
        words.splice(open..=close, [flat(&inner).to_string()]);
        if open > 0 && words[open - 1] == "not" {
            let negated = (words[open] == "false").to_string();
            words.splice(open - 1..=open, [negated]);
        }
    }
    flat(&words)
}

/// A group without parentheses holds one kind of connective, or none.
fn flat(words: &[String]) -> bool {
    let mut values = words.iter().filter(|w| *w == "true" || *w == "false").map(|w| w == "true");
    if words.iter().any(|w| w == "or") { values.any(|v| v) } else { values.all(|v| v) }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "[\\[\\]a-z_={}\"'., \n0-9ä]{0,200}", cut in 0usize..2_000, at in 0usize..2_000) {
        let _ = parse("any", &text);
        // Broken sound policies reach further than noise.
        let sound = presets()[0].1;
        let cut: String = sound.chars().take(cut).collect();
        let _ = parse("any", &cut);
        let mut spliced: Vec<char> = sound.chars().collect();
        let at = at.min(spliced.len());
        spliced.splice(at..at, text.chars());
        if let Err(errors) = parse("any", &spliced.into_iter().collect::<String>()) {
            prop_assert!(!errors.errors.is_empty());
            prop_assert!(!errors.to_string().is_empty());
        }
    }

    #[test]
    fn conditions_mean_what_their_words_say(
        when in condition_text(),
        value in proptest::option::of(0.0..2.0f64),
        items in proptest::option::of(0.0..2.0f64),
        buy in proptest::option::of(0.0..1.0f64),
        mobile in any::<bool>(),
        orders in 0u8..6,
    ) {
        let text = A.replace("person.orders >= 3 and not session.mobile", "cart.margin > 0.5")
            .replace("vip or big or cart.items > 2", "big")
            .replace("offer = \"ten\" }]", &format!("offer = \"ten\", when = \"{when}\" }}]"));
        let (policy, _) = parse("any", &text).unwrap();
        let mut facts = Facts::default();
        facts.set_known(Field::CartValue, value);
        facts.set_known(Field::CartItems, items);
        facts.set_known(Field::ScoreBuy, buy);
        facts.set_flag(Field::SessionMobile, mobile);
        // The margin stays unknown to `truth`, so `vip` holds by the margin alone.
        let vip = orders > 2;
        let mut with_margin = facts.clone();
        with_margin.set_known(Field::CartMargin, vip.then_some(0.9));
        let asked = policy.sequences[0].steps[0].when.as_ref().unwrap();
        prop_assert_eq!(policy.holds(asked, &with_margin), truth(&when, &facts, vip), "{}", when);
        // And the stored form is the same policy, to the last bit.
        let canonical = to_canonical(&policy).unwrap();
        prop_assert_eq!(from_canonical(&policy.version, &canonical).unwrap(), policy);
    }
}

#[test]
fn numbers_survive_the_way_to_the_edge() {
    for number in ["0.1", "0.000001", "123456789.123456", "999999999999999", "-0.3", "0.30000", "1.005"] {
        let (policy, _) =
            parse("a", &A.replace("cart.value > 100", &format!("cart.value > {number}"))).unwrap();
        let loaded = from_canonical(&policy.version, &to_canonical(&policy).unwrap()).unwrap();
        let expected = Expr::Compare { field: Field::CartValue, op: Op::Gt, value: number.parse().unwrap() };
        assert_eq!(loaded.segments[0].when, expected, "{number}");
    }
}
