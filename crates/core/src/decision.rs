//! A decision and the record of why. A "no" is a value, never an error and never silence.

use core::fmt;
use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::consent::{Channel, Consent};
use crate::experiment::Exposure;
use crate::id::{EventId, SendKey};
use crate::offer::{Choice, Grant};
use crate::policy::Facts;
use crate::time::Timestamp;

/// What the gate answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Hand it to a provider now.
    Send(Clearance),
    /// Not now; ask again then.
    Defer {
        /// When to ask again.
        until: Timestamp,
        /// Why not now.
        why: Why,
    },
    /// Not at all.
    Skip {
        /// Why not.
        why: Why,
    },
}

/// Proof that the gate let a send through. Only the gate makes one, and a provider takes nothing
/// else: a message that nobody decided on cannot be written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clearance {
    key: SendKey,
    channel: Channel,
    address: String,
    template: String,
    #[serde(default)]
    grant: Option<Box<Grant>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    choice: Option<Box<Choice>>,
    #[serde(default)]
    exposures: Vec<Exposure>,
}

/// What would have been sent: of a decision in shadow, or of an arm that is silent. Nothing can be sent
/// with it, for it names no address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Would {
    /// By which channel.
    pub channel: Channel,
    /// With which template.
    pub template: String,
    /// With which offer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
    /// How a learner chose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Choice>,
    /// As part of which experiments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exposures: Vec<Exposure>,
}

impl Clearance {
    /// Made by the gate alone, of what it found would be sent.
    pub(crate) fn new(key: SendKey, address: String, would: Would) -> Self {
        let Would { channel, template, grant, choice, exposures } = would;
        // Boxed: a decision is mostly a refusal, and should be as small as one.
        let (grant, choice) = (grant.map(Box::new), choice.map(Box::new));
        Self { key, channel, address, template, grant, choice, exposures }
    }

    /// The send.
    #[must_use]
    pub fn key(&self) -> &SendKey {
        &self.key
    }

    /// The channel the gate chose.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// Where to: an address or a number. Personal data: never logged.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The template: the step's, or that of an experiment's arm.
    #[must_use]
    pub fn template(&self) -> &str {
        &self.template
    }

    /// All of it but the address and the key, for a log.
    #[must_use]
    pub fn told(&self) -> Would {
        Would {
            channel: self.channel,
            template: self.template.clone(),
            grant: self.grant.as_deref().cloned(),
            choice: self.choice.as_deref().cloned(),
            exposures: self.exposures.clone(),
        }
    }

    /// Name of the offer the gate granted.
    #[must_use]
    pub fn offer(&self) -> Option<&str> {
        self.grant.as_deref().map(|g| g.offer.as_str())
    }

    /// The whole grant: the offer, what it costs, and who chose it.
    #[must_use]
    pub fn grant(&self) -> Option<&Grant> {
        self.grant.as_deref()
    }

    /// How a learner chose the offer, or that there be none.
    #[must_use]
    pub fn choice(&self) -> Option<&Choice> {
        self.choice.as_deref()
    }

    /// The experiments that the message is part of, to be recorded when it is sent.
    #[must_use]
    pub fn exposures(&self) -> &[Exposure] {
        &self.exposures
    }
}

/// Why something is not sent, or not yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// An order was placed by this person, on whatever device or address.
    Ordered,
    /// No address on any channel of the step.
    NoContact,
    /// No standing consent on any channel of the step for which there is an address.
    NoConsent,
    /// There is a standing yes, and it rests on less than the policy asks for: a ticked box, say, where
    /// the address itself must confirm.
    WeakConsent,
    /// The person opted out of everything.
    OptedOut,
    /// The person opted out of the channels of this step for which there is an address.
    ChannelOptedOut,
    /// The person asked for a pause.
    Paused,
    /// It is night, or another quiet hour, where the person is.
    QuietHours,
    /// The person had as many messages today as the policy allows.
    DailyCap,
    /// The person had as many messages this week as the policy allows.
    WeeklyCap,
    /// The abandonment had as many text messages as the policy allows.
    SmsCap,
    /// An address that only a browser vouched for had its one recovery.
    UnverifiedLimit,
    /// The person had so many messages without following one that they rest.
    Fatigue,
    /// The law of the person's place forbids this message.
    Jurisdiction,
    /// The law of the person's place forbids it at this hour or on this day.
    JurisdictionHours,
    /// The condition of the step does not hold.
    StepCondition,
    /// A message with this template went out in this abandonment already; channels complement each
    /// other, they do not repeat.
    Repeats,
    /// Another hour suits the person better, and the step may wait for it.
    BetterHour,
    /// The policy is being rolled out and has not reached this person.
    Rollout,
    /// The shop's bound for this hour is reached while a policy is being rolled out.
    RunCap,
    /// The cart was left before the policy was activated.
    BeforeActivation,
    /// The policy runs in shadow: it decides and sends nothing.
    Shadow,
    /// The arm of an experiment that sends nothing.
    SilentArm,
    /// The arm of an experiment that sends later.
    ArmLater,
    /// The person had as many browse messages this week as the policy allows.
    BrowseCap,
    /// The person is in the holdout.
    Holdout,
    /// The shop stopped all sends.
    Stopped,
    /// The session was automated.
    Bot,
    /// Nothing in the cart can be shown from the catalogue or a signed source.
    NothingToShow,
    /// The shopper came back, or the cart is over, since the step was offered.
    CartMoved,
    /// A later step of the same sequence came due first.
    Superseded,
    /// Another cart of this person is being recovered.
    AnotherSequence,
    /// This send went out before.
    AlreadySent,
    /// Another delivery of the same job holds the claim.
    InFlight,
    /// It was handed to a provider that cannot say whether it took it; never repeated blindly.
    Unknown,
    /// The provider refused it for good.
    ProviderRefused,
    /// The provider could not be reached; it is tried again.
    ProviderDown,
    /// The message could not be rendered; a broken message is never sent.
    RenderFailed,
    /// The cart has no person behind it.
    NoPerson,
    /// The shopper wanted the cart forgotten.
    Forgotten,
}

impl Why {
    /// The story in plain words, for `explain`.
    #[must_use]
    pub const fn story(self) -> &'static str {
        match self {
            Self::Ordered => "the person has ordered",
            Self::NoContact => "there is no address on any channel of this step",
            Self::NoConsent => "the person has not agreed to be written to on any channel of this step",
            Self::WeakConsent => "the person's yes rests on less than the policy asks for",
            Self::OptedOut => "the person has opted out",
            Self::ChannelOptedOut => "the person has opted out of every channel of this step",
            Self::Paused => "the person asked for a pause",
            Self::QuietHours => "it is a quiet hour where the person is",
            Self::DailyCap => "the daily cap for this person is reached",
            Self::WeeklyCap => "the weekly cap for this person is reached",
            Self::SmsCap => "the cap of text messages for this abandonment is reached",
            Self::UnverifiedLimit => "the address was only typed into a page and has had its one recovery",
            Self::Fatigue => "the person has followed none of the last messages and rests",
            Self::Jurisdiction => "the law where the person is forbids this message",
            Self::JurisdictionHours => "the law where the person is forbids it at this hour or on this day",
            Self::StepCondition => "the condition of the step does not hold",
            Self::Repeats => "a message with this template went out in this abandonment already",
            Self::BetterHour => "another hour suits the person better",
            Self::Rollout => "the policy is being rolled out and has not reached this person",
            Self::RunCap => "the shop's bound for this hour is reached",
            Self::BeforeActivation => "the cart was left before the policy was activated",
            Self::Shadow => "the policy runs in shadow and sends nothing",
            Self::SilentArm => "the arm of an experiment that sends nothing",
            Self::ArmLater => "the arm of an experiment that sends later",
            Self::BrowseCap => "the weekly cap of browse messages for this person is reached",
            Self::Holdout => "the person is in the holdout, which is never contacted",
            Self::Stopped => "the shop has stopped all sends",
            Self::Bot => "the session was automated",
            Self::NothingToShow => "nothing in the cart is in the catalogue or a signed source",
            Self::CartMoved => "the shopper came back or the cart is over",
            Self::Superseded => "a later step came due first",
            Self::AnotherSequence => "another cart of this person is being recovered",
            Self::AlreadySent => "this message was sent before",
            Self::InFlight => "another delivery of this job is at work",
            Self::Unknown => "it is not known whether the provider took it",
            Self::ProviderRefused => "the provider refused it for good",
            Self::ProviderDown => "the provider could not be reached",
            Self::RenderFailed => "the message could not be rendered",
            Self::NoPerson => "nobody is known behind the cart",
            Self::Forgotten => "the shopper wanted the cart forgotten",
        }
    }

    /// Whether this reason ends the whole sequence, not only the step.
    #[must_use]
    pub const fn ends_sequence(self) -> bool {
        matches!(
            self,
            Self::Ordered
                | Self::OptedOut
                | Self::Bot
                | Self::Holdout
                | Self::Rollout
                | Self::BeforeActivation
                | Self::Shadow
                | Self::AnotherSequence
                | Self::Forgotten
        )
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.story())
    }
}

/// A decision with all it rests on: the audit trail of one answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionRecord {
    /// The send decided on.
    pub key: SendKey,
    /// When.
    pub at: Timestamp,
    /// The answer.
    pub decision: Decision,
    /// Policy version (hash).
    pub policy: String,
    /// Model version, where a score took part.
    pub model: Option<String>,
    /// The checks that were made, in order, each with what it found.
    pub checks: Vec<Check>,
    /// The consent it rested on.
    pub consent: Option<Consent>,
    /// The events it rested on.
    pub events: Vec<EventId>,
    /// What was known of cart and person, for the conditions.
    #[serde(default)]
    pub facts: Facts,
    /// The segments that they belong to.
    #[serde(default)]
    pub segments: Vec<String>,
    /// What would have been sent, were it not for shadow or a silent arm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would: Option<Box<Would>>,
}

/// One check of the gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was asked, `quiet_hours`.
    pub rule: Cow<'static, str>,
    /// What was found, in plain words without personal data.
    pub found: Cow<'static, str>,
    /// Whether it let the send pass.
    pub passed: bool,
}
