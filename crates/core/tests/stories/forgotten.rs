//! A shopper has a cart forgotten: nothing of it goes out any more, nothing brings it back, and nothing
//! else of theirs is touched.

use comeback_core::time::HOUR;
use comeback_testkit::*;

use super::ada_leaves_boots;

#[test]
fn a_sequence_that_was_begun_ends_and_late_events_do_not_bring_the_cart_back() {
    check(
        &ada_leaves_boots(three_emails())
            .at("0 12:00", "ada", Act::HasItForgotten)
            // What a page held back, from before and from after, and what it does then.
            .held_back("0 10:10", "0 12:01", "ada", adds("hat"))
            .at("0 12:05", "ada", adds("boots"))
            .at("0 12:06", "ada", Act::Hides)
            .at("0 12:07", "ada", signs_in())
            .at("0 12:08", "ada", Act::HasItForgotten),
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           0 12:00 ada is forgotten"#,
    );
}

#[test]
fn what_waits_to_be_offered_again_is_not() {
    check(
        &ada_leaves_boots(policy(&[email("first", HOUR)]))
            .at("0 11:00", "ada", Act::ProviderDown(true))
            .at("0 11:16", "ada", Act::HasItForgotten)
            .at("0 11:17", "ada", Act::ProviderDown(false)),
        r#"0 10:15 ada is abandoned
           0 11:16 ada is forgotten"#,
    );
}

#[test]
fn the_next_cart_of_the_same_person_is_followed() {
    check(
        &ada_leaves_boots(policy(&[email("first", HOUR)])).at("0 10:05", "ada", Act::HasItForgotten).at(
            "0 10:06",
            "ada#2",
            adds("hat"),
        ),
        r#"0 10:05 ada is forgotten
           0 10:21 ada#2 is abandoned
           0 11:21 ada#2 gets email "first"
           0 11:21 ada#2 is recovering
           0 11:21 ada#2 is exhausted"#,
    );
}

#[test]
fn an_older_cart_does_not_wait_for_one_that_is_forgotten() {
    check(
        &ada_leaves_boots(policy(&[email("first", HOUR)]))
            .at("0 10:30", "ada/phone", signs_in())
            .at("0 10:30", "ada/phone", adds("hat"))
            .at("0 11:00", "ada/phone", Act::HasItForgotten),
        r#"0 10:15 ada is abandoned
           0 10:45 ada/phone is abandoned
           0 11:00 ada/phone is forgotten
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           0 11:15 ada is exhausted"#,
    );
}

#[test]
fn an_order_of_a_forgotten_cart_ends_the_others_as_ever() {
    check(
        &ada_leaves_boots(policy(&[email("first", HOUR)]))
            .at("0 10:05", "ada/phone", signs_in())
            .at("0 10:05", "ada/phone", adds("hat"))
            .at("0 10:10", "ada", Act::HasItForgotten)
            .at("0 10:12", "ada", buys()),
        "0 10:10 ada is forgotten
         0 10:12 ada/phone is ordered",
    );
}
