//! A person who may be written to and a claim to do so, for tests that call the gate by hand.

use std::collections::BTreeMap;

use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::gate::ClaimRequest;
use comeback_core::id::{CartId, PersonId, SendKey, ShopId};
use comeback_core::jurisdiction::Place;
use comeback_core::money::Currency;
use comeback_core::person::Person;
use comeback_core::policy::{Facts, Step};
use comeback_core::recovery::Trigger;

use crate::fixture::day_zero;

/// The channels that [`reachable`] people may be written to on.
pub const BOTH: [Channel; 2] = [Channel::Email, Channel::Sms];

/// Somebody of `shop_1` with an address and a number, who said yes to both by a signed source on day 0.
///
/// # Panics
/// When the name makes no id.
#[must_use]
pub fn reachable(name: &str) -> Person {
    let id = PersonId::parse(&format!("per_{name}")).unwrap_or_else(|_| panic!("{name} makes no id"));
    let shop = ShopId::parse("shop_1").unwrap_or_else(|_| panic!("an id"));
    let mut person = Person::new(id, shop);
    for (channel, address) in BOTH.into_iter().zip([format!("{name}@example.com"), format!("+49 {name}")]) {
        person.add_contact(channel, &address, Source::Signed, day_zero());
        let (wording, at, source) = ("w".to_owned(), day_zero(), Source::Signed);
        person.record_consent(Consent { channel, granted: true, wording, at, source });
    }
    person
}

/// A claim for the step of this index in the sequence `main`, of a cart left on day 0; nothing forbids it.
#[must_use]
pub fn asking(cart: &str, abandonment: u32, index: u32, step: &Step) -> ClaimRequest {
    let cart = CartId::derive(&["claim", cart]);
    ClaimRequest {
        key: SendKey::of(&cart, abandonment, index),
        cart,
        abandonment,
        trigger: Trigger::Idle,
        sequence: "main".to_owned(),
        abandoned_at: day_zero(),
        cart_born_at: day_zero(),
        step: step.clone(),
        facts: Facts::default(),
        showable_lines: 1,
        automated: false,
        zone: None,
        stopped: false,
        capable: BOTH.to_vec(),
        offers: vec![],
        model: None,
        events: vec![],
        place: Place::default(),
        value_minor: None,
        home: Currency::parse("EUR").ok(),
        approved: vec![],
        leases: vec![],
        outcomes: vec![],
        performance: BTreeMap::new(),
        activation: None,
    }
}
