//! Quiet hours, caps, one sequence at a time, holdout, the stop switch.

use comeback_core::consent::{Channel, Source};
use comeback_core::experiment;
use comeback_core::policy::Policy;
use comeback_core::time::HOUR;
use comeback_testkit::*;

use super::ada_leaves_boots;

#[test]
fn at_night_where_the_shopper_is_a_message_waits_for_the_morning() {
    // 21:30 in Berlin is 15:30 in New York.
    let policy = || with_quiet_nights(policy(&[email("first", HOUR)]));
    let late = |zone| {
        Scenario::new(policy()).at("0 19:15", "ada", signs_in()).at("0 19:15", "ada", adds("boots")).at(
            "0 19:15",
            "ada",
            Act::IsIn(zone),
        )
    };
    check(
        &late("Europe/Berlin"),
        r#"0 19:30 ada is abandoned
           0 20:30 ada "first" waits until 1 08:00: it is a quiet hour where the person is
           1 08:00 ada gets email "first"
           1 08:00 ada is recovering
           1 08:00 ada is exhausted"#,
    );
    check(
        &late("America/New_York"),
        r#"0 19:30 ada is abandoned
           0 20:30 ada gets email "first"
           0 20:30 ada is recovering
           0 20:30 ada is exhausted"#,
    );
}

#[test]
fn a_deferred_step_gives_way_to_the_next_one() {
    let steps = [email("evening", HOUR), email("night", 3 * HOUR), email("day", 30 * HOUR)];
    check(
        &Scenario::new(with_quiet_nights(policy(&steps)))
            .at("0 20:00", "ada", signs_in())
            .at("0 20:00", "ada", adds("boots"))
            .until("2 00:00"),
        r#"0 20:15 ada is abandoned
           0 21:15 ada "evening" waits until 1 09:00: it is a quiet hour where the person is
           0 23:15 ada "evening" skipped: a later step came due first
           0 23:15 ada "night" waits until 1 09:00: it is a quiet hour where the person is
           1 09:00 ada gets email "night"
           1 09:00 ada is recovering"#,
    );
}

#[test]
fn one_message_a_day() {
    check(
        &ada_leaves_boots(policy(&[email("first", HOUR), email("second", 20 * HOUR)])),
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           1 06:15 ada "second" waits until 1 11:15: the daily cap for this person is reached
           1 11:15 ada gets email "second"
           1 11:15 ada is exhausted"#,
    );
}

#[test]
fn three_messages_a_week_over_all_carts() {
    let steps = [1, 25, 49, 73].map(|h| email(["a", "b", "c", "d"][h / 24], h as i64 * HOUR));
    check(
        &ada_leaves_boots(policy(&steps)).until("8 00:00"),
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "a"
           0 11:15 ada is recovering
           1 11:15 ada gets email "b"
           2 11:15 ada gets email "c"
           3 11:15 ada "d" waits until 7 11:15: the weekly cap for this person is reached
           7 11:15 ada gets email "d"
           7 11:15 ada is exhausted"#,
    );
}

#[test]
fn of_two_carts_the_newer_wins_and_the_older_is_left_alone() {
    check(
        &ada_leaves_boots(three_emails())
            .at("0 15:00", "ada/phone", signs_in())
            .at("0 15:00", "ada/phone", adds("hat"))
            .until("2 00:00"),
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           0 15:15 ada/phone is abandoned
           0 16:15 ada/phone "first" waits until 1 11:15: the daily cap for this person is reached
           1 11:15 ada/phone gets email "first"
           1 11:15 ada/phone is recovering
           1 11:15 ada "second" skipped: another cart of this person is being recovered
           1 11:15 ada is exhausted
           1 16:15 ada/phone "second" waits until 2 11:15: the daily cap for this person is reached"#,
    );
}

#[test]
fn a_newer_cart_that_waits_for_its_turn_keeps_it() {
    let steps = [email("first", HOUR), email("second", 20 * HOUR)];
    check(
        &ada_leaves_boots(policy(&steps))
            .at("0 11:30", "ada/phone", signs_in())
            .at("0 11:30", "ada/phone", adds("hat"))
            .until("1 11:30"),
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           0 11:45 ada/phone is abandoned
           0 12:45 ada/phone "first" waits until 1 11:15: the daily cap for this person is reached
           1 06:15 ada "second" skipped: another cart of this person is being recovered
           1 06:15 ada is exhausted
           1 07:45 ada/phone "first" skipped: a later step came due first
           1 07:45 ada/phone "second" waits until 1 11:15: the daily cap for this person is reached
           1 11:15 ada/phone gets email "second"
           1 11:15 ada/phone is recovering
           1 11:15 ada/phone is exhausted"#,
    );
}

#[test]
fn an_address_that_only_a_page_vouched_for_gets_one_recovery_in_thirty_days() {
    let typed = |address| Act::LeavesContact {
        channel: Channel::Email,
        address: Some(address),
        source: Source::Page,
        consent: Some(true),
    };
    let a_stranger = Scenario::new(policy(&[email("first", HOUR), email("second", 25 * HOUR)]))
        .at("0 10:00", "eve", adds("boots"))
        .at("0 10:00", "eve", typed("ada@example.com"))
        .at("3 10:00", "eve", adds("hat"));
    check(
        &a_stranger.clone().until("3 12:00"),
        r#"0 10:15 eve is abandoned
           0 11:15 eve gets email "first"
           0 11:15 eve is recovering
           1 11:15 eve gets email "second"
           1 11:15 eve is exhausted
           3 10:00 eve is active
           3 10:15 eve is abandoned
           3 11:15 eve "first" skipped: the address was only typed into a page and has had its one recovery"#,
    );
    // Its owner clicked: it is theirs.
    check(
        &a_stranger.at("1 12:00", "eve", Act::Clicks).until("3 12:00"),
        r#"0 10:15 eve is abandoned
           0 11:15 eve gets email "first"
           0 11:15 eve is recovering
           1 11:15 eve gets email "second"
           1 11:15 eve is exhausted
           1 12:00 eve is active
           1 12:15 eve is abandoned
           1 13:15 eve "first" waits until 2 11:15: the daily cap for this person is reached
           2 11:15 eve gets email "first"
           2 11:15 eve is recovering
           2 13:15 eve "second" waits until 3 11:15: the daily cap for this person is reached
           3 10:00 eve is active
           3 10:15 eve is abandoned
           3 11:15 eve "first" waits until 7 11:15: the weekly cap for this person is reached"#,
    );
}

#[test]
fn a_click_proves_the_address_that_was_written_to_and_no_other() {
    let typed = |address| Act::LeavesContact {
        channel: Channel::Email,
        address: Some(address),
        source: Source::Page,
        consent: Some(true),
    };
    let world = Scenario::new(policy(&[email("first", HOUR)]))
        .at("0 10:00", "eve", adds("boots"))
        .at("0 09:00", "eve", typed("neighbour@example.com"))
        .at("0 10:00", "eve", typed("eve@example.com"))
        .at("0 12:00", "eve", typed("victim@example.com"))
        .at("0 12:01", "eve", Act::Clicks)
        .run();
    let proved: Vec<_> =
        world.person("eve").unwrap().contacts.into_iter().map(|c| (c.address, c.verified)).collect();
    assert_eq!(
        proved,
        [
            ("neighbour@example.com".into(), false),
            ("eve@example.com".into(), true),
            ("victim@example.com".into(), false)
        ]
    );
}

#[test]
fn one_text_message_per_abandonment() {
    let steps = [by("a", HOUR, &[Channel::Sms]), by("b", 25 * HOUR, &[Channel::Sms, Channel::Email])];
    let scenario =
        Scenario::new(policy(&steps)).at("0 10:00", "ada", gives_phone()).at("0 10:00", "ada", adds("boots"));
    check(
        &scenario,
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets sms "a"
           0 11:15 ada is recovering
           1 11:15 ada "b" skipped: the cap of text messages for this abandonment is reached
           1 11:15 ada is exhausted"#,
    );
    check(
        &scenario.at("0 10:01", "ada", signs_in()),
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets sms "a"
           0 11:15 ada is recovering
           1 11:15 ada gets email "b"
           1 11:15 ada is exhausted"#,
    );
}

#[test]
fn whoever_is_held_out_is_never_written_to() {
    let everyone = Policy { holdout_percent: 100, ..three_emails() };
    check(
        &ada_leaves_boots(everyone),
        r#"0 10:15 ada is abandoned
           0 11:15 ada "first" skipped: the person is in the holdout, which is never contacted
           0 11:15 ada is exhausted"#,
    );
    // A tenth of the people, and the same ones as the assignment says.
    let a_tenth = Policy { holdout_percent: 10, ..policy(&[email("first", HOUR)]) };
    let mut held = 0;
    for n in 0..60 {
        let name = format!("p{n}");
        let world = Scenario::new(a_tenth.clone())
            .at("0 10:00", &name, signs_in())
            .at("0 10:00", &name, adds("boots"))
            .until("0 12:00")
            .run();
        let person = world.person(&name).unwrap();
        let bucket = experiment::bucket(person.shop.as_str(), "holdout", person.id.as_str());
        assert_eq!(person.holdout, Some(bucket < 1_000), "{name}");
        assert_eq!(world.provider.keys().is_empty(), bucket < 1_000, "{name}");
        held += u32::from(bucket < 1_000);
    }
    assert!(held > 0, "nobody was held out: the sixty names show nothing");
}

#[test]
fn a_stop_defers_and_nothing_is_lost() {
    check(
        &ada_leaves_boots(three_emails())
            .at("0 10:30", "shop", Act::ShopStops)
            .at("0 13:00", "shop", Act::ShopResumes)
            .until("1 00:00"),
        r#"0 10:15 ada is abandoned
           0 11:15 ada "first" waits until 0 12:15: the shop has stopped all sends
           0 12:15 ada "first" waits until 0 13:15: the shop has stopped all sends
           0 13:15 ada gets email "first"
           0 13:15 ada is recovering"#,
    );
}
