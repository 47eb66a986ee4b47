//! The core at full speed, for `cargo xtask bench`: the same small stories over and over, without a queue, a
//! store or a provider. Times nothing; the caller does, natively or in wasm.

use comeback_core::cart::{Change, Line, Trust};
use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::effect::Effect;
use comeback_core::gate::{self, ClaimRequest};
use comeback_core::id::{CartId, EventId, PersonId, ShopId};
use comeback_core::money::Currency;
use comeback_core::person::Person;
use comeback_core::policy::Policy;
use comeback_core::recovery::{Outcome, Recovery};
use comeback_core::signal::{Signal, SignalKind};
use comeback_core::time::{HOUR, MINUTE, Timestamp};

/// Noon in UTC of a Monday: nobody is asleep, so every story ends with a message.
const NOON: Timestamp = Timestamp::from_millis(1_767_614_400_000);

/// What is the same in every story: made once, so that the core is measured and not its input.
struct Props {
    policy: Policy,
    cart: CartId,
    shop: ShopId,
    currency: Currency,
    signals: Vec<Signal>,
    person: Person,
}

fn props() -> Option<Props> {
    let (_, text) = comeback_policy::presets().iter().find(|(name, _)| *name == "early")?;
    let (policy, _) = comeback_policy::parse("early", text).ok()?;
    let policy = Policy { holdout_percent: 0, ..policy };
    let (cart, shop) = (CartId::derive(&["bench"]), ShopId::derive(&["bench"]));
    let currency = Currency::parse("EUR").ok()?;
    let line = |item: &str| Line {
        item_id: item.to_owned(),
        item_variant: None,
        quantity: 1,
        unit_price_minor: 4_900,
        title: item.to_owned(),
        image_url: None,
        item_url: None,
        class: None,
        trust: Trust::Signed,
    };
    let kinds = [
        SignalKind::PageView,
        SignalKind::ViewItem { item: None, dwell_ms: Some(20_000) },
        SignalKind::Cart { currency, change: Change::Add(vec![line("mug")]) },
        SignalKind::PageView,
        SignalKind::ViewItem { item: None, dwell_ms: Some(40_000) },
        SignalKind::Cart { currency, change: Change::Add(vec![line("kettle")]) },
        SignalKind::Cart { currency, change: Change::Remove(vec![line("mug")]) },
        SignalKind::ViewShippingEstimate,
        SignalKind::BeginCheckout,
        SignalKind::AddShippingInfo,
        SignalKind::ExitIntent,
        SignalKind::PageHide,
    ];
    let signals = (0_i64..)
        .zip(kinds)
        .map(|(n, kind)| Signal {
            id: EventId::derive(&["bench", &n.to_string()]),
            at: NOON.plus(n * 10_000),
            kind,
        })
        .collect();
    let id = PersonId::derive(&["bench"]);
    let mut person = Person::new(id, shop.clone());
    person.add_contact(Channel::Email, "someone@example.com", Source::Signed, NOON);
    person.record_consent(Consent {
        channel: Channel::Email,
        granted: true,
        wording: "v1".to_owned(),
        at: NOON,
        source: Source::Signed,
    });
    Some(Props { policy, cart, shop, currency, signals, person })
}

/// Lets the core handle at least so many events: signals, wakeups that choose a sequence by the policy's
/// conditions and offer its steps, claims through the gate, reports of what became of them. Returns how many it
/// handled; 0 if there is no such preset.
#[must_use]
pub fn events(n: u64) -> u64 {
    let Some(props) = props() else { return 0 };
    let mut handled = 0;
    while handled < n {
        let story = story(&props);
        if story == 0 {
            return 0;
        }
        handled += story;
    }
    handled
}

/// One cart from its first view to its first message.
fn story(props: &Props) -> u64 {
    let mut handled = 0;
    let mut recovery = Recovery::new(props.cart.clone(), props.shop.clone(), props.currency, NOON);
    let mut person = props.person.clone();
    recovery.link(NOON, &person.id);
    for signal in &props.signals {
        recovery.signal(signal.at, signal.clone());
        handled += 1;
    }
    // Two wakeups lead to the first step: the cart is left, an hour later it is due.
    for now in [NOON.plus(20 * MINUTE), NOON.plus(2 * HOUR)] {
        for effect in recovery.handle_timeout(now, &props.policy) {
            let Effect::OfferSend(job) = effect else { continue };
            let Ok(prepared) = recovery.prepare(now, &job.key, &props.policy) else { continue };
            let request = request(&prepared);
            let record = person.claim(now, &request, &props.policy, true);
            person.mark_sent(&job.key, now);
            let outcome = record.decision.refusal().unwrap_or(Outcome::Sent);
            recovery.settle(now, &job.key, outcome, Some(&record), &props.policy);
            handled += 2;
        }
        handled += 1;
    }
    // A story without a message would measure something else.
    if person.sends.is_empty() { 0 } else { handled }
}

fn request(prepared: &comeback_core::recovery::Prepared) -> ClaimRequest {
    ClaimRequest { showable_lines: 1, capable: vec![Channel::Email], ..ClaimRequest::from(prepared) }
}

/// Asks the gate so often about one send it lets through, for the time of a decision. Returns how many it let
/// through: all of them.
#[must_use]
pub fn decisions(n: u64) -> u64 {
    let Some(props) = props() else { return 0 };
    let mut recovery = Recovery::new(props.cart.clone(), props.shop.clone(), props.currency, NOON);
    recovery.link(NOON, &props.person.id);
    for signal in &props.signals {
        recovery.signal(signal.at, signal.clone());
    }
    let now = NOON.plus(2 * HOUR);
    let offered = recovery.handle_timeout(now, &props.policy).into_iter().find_map(|effect| match effect {
        Effect::OfferSend(job) => Some(job),
        _ => None,
    });
    let Some(prepared) = offered.and_then(|job| recovery.prepare(now, &job.key, &props.policy).ok()) else {
        return 0;
    };
    let request = request(&prepared);
    (0..n)
        .filter(|_| gate::decide(now, &props.person, &request, &props.policy).decision.refusal().is_none())
        .fold(0, |sum, _| sum + 1)
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_story_ends_with_a_message() {
        let story = super::events(1);
        assert_eq!(story, 16);
        assert_eq!(super::events(1_000), 1_008);
        assert_eq!(super::decisions(10), 10);
    }
}
