//! The shopper comes back: pause, resume, a new episode.

use comeback_core::time::HOUR;
use comeback_testkit::*;

use super::ada_leaves_boots;

#[test]
fn a_short_stay_pauses_and_resumes_the_same_episode() {
    check(
        &ada_leaves_boots(three_emails()).at("0 11:30", "ada", Act::Views),
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           0 11:30 ada is active
           0 11:45 ada is recovering
           1 11:15 ada gets email "second"
           3 11:15 ada gets email "last"
           3 11:15 ada is exhausted"#,
    );
}

#[test]
fn a_step_that_came_due_during_a_stay_goes_out_when_the_cart_is_left_again() {
    check(
        &ada_leaves_boots(policy(&[email("first", HOUR)])).at("0 11:10", "ada", Act::Views),
        r#"0 10:15 ada is abandoned
           0 11:10 ada is active
           0 11:25 ada is abandoned
           0 11:25 ada gets email "first"
           0 11:25 ada is recovering
           0 11:25 ada is exhausted"#,
    );
}

#[test]
fn a_changed_cart_starts_a_new_episode() {
    let scenario = ada_leaves_boots(policy(&[email("first", HOUR)])).at("2 09:00", "ada", adds("hat"));
    check(
        &scenario,
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           0 11:15 ada is exhausted
           2 09:00 ada is active
           2 09:15 ada is abandoned
           2 10:15 ada gets email "first"
           2 10:15 ada is recovering
           2 10:15 ada is exhausted"#,
    );
    assert_eq!(scenario.run().provider.keys().len(), 2, "two episodes, two keys");
}

#[test]
fn a_long_stay_starts_a_new_episode_of_the_same_cart() {
    let mut scenario = ada_leaves_boots(three_emails());
    for minute in ["0 10:30", "0 10:40", "0 10:50"] {
        scenario = scenario.at(minute, "ada", Act::Views);
    }
    check(
        &scenario.until("0 12:10"),
        r#"0 10:15 ada is abandoned
           0 10:30 ada is active
           0 11:05 ada is abandoned
           0 12:05 ada gets email "first"
           0 12:05 ada is recovering"#,
    );
}

#[test]
fn an_event_held_back_from_before_the_cart_was_left_is_no_return() {
    check(
        &ada_leaves_boots(policy(&[email("first", HOUR)])).held_back("0 10:05", "0 10:40", "ada", Act::Views),
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           0 11:15 ada is exhausted"#,
    );
}

#[test]
fn a_click_is_a_return() {
    check(
        &ada_leaves_boots(three_emails()).at("0 12:00", "ada", Act::Clicks).until("1 12:00"),
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           0 12:00 ada is active
           0 12:15 ada is recovering
           1 11:15 ada gets email "second""#,
    );
}
