//! Looking without buying: when it counts as left, for whom, and what it gives way to.

use comeback_core::policy::{Browse, Policy, Triggers};
use comeback_core::recovery::Trigger;
use comeback_testkit::*;

fn ada() -> Scenario {
    Scenario::new(by_trigger(all_triggers())).at("0 10:00", "ada", signs_in())
}

#[test]
fn a_product_looked_at_for_long_is_followed_up() {
    let scenario = ada().at("0 10:00", "ada", looks_at("hat", 30));
    check(
        &scenario,
        r#"0 10:30 ada is abandoned
           0 11:30 ada gets email "browse"
           0 11:30 ada is recovering
           0 11:30 ada is exhausted"#,
    );
    let cart = scenario.run().cart("ada").unwrap();
    let episode = cart.episode.clone().unwrap();
    assert_eq!(episode.trigger, Trigger::Browse);
    assert_eq!(episode.look.unwrap().item.item_id, "hat");
    let shown = cart.shown_lines();
    assert_eq!((shown.len(), shown[0].item_id.as_str(), shown[0].quantity), (1, "hat", 1));
    let sends = scenario.run().person("ada").unwrap().sends;
    assert!(sends[0].browse, "it counts towards the cap of browse messages");
}

#[test]
fn a_look_counts_from_the_time_of_its_class_on() {
    let sofa = |seconds: i64| Act::LooksAt { item: "divan", class: Some("sofas"), dwell: seconds * 1000 };
    check(&ada().at("0 10:00", "ada", looks_at("hat", 29)), "");
    check(&ada().at("0 10:00", "ada", sofa(119)), "");
    // A long look that is too short for its class does not hide a shorter one that counts.
    let both = ada().at("0 10:00", "ada", sofa(119)).at("0 10:01", "ada", looks_at("hat", 31));
    let episode = both.run().cart("ada").unwrap().episode.unwrap();
    assert_eq!(episode.look.unwrap().item.item_id, "hat");
}

#[test]
fn only_with_a_person_an_empty_cart_and_a_policy_that_says_so() {
    let nobody = Scenario::new(by_trigger(all_triggers())).at("0 10:00", "ada", looks_at("hat", 60));
    check(&nobody, "");
    let cart = ada().at("0 10:00", "ada", looks_at("hat", 60)).at("0 10:01", "ada", adds("hat"));
    check(&cart.until("0 11:00"), "0 10:16 ada is abandoned");
    let off = Policy { browse: None, ..by_trigger(Triggers::default()) };
    let off = Scenario::new(off).at("0 10:00", "ada", signs_in()).at("0 10:00", "ada", looks_at("hat", 60));
    check(&off, "");
    let program = ada().at("0 10:00", "ada", looks_at("hat", 60)).at("0 10:00", "ada", Act::IsAutomated);
    check(&program, "");
}

#[test]
fn buying_or_filling_a_cart_ends_it() {
    check(
        &ada().at("0 10:00", "ada", looks_at("hat", 60)).at("0 10:40", "ada", buys()),
        r"0 10:30 ada is abandoned
          0 10:40 ada is completed",
    );
    check(
        &ada().at("0 10:00", "ada", looks_at("hat", 60)).at("0 10:40", "ada", adds("hat")),
        r#"0 10:30 ada is abandoned
           0 10:40 ada is active
           0 10:55 ada is abandoned
           0 11:55 ada gets email "idle"
           0 11:55 ada is recovering
           0 11:55 ada is exhausted"#,
    );
}

#[test]
fn a_short_return_resumes_it_and_another_product_starts_another() {
    let looked = || ada().at("0 10:00", "ada", looks_at("hat", 60));
    check(
        &looked().at("0 10:40", "ada", Act::Views),
        r#"0 10:30 ada is abandoned
           0 10:40 ada is active
           0 11:10 ada is abandoned
           0 11:30 ada gets email "browse"
           0 11:30 ada is recovering
           0 11:30 ada is exhausted"#,
    );
    check(
        &looked().at("0 10:40", "ada", looks_at("scarf", 60)),
        r#"0 10:30 ada is abandoned
           0 10:40 ada is active
           0 11:10 ada is abandoned
           0 12:10 ada gets email "browse"
           0 12:10 ada is recovering
           0 12:10 ada is exhausted"#,
    );
    // A visit without a long look is not about what was looked at last time.
    check(
        &looked().at("3 10:00", "ada", Act::Views),
        r#"0 10:30 ada is abandoned
           0 11:30 ada gets email "browse"
           0 11:30 ada is recovering
           0 11:30 ada is exhausted
           3 10:00 ada is active"#,
    );
}

#[test]
fn it_has_a_cap_of_its_own() {
    let policy = by_trigger(Triggers::default());
    let browse = |per_week| Policy {
        browse: policy.browse.clone().map(|b| Browse { per_week, ..b }),
        ..policy.clone()
    };
    let twice = |policy| {
        Scenario::new(policy).at("0 10:00", "ada", signs_in()).at("0 10:00", "ada", looks_at("hat", 60)).at(
            "3 10:00",
            "ada",
            looks_at("scarf", 60),
        )
    };
    let sent = |policy| judge::contacts(&twice(policy).run().timeline).len();
    assert_eq!(sent(browse(1)), 1);
    assert_eq!(sent(browse(2)), 2);
}

#[test]
fn a_cart_left_on_another_device_comes_first() {
    // Ada leaves boots on her laptop and looks at a hat on her phone: boots are what is written about.
    let boots_first = ada().at("0 10:00", "ada", adds("boots")).at("0 10:20", "ada/phone", signs_in()).at(
        "0 10:20",
        "ada/phone",
        looks_at("hat", 60),
    );
    check(
        &boots_first,
        r#"0 10:15 ada is abandoned
           0 10:50 ada/phone is abandoned
           0 11:15 ada gets email "idle"
           0 11:15 ada is recovering
           0 11:15 ada is exhausted
           0 11:50 ada/phone "browse" skipped: another cart of this person is being recovered
           0 11:50 ada/phone is exhausted"#,
    );
    let hat_first = ada()
        .at("0 10:00", "ada", looks_at("hat", 60))
        .at("0 10:20", "ada/phone", signs_in())
        .at("0 10:20", "ada/phone", adds("boots"));
    let sent = judge::contacts(&hat_first.run().timeline);
    let sent: Vec<&str> = sent.iter().map(|p| p.step.as_str()).collect();
    assert_eq!(sent, ["idle"]);
}
