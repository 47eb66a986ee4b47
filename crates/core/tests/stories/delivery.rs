//! Providers, queues and keys.

use comeback_core::consent::Channel;
use comeback_core::policy::{Caps, Policy};
use comeback_core::recovery::Phase;
use comeback_core::time::{DAY, HOUR};
use comeback_testkit::faults::Faults;
use comeback_testkit::timeline::story;
use comeback_testkit::*;

use super::ada_leaves_boots;

#[test]
fn a_provider_that_is_down_is_tried_again() {
    check(
        &ada_leaves_boots(policy(&[email("first", HOUR)])).at("0 11:00", "shop", Act::ProviderDown(true)).at(
            "0 11:30",
            "shop",
            Act::ProviderDown(false),
        ),
        r#"0 10:15 ada is abandoned
           0 11:35 ada gets email "first"
           0 11:35 ada is recovering
           0 11:35 ada is exhausted"#,
    );
}

#[test]
fn a_message_refused_for_good_frees_its_place() {
    let steps = [email("first", HOUR), email("second", 2 * HOUR)];
    check(
        &ada_leaves_boots(policy(&steps)).at("0 11:00", "shop", Act::ProviderRefusesOnce),
        r#"0 10:15 ada is abandoned
           0 11:15 ada "first" skipped: the provider refused it for good
           0 12:15 ada gets email "second"
           0 12:15 ada is recovering
           0 12:15 ada is exhausted"#,
    );
}

#[test]
fn a_job_delivered_twice_is_sent_once() {
    let scenario = ada_leaves_boots(three_emails());
    let twice = scenario.clone().with(Faults::twice());
    for twice in [twice.clone(), twice.provider_without_keys()] {
        assert_eq!(story(&twice.run().timeline), story(&scenario.run().timeline));
    }
}

#[test]
fn a_crash_after_the_provider_took_it_is_still_a_contact() {
    let scenario = ada_leaves_boots(three_emails()).until("0 20:00");
    let steps = scenario.run().faults.steps();
    for n in 0..steps {
        let world = scenario.clone().with(Faults::crash_and_lose_at(n)).run();
        assert_eq!(world.provider.keys().len(), 1, "crash at {n}:\n{}", story(&world.timeline));
        assert_eq!(world.cart("ada").unwrap().phase, Phase::Recovering, "crash at {n}");
    }
}

#[test]
fn a_text_message_of_unknown_fate_is_never_repeated_and_counts() {
    let steps = [by("a", HOUR, &[Channel::Sms]), by("b", 25 * HOUR, &[Channel::Sms])];
    let scenario = Scenario::new(policy(&steps))
        .at("0 10:00", "ada", gives_phone())
        .at("0 10:00", "ada", adds("boots"))
        .provider_without_keys();
    let whole = scenario.run();
    for n in 0..whole.faults.steps() {
        let world = scenario.clone().with(Faults::crash_and_lose_at(n)).run();
        let taken = world.provider.keys().len();
        let unknown = story(&world.timeline).contains("it is not known whether the provider took it");
        assert!(taken == 1 || (taken == 0 && unknown), "crash at {n}:\n{}", story(&world.timeline));
    }
}

#[test]
fn no_sequence_for_a_cart_does_not_bring_old_keys_back() {
    // Only carts of up to two pieces are written about.
    use comeback_core::policy::{Expr, Field, Op};
    let mut small = policy(&[email("first", HOUR)]);
    small.sequences[0].audience = Some(Expr::Compare { field: Field::CartItems, op: Op::Le, value: 2.0 });
    check(
        &ada_leaves_boots(small).at("2 10:00", "ada", adds("hat")).at("2 10:00", "ada", adds("scarf")).at(
            "4 10:00",
            "ada",
            removes("scarf"),
        ),
        r#"0 10:15 ada is abandoned
           0 11:15 ada gets email "first"
           0 11:15 ada is recovering
           0 11:15 ada is exhausted
           2 10:00 ada is active
           2 10:15 ada is exhausted
           4 10:00 ada is active
           4 10:15 ada is abandoned
           4 11:15 ada gets email "first"
           4 11:15 ada is recovering
           4 11:15 ada is exhausted"#,
    );
}

#[test]
fn a_lost_forget_is_asked_for_again() {
    let scenario = ada_leaves_boots(Policy { cart_retention_ms: DAY, ..policy(&[email("first", HOUR)]) })
        .until("3 00:00");
    let steps = scenario.run().faults.steps();
    for n in 0..steps {
        assert!(scenario.clone().with(Faults::crash_at(n)).run().cart("ada").is_none(), "crash at {n}");
    }
}

#[test]
fn unverified_addresses_are_limited_while_a_claim_is_in_flight() {
    // Two carts, two messages a day: the first message's consumer dies after the provider took it.
    let two_a_day = Policy {
        caps: Caps { day: 2, week: 9, sms_per_abandonment: 1, unverified_ms: 30 * DAY },
        ..policy(&[email("first", HOUR)])
    };
    let scenario = Scenario::new(two_a_day)
        .at("0 10:00", "eve", adds("boots"))
        .at("0 10:00", "eve", types_email())
        .at("0 10:01", "eve/b", adds("hat"))
        .at("0 10:01", "eve/b", types_email());
    let steps = scenario.run().faults.steps();
    for n in 0..steps {
        let world = scenario.clone().with(Faults::crash_at(n)).run();
        assert_eq!(world.provider.keys().len(), 1, "crash at {n}:\n{}", story(&world.timeline));
    }
}
