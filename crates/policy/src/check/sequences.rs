//! Sequences and steps that nobody ever gets, or gets otherwise than their author thinks.

use comeback_core::consent::Channel;
use comeback_core::policy::{Arm, Expr, Field, Op, Policy, Sequence, Step, Subject};
use comeback_core::recovery::Trigger;
use comeback_core::time::{DAY, HOUR, Millis};

use crate::diagnostic::Report;
use crate::logic::{Logic, Moment, Wish};
use crate::places::Places;
use crate::quantity::show_span;

pub(super) fn check(report: &mut Report<'_>, policy: &Policy, places: &Places, logic: &Logic<'_>) {
    for (index, sequence) in policy.sequences.iter().enumerate() {
        let before = policy.sequences.get(..index).unwrap_or_default();
        if reachable(report, policy, sequence, before, places, logic) {
            steps(report, policy, sequence, places, logic);
        }
    }
    for (trigger, span) in late(policy) {
        let message = format!(
            "a cart is never left by `{}` after {}: by then it has idled and is left",
            trigger.as_str(),
            show_span(span)
        );
        report.warn(places.at(&format!("abandonment.{}", trigger.as_str())), message, None);
    }
    let answered = policy.sequences.iter().any(|sequence| sequence.answers(Trigger::Browse));
    if policy.browse.is_some() && !answered {
        let help = Some("write one with `on = [\"browse\"]`".to_owned());
        report.warn(places.at("browse"), "no sequence answers a visit without a cart", help);
    }
}

/// The triggers that this policy switches on.
fn is_on(policy: &Policy, trigger: Trigger) -> bool {
    match trigger {
        Trigger::Idle => true,
        Trigger::PageExit => policy.triggers.page_exit_ms.is_some(),
        Trigger::CheckoutError => policy.triggers.checkout_error_ms.is_some(),
        Trigger::PlatformEnd => policy.triggers.platform_end_ms.is_some(),
        Trigger::AbruptEnd => policy.triggers.abrupt_end_ms.is_some(),
        Trigger::Browse => policy.browse.is_some(),
    }
}

/// How long after the last sign of life a trigger is due, where it is on.
fn span_of(policy: &Policy, trigger: Trigger) -> Option<Millis> {
    let on = &policy.triggers;
    match trigger {
        Trigger::Idle => on.idle_by_class.values().copied().chain([policy.idle_ms]).min(),
        Trigger::PageExit => on.page_exit_ms,
        Trigger::CheckoutError => on.checkout_error_ms,
        Trigger::PlatformEnd => on.platform_end_ms,
        Trigger::AbruptEnd => on.abrupt_end_ms,
        Trigger::Browse => policy.browse.as_ref().map(|browse| browse.idle_ms),
    }
}

/// Triggers that idling always comes before: all rest on something at or after the last sign of life.
fn late(policy: &Policy) -> impl Iterator<Item = (Trigger, Millis)> {
    let longest = policy.triggers.idle_by_class.values().copied().chain([policy.idle_ms]).max();
    let others = Trigger::ALL.into_iter().filter(|t| !matches!(t, Trigger::Idle | Trigger::Browse));
    others.filter_map(move |t| span_of(policy, t).filter(|span| Some(*span) > longest).map(|span| (t, span)))
}

/// The arms of experiments on a step.
fn arms<'p>(policy: &'p Policy, sequence: &'p Sequence, step: &'p Step) -> impl Iterator<Item = &'p Arm> {
    let on_it = |subject: &Subject| matches!(subject, Subject::Step { sequence: s, step: t } if *s == sequence.name && *t == step.name);
    policy.experiments.iter().filter(move |e| on_it(&e.subject)).flat_map(|e| &e.arms)
}

fn triggered(trigger: Trigger) -> Expr {
    Expr::Is { field: Field::AbandonmentTrigger, words: vec![trigger.as_str().to_owned()] }
}

/// Whether somebody can follow a sequence, as far as can be told.
fn reachable(
    report: &mut Report<'_>,
    policy: &Policy,
    sequence: &Sequence,
    before: &[Sequence],
    places: &Places,
    logic: &Logic<'_>,
) -> bool {
    let at = places.at(&format!("sequence.{}", sequence.name));
    let triggers: Vec<Trigger> = Trigger::ALL.into_iter().filter(|t| sequence.answers(*t)).collect();
    let on: Vec<Trigger> = triggers.iter().copied().filter(|t| is_on(policy, *t)).collect();
    let late: Vec<Trigger> = late(policy).map(|(trigger, _)| trigger).collect();
    if !on.is_empty() && on.iter().all(|trigger| late.contains(trigger)) {
        let message =
            format!("sequence `{}` is never followed: a cart that idles is left before", sequence.name);
        report.warn(at, message, None);
        return false;
    }
    if on.is_empty() {
        let off: Vec<String> = triggers
            .iter()
            .map(|trigger| match trigger {
                Trigger::Browse => "`[browse]`".to_owned(),
                other => format!("`[abandonment] {}`", other.as_str()),
            })
            .collect();
        let message = format!("sequence `{}` is never followed: {} is off", sequence.name, off.join(" and "));
        report.warn(at, message, None);
        return false;
    }
    if !some_follow(logic, sequence, &[], &on) {
        // A `for` that never holds by itself is told as that.
        if sequence.audience.as_ref().is_some_and(|audience| !logic.never(audience)) {
            let message = format!("sequence `{}` is never followed: `for` contradicts `on`", sequence.name);
            report.warn(places.at(&format!("sequence.{}.for", sequence.name)), message, None);
        }
        return false;
    }
    let before: Vec<&Sequence> = before.iter().collect();
    if some_follow(logic, sequence, &before, &on) {
        return true;
    }
    let taker = before.iter().find(|other| !some_follow(logic, sequence, &[**other], &on));
    let why = match taker {
        Some(other) if other.audience.is_none() => format!("`{}` before it is for everyone", other.name),
        Some(other) => format!("`{}` before it takes all of its people", other.name),
        None => "those before it together take all of its people".to_owned(),
    };
    let message = format!("sequence `{}` is never followed: {why}", sequence.name);
    report.warn(at, message, Some("put it first, or give the other a `for`".to_owned()));
    false
}

/// What a visit that left nothing in the cart never is.
static FILLED: std::sync::LazyLock<[Expr; 3]> = std::sync::LazyLock::new(|| {
    [Field::CartValue, Field::CartItems, Field::CartLines].map(|field| Expr::Compare {
        field,
        op: Op::Gt,
        value: 0.0,
    })
});

/// Whether, after one of the triggers, somebody whom none of the sequences before takes can follow it.
fn some_follow(logic: &Logic<'_>, sequence: &Sequence, before: &[&Sequence], on: &[Trigger]) -> bool {
    on.iter().any(|trigger| {
        let takers = before.iter().filter(|other| other.answers(*trigger));
        if takers.clone().any(|other| other.audience.is_none()) {
            return false;
        }
        let is_browse = *trigger == Trigger::Browse;
        let trigger = triggered(*trigger);
        let left = |expr, holds| Wish { expr, moment: Moment::Left, holds };
        let mut wishes = vec![left(&trigger, true)];
        wishes.extend(FILLED.iter().filter(|_| is_browse).map(|filled| left(filled, false)));
        wishes.extend(sequence.audience.as_ref().map(|audience| left(audience, true)));
        wishes.extend(takers.filter_map(|other| other.audience.as_ref()).map(|taken| left(taken, false)));
        logic.possible(&wishes) != Some(false)
    })
}

fn steps(report: &mut Report<'_>, policy: &Policy, sequence: &Sequence, places: &Places, logic: &Logic<'_>) {
    let path = |step: &Step, key: &str| format!("sequence.{}.steps.{}{key}", sequence.name, step.name);
    first_message(report, policy, sequence, places);
    for (index, step) in sequence.steps.iter().enumerate() {
        let next = sequence.steps.get(index + 1);
        if step.template == "incentive" && step.offer.is_none() {
            let message = format!("step `{}` uses the template `incentive` without an offer", step.name);
            report.warn(places.at(&path(step, "")), message, None);
        }
        if step.template == "looked" && !sequence.answers(Trigger::Browse) {
            let message = format!(
                "step `{}` speaks of what was only looked at, and its sequence is for carts",
                step.name
            );
            report.warn(places.at(&path(step, "")), message, None);
        }
        if let Some(when) = &step.when
            && !logic.never(when)
            && !sent_to_somebody(policy, sequence, index, step, logic)
        {
            let message =
                format!("step `{}` is never sent: `when` contradicts what holds by then", step.name);
            report.warn(places.at(&path(step, ".when")), message, None);
        }
        if let Some(next) =
            next.filter(|next| step.window_ms > 0 && step.at_ms + step.window_ms >= next.at_ms)
        {
            let message = format!(
                "the window of step `{}` reaches to {}, when step `{}` is due and takes its place",
                step.name,
                show_span(next.at_ms),
                next.name
            );
            report.warn(places.at(&path(step, ".window")), message, None);
        }
        if let Some(next) = next.filter(|next| next.at_ms - step.at_ms > policy.link_ttl_ms) {
            let message = format!(
                "the link of step `{}` dies after {}, {} before step `{}` brings the next",
                step.name,
                show_span(policy.link_ttl_ms),
                show_span(next.at_ms - step.at_ms - policy.link_ttl_ms),
                next.name
            );
            report.warn(places.at("link"), message, None);
        }
        if step.at_ms + policy.link_ttl_ms > policy.cart_retention_ms {
            let message = format!(
                "the link of step `{}` outlives its cart, which is kept {}",
                step.name,
                show_span(policy.cart_retention_ms)
            );
            report.warn(places.at("retention"), message, None);
        }
    }
    repeats(report, policy, sequence, places, logic);
    caps(report, policy, sequence, places);
}

/// Steps whose template an earlier one has used: within one abandonment a template goes out once,
/// by whatever channel, so they are skipped for whoever got the earlier one.
fn repeats(
    report: &mut Report<'_>,
    policy: &Policy,
    sequence: &Sequence,
    places: &Places,
    logic: &Logic<'_>,
) {
    for (index, step) in sequence.steps.iter().enumerate() {
        let later = sequence.steps.get(index + 1..).unwrap_or_default();
        for arm in arms(policy, sequence, step) {
            let taken = later.iter().find(|other| arm.template.as_ref() == Some(&other.template));
            if let Some(other) = taken {
                let message = format!(
                    "arm `{}` gives step `{}` the template of step `{}`, which then reaches only those whom the arm did not",
                    arm.name, step.name, other.name
                );
                let at = places.at(&format!("sequence.{}.steps.{}", sequence.name, other.name));
                report.warn(at, message, Some("a template goes out once per abandonment".to_owned()));
            }
        }
        let both = |other: &Step| {
            let whens = other.when.iter().chain(&step.when);
            let wishes: Vec<_> =
                whens.map(|expr| Wish { expr, moment: Moment::Claim, holds: true }).collect();
            other.template == step.template && logic.possible(&wishes) != Some(false)
        };
        let earlier = sequence.steps.get(..index).unwrap_or_default();
        if let Some(other) = earlier.iter().find(|other| both(other)) {
            let message = format!(
                "step `{}` has the template of step `{}` and reaches only those whom that did not",
                step.name, other.name
            );
            let at = places.at(&format!("sequence.{}.steps.{}", sequence.name, step.name));
            report.warn(at, message, Some("a template goes out once per abandonment".to_owned()));
        }
    }
}

/// Offers in the first message: they teach people to leave carts.
fn first_message(report: &mut Report<'_>, policy: &Policy, sequence: &Sequence, places: &Places) {
    let Some(step) = sequence.steps.first() else {
        return;
    };
    let Some(named) = &step.offer else {
        return;
    };
    let at = places.at(&format!("sequence.{}.steps.{}.offer", sequence.name, step.name));
    let arms = policy.learner(named).map(|learner| learner.arms.as_slice());
    let names = arms.unwrap_or(core::slice::from_ref(named));
    let offers: Vec<_> = names.iter().filter_map(|name| policy.offer(name)).collect();
    if sequence.answers(Trigger::Browse) {
        let message = format!("sequence `{}` begins with an offer to people who only looked", sequence.name);
        let help = Some("the first message after a visit without a cart has no offer".to_owned());
        report.error(at, message, help);
    } else if offers.iter().any(|offer| offer.first_message) {
        let message = format!("the first message, `{}`, already gives offer `{named}`", step.name);
        report.warn(at, message, Some("it teaches people to leave carts".to_owned()));
    } else if !offers.is_empty() {
        let message = format!("offer `{named}` is withheld from the first message, `{}`", step.name);
        report.warn(
            at,
            message,
            Some("move it to a later step, or say `first_message = true` in the offer".to_owned()),
        );
    }
}

/// Whether a step's own condition can hold for those who follow the sequence, when its turn comes.
fn sent_to_somebody(
    policy: &Policy,
    sequence: &Sequence,
    index: usize,
    step: &Step,
    logic: &Logic<'_>,
) -> bool {
    let earlier = f64::from(u16::try_from(index).unwrap_or(u16::MAX));
    let more = Expr::Compare { field: Field::AbandonmentContacts, op: Op::Gt, value: earlier };
    let mut excluded = vec![more];
    if index == 0 {
        // Before the first message there was no click.
        excluded.push(Expr::Compare { field: Field::AbandonmentClicks, op: Op::Gt, value: 0.0 });
    }
    // Only the steps before can have sent something.
    let before = || sequence.steps.iter().take(index);
    let by_arms =
        before().flat_map(|step| arms(policy, sequence, step)).filter_map(|arm| arm.channels.as_ref());
    let used: Vec<&str> = before()
        .map(|step| &step.channels)
        .chain(by_arms)
        .flatten()
        .map(|channel| channel.as_str())
        .collect();
    let unused = crate::shape::CHANNELS.iter().filter(|word| !used.contains(word));
    let words = unused.map(|word| (*word).to_owned()).collect();
    excluded.push(Expr::Is { field: Field::AbandonmentLastChannel, words });
    // A cart is at least as old as its abandonment.
    let at_ms =
        arms(policy, sequence, step).filter_map(|arm| arm.at_ms).chain([step.at_ms]).min().unwrap_or(0);
    excluded.push(Expr::Compare { field: Field::CartAge, op: Op::Lt, value: hours(at_ms) });
    let triggers = Trigger::ALL.into_iter().filter(|t| sequence.answers(*t) && is_on(policy, *t));
    let words = triggers.map(|trigger| trigger.as_str().to_owned()).collect();
    let trigger = Expr::Is { field: Field::AbandonmentTrigger, words };
    let mut wishes = vec![Wish { expr: &trigger, moment: Moment::Left, holds: true }];
    wishes.extend(excluded.iter().map(|expr| Wish { expr, moment: Moment::Claim, holds: false }));
    wishes.extend(sequence.audience.iter().map(|expr| Wish { expr, moment: Moment::Left, holds: true }));
    wishes.extend(step.when.iter().map(|expr| Wish { expr, moment: Moment::Claim, holds: true }));
    logic.possible(&wishes) != Some(false)
}

#[expect(clippy::cast_precision_loss, reason = "spans far below 2^52")]
fn hours(span: Millis) -> f64 {
    span as f64 / HOUR as f64
}

/// Steps that caps hold back although nothing else was sent, and those they never let pass.
fn caps(report: &mut Report<'_>, policy: &Policy, sequence: &Sequence, places: &Places) {
    let caps = &policy.caps;
    let mut sms = 0u32;
    // When each step goes out at the earliest, if all of them may.
    let mut sent: Vec<Millis> = Vec::new();
    for (index, step) in sequence.steps.iter().enumerate() {
        let at = places.at(&format!("sequence.{}.steps.{}", sequence.name, step.name));
        if step.channels == [Channel::Sms] {
            sms += 1;
            if sms > caps.sms_per_abandonment {
                let message = format!(
                    "step `{}` is text message {sms}, and `sms_per_abandonment` is {}: it is never sent",
                    step.name, caps.sms_per_abandonment
                );
                report.warn(at, message, None);
                continue;
            }
        }
        let rests = policy.fatigue.filter(|fatigue| {
            usize::try_from(fatigue.unanswered).is_ok_and(|unanswered| sent.len() >= unanswered)
        });
        if let Some(fatigue) = rests {
            let message = format!(
                "step `{}` reaches only people who followed a message: after {} unanswered ones a person rests for {}",
                step.name,
                fatigue.unanswered,
                show_span(fatigue.rest_ms)
            );
            report.warn(at, message, None);
            continue;
        }
        let mut due = step.at_ms;
        let mut why = None;
        // Waiting for one cap may meet the other; two rounds are enough for two caps.
        for _ in 0..2 {
            for (cap, span, rule) in [(caps.day, DAY, "day"), (caps.week, 7 * DAY, "week")] {
                let within: Vec<Millis> = sent.iter().copied().filter(|at| due - at < span).collect();
                let cap = usize::try_from(cap).unwrap_or(usize::MAX);
                if let Some(free) =
                    (cap > 0 && within.len() >= cap).then(|| within[within.len() - cap] + span)
                {
                    due = due.max(free);
                    why.get_or_insert((within.len() + 1, rule, cap));
                }
            }
        }
        let next = sequence.steps.get(index + 1).filter(|next| due >= next.at_ms);
        if let Some((count, rule, cap)) = why {
            let found =
                format!("step `{}` is message {count} within a {rule}, and the cap is {cap}", step.name);
            let message = match next {
                Some(next) => format!("{found}: it is put off until step `{}` takes its place", next.name),
                None => format!("{found}: it will wait"),
            };
            report.warn(at, message, None);
        }
        if next.is_none() {
            sent.push(due);
        }
    }
}
