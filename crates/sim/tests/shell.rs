//! What the simulator's shell owes its shoppers where calls cross or come again, as short stories in fair weather.
#![expect(clippy::unwrap_used, reason = "makers of test data stand outside the test functions")]

use comeback_core::time::{HOUR, MINUTE};
use comeback_sim::checker::{Fact, Owner, Way, check};
use comeback_sim::life::{Act, BEGINNING, Do, Group, Planned};
use comeback_sim::place::HOMES;
use comeback_sim::reading::rules_of;
use comeback_sim::world::{self, Setup};

const MORNING: i64 = 7 * HOUR;

fn planned(after: i64, late: &[i64], act: Act) -> Planned {
    let said = BEGINNING.plus(MORNING + after);
    Planned { said, arrives: late.iter().map(|late| said.plus(*late)).collect(), act }
}

fn batch(cart: u16, visitor: u16, deed: Do) -> Act {
    Act::Batch { cart, visitor, deeds: vec![(0, deed)], mobile: false, automated: false, abroad: false }
}

fn types(visitor: u16, cart: Option<u16>, email: u16) -> Act {
    Act::Types { visitor, cart, email: Some(email), phone: None, agrees: true }
}

/// Carts and addresses of the messages, where nothing is wrong.
fn reached(carts: u16, acts: Vec<Planned>) -> Vec<(u16, u16)> {
    let (_, text) = comeback_policy::presets().iter().find(|(name, _)| *name == "early").unwrap();
    let mut policy = comeback_policy::parse("early", text).unwrap().0;
    policy.holdout_percent = 0;
    let setup = Setup::of(policy);
    let home = *HOMES.iter().find(|h| h.zone == "Europe/Madrid").unwrap();
    let ways = [Way::Email, Way::Email, Way::Text, Way::Push, Way::Push];
    let group = Group {
        number: 1,
        seed: 1,
        homes: vec![home],
        abroad: home,
        told: vec![],
        shadow: false,
        owners: ways.iter().map(|way| Owner { way: *way, home: home.spot() }).collect(),
        visitors: 2,
        carts,
        acts,
        texts_idempotent: true,
        trouble: 0,
        through_text: false,
        per_hour: None,
        approved_since: None,
        elsewhere: false,
        in_force_since: None,
    };
    let outcome = world::run(&group, &setup);
    let breaches = check(&outcome.story, &rules_of(&setup.policy));
    assert!(breaches.is_empty(), "{breaches:?}");
    let message = |fact: &Fact| match fact {
        Fact::Delivered(message) => Some((message.contact.cart, message.address)),
        _ => None,
    };
    let mut reached: Vec<_> = outcome.story.facts.iter().filter_map(|e| message(&e.fact)).collect();
    reached.dedup();
    reached
}

/// A page dates its order by its arrival. When the same report comes again, somebody has signed in meanwhile with a
/// cart that was begun after the order, and it must not end that.
#[test]
fn an_order_told_again_after_somebody_signed_in_ends_no_cart_begun_since() {
    let signs_in = Act::SignsIn { cart: Some(1), addresses: vec![0], agrees: true };
    let acts = vec![
        planned(0, &[0, 90 * MINUTE], batch(0, 0, Do::Bought(1))),
        planned(20 * MINUTE, &[0], batch(1, 0, Do::Add(1))),
        planned(22 * MINUTE, &[0], signs_in),
    ];
    assert_eq!(reached(2, acts), [(1, 0)]);
}

/// A report that comes late for the first time is dated by its arrival: a page's clock is not believed, and nothing goes
/// out about a cart that was begun before anybody knew.
#[test]
fn an_order_that_a_page_told_late_ends_what_was_begun_before_it_arrived() {
    let signs_in = Act::SignsIn { cart: Some(1), addresses: vec![0], agrees: true };
    let acts = vec![
        planned(0, &[HOUR], batch(0, 0, Do::Bought(1))),
        planned(20 * MINUTE, &[0], batch(1, 0, Do::Add(1))),
        planned(22 * MINUTE, &[0], signs_in),
    ];
    assert_eq!(reached(2, acts), []);
}

/// The browser is somebody's already, and another address is typed for a cart while it is being born: the contact knows
/// better whose it is than the browser.
#[test]
fn an_address_typed_while_its_cart_is_born_is_the_one_written_to() {
    // At one instant the calls take turns: the batch asks whose the cart is, the contact finds no cart, the cart is born.
    let acts = vec![
        planned(0, &[0], types(0, None, 1)),
        planned(10 * MINUTE, &[0], types(0, Some(0), 0)),
        planned(10 * MINUTE, &[0], batch(0, 0, Do::Add(1))),
    ];
    assert_eq!(reached(1, acts), [(0, 0)]);
}
