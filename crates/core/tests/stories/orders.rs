//! Orders, paid or not, on this cart, another device or another address.

use comeback_core::consent::{Channel, Source};
use comeback_core::recovery::Phase;
use comeback_core::time::HOUR;
use comeback_testkit::timeline::story;
use comeback_testkit::*;

use super::ada_leaves_boots;

#[test]
fn an_order_that_is_not_paid_stops_sending_and_is_no_success_yet() {
    check(
        &ada_leaves_boots(three_emails()).at("0 10:40", "ada", orders()),
        r"0 10:15 ada is abandoned
          0 10:40 ada is ordered",
    );
}

#[test]
fn a_page_that_reports_a_purchase_stops_sending() {
    check(
        &ada_leaves_boots(three_emails()).at("0 10:40", "ada", Act::PageSaysBought),
        r"0 10:15 ada is abandoned
          0 10:40 ada is active
          0 10:40 ada is ordered",
    );
}

#[test]
fn paid_without_a_click_is_completed_not_recovered() {
    check(
        &ada_leaves_boots(three_emails()).at("0 14:00", "ada", buys()),
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           0 14:00 ada is completed"#,
    );
}

#[test]
fn paid_within_five_days_of_a_click_is_recovered() {
    check(
        &ada_leaves_boots(policy(&[email("first", HOUR)])).at("0 12:00", "ada", Act::Clicks).at(
            "5 12:00",
            "ada",
            buys(),
        ),
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           0 11:15 ada is exhausted
           0 12:00 ada is active
           0 12:15 ada is abandoned
           0 13:15 ada "first" waits until 1 11:15: the daily cap for this person is reached
           1 11:15 ada gets email "first"
           1 11:15 ada is recovering
           1 11:15 ada is exhausted
           5 12:00 ada is recovered"#,
    );
}

#[test]
fn paid_later_than_that_is_completed() {
    let scenario = ada_leaves_boots(policy(&[email("first", HOUR)])).at("0 12:00", "ada", Act::Clicks).at(
        "5 12:01",
        "ada",
        buys(),
    );
    assert_eq!(scenario.run().cart("ada").unwrap().phase, Phase::Completed);
}

#[test]
fn a_click_after_the_order_brought_nothing() {
    let scenario = ada_leaves_boots(policy(&[email("first", HOUR)]))
        .at("0 12:00", "ada", orders())
        .at("0 12:05", "ada", Act::Clicks)
        .at("0 13:00", "ada", buys());
    assert_eq!(scenario.run().cart("ada").unwrap().phase, Phase::Completed);
}

#[test]
fn a_purchase_acknowledged_in_the_minute_of_the_alarm_wins() {
    // The order is on the agenda before the alarm of the same instant.
    check(
        &ada_leaves_boots(three_emails()).at("0 11:15", "ada", buys()),
        r"0 10:15 ada is abandoned
          0 11:15 ada is completed",
    );
}

#[test]
fn an_order_on_one_device_ends_the_carts_on_the_others() {
    check(
        &ada_leaves_boots(three_emails())
            .at("0 10:20", "ada/phone", signs_in())
            .at("0 10:30", "ada/phone", adds("socks"))
            .at("0 10:31", "ada/phone", buys()),
        r"0 10:15 ada is abandoned
          0 10:31 ada is ordered
          0 10:31 ada/phone is completed",
    );
}

#[test]
fn an_order_that_the_cart_has_not_heard_of_is_seen_by_the_gate() {
    // A person's oldest cart is forgotten when there are more than twenty, so no order reaches it.
    let mut scenario = ada_leaves_boots(three_emails());
    for n in 0..20 {
        scenario = scenario.at("0 10:20", &format!("ada/{n}"), signs_in());
    }
    let world = scenario.at("0 10:30", "ada/19", buys()).run();
    let told = story(&world.timeline);
    let of_ada: Vec<&str> = told.lines().filter(|l| l.contains(" ada ")).collect();
    assert_eq!(
        of_ada,
        [
            "0 10:15 ada is abandoned",
            r#"0 11:15 ada "first" skipped: the person has ordered"#,
            "0 11:15 ada is ordered",
        ]
    );
}

#[test]
fn buying_under_another_address_in_the_same_browser_stops_the_sequence() {
    let scenario = ada_leaves_boots(three_emails())
        .at("0 09:00", "ada/work", signs_in_as("ada@work.example"))
        .at("0 10:40", "ada#2", buys_as("ada@work.example"));
    check(
        &scenario,
        r"0 10:15 ada is abandoned
          0 10:40 ada/work is ordered
          0 10:40 ada is ordered",
    );
    let world = scenario.run();
    let person = world.person("ada/work").unwrap();
    assert_eq!(person.id, world.person("ada").unwrap().id, "two persons became one");
    assert_eq!(person.contacts.len(), 2);
}

fn signs_in_as(address: &'static str) -> Act {
    Act::LeavesContact {
        channel: Channel::Email,
        address: Some(address),
        source: Source::Signed,
        consent: Some(true),
    }
}

#[test]
fn an_order_from_before_the_cart_does_not_stop_it() {
    check(
        &Scenario::new(policy(&[email("first", HOUR)]))
            .at("0 08:00", "ada#old", buys())
            .at("0 10:00", "ada", signs_in())
            .at("0 10:00", "ada", adds("boots")),
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           0 11:15 ada is exhausted"#,
    );
}
