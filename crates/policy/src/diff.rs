//! What changes from one policy to another, in words that a merchant reads. Says what is written
//! differently, not what it will do: that takes a log, and `comeback simulate`.

use core::fmt::Display;
use std::collections::BTreeMap;

use comeback_core::consent::{Channel, Source};
use comeback_core::policy::{
    Arm, Experiment, Expr, Learner, LeavingRules, Offer, OfferKind, PanelRules, Policy, Segment, Sequence,
    Step, Subject,
};
use comeback_core::recovery::Trigger;
use comeback_core::time::{Millis, QuietHours};
use serde::Serialize;

use crate::quantity::show_span;
use crate::words::show_condition;

/// How a part changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is otherwise.
    Changed,
}

/// One thing that is different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// How.
    pub kind: ChangeKind,
    /// Which part, by its path: `sequence.standard.steps.reminder.at`.
    pub part: String,
    /// In words: "step `reminder` of `standard` moves from 24h to 1h".
    pub text: String,
}

impl Display for Change {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.text)
    }
}

/// Everything in which `new` differs from `old`, in the order of the document. Empty exactly when both
/// have the same meaning, name and description included.
#[must_use]
pub fn diff(old: &Policy, new: &Policy) -> Vec<Change> {
    let mut told = Told::default();
    told.value("policy.name", "the policy's name", &old.name, &new.name);
    if old.description != new.description {
        told.changed("policy.description", "the description is another".to_owned());
    }
    abandonment(&mut told, old, new);
    told.parts("segment", "segment", &old.segments, &new.segments, |s| &s.name, segment);
    told.parts("offer", "offer", &old.offers, &new.offers, |o| &o.name, offer);
    told.parts("learner", "learner", &old.learners, &new.learners, |l| &l.name, learner);
    told.parts("sequence", "sequence", &old.sequences, &new.sequences, |s| &s.name, sequence);
    order(&mut told, old, new);
    told.parts("experiment", "experiment", &old.experiments, &new.experiments, |e| &e.name, experiment);
    told.parts("panel", "panel", &old.panels, &new.panels, |p| &p.panel, panel);
    bounds(&mut told, old, new);
    people(&mut told, old, new);
    rest(&mut told, old, new);
    told.changes
}

#[derive(Default)]
struct Told {
    changes: Vec<Change>,
}

impl Told {
    fn push(&mut self, kind: ChangeKind, part: impl Into<String>, text: String) {
        self.changes.push(Change { kind, part: part.into(), text });
    }

    fn changed(&mut self, part: impl Into<String>, text: String) {
        self.push(ChangeKind::Changed, part, text);
    }

    /// One value that is another.
    fn value<T: PartialEq + Display>(&mut self, part: impl Into<String>, what: &str, old: &T, new: &T) {
        if old != new {
            self.changed(part, format!("{what} changes from {old} to {new}"));
        }
    }

    /// A span.
    fn span(&mut self, part: impl Into<String>, what: &str, old: Millis, new: Millis) {
        self.value(part, what, &show_span(old), &show_span(new));
    }

    /// A condition; none is everyone.
    fn condition(&mut self, part: String, what: &str, old: Option<&Expr>, new: Option<&Expr>) {
        match (old, new) {
            (None, Some(new)) => {
                self.push(ChangeKind::Added, part, format!("{what} now asks for `{}`", show_condition(new)));
            }
            (Some(old), None) => {
                let text = format!("{what} no longer asks for `{}`", show_condition(old));
                self.push(ChangeKind::Removed, part, text);
            }
            (Some(old), Some(new)) if old != new => self.changed(
                part,
                format!("{what} asks for `{}` instead of `{}`", show_condition(new), show_condition(old)),
            ),
            _ => {}
        }
    }

    /// Something that may not be there.
    fn maybe<T: PartialEq>(
        &mut self,
        part: impl Into<String>,
        what: &str,
        old: Option<&T>,
        new: Option<&T>,
        show: impl Fn(&T) -> String,
    ) {
        match (old, new) {
            (None, Some(new)) => self.push(ChangeKind::Added, part, format!("{what} is now {}", show(new))),
            (Some(old), None) => {
                self.push(ChangeKind::Removed, part, format!("{what}, until now {}, is gone", show(old)));
            }
            (Some(old), Some(new)) if old != new => {
                self.changed(part, format!("{what} changes from {} to {}", show(old), show(new)));
            }
            _ => {}
        }
    }

    /// Yes or no.
    fn flag(&mut self, part: impl Into<String>, what: &str, old: bool, new: bool) {
        match (old, new) {
            (false, true) => self.push(ChangeKind::Added, part, what.to_owned()),
            (true, false) => self.push(ChangeKind::Removed, part, format!("no longer: {what}")),
            _ => {}
        }
    }

    /// Parts with names.
    fn parts<T: PartialEq>(
        &mut self,
        path: &str,
        what: &str,
        old: &[T],
        new: &[T],
        name: impl Fn(&T) -> &str,
        differ: impl Fn(&mut Self, &str, &T, &T),
    ) {
        for gone in old.iter().filter(|one| !new.iter().any(|other| name(other) == name(one))) {
            let text = format!("{what} `{}` is gone", name(gone));
            self.push(ChangeKind::Removed, format!("{path}.{}", name(gone)), text);
        }
        for one in new {
            let path = format!("{path}.{}", name(one));
            match old.iter().find(|other| name(other) == name(one)) {
                None => self.push(ChangeKind::Added, path, format!("{what} `{}` is new", name(one))),
                Some(before) if before != one => differ(self, &path, before, one),
                Some(_) => {}
            }
        }
    }

    /// Values by a word.
    fn map<T: PartialEq>(
        &mut self,
        path: &str,
        what: &str,
        old: &BTreeMap<String, T>,
        new: &BTreeMap<String, T>,
        show: impl Fn(&T) -> String + Copy,
    ) {
        let words = old.keys().chain(new.keys().filter(|word| !old.contains_key(*word)));
        for word in words {
            let what = format!("{what} `{word}`");
            self.maybe(format!("{path}.{word}"), &what, old.get(word), new.get(word), show);
        }
    }
}

fn span(span: &Millis) -> String {
    show_span(*span)
}

fn text(text: &impl ToString) -> String {
    text.to_string()
}

fn channels(channels: &[Channel]) -> String {
    let names: Vec<&str> = channels.iter().map(|channel| channel.as_str()).collect();
    names.join(", then ")
}

fn listed(words: &[String]) -> String {
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

fn named(name: &str) -> String {
    format!("`{name}`")
}

fn abandonment(told: &mut Told, old: &Policy, new: &Policy) {
    told.span(
        "abandonment.idle",
        "the idle time after which a cart counts as left",
        old.idle_ms,
        new.idle_ms,
    );
    let (a, b) = (&old.triggers, &new.triggers);
    let by_class = "the idle time for class";
    told.map("abandonment.idle_by_class", by_class, &a.idle_by_class, &b.idle_by_class, span);
    for (key, what, old, new) in [
        ("page_exit", "the time after leaving the page", a.page_exit_ms, b.page_exit_ms),
        ("checkout_error", "the time after a checkout error", a.checkout_error_ms, b.checkout_error_ms),
        ("platform_end", "the time after the platform's session ends", a.platform_end_ms, b.platform_end_ms),
        ("abrupt_end", "the time after a checkout falls silent", a.abrupt_end_ms, b.abrupt_end_ms),
    ] {
        told.maybe(format!("abandonment.{key}"), what, old.as_ref(), new.as_ref(), span);
    }
    match (&old.browse, &new.browse) {
        (None, Some(_)) => {
            told.push(ChangeKind::Added, "browse", "looking without a cart now counts as left".to_owned());
        }
        (Some(_), None) => {
            let text = "looking without a cart no longer counts as left".to_owned();
            told.push(ChangeKind::Removed, "browse", text);
        }
        (Some(old), Some(new)) => {
            told.span(
                "browse.dwell",
                "the time on a product that counts as interest",
                old.dwell_ms,
                new.dwell_ms,
            );
            let what = "the time on a product of class";
            told.map("browse.dwell_by_class", what, &old.dwell_by_class, &new.dwell_by_class, span);
            told.span("browse.idle", "the idle time after which a visit is over", old.idle_ms, new.idle_ms);
            told.value("browse.per_week", "the cap on browse messages a week", &old.per_week, &new.per_week);
        }
        (None, None) => {}
    }
}

fn segment(told: &mut Told, path: &str, old: &Segment, new: &Segment) {
    let what = named(&new.name);
    told.condition(format!("{path}.when"), &format!("segment {what}"), Some(&old.when), Some(&new.when));
}

fn given(offer: &Offer) -> String {
    match offer.kind {
        OfferKind::Percent => format!("{} % off", offer.percent),
        OfferKind::Amount => format!("{} off", offer.amount),
        OfferKind::FreeShipping => "free shipping".to_owned(),
    }
}

fn offer(told: &mut Told, path: &str, old: &Offer, new: &Offer) {
    let name = named(&new.name);
    let what = |rest: &str| format!("{rest} of offer {name}");
    let key = |key: &str| format!("{path}.{key}");
    if given(old) != given(new) {
        let text = format!("offer {name} gives {} instead of {}", given(new), given(old));
        told.changed(key("kind"), text);
    }
    told.span(key("valid_for"), &what("the life"), old.valid_ms, new.valid_ms);
    told.condition(key("when"), &format!("offer {name}"), old.when.as_ref(), new.when.as_ref());
    let margin = what("the margin to be left");
    told.maybe(key("min_margin"), &margin, old.min_margin.as_ref(), new.min_margin.as_ref(), text);
    told.value(key("not_for"), &what("the excluded classes"), &listed(&old.not_for), &listed(&new.not_for));
    told.maybe(
        key("per_90d"),
        &what("the bound per person"),
        old.per_90d.as_ref(),
        new.per_90d.as_ref(),
        text,
    );
    let budget = what("the budget of a day");
    told.maybe(key("budget_day"), &budget, old.budget_day.as_ref(), new.budget_day.as_ref(), text);
    let first = format!("offer {name} may go along with the first message");
    told.flag(key("first_message"), &first, old.first_message, new.first_message);
    told.flag(key("approval"), &format!("offer {name} needs an approval"), old.approval, new.approval);
    let prices = what("the time for which prices are honoured");
    told.maybe(
        key("honour_price"),
        &prices,
        old.honour_price_ms.as_ref(),
        new.honour_price_ms.as_ref(),
        span,
    );
}

fn learner(told: &mut Told, path: &str, old: &Learner, new: &Learner) {
    let name = named(&new.name);
    let what = |rest: &str| format!("{rest} of learner {name}");
    told.value(format!("{path}.arms"), &what("the arms"), &listed(&old.arms), &listed(&new.arms));
    let share = what("the least share");
    told.value(format!("{path}.least_share"), &share, &old.least_share, &new.least_share);
    told.value(format!("{path}.cohorts"), &what("the cohorts"), &listed(&old.cohorts), &listed(&new.cohorts));
    told.map(
        &format!("{path}.cost"),
        &format!("for learner {name}, the cost of"),
        &old.cost,
        &new.cost,
        text,
    );
}

fn triggers(sequence: &Sequence) -> String {
    let names: Vec<&str> =
        Trigger::ALL.into_iter().filter(|t| sequence.answers(*t)).map(Trigger::as_str).collect();
    names.join(", ")
}

fn sequence(told: &mut Told, path: &str, old: &Sequence, new: &Sequence) {
    let name = named(&new.name);
    told.value(
        format!("{path}.on"),
        &format!("what sequence {name} answers"),
        &triggers(old),
        &triggers(new),
    );
    let what = format!("sequence {name}");
    told.condition(format!("{path}.for"), &what, old.audience.as_ref(), new.audience.as_ref());
    let steps = format!("{path}.steps");
    let step_of = |told: &mut Told, path: &str, old: &Step, new: &Step| step(told, path, &name, old, new);
    let before = told.changes.len();
    told.parts(&steps, "step", &old.steps, &new.steps, |s| &s.name, step_of);
    for change in told.changes.iter_mut().skip(before) {
        // A step is known by its sequence too.
        match change.kind {
            ChangeKind::Added if change.text.ends_with(" is new") => {
                let step = new.steps.iter().find(|step| change.part == format!("{steps}.{}", step.name));
                if let Some(step) = step {
                    change.text = format!(
                        "step `{}` of {name} is new: {} after {}",
                        step.name,
                        channels(&step.channels),
                        show_span(step.at_ms)
                    );
                }
            }
            ChangeKind::Removed if change.text.starts_with("step ") && change.text.ends_with(" is gone") => {
                let step = old.steps.iter().find(|step| change.part == format!("{steps}.{}", step.name));
                if let Some(step) = step {
                    change.text = format!("step `{}` of {name} is gone", step.name);
                }
            }
            _ => {}
        }
    }
}

fn step(told: &mut Told, path: &str, sequence: &str, old: &Step, new: &Step) {
    let name = format!("step `{}` of {sequence}", new.name);
    let key = |key: &str| format!("{path}.{key}");
    if old.at_ms != new.at_ms {
        let text = format!("{name} moves from {} to {}", show_span(old.at_ms), show_span(new.at_ms));
        told.changed(key("at"), text);
    }
    told.span(key("window"), &format!("the window of {name}"), old.window_ms, new.window_ms);
    if old.channels != new.channels {
        let text =
            format!("{name} goes by {} instead of {}", channels(&new.channels), channels(&old.channels));
        told.changed(key("channel"), text);
    }
    if old.template != new.template {
        let text = format!("{name} says `{}` instead of `{}`", new.template, old.template);
        told.changed(key("template"), text);
    }
    match (&old.offer, &new.offer) {
        (None, Some(new)) => told.push(ChangeKind::Added, key("offer"), format!("{name} now offers `{new}`")),
        (Some(old), None) => {
            told.push(ChangeKind::Removed, key("offer"), format!("{name} no longer offers `{old}`"));
        }
        (Some(old), Some(new)) if old != new => {
            told.changed(key("offer"), format!("{name} offers `{new}` instead of `{old}`"));
        }
        _ => {}
    }
    told.condition(key("when"), &name, old.when.as_ref(), new.when.as_ref());
}

/// Sequences are tried in turn: another order is another policy.
fn order(told: &mut Told, old: &Policy, new: &Policy) {
    let names = |policy: &Policy, other: &Policy| -> Vec<String> {
        let both = policy.sequences.iter().filter(|s| other.sequence(&s.name).is_some());
        both.map(|s| s.name.clone()).collect()
    };
    let (before, after) = (names(old, new), names(new, old));
    told.value("sequence", "the order in which sequences are tried", &listed(&before), &listed(&after));
}

fn panel(told: &mut Told, path: &str, old: &PanelRules, new: &PanelRules) {
    let name = named(&new.panel);
    let key = |key: &str| format!("{path}.{key}");
    told.flag(path, &format!("panel {name} is off"), old.off, new.off);
    for (k, old, new) in [
        ("max_buy", old.max_buy, new.max_buy),
        ("min_cart", old.min_cart, new.min_cart),
        ("min_pages", old.min_pages.map(f64::from), new.min_pages.map(f64::from)),
    ] {
        told.maybe(key(k), &format!("`{k}` of panel {name}"), old.as_ref(), new.as_ref(), f64::to_string);
    }
    for (k, old, new) in [
        ("dwell", old.dwell_ms, new.dwell_ms),
        ("cooldown", old.cooldown_ms, new.cooldown_ms),
        ("again", old.again_ms, new.again_ms),
    ] {
        let span = |ms: &Millis| show_span(*ms);
        told.maybe(key(k), &format!("`{k}` of panel {name}"), old.as_ref(), new.as_ref(), span);
    }
    let what = format!("the offer of panel {name}");
    told.maybe(key("offer"), &what, old.offer.as_ref(), new.offer.as_ref(), |o| format!("`{o}`"));
}

fn subject(experiment: &Experiment) -> String {
    match &experiment.subject {
        Subject::Step { sequence, step } => format!("step `{step}` of `{sequence}`"),
        Subject::Panel { panel } => format!("panel `{panel}`"),
    }
}

fn experiment(told: &mut Told, path: &str, old: &Experiment, new: &Experiment) {
    let name = named(&new.name);
    if old.hypothesis != new.hypothesis {
        told.changed(format!("{path}.hypothesis"), format!("the hypothesis of experiment {name} is another"));
    }
    told.value(path, &format!("the subject of experiment {name}"), &subject(old), &subject(new));
    let of = |arm: &Arm| {
        let mut says = vec![format!("weight {}", arm.weight)];
        says.extend(arm.at_ms.map(|at| format!("at {}", show_span(at))));
        says.extend(arm.channels.as_deref().map(|c| format!("by {}", channels(c))));
        says.extend(arm.template.as_ref().map(|t| format!("says `{t}`")));
        says.extend(arm.offer.as_ref().map(|o| format!("offers `{o}`")));
        says.extend(arm.silent.then(|| "silent".to_owned()));
        says.extend(arm.copy.as_ref().map(|c| format!("in the words `{c}`")));
        says.extend(arm.dwell_ms.map(|ms| format!("after {}", show_span(ms))));
        says.extend(arm.max_buy.map(|p| format!("up to {p} likely to buy")));
        says.join(", ")
    };
    let all = |experiment: &Experiment| -> Vec<String> {
        experiment.arms.iter().map(|arm| format!("`{}` ({})", arm.name, of(arm))).collect()
    };
    let what = format!("the arms of experiment {name}");
    told.value(format!("{path}.arms"), &what, &listed(&all(old)), &listed(&all(new)));
}

fn bounds(told: &mut Told, old: &Policy, new: &Policy) {
    let (a, b) = (&old.caps, &new.caps);
    told.value("caps.per_person.day", "the cap per person and day", &a.day, &b.day);
    told.value("caps.per_person.week", "the cap per person and week", &a.week, &b.week);
    let sms = "the cap on text messages per abandonment";
    told.value("caps.sms_per_abandonment", sms, &a.sms_per_abandonment, &b.sms_per_abandonment);
    let unverified = "the time in which an unverified address gets one recovery";
    told.span("caps.unverified", unverified, a.unverified_ms, b.unverified_ms);
    told.maybe(
        "fatigue",
        "the rest for people who follow nothing",
        old.fatigue.as_ref(),
        new.fatigue.as_ref(),
        |f| format!("{} after {} messages", show_span(f.rest_ms), f.unanswered),
    );
    told.value("holdout.percent", "the holdout in percent", &old.holdout_percent, &new.holdout_percent);
    told.value("rollout.percent", "the rollout in percent", &old.rollout.percent, &new.rollout.percent);
    let (a, b) = (old.rollout.per_hour.as_ref(), new.rollout.per_hour.as_ref());
    told.maybe("rollout.per_hour", "the bound per hour", a, b, text);
}

fn people(told: &mut Told, old: &Policy, new: &Policy) {
    for channel in crate::word::ALL_CHANNELS {
        let least = |policy: &Policy| match policy.consent.least.get(&channel) {
            None | Some(Source::Page) => "a ticked box",
            Some(Source::Signed) => "the shop's word",
            Some(Source::Person) => "a confirmation from the address itself",
        };
        let what = format!("what a yes to {channel} must rest on");
        told.value(format!("consent.{channel}"), &what, &least(old), &least(new));
    }
    let what = "customers may get email without a recorded yes, where the law lets that be";
    told.flag("consent.soft_opt_in", what, old.consent.soft_opt_in, new.consent.soft_opt_in);
    let (a, b) = (&old.channels, &new.channels);
    let shown = |list: &[Channel]| if list.is_empty() { "nothing".to_owned() } else { channels(list) };
    let what = "what is tried first on phones";
    told.value("channels.mobile_first", what, &shown(&a.mobile_first), &shown(&b.mobile_first));
    let what = "the channel a person asked for goes first";
    told.flag("channels.by_preference", what, a.by_preference, b.by_preference);
    let what = "the channel that is followed most goes first";
    told.flag("channels.by_performance", what, a.by_performance, b.by_performance);
    let (a, b) = (old.quiet_hours.as_ref(), new.quiet_hours.as_ref());
    told.maybe("quiet_hours", "the quiet part of the day", a, b, |quiet: &QuietHours| {
        let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        format!("{}-{}", time(quiet.from), time(quiet.to))
    });
    let what = "the zone of people whose zone is unknown";
    told.value("quiet_hours.default_zone", what, &old.default_zone, &new.default_zone);
    let (a, b) = (old.default_country.as_ref(), new.default_country.as_ref());
    told.maybe("jurisdiction.default_country", "the country of people without a place", a, b, text);
    for pack in &old.jurisdictions {
        let part = format!("jurisdiction.packs.{}", pack.code);
        match new.jurisdictions.iter().find(|other| other.code == pack.code) {
            None => {
                let text = format!("the law of {} (pack \"{}\") no longer applies", pack.name, pack.code);
                told.push(ChangeKind::Removed, part, text);
            }
            Some(other) if other != pack => {
                let text = format!(
                    "the law of {} (pack \"{}\") is that of {} instead of {}",
                    pack.name, pack.code, other.as_of, pack.as_of
                );
                told.changed(part, text);
            }
            Some(_) => {}
        }
    }
    for pack in &new.jurisdictions {
        if !old.jurisdictions.iter().any(|other| other.code == pack.code) {
            let text = format!("the law of {} (pack \"{}\") now applies", pack.name, pack.code);
            told.push(ChangeKind::Added, format!("jurisdiction.packs.{}", pack.code), text);
        }
    }
}

fn leaving(told: &mut Told, old: &LeavingRules, new: &LeavingRules) {
    for (k, what, old, new) in [
        ("act_below", "the score at which a page counts as being left", old.act_below, new.act_below),
        ("min_speed", "the least speed of a mouse that leaves", old.min_velocity_px_s, new.min_velocity_px_s),
        ("min_scroll", "the least speed of a page thrown up", old.min_scroll_px_s, new.min_scroll_px_s),
    ] {
        told.maybe(format!("leaving.{k}"), what, old.as_ref(), new.as_ref(), text);
    }
    for (k, what, old, new) in [
        ("away", "the time out of sight after which a return counts as leaving", old.away_ms, new.away_ms),
        ("idle", "the stillness that counts as leaving", old.idle_ms, new.idle_ms),
    ] {
        told.maybe(format!("leaving.{k}"), what, old.as_ref(), new.as_ref(), |ms| show_span(*ms));
    }
}

fn rest(told: &mut Told, old: &Policy, new: &Policy) {
    leaving(told, &old.leaving, &new.leaving);
    told.map("currency.rates", "the rate of", &old.rates, &new.rates, text);
    let (a, b) = (old.free_shipping_from.as_ref(), new.free_shipping_from.as_ref());
    told.maybe("shipping.free_from", "the value from which shipping is free", a, b, text);
    let what = "the time after a click in which an order counts as recovered";
    told.span("attribution.click", what, old.attribution_click_ms, new.attribution_click_ms);
    told.span("link.valid_for", "the life of a resume link", old.link_ttl_ms, new.link_ttl_ms);
    told.span("retention.cart", "the time a cart is kept", old.cart_retention_ms, new.cart_retention_ms);
}
