//! What people see of a cart: amounts as text, lines for messages and pages. Formats; decides
//! nothing.

use comeback_core::cart::Cart;
use comeback_core::money::{Currency, Money};
use comeback_core::signal::SessionFacts;
use comeback_core::time::Timestamp;
use comeback_message::{MessageModel, ModelLine, Offer};
use comeback_page::{Brand, Change, LandingLine};
use comeback_score::{Baseline, Context, Features, Model, Score};
use comeback_wire::cart_view::{CartView, Difference};
use comeback_wire::shop::Shop;

use crate::links::Links;

/// The score of a session and its cart.
pub(crate) fn score(facts: &SessionFacts, cart: &Cart) -> Score {
    let total = cart.total();
    let scale = 10_f64.powi(i32::try_from(total.currency.exponent()).unwrap_or(2));
    #[expect(clippy::cast_precision_loss, reason = "amounts far below 2^52")]
    let cart_value = (!cart.is_empty()).then(|| total.minor as f64 / scale);
    // Idle time is nought at the moment of a batch; without consent to profiling nothing is known
    // of earlier visits, and consent is not carried this far yet.
    let context = Context { cart_value, cart_pieces: cart.pieces(), idle_ms: 0, returning: None };
    Baseline.predict(&Features::of(facts, &context))
}

fn amount(minor: i64, currency: &str) -> String {
    Currency::parse(currency).map_or_else(|_| String::new(), |currency| Money { minor, currency }.to_string())
}

/// The shop on a page.
pub(crate) fn brand(shop: &Shop) -> Brand {
    let d = &shop.document;
    Brand {
        shop_name: d.name.clone(),
        home_url: shop.absolute(&d.home_url),
        support_email: d.support_email.clone(),
        support_url: shop.absolute(&d.support_url),
        locale: d.locale.clone(),
    }
}

/// Lines of a landing page.
pub(crate) fn landing_lines(shop: &Shop, view: &CartView) -> Vec<LandingLine> {
    view.lines
        .iter()
        .map(|l| LandingLine {
            title: l.title.clone(),
            variant: l.item_variant.clone(),
            quantity: l.quantity,
            unit_price: amount(l.unit_price_minor, &view.currency),
            line_total: amount(l.unit_price_minor.saturating_mul(i64::from(l.quantity)), &view.currency),
            image_url: l.image_url.as_deref().map(|u| shop.absolute(u)),
            item_url: l.item_url.as_deref().map(|u| shop.absolute(u)),
        })
        .collect()
}

/// The total as text.
pub(crate) fn total(view: &CartView) -> String {
    amount(view.total_minor, &view.currency)
}

/// What changed, in a page's words.
pub(crate) fn changes(view: &CartView, report: &[Difference]) -> Vec<Change> {
    report
        .iter()
        .filter_map(|d| match d {
            Difference::PriceChanged { title, was_minor, now_minor, .. } => Some(Change::PriceChanged {
                title: title.clone(),
                was: amount(*was_minor, &view.currency),
                now: amount(*now_minor, &view.currency),
            }),
            Difference::SoldOut { title, .. } => Some(Change::SoldOut { title: title.clone() }),
            // What is not in the catalogue has no name but the page's, which is shown to nobody.
            Difference::Unavailable { .. } => Some(Change::Unavailable { name: "One item".to_owned() }),
            Difference::OfferEnded { .. } => Some(Change::OfferEnded),
            Difference::PricesHeld { .. } => None,
        })
        .collect()
}

/// An instant as people read it: "3 April 2026, 18:00 UTC". The hour is told because an offer ends with
/// it, and the zone because nobody's own is known for sure.
pub(crate) fn moment(at: Timestamp) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let text = at.to_rfc3339();
    let part = |range: core::ops::Range<usize>| text.get(range).unwrap_or_default();
    let month = part(5..7).parse::<usize>().ok().and_then(|m| MONTHS.get(m.wrapping_sub(1)));
    let day = part(8..10).trim_start_matches('0');
    match month {
        Some(month) => format!("{day} {month} {}, {} UTC", part(0..4), part(11..16)),
        None => text,
    }
}

/// What a message tells beside the cart.
pub(crate) struct About {
    /// What was granted.
    pub(crate) offer: Option<Offer>,
    /// Until when the prices of the cart as it was left hold.
    pub(crate) prices_until: Option<String>,
    /// It is about what was looked at.
    pub(crate) is_look: bool,
}

/// The model of a message about a cart.
pub(crate) fn message(shop: &Shop, view: &CartView, links: &Links, about: About) -> MessageModel {
    let d = &shop.document;
    let why = if about.is_look {
        format!("You looked at this at {} and agreed to be written to.", d.name)
    } else {
        format!("You left this cart at {} and agreed to be reminded of it.", d.name)
    };
    MessageModel {
        shop_name: d.name.clone(),
        home_url: shop.absolute(&d.home_url),
        support_email: Some(d.support_email.clone()),
        support_url: Some(shop.absolute(&d.support_url)),
        postal_address: d.postal_address.clone(),
        locale: d.locale.clone(),
        lines: view
            .lines
            .iter()
            .map(|l| ModelLine {
                title: l.title.clone(),
                // A platform's variant id is a number that says nothing to a person.
                variant: l.item_variant.clone().filter(|v| !v.bytes().all(|b| b.is_ascii_digit())),
                quantity: l.quantity,
                unit_price: amount(l.unit_price_minor, &view.currency),
                line_total: amount(l.unit_price_minor.saturating_mul(i64::from(l.quantity)), &view.currency),
                image_url: l.image_url.as_deref().map(|u| shop.absolute(u)),
                item_url: l.item_url.as_deref().map(|u| shop.absolute(u)),
            })
            .collect(),
        total: total(view),
        resume_url: links.resume.clone(),
        unsubscribe_url: links.unsubscribe.clone(),
        one_click_url: links.unsubscribe.clone(),
        preferences_url: None,
        why,
        offer: about.offer,
        prices_until: about.prices_until,
        first_name: None,
    }
}
