//! The ways in which a cart is left, when each is due, which wins, and what is a return from it.

use comeback_core::policy::{Policy, Triggers};
use comeback_core::recovery::Trigger;
use comeback_core::time::{HOUR, MINUTE};
use comeback_testkit::timeline::Fact;
use comeback_testkit::*;

fn ada() -> Scenario {
    Scenario::new(by_trigger(all_triggers())).at("0 10:00", "ada", signs_in())
}

/// How the carts of a scenario were left, with the sequence that followed.
fn left(scenario: &Scenario) -> Vec<(String, Trigger, Option<String>)> {
    let world = scenario.run();
    let left = |e: &timeline::Entry| match &e.fact {
        Fact::Left { trigger, sequence, .. } => Some((told(e.at), *trigger, sequence.clone())),
        _ => None,
    };
    world.timeline.iter().filter_map(left).collect()
}

/// That a cart is left once, then, in this way, and is written to by the sequence for it.
#[track_caller]
fn is_left(scenario: Scenario, when: &str, trigger: Trigger) {
    let scenario = scenario.until("0 15:00");
    assert_eq!(left(&scenario), [(when.to_owned(), trigger, Some(trigger.as_str().to_owned()))]);
    let sent = judge::contacts(&scenario.run().timeline);
    let sent: Vec<&str> = sent.iter().map(|p| p.step.as_str()).collect();
    assert_eq!(sent, [trigger.as_str()]);
}

#[test]
fn idle_is_by_the_class_that_is_thought_about_longest() {
    let shoes = Act::AddsOf { item: "boots", class: "shoes" };
    let sofa = Act::AddsOf { item: "divan", class: "sofas" };
    is_left(ada().at("0 10:00", "ada", adds("pen")), "0 10:15", Trigger::Idle);
    is_left(ada().at("0 10:00", "ada", shoes.clone()), "0 10:20", Trigger::Idle);
    is_left(
        ada().at("0 10:00", "ada", shoes.clone()).at("0 10:00", "ada", adds("pen")),
        "0 10:20",
        Trigger::Idle,
    );
    is_left(ada().at("0 10:00", "ada", sofa.clone()).at("0 10:00", "ada", shoes), "0 11:00", Trigger::Idle);
    // A class with a shorter time than usual does not hurry what has none.
    let brief = Triggers { idle_by_class: [("mugs".to_owned(), 5 * MINUTE)].into(), ..Triggers::default() };
    let mug = Act::AddsOf { item: "mug", class: "mugs" };
    let brief = Scenario::new(by_trigger(brief)).at("0 10:00", "ada", signs_in()).at("0 10:00", "ada", mug);
    is_left(brief.clone(), "0 10:05", Trigger::Idle);
    is_left(brief.at("0 10:00", "ada", adds("pen")), "0 10:15", Trigger::Idle);
}

#[test]
fn the_page_is_left() {
    let at_ten = || ada().at("0 10:00", "ada", adds("boots"));
    is_left(at_ten().at("0 10:05", "ada", Act::Hides), "0 10:07", Trigger::PageExit);
    is_left(at_ten().at("0 10:05", "ada", Act::TurnsToLeave), "0 10:07", Trigger::PageExit);
    // The later of the two counts: who turned to leave and stayed has not left yet.
    is_left(
        at_ten().at("0 10:05", "ada", Act::TurnsToLeave).at("0 10:06", "ada", Act::Hides),
        "0 10:08",
        Trigger::PageExit,
    );
    // Life after it: the page was only in the background, or another tab is open.
    is_left(
        at_ten().at("0 10:05", "ada", Act::Hides).at("0 10:06", "ada", Act::Views),
        "0 10:21",
        Trigger::Idle,
    );
    // What is said in the same breath as the page is hidden did not follow it.
    is_left(
        at_ten().at("0 10:05", "ada", Act::Hides).at("0 10:05", "ada", looks_at("boots", 9)),
        "0 10:07",
        Trigger::PageExit,
    );
}

#[test]
fn checkout_refuses_and_nothing_follows() {
    let refused = || ada().at("0 10:00", "ada", adds("boots")).at("0 10:02", "ada", card_is_declined());
    is_left(refused(), "0 10:05", Trigger::CheckoutError);
    // Something follows, and falls silent at its turn.
    is_left(refused().at("0 10:04", "ada", Act::Views), "0 10:09", Trigger::AbruptEnd);
    // Closing the page is nothing that follows: the earlier of the two is due.
    is_left(refused().at("0 10:02", "ada", Act::Hides), "0 10:04", Trigger::PageExit);
    is_left(refused().at("0 10:04", "ada", Act::Hides), "0 10:05", Trigger::CheckoutError);
}

#[test]
fn the_platform_ends_the_session() {
    let ends = || ada().at("0 10:00", "ada", adds("boots")).at("0 10:03", "ada", Act::SessionEnds);
    is_left(ends(), "0 10:04", Trigger::PlatformEnd);
    is_left(ends().at("0 10:03", "ada", Act::Hides), "0 10:04", Trigger::PlatformEnd);
    // The platform was mistaken: somebody is still there.
    is_left(ends().at("0 10:04", "ada", Act::Views), "0 10:19", Trigger::Idle);
}

#[test]
fn a_checkout_falls_silent() {
    let checkout = || ada().at("0 10:00", "ada", adds("boots")).at("0 10:01", "ada", Act::BeginsCheckout);
    is_left(checkout(), "0 10:06", Trigger::AbruptEnd);
    // It was not silence if the page was closed, whatever is due then.
    let only_abrupt = Triggers { abrupt_end_ms: Some(5 * MINUTE), ..Triggers::default() };
    let closed = Scenario::new(by_trigger(only_abrupt))
        .at("0 10:00", "ada", signs_in())
        .at("0 10:00", "ada", adds("boots"))
        .at("0 10:01", "ada", Act::BeginsCheckout)
        .at("0 10:02", "ada", Act::Hides);
    is_left(closed, "0 10:16", Trigger::Idle);
    // Without a checkout there is nothing to fall silent.
    is_left(ada().at("0 10:00", "ada", adds("boots")), "0 10:15", Trigger::Idle);
}

#[test]
fn what_is_off_never_fires() {
    let everything = |policy: Policy| {
        Scenario::new(policy)
            .at("0 10:00", "ada", signs_in())
            .at("0 10:00", "ada", adds("boots"))
            .at("0 10:01", "ada", card_is_declined())
            .at("0 10:01", "ada", Act::TurnsToLeave)
            .at("0 10:01", "ada", Act::SessionEnds)
            .at("0 10:01", "ada", Act::Hides)
    };
    is_left(everything(by_trigger(Triggers::default())), "0 10:16", Trigger::Idle);
    // On, but no sequence answers it: it would only keep the cart from one that is answered.
    let mut idle_only = by_trigger(all_triggers());
    idle_only.sequences.retain(|s| s.on == [Trigger::Idle]);
    is_left(everything(idle_only), "0 10:16", Trigger::Idle);
}

#[test]
fn a_sequence_without_triggers_answers_all_but_browsing() {
    let policy = Policy { triggers: all_triggers(), ..policy(&[email("first", HOUR)]) };
    check(
        &Scenario::new(policy).at("0 10:00", "ada", signs_in()).at("0 10:00", "ada", adds("boots")).at(
            "0 10:05",
            "ada",
            Act::Hides,
        ),
        r#"0 10:07 ada is abandoned
           0 11:07 ada gets email "first"
           0 11:07 ada is recovering
           0 11:07 ada is exhausted"#,
    );
}

#[test]
fn any_sign_of_life_is_a_return_from_a_page_exit() {
    let exits = || ada().at("0 10:00", "ada", adds("boots")).at("0 10:05", "ada", Act::Hides);
    check(
        &exits().at("0 10:30", "ada", Act::Views).at("0 10:31", "ada", Act::Hides),
        r#"0 10:07 ada is abandoned
           0 10:30 ada is active
           0 10:33 ada is abandoned
           0 11:07 ada gets email "page_exit"
           0 11:07 ada is recovering
           0 11:07 ada is exhausted"#,
    );
    // From before the episode began but after the page was left: it had not been left for good.
    check(
        &exits().held_back("0 10:06", "0 10:40", "ada", Act::Views).until("0 11:00"),
        r"0 10:07 ada is abandoned
          0 10:40 ada is active
          0 10:40 ada is abandoned",
    );
    // From before the page was left: no return.
    check(
        &exits().held_back("0 10:04", "0 10:40", "ada", Act::Views).until("0 10:50"),
        r"0 10:07 ada is abandoned",
    );
}

#[test]
fn a_short_stay_resumes_the_episode_whatever_ends_it() {
    let scenario = ada()
        .at("0 10:00", "ada", adds("boots"))
        .at("0 10:02", "ada", card_is_declined())
        .at("0 10:30", "ada", Act::Views)
        .at("0 10:40", "ada", Act::Hides);
    assert_eq!(left(&scenario).len(), 1, "left once, resumed once");
    check(
        &scenario,
        r#"0 10:05 ada is abandoned
           0 10:30 ada is active
           0 10:35 ada is abandoned
           0 11:05 ada gets email "checkout_error"
           0 11:05 ada is recovering
           0 11:05 ada is exhausted"#,
    );
}

#[test]
fn a_changed_cart_or_a_longer_stay_starts_another_for_its_own_trigger() {
    let refused = || ada().at("0 10:00", "ada", adds("boots")).at("0 10:02", "ada", card_is_declined());
    let changed = refused().at("0 10:30", "ada", adds("hat")).at("0 10:31", "ada", Act::Hides);
    let triggers: Vec<Trigger> = left(&changed).into_iter().map(|(_, t, _)| t).collect();
    assert_eq!(triggers, [Trigger::CheckoutError, Trigger::PageExit]);
    let mut longer = refused();
    for minute in ["0 10:30", "0 10:34", "0 10:38", "0 10:42", "0 10:46"] {
        longer = longer.at(minute, "ada", Act::Views);
    }
    let longer = longer.at("0 10:47", "ada", Act::Hides);
    assert_eq!(left(&longer).len(), 2);
}
