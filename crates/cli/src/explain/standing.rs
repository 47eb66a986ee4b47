//! Where a cart stands: the head of its story and what may come next. Says nothing that the state does
//! not hold; when the next step is due stands in the policy, which is not asked here.

use comeback_core::cart::{Cart, Trust};
use comeback_core::recovery::{Phase, Recovery};
use comeback_core::signal::{SessionFacts, Stage};

use super::{Steps, named, phase, push};
use crate::shown;

/// Cart, session, person, score, order.
pub(super) fn head(state: &Recovery) -> String {
    let mut text = String::new();
    push(&mut text, format_args!("{} of {} is {}", state.id, state.shop, phase(state.phase)));
    push(&mut text, format_args!("  in it    {}", contents(&state.cart)));
    for line in state.cart.lines() {
        let variant = line.item_variant.as_deref().map(|v| format!(", {v}")).unwrap_or_default();
        let told = shown::line(&format!("{} x {}{variant}", line.quantity, line.item_id));
        push(&mut text, format_args!("           {told}"));
    }
    push(&mut text, format_args!("  born     {}", state.born_at.to_rfc3339()));
    push(&mut text, format_args!("  touched  {}", state.last_activity.to_rfc3339()));
    push(&mut text, format_args!("  session  {}", session(&state.facts, state.automated)));
    if let Some((at, error)) = &state.trouble {
        let method = if error.method.is_empty() { String::new() } else { format!(" ({})", error.method) };
        let told = shown::line(&format!("{}: {}{method}", error.step, error.code));
        push(&mut text, format_args!("  trouble  {told}, at {}", at.to_rfc3339()));
    }
    if let Some((at, cause)) = &state.said {
        push(&mut text, format_args!("  said     stopped by {}, at {}", cause.as_str(), at.to_rfc3339()));
    }
    match &state.person {
        Some(person) => push(&mut text, format_args!("  person   {person}")),
        None => push(&mut text, format_args!("  person   nobody is known behind it")),
    }
    for held in &state.assignments {
        let conflict = if held.conflict { ", and to another: no clean case" } else { "" };
        let told = shown::line(&format!("arm {} of {}{conflict}", held.arm, held.experiment));
        push(&mut text, format_args!("  exposed  to {told}, since {}", held.at.to_rfc3339()));
    }
    if let Some((buy, model)) = &state.score {
        let model = shown::line(model);
        push(&mut text, format_args!("  score    {:.0} % to buy without help, by {model}", buy * 100.0));
    }
    if let Some(order) = &state.order {
        let paid = if order.paid { "paid" } else { "not yet known to be paid" };
        push(
            &mut text,
            format_args!("  order    {}, {paid}, {}", shown::line(&order.id), order.at.to_rfc3339()),
        );
    }
    text
}

fn contents(cart: &Cart) -> String {
    if cart.is_empty() {
        return "nothing".to_owned();
    }
    let signed = cart.lines().iter().all(|l| l.trust == Trust::Signed);
    let by = if signed { "as the platform signed it" } else { "at the prices a page named" };
    let pieces = cart.pieces();
    format!("{pieces} piece{}, {} {by}", if pieces == 1 { "" } else { "s" }, cart.total())
}

fn session(facts: &SessionFacts, automated: bool) -> String {
    let mut said = vec![
        match facts.stage {
            Stage::Browse => "looked around",
            Stage::Cart => "got as far as the cart",
            Stage::Checkout => "got as far as checkout",
            Stage::Shipping => "got as far as shipping",
            Stage::Payment => "got as far as payment",
        }
        .to_owned(),
    ];
    for (count, what) in [
        (facts.checkout_errors, "checkout error"),
        (facts.coupons_refused, "refused code"),
        (facts.shipping_estimates, "look at the price of shipping"),
        (facts.exit_intents, "gesture of leaving"),
    ] {
        match count {
            0 => {}
            1 => said.push(format!("1 {what}")),
            // "looks at", "gestures of": the first word takes the plural.
            n => {
                let (first, rest) = match what.split_once(' ') {
                    Some((first, rest)) if matches!(first, "look" | "gesture") => (first, format!(" {rest}")),
                    _ => (what, String::new()),
                };
                said.push(format!("{n} {first}s{rest}"));
            }
        }
    }
    if facts.mobile {
        said.push("on a phone".to_owned());
    }
    if automated {
        said.push("AUTOMATED: never written to".to_owned());
    }
    said.join(", ")
}

/// What may come next.
pub(super) fn next(state: &Recovery, steps: &Steps<'_>) -> String {
    if let Some(pending) = &state.pending {
        let step = named(&pending.key, steps);
        let at = pending.again_at.to_rfc3339();
        return if pending.deferred {
            format!(
                "Next: the gate is asked about {step} again at {at}, unless a later step comes due first."
            )
        } else {
            format!("Next: {step} is with the queue; if nobody settles it, it is offered again at {at}.")
        };
    }
    match state.phase {
        Phase::Active if state.automated => "Next: nothing; an automated session is not followed up.",
        Phase::Active if state.cart.is_empty() => "Next: nothing, as long as the cart is empty.",
        Phase::Active => "Next: it counts as left once its policy's idle time is over.",
        Phase::Abandoned | Phase::Recovering => "Next: the sequence's next step, when its policy says.",
        Phase::Exhausted => "Next: nothing, unless the shopper comes back.",
        Phase::OptedOut => "Next: nothing; the person wants no messages.",
        Phase::Ordered | Phase::Recovered | Phase::Completed => "Next: nothing; an order has ended it.",
        Phase::Expired => "Next: it is deleted.",
        Phase::Forgotten => "Next: nothing; the shopper wanted it forgotten.",
    }
    .to_owned()
}
