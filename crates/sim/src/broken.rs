//! Rules that can be switched off, to see that their absence is found out. The core has no such switch: a rule of the
//! gate is switched off by asking it about a person, a request and a policy doctored so that this rule passes, and
//! a duty of the shell by not doing it.

use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::gate::ClaimRequest;
use comeback_core::jurisdiction::{Law, Pack, Rule as LawRule};
use comeback_core::person::Person;
use comeback_core::policy::{Arm, Expr, Policy};
use comeback_core::time::{DAY, Timestamp};

use crate::checker::Kind;
use crate::place::HOMES;

macro_rules! rules {
    ($($name:ident $text:literal $kind:ident $tells:literal;)*) => {
        /// A rule that can be switched off.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule {
            $(#[doc = $tells] $name,)*
        }

        impl Rule {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name on the command line.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What is left undone.
            #[must_use]
            pub const fn tells(self) -> &'static str {
                match self { $(Self::$name => $tells,)* }
            }

            /// As what its absence shows.
            #[must_use]
            pub const fn shows_as(self) -> Kind {
                match self { $(Self::$name => Kind::$kind,)* }
            }
        }
    };
}

rules! {
    Ordered "ordered" AfterPurchase "gate: an order since the cart was begun ends it";
    OptedOut "opted_out" AfterOptOut "gate: who said no to everything hears nothing";
    ChannelOptedOut "channel_opted_out" AfterOptOut "gate: who said no to a channel hears nothing there";
    Paused "paused" AfterOptOut "gate: a pause is kept";
    Forgotten "forgotten" AfterOptOut "gate: nothing about a cart that is forgotten, whatever it says itself";
    Consent "consent" Other "gate: nothing without a yes";
    Automated "automated" Other "gate: nothing for the cart of a program";
    Stopped "stopped" Other "gate: nothing while the shop has stopped";
    QuietHours "quiet_hours" Quiet "gate: quiet hours where the recipient is";
    Jurisdiction "jurisdiction" Quiet "gate: the law of the recipient's place";
    LawQuiet "law_quiet" Quiet "law: hours at which nothing goes out";
    LawDays "law_days" Quiet "law: days on which nothing goes out";
    LawPerAbandonment "law_abandonment" Cap "law: messages for one abandonment";
    LawPerDay "law_per_day" Cap "law: messages a day";
    LawWithin "law_within" Other "law: nothing later after the abandonment than it allows";
    LawConsent "law_consent" Other "law: a yes that is firm enough";
    SoftElsewhere "soft_elsewhere" Other "law: customers need a yes where no law lets them go without";
    SoftVouched "soft_vouched" Other "law: no customer by an address that was only typed";
    SoftBought "soft_bought" Other "law: no customer by an order that only a page told of";
    NumberLaw "number_law" Quiet "law: for a text message that of the number's country counts besides";
    EveryLaw "every_law" Other "law: where nothing is known of a place, all of it counts";
    EveryRegion "every_region" Quiet "law: where no region is known, that of all of them counts";
    EveryZone "every_zone" Quiet "gate: where only a country is known, it must be day in all of it";
    CapDay "cap_day" Cap "gate: messages a day";
    CapWeek "cap_week" Cap "gate: messages a week";
    SmsCap "sms_cap" Cap "gate: text messages for one abandonment";
    Unverified "unverified" Cap "gate: one recovery for an address that nobody proved";
    OneSequence "one_sequence" Cap "gate: the newest cart only";
    SentBefore "sent_before" Duplicate "gate: what was sent is not sent again";
    Lease "lease" Duplicate "person: a second holder waits for the first's lease";
    Unknown "unknown" Duplicate "person: a text message that may have gone out is not repeated";
    Fatigue "fatigue" Cap "gate: who followed none of the last messages is left alone";
    CapBrowse "cap_browse" Cap "gate: messages about things looked at";
    Repeats "repeats" Cap "gate: nothing is said twice in one abandonment";
    Holdout "holdout" Other "gate: who is held out is never written to";
    Rollout "rollout" Other "gate: nothing to whom the policy has not reached";
    PerHour "per_hour" Cap "gate: no hour has more messages than its bound";
    Budget "budget" Cap "offers: no day gives away more than its budget";
    OfferAgain "offer_again" Other "offers: what was promised stays what it was";
    OfferOften "offer_often" Cap "offers: who leaves carts for their sake stops getting them";
    OfferFirst "offer_first" Other "offers: none with the first message";
    Approval "approval" Other "offers: not before somebody approved it";
    Margin "margin" Other "offers: enough is left";
    Activation "activation" Other "gate: never a cart older than the activation";
    StepCondition "step_condition" Other "gate: nothing where the condition of the step does not hold";
    Showable "showable" Other "gate: nothing about a cart in which there is nothing to show";
    Shadow "shadow" Other "gate: a policy in shadow sends nothing";
    SilentArm "silent_arm" Other "experiments: a silent arm sends nothing";
    ArmChannel "arm_channel" Other "experiments: an arm's channels";
    ArmTemplate "arm_template" Other "experiments: an arm's template";
    ArmOffer "arm_offer" Other "experiments: an arm's offer";
    ArmTime "arm_time" Other "experiments: an arm's time, by the cart's plan and by the gate";
    ArmDue "arm_due" Other "gate: a later arm than the cart knew of is waited for";
    FirstArm "first_arm" Other "experiments: the first arm stays, whoever turns out to be one";
    OldOrders "old_orders" Lost "gate: an order from before the cart is another matter";
    NewestFirst "newest_first" Lost "gate: the newest cart is followed, not the oldest";
    OneNo "one_no" Lost "gate: a no to one channel is no no to another";
    AYes "a_yes" Lost "gate: a yes is a yes";
    ACondition "a_condition" Lost "gate: a condition that holds holds";
    LawElsewhere "law_elsewhere" Lost "law: a law holds where it is law";
    Claim "claim" Cap "shell: leave is written down before it is used";
    SameKey "same_key" Duplicate "shell: every attempt goes under one key";
    Reserve "reserve" Cap "shell: what was given away and sent is remembered";
    Settle "settle" Lost "shell: a send is settled when it is over, not when it is on the queue";
    Alarm "alarm" Lost "shell: an alarm is set behind every write";
    Pending "pending" Lost "shell: a send stays pending until it is settled";
    OrderFirst "order_first" AfterPurchase "shell: an order is written before it is acknowledged";
    OptOutFirst "opt_out_first" AfterOptOut "shell: a no is written before it is acknowledged";
    ForgetFirst "forget_first" AfterOptOut "shell: a cart is forgotten before that is acknowledged";
    OrderToAll "order_to_all" AfterPurchase "shell: an order is told to everybody it may concern";
    OrderNear "order_near" AfterPurchase "shell: an order is told to whoever had something sent there last";
    Absorb "absorb" AfterOptOut "shell: a merge hands over everything";
}

impl Rule {
    /// The rule of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|rule| rule.as_str() == name)
    }

    /// Whether the gate or the person's claim is asked about something else than what is.
    #[must_use]
    pub const fn doctors_the_claim(self) -> bool {
        !matches!(
            self,
            Self::Claim
                | Self::SameKey
                | Self::Reserve
                | Self::Settle
                | Self::Alarm
                | Self::Pending
                | Self::OrderFirst
                | Self::OptOutFirst
                | Self::ForgetFirst
                | Self::OrderToAll
                | Self::OrderNear
                | Self::Absorb
        )
    }

    /// Doctors what a claim is about, so that this rule has nothing to object to; returns whether the provider
    /// is said to know keys.
    pub(crate) fn doctor(
        self,
        now: Timestamp,
        person: &mut Person,
        request: &mut ClaimRequest,
        policy: &mut Policy,
        idempotent: bool,
    ) -> bool {
        const MANY: u32 = 1_000;
        match self {
            Self::Ordered => person.orders.clear(),
            Self::OptedOut => person.opted_out_of_all = None,
            Self::ChannelOptedOut => {
                let gone: Vec<_> = person.opt_outs.drain(..).map(|(channel, _)| channel).collect();
                // A no is a word as well as an opt-out; the yes before it stands again.
                person.consents.retain(|c| c.granted || !gone.contains(&c.channel));
            }
            Self::Forgotten => person.forgotten.clear(),
            Self::Paused => person.paused_until = None,
            Self::Consent => {
                for channel in &request.step.channels {
                    person.consents.push(Consent {
                        channel: *channel,
                        granted: true,
                        wording: "nobody said so".to_owned(),
                        at: now,
                        source: Source::Person,
                    });
                }
            }
            Self::Automated => request.automated = false,
            Self::Stopped => request.stopped = false,
            Self::QuietHours => policy.quiet_hours = None,
            Self::Jurisdiction => policy.jurisdictions.clear(),
            Self::LawQuiet => keep(policy, |law| !matches!(law, Law::Quiet { .. })),
            Self::LawDays => keep(policy, |law| !matches!(law, Law::NoDays { .. })),
            Self::LawPerAbandonment => keep(policy, |law| !matches!(law, Law::PerAbandonment { .. })),
            Self::LawPerDay => keep(policy, |law| !matches!(law, Law::PerDay { .. })),
            Self::LawWithin => keep(policy, |law| !matches!(law, Law::Within { .. })),
            Self::LawConsent => keep(policy, |law| !matches!(law, Law::LeastConsent { .. })),
            Self::LawElsewhere => {
                let homes: Vec<String> = HOMES.iter().map(|home| home.country.to_owned()).collect();
                policy.jurisdictions.iter_mut().for_each(|pack| pack.countries.clone_from(&homes));
            }
            Self::SoftElsewhere => {
                let law = Law::SoftOptIn { channel: Channel::Email, span_ms: 730 * DAY };
                policy.jurisdictions.push(Pack {
                    code: "everywhere".to_owned(),
                    name: "everywhere".to_owned(),
                    countries: HOMES.iter().map(|home| home.country.to_owned()).collect(),
                    regions: vec![],
                    as_of: "2026-01-01".to_owned(),
                    holidays: vec![],
                    rules: vec![LawRule { id: "soft".to_owned(), source: "nowhere".to_owned(), law }],
                });
            }
            Self::SoftVouched => person.contacts.iter_mut().for_each(|c| c.verified = true),
            Self::SoftBought => {
                let orders = person.orders.iter_mut();
                orders.for_each(|o| o.total_minor = o.total_minor.or(Some(0)));
            }
            Self::NumberLaw => {
                let texts = person.contacts.iter_mut().filter(|c| c.channel == Channel::Sms);
                texts.for_each(|number| number.address = dialled_from_elsewhere(&number.address));
            }
            Self::EveryLaw if person.place.country.is_none() => {
                request.place.country = request.place.country.take().or_else(|| Some(LAWLESS.to_owned()));
            }
            Self::EveryRegion => {
                for place in [&mut person.place, &mut request.place] {
                    place.region = place.region.take().or_else(|| Some("none".to_owned()));
                }
            }
            Self::EveryZone => {
                request.zone = request.zone.take().or_else(|| Some(policy.default_zone.clone()));
            }
            Self::CapDay => policy.caps.day = MANY,
            Self::CapWeek => policy.caps.week = MANY,
            Self::SmsCap => policy.caps.sms_per_abandonment = MANY,
            Self::Unverified => policy.caps.unverified_ms = 0,
            Self::OneSequence => person.episodes.clear(),
            Self::SentBefore => person.sends.retain(|s| s.key != request.key),
            Self::Lease => {
                person.claims.remove(&request.key);
            }
            Self::Unknown => return true,
            Self::Fatigue => policy.fatigue = None,
            Self::CapBrowse => {
                if let Some(browse) = &mut policy.browse {
                    browse.per_week = MANY;
                }
            }
            Self::Repeats => {
                person.sends.iter_mut().for_each(|send| send.template.clear());
                person.claims.values_mut().for_each(|claim| claim.template.clear());
            }
            Self::Holdout => {
                policy.holdout_percent = 0;
                person.holdout = None;
            }
            Self::Rollout => policy.rollout.percent = 100,
            Self::PerHour => {
                policy.rollout.per_hour = None;
                if let Some(activation) = &mut request.activation {
                    activation.per_hour = None;
                }
            }
            Self::Budget => {
                for lease in &mut request.leases {
                    lease.left_minor = i64::MAX;
                }
            }
            Self::OfferAgain => {
                for send in &mut person.sends {
                    (send.grant, send.tried) = (None, None);
                }
            }
            Self::OfferOften => policy.offers.iter_mut().for_each(|o| o.per_90d = None),
            Self::OfferFirst => policy.offers.iter_mut().for_each(|o| o.first_message = true),
            Self::Approval => request.approved.clone_from(&request.offers),
            Self::Margin => policy.offers.iter_mut().for_each(|o| o.min_margin = None),
            Self::Activation => {
                if let Some(activation) = &mut request.activation {
                    activation.at = Timestamp::default();
                }
            }
            Self::StepCondition => request.step.when = None,
            Self::ACondition => {
                // None of none holds.
                request.step.when = request.step.when.take().map(|_| Expr::Or(vec![]));
            }
            Self::Showable => request.showable_lines = 1,
            Self::Shadow => {
                if let Some(activation) = &mut request.activation {
                    activation.shadow = false;
                }
            }
            Self::SilentArm => arms(policy).for_each(|arm| arm.silent = false),
            Self::ArmChannel => arms(policy).for_each(|arm| arm.channels = None),
            Self::ArmTemplate => arms(policy).for_each(|arm| arm.template = None),
            Self::ArmOffer => arms(policy).for_each(|arm| arm.offer = None),
            Self::ArmTime | Self::ArmDue => arms(policy).for_each(|arm| arm.at_ms = None),
            Self::FirstArm => person.assignments.clear(),
            Self::OldOrders => request.cart_born_at = Timestamp::from_millis(0),
            Self::NewestFirst => {
                for episode in person.episodes.iter_mut().filter(|e| e.cart != request.cart) {
                    episode.abandoned_at = now;
                    episode.until = None;
                }
            }
            Self::OneNo => {
                if let Some((_, at)) = person.opt_outs.first().copied() {
                    person.opt_outs = vec![(Channel::Email, at), (Channel::Sms, at), (Channel::Push, at)];
                }
            }
            Self::AYes => person.consents.clear(),
            _ => {}
        }
        idempotent
    }
}

/// A policy whose arms all keep the time of their step: carts plan by it, too.
pub(crate) fn without_times(policy: &Policy) -> Policy {
    let mut policy = policy.clone();
    arms(&mut policy).for_each(|arm| arm.at_ms = None);
    policy
}

/// A country of which no pack tells.
const LAWLESS: &str = "KI";

/// The same number with the prefix of a country without laws. It ends as before: by that its owner is known.
fn dialled_from_elsewhere(number: &str) -> String {
    format!("+686{}", number.get(number.len().saturating_sub(7)..).unwrap_or_default())
}

fn keep(policy: &mut Policy, is_kept: impl Fn(&Law) -> bool) {
    policy.jurisdictions.iter_mut().for_each(|pack| pack.rules.retain(|rule| is_kept(&rule.law)));
}

fn arms(policy: &mut Policy) -> impl Iterator<Item = &mut Arm> {
    policy.experiments.iter_mut().flat_map(|experiment| &mut experiment.arms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for rule in Rule::ALL {
            assert_eq!(Rule::parse(rule.as_str()), Some(*rule));
        }
        assert_eq!(Rule::parse("gravity"), None);
    }
}
