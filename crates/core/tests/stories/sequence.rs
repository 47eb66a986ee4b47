//! From idle to the end of the sequence, and what never begins one.

use comeback_core::policy::Policy;
use comeback_core::time::{DAY, HOUR};
use comeback_testkit::*;

use super::ada_leaves_boots;

#[test]
fn a_cart_left_alone_is_written_to_at_each_step_and_then_no_more() {
    check(
        &ada_leaves_boots(three_emails()),
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           1 11:15 ada gets email "second"
           3 11:15 ada gets email "last"
           3 11:15 ada is exhausted"#,
    );
}

#[test]
fn a_hidden_page_is_no_sign_of_life() {
    check(
        &ada_leaves_boots(policy(&[email("first", HOUR)])).at("0 10:14", "ada", Act::Hides),
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           0 11:15 ada is exhausted"#,
    );
}

#[test]
fn an_emptied_cart_is_not_abandoned() {
    check(&ada_leaves_boots(three_emails()).at("0 10:05", "ada", removes("boots")), "");
}

#[test]
fn a_removal_that_comes_late_ends_the_episode() {
    check(
        &ada_leaves_boots(three_emails()).held_back("0 10:04", "0 10:04", "ada", Act::Views).held_back(
            "0 10:03",
            "0 10:50",
            "ada",
            removes("boots"),
        ),
        r"0 10:19 ada is abandoned
          0 10:50 ada is active",
    );
}

#[test]
fn nobody_behind_the_cart_means_nobody_is_written_to() {
    check(
        &Scenario::new(three_emails()).at("0 10:00", "ada", adds("boots")),
        r#"0 10:15 ada is abandoned
           0 11:15 ada "first" skipped: nobody is known behind the cart
           1 11:15 ada "second" skipped: nobody is known behind the cart
           3 11:15 ada "last" skipped: nobody is known behind the cart
           3 11:15 ada is exhausted"#,
    );
}

#[test]
fn somebody_found_later_gets_the_steps_that_are_left() {
    check(
        &Scenario::new(three_emails()).at("0 10:00", "ada", adds("boots")).at("0 12:00", "ada", signs_in()),
        r#"0 10:15 ada is abandoned
           0 11:15 ada "first" skipped: nobody is known behind the cart
           1 11:15 ada gets email "second"
           1 11:15 ada is recovering
           3 11:15 ada gets email "last"
           3 11:15 ada is exhausted"#,
    );
}

#[test]
fn a_program_is_never_written_to() {
    check(&ada_leaves_boots(three_emails()).at("0 10:00", "ada", Act::IsAutomated), "");
}

#[test]
fn a_program_found_out_after_the_cart_was_left_ends_the_sequence() {
    check(
        &ada_leaves_boots(three_emails()).at("0 10:30", "ada", Act::IsAutomated),
        r#"0 10:15 ada is abandoned
           0 11:15 ada "first" skipped: the session was automated
           0 11:15 ada is exhausted"#,
    );
}

#[test]
fn after_retention_everything_about_the_cart_is_gone() {
    let keeps_a_week = Policy { cart_retention_ms: 7 * DAY, ..policy(&[email("first", HOUR)]) };
    let scenario = ada_leaves_boots(keeps_a_week);
    check(
        &scenario,
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           0 11:15 ada is exhausted
           7 10:00 ada is expired
           7 10:00 ada is forgotten"#,
    );
    assert!(scenario.run().cart("ada").is_none());
}
