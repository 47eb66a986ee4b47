//! Several devices, browsers and addresses of one person: one abandonment, one sequence, one order
//! that ends it.

use comeback_core::consent::{Channel, Source};
use comeback_core::policy::{Caps, Expr, Field, Policy, Sequence};
use comeback_core::time::{DAY, HOUR, MINUTE};
use comeback_testkit::timeline::story;
use comeback_testkit::*;

use super::ada_leaves_boots;

fn as_ada(address: &'static str) -> Act {
    Act::LeavesContact {
        channel: Channel::Email,
        address: Some(address),
        source: Source::Signed,
        consent: Some(true),
    }
}

/// No cap stands in for the rule that is told of.
fn uncapped(policy: Policy) -> Policy {
    Policy { caps: Caps { day: 9, week: 20, sms_per_abandonment: 1, unverified_ms: 30 * DAY }, ..policy }
}

#[test]
fn of_two_carts_left_before_anything_is_sent_only_the_newer_is_followed() {
    check(
        &ada_leaves_boots(uncapped(three_emails())).at("0 10:05", "ada/phone", signs_in()).at(
            "0 10:05",
            "ada/phone",
            adds("hat"),
        ),
        r#"0 10:15 ada is abandoned
           0 10:20 ada/phone is abandoned
           0 11:15 ada "first" waits until 0 11:30: another cart of this person is being recovered
           0 11:20 ada/phone gets email "first"
           0 11:20 ada/phone is recovering
           0 11:30 ada "first" skipped: another cart of this person is being recovered
           0 11:30 ada is exhausted
           1 11:20 ada/phone gets email "second"
           3 11:20 ada/phone gets email "last"
           3 11:20 ada/phone is exhausted"#,
    );
}

#[test]
fn a_newer_cart_that_is_taken_up_again_before_anything_was_sent_lets_the_older_go_on() {
    check(
        &ada_leaves_boots(uncapped(three_emails()))
            .at("0 10:05", "ada/phone", signs_in())
            .at("0 10:05", "ada/phone", adds("hat"))
            .at("0 10:30", "ada/phone", removes("hat")),
        r#"0 10:15 ada is abandoned
           0 10:20 ada/phone is abandoned
           0 10:30 ada/phone is active
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           1 11:15 ada gets email "second"
           3 11:15 ada gets email "last"
           3 11:15 ada is exhausted"#,
    );
}

#[test]
fn a_step_of_the_newer_cart_that_is_skipped_does_not_let_the_older_in_between() {
    // The first step is for a channel of which nothing is known.
    let mut policy = uncapped(policy(&[email("mail", HOUR)]));
    policy.sequences[0].steps.insert(0, by("text", 30 * MINUTE, &[Channel::Sms]));
    let told = story(
        &ada_leaves_boots(policy)
            .at("0 10:20", "ada/phone", signs_in())
            .at("0 10:20", "ada/phone", adds("hat"))
            .run()
            .timeline,
    );
    assert_eq!(told.matches("gets email").count(), 1, "{told}");
    assert!(told.contains("ada/phone gets email"), "{told}");
}

#[test]
fn a_newer_cart_that_cannot_be_written_to_at_all_holds_the_older_back_for_minutes_only() {
    let mut policy = uncapped(policy(&[email("mail", HOUR)]));
    let text = Sequence {
        name: "hats".into(),
        on: vec![],
        audience: Some(Expr::Has { field: Field::CartClasses, word: "hats".into() }),
        steps: vec![by("text", 50 * MINUTE, &[Channel::Sms])],
    };
    policy.sequences.insert(0, text);
    check(
        &ada_leaves_boots(policy).at("0 10:05", "ada/phone", signs_in()).at(
            "0 10:05",
            "ada/phone",
            Act::AddsOf { item: "hat", class: "hats" },
        ),
        r#"0 10:15 ada is abandoned
           0 10:20 ada/phone is abandoned
           0 11:10 ada/phone "text" skipped: there is no address on any channel of this step
           0 11:10 ada/phone is exhausted
           0 11:15 ada "mail" waits until 0 11:20: another cart of this person is being recovered
           0 11:20 ada gets email "mail"
           0 11:20 ada is recovering
           0 11:20 ada is exhausted"#,
    );
}

#[test]
fn an_older_cart_that_is_changed_is_the_newer_one() {
    let told = story(
        &ada_leaves_boots(uncapped(three_emails()))
            .at("0 10:05", "ada/phone", signs_in())
            .at("0 10:05", "ada/phone", adds("hat"))
            .at("0 15:00", "ada", adds("socks"))
            .run()
            .timeline,
    );
    let after: Vec<&str> = told.lines().filter(|l| l.contains("gets email")).collect();
    assert_eq!(
        after,
        [
            r#"0 11:20 ada/phone gets email "first""#,
            r#"0 16:15 ada gets email "first""#,
            r#"1 16:15 ada gets email "second""#,
            r#"3 16:15 ada gets email "last""#,
        ],
        "{told}"
    );
}

#[test]
fn persons_that_become_one_leave_one_sequence() {
    // Two addresses on two devices: two persons, two sequences. Then the shop says they are one.
    let scenario = ada_leaves_boots(uncapped(three_emails()))
        .at("0 10:05", "ada/phone", as_ada("ada@work.example"))
        .at("0 10:05", "ada/phone", adds("hat"))
        .at("0 12:00", "ada/phone", signs_in());
    check(
        &scenario,
        r#"0 10:15 ada is abandoned
           0 10:20 ada/phone is abandoned
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           0 11:20 ada/phone gets email "first"
           0 11:20 ada/phone is recovering
           1 11:15 ada "second" skipped: another cart of this person is being recovered
           1 11:15 ada is exhausted
           1 11:20 ada/phone gets email "second"
           3 11:20 ada/phone gets email "last"
           3 11:20 ada/phone is exhausted"#,
    );
}

#[test]
fn steps_of_two_carts_do_not_both_go_out_around_a_merge() {
    // Merged at every minute of the hour in which both first steps come due; caps as usual.
    for minute in 0..60 {
        let scenario = ada_leaves_boots(three_emails())
            .at("0 10:05", "ada/phone", as_ada("ada@work.example"))
            .at("0 10:05", "ada/phone", adds("hat"))
            .at(&format!("0 11:{minute:02}"), "ada/phone", signs_in());
        let world = scenario.run();
        let told = story(&world.timeline);
        let first_day = told.lines().filter(|l| l.starts_with("0 ") && l.contains("gets email")).count();
        // Two persons were written to before they were one, or one of them after.
        let expect = if minute <= 20 { 1 } else { 2 };
        assert_eq!(first_day, expect, "merged at {minute}:\n{told}");
        assert_eq!(judge::judge(&world.timeline, &judge::Rules::default()), [""; 0], "{told}");
        let last = told.lines().rfind(|l| l.contains("gets email")).unwrap();
        assert!(last.contains("ada/phone"), "the newer is followed to its end:\n{told}");
        let older = told.lines().filter(|l| l.contains(" ada gets email")).count();
        assert!(older <= 1, "the older ended:\n{told}");
    }
}

#[test]
fn an_order_under_another_email_to_the_same_postal_address_ends_everything() {
    let scenario =
        ada_leaves_boots(three_emails()).at("0 10:01", "ada", Act::ShipsTo("DE 10115 invalidenstr 1")).at(
            "0 12:00",
            "guest/tablet",
            Act::OrdersTo { address: "a.lovelace@work.example", postal: "DE 10115 invalidenstr 1" },
        );
    check(
        &scenario,
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           0 12:00 ada is ordered"#,
    );
    let world = scenario.run();
    let (ada, guest) = (world.person("ada").unwrap(), world.person("guest/tablet").unwrap());
    assert_ne!(ada.id, guest.id, "an address on an order makes nobody the same person");
    assert!(ada.contacts.iter().all(|c| c.address != "a.lovelace@work.example"));
}

#[test]
fn an_order_to_another_postal_address_ends_nothing() {
    let scenario = ada_leaves_boots(policy(&[email("first", 3 * HOUR)]))
        .at("0 10:01", "ada", Act::ShipsTo("DE 10115 invalidenstr 1"))
        .at(
            "0 12:00",
            "guest/tablet",
            Act::OrdersTo { address: "guest@example.com", postal: "DE 10115 invalidenstr 2" },
        );
    assert_eq!(judge::contacts(&scenario.run().timeline).len(), 1);
}
