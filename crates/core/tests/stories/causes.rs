//! Why a cart was probably left: each rule, their order, and what sequences make of it.

use comeback_core::cause::Cause;
use comeback_core::policy::{Expr, Field, Policy, Sequence, Value};
use comeback_core::time::HOUR;
use comeback_testkit::timeline::Fact;
use comeback_testkit::*;

/// Boots and these acts a minute apart; why the cart was left then.
fn cause_of(policy: Policy, acts: &[Act]) -> (Cause, Vec<String>) {
    let mut scenario = Scenario::new(policy).at("0 10:00", "ada", adds("boots"));
    for (minute, act) in acts.iter().enumerate() {
        scenario = scenario.at(&format!("0 10:{:02}", minute + 1), "ada", act.clone());
    }
    let world = scenario.run();
    let left = world.timeline.iter().find_map(|e| match &e.fact {
        Fact::Left { likely, facts, .. } => Some((likely.clone(), facts.clone())),
        _ => None,
    });
    #[expect(clippy::expect_used, reason = "outside a test function")]
    let (likely, facts) = left.expect("the cart was never left");
    let word = Value::Word(likely.cause.as_str().into());
    assert_eq!(facts.get(Field::AbandonmentCause), Some(&word), "conditions see it");
    (likely.cause, likely.reasons)
}

fn free_from(value: f64) -> Policy {
    Policy { free_shipping_from: Some(value), ..three_emails() }
}

#[track_caller]
fn is_for(acts: &[Act], cause: Cause, reasons: &[&str]) {
    let (found, told) = cause_of(free_from(60.0), acts);
    assert_eq!((found, told.iter().map(String::as_str).collect::<Vec<_>>()), (cause, reasons.to_vec()));
}

fn refused(step: &'static str, code: &'static str) -> Act {
    Act::IsRefused { step, code }
}

#[test]
fn what_checkout_refused() {
    use Cause::{DeclinedCard, OutOfStock, ShippingCost, Validation};
    for (step, code, cause, reason) in [
        ("payment", "card_declined", DeclinedCard, "checkout refused at payment with code card_declined"),
        (
            "payment",
            "insufficient_funds",
            DeclinedCard,
            "checkout refused at payment with code insufficient_funds",
        ),
        ("", "Do Not Honor", DeclinedCard, "checkout refused with code do_not_honor"),
        ("review", "OUT-OF-STOCK", OutOfStock, "checkout refused at review with code out_of_stock"),
        ("payment", "sold_out", OutOfStock, "checkout refused at payment with code sold_out"),
        (
            "shipping",
            "no_shipping_rates",
            ShippingCost,
            "checkout refused at shipping with code no_shipping_rates",
        ),
        ("contact", "invalid_email", Validation, "checkout refused at contact with code invalid_email"),
        ("payment", "incorrect_number", Validation, "checkout refused at payment with code incorrect_number"),
        ("payment", "E-4711", DeclinedCard, "checkout refused at payment with an unknown code"),
        ("shipping", "E-4711", Validation, "checkout refused at shipping with an unknown code"),
        // What a page sends is never quoted unless it is known here.
        ("ada@example.com", "ada@example.com", Validation, "checkout refused with an unknown code"),
    ] {
        is_for(&[refused(step, code)], cause, &[reason]);
    }
    let twice = [card_is_declined(), card_is_declined()];
    is_for(
        &twice,
        DeclinedCard,
        &["checkout refused at payment with code card_declined", "2 refusals by checkout"],
    );
}

#[test]
fn what_the_shopper_did() {
    let looks = |n: usize| vec![looks_at("hat", 5); n];
    is_for(
        &[Act::EstimatesShipping],
        Cause::ShippingCost,
        &["the price of shipping was looked at 1 time", "11.00 short of free shipping"],
    );
    is_for(&[Act::TriesCoupon(false)], Cause::Price, &["1 code refused"]);
    is_for(
        &[adds("hat"), Act::Removes("hat"), adds("hat"), Act::Removes("hat")],
        Cause::Price,
        &["something was taken out 2 times"],
    );
    is_for(&looks(4), Cause::Price, &["4 products looked at, 1 added"]);
    is_for(&looks(3), Cause::Distraction, &["nothing stands out; stage cart, 0 pages"]);
    is_for(&[Act::TriesCoupon(true)], Cause::Distraction, &["nothing stands out; stage cart, 0 pages"]);
    is_for(&[Act::Views], Cause::Distraction, &["nothing stands out; stage cart, 1 page"]);
    // Where nothing is missing to free shipping, one look at its price is no sign; two are.
    let (cause, _) = cause_of(free_from(10.0), &[Act::EstimatesShipping]);
    assert_eq!(cause, Cause::Distraction);
    let (cause, reasons) = cause_of(free_from(10.0), &[Act::EstimatesShipping, Act::EstimatesShipping]);
    assert_eq!((cause, reasons.len()), (Cause::ShippingCost, 1));
}

#[test]
fn what_checkout_said_comes_before_what_the_shopper_did() {
    let all = [Act::TriesCoupon(false), Act::EstimatesShipping, card_is_declined()];
    assert_eq!(cause_of(free_from(60.0), &all).0, Cause::DeclinedCard);
    assert_eq!(cause_of(free_from(60.0), &all[..2]).0, Cause::ShippingCost);
    assert_eq!(cause_of(free_from(60.0), &all[..1]).0, Cause::Price);
}

#[test]
fn a_refusal_is_forgotten_by_who_shopped_on_a_day_later() {
    let scenario = |back: &str| {
        Scenario::new(three_emails())
            .at("0 10:00", "ada", adds("boots"))
            .at("0 10:01", "ada", card_is_declined())
            .at(back, "ada", adds("hat"))
    };
    let causes = |back: &str| -> Vec<Cause> {
        let world = scenario(back).run();
        let cause = |e: &timeline::Entry| match &e.fact {
            Fact::Left { likely, .. } => Some(likely.cause),
            _ => None,
        };
        world.timeline.iter().filter_map(cause).collect()
    };
    assert_eq!(causes("1 10:01"), [Cause::DeclinedCard, Cause::DeclinedCard]);
    assert_eq!(causes("1 10:02"), [Cause::DeclinedCard, Cause::Distraction]);
}

#[test]
fn a_sequence_for_a_cause_is_followed() {
    let rescue = Sequence {
        name: "rescue".into(),
        on: vec![],
        audience: Some(Expr::Is { field: Field::AbandonmentCause, words: vec!["declined_card".into()] }),
        steps: vec![email("another_card", HOUR)],
    };
    let mut policy = policy(&[email("reminder", HOUR)]);
    policy.sequences.insert(0, rescue);
    let left = |act: Act| {
        Scenario::new(policy.clone())
            .at("0 10:00", "ada", signs_in())
            .at("0 10:00", "ada", adds("boots"))
            .at("0 10:01", "ada", act)
    };
    check(
        &left(card_is_declined()),
        r#"0 10:16 ada is abandoned
           0 11:16 ada gets email "another_card"
           0 11:16 ada is recovering
           0 11:16 ada is exhausted"#,
    );
    check(
        &left(Act::Views),
        r#"0 10:16 ada is abandoned
           0 11:16 ada gets email "reminder"
           0 11:16 ada is recovering
           0 11:16 ada is exhausted"#,
    );
}
