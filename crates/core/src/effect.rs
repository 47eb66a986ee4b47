//! Every way out of a cart's state machine. A shell is one `match` over this enum.

use serde::{Deserialize, Serialize};

use crate::cause::Likely;
use crate::decision::{Decision, DecisionRecord, Would};
use crate::experiment::{Assignment, Exposure};
use crate::id::{CartId, PersonId, SendKey, ShopId};
use crate::person::KnownEpisode;
use crate::recovery::{Phase, Trigger};
use crate::time::Timestamp;

/// What the shell must do after it has stored the state.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Put this job on the `sends` queue. If that fails nothing is lost: the send stays pending
    /// in the cart and is offered again when its lease is over.
    OfferSend(SendJob),
    /// Append to the cart's log, from where it goes to the ledger.
    Record(Entry),
    /// Tell the person that one of their carts was left or, with `returned`, that its shopper is back
    /// before anything was sent, so that an older cart waits for it at the gate or goes on. It may
    /// be lost: the gate hears of an episode when its first step is claimed, and waits no longer.
    Announce {
        /// Whom.
        person: PersonId,
        /// Which episode.
        episode: KnownEpisode,
        /// It is over for now.
        returned: bool,
    },
    /// Tell the person which arms of panels they were exposed to. It may be lost: it is told again
    /// with every announcement, and telling it again changes nothing.
    Expose {
        /// Whom.
        person: PersonId,
        /// All that the cart knows of.
        assignments: Vec<Assignment>,
    },
    /// Drop the cart's log so far, and what views of it hold; what is recorded beside this is its new
    /// beginning. Numbers go on. What is append-only keeps what it has.
    Erase,
    /// Delete everything about this cart.
    Forget,
}

/// One planned contact that came due. Says nothing that could have changed by the time it is
/// claimed: the consumer asks cart and person again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendJob {
    /// The key of the send, the same however often it is offered.
    pub key: SendKey,
    /// The shop.
    pub shop: ShopId,
    /// The cart that waits for the outcome.
    pub cart: CartId,
}

/// A line of a cart's log: pseudonymous, without addresses, codes or tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happened,
}

/// What can happen to a cart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum Happened {
    /// The cart was born.
    Born,
    /// The state changed.
    Moved {
        /// From this state.
        from: Phase,
        /// To this state.
        to: Phase,
        /// Because of this.
        because: String,
    },
    /// The cart was left: how, why probably, and which sequence follows.
    Left {
        /// How.
        trigger: Trigger,
        /// Why, probably.
        likely: Likely,
        /// The sequence, if one is for this cart.
        sequence: Option<String>,
        /// The policy.
        policy: String,
        /// What was known.
        facts: crate::policy::Facts,
    },
    /// A person was found behind the cart.
    Linked {
        /// Who.
        person: PersonId,
    },
    /// A step came due and was offered to the queue.
    Offered {
        /// The send.
        key: SendKey,
        /// The step's name.
        step: String,
        /// 1 for the first offer.
        attempt: u32,
    },
    /// A send was decided on.
    Decided {
        /// The whole record, without the address.
        record: Box<DecisionSummary>,
    },
    /// The cart was left while a candidate ran in shadow: what it would have planned.
    ShadowLeft {
        /// Version of the candidate.
        policy: String,
        /// The sequence it would have followed, if one is for this cart.
        sequence: Option<String>,
        /// Its steps.
        steps: Vec<ShadowStep>,
    },
    /// A send was decided on while a candidate ran in shadow: what it would have decided. Nothing
    /// was claimed, changed or sent by it.
    Shadowed {
        /// The send that was decided on.
        key: SendKey,
        /// Version of the candidate.
        policy: String,
        /// When the candidate would have the step due; `None` if it has no such step.
        due: Option<Timestamp>,
        /// Its decision; `None` if it has no such step.
        record: Option<Box<DecisionSummary>>,
    },
    /// A message went out.
    WentOut {
        /// The send.
        key: SendKey,
        /// By which channel.
        channel: crate::consent::Channel,
    },
    /// A send ended.
    Settled {
        /// The send.
        key: SendKey,
        /// How.
        outcome: String,
    },
    /// A message went out with an arm that a learner chose; counted as a try.
    ArmTried {
        /// The send.
        key: SendKey,
        /// The arm.
        tried: crate::offer::Tried,
    },
    /// A paid order followed such a message, by its link or without; counted as a win.
    ArmWon {
        /// The send.
        key: SendKey,
        /// The arm.
        tried: crate::offer::Tried,
    },
    /// A panel that an experiment is on was shown, or would have been.
    Exposed {
        /// Kind of the panel.
        panel: String,
        /// Experiment and arm.
        exposure: Exposure,
        /// It was not shown: the arm shows nothing.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        withheld: bool,
    },
    /// The shopper followed a link.
    Clicked {
        /// From this send.
        key: SendKey,
    },
    /// An order was seen.
    Ordered {
        /// Whether it is paid.
        paid: bool,
    },
    /// The shopper wanted the cart forgotten. Everything that was told before is gone.
    Forgotten,
}

/// A step that a candidate would have planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowStep {
    /// Its name.
    pub step: String,
    /// When it would be due.
    pub at: Timestamp,
    /// By which of these channels.
    pub channels: Vec<crate::consent::Channel>,
}

/// A decision record as it is logged: everything but the address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DecisionSummary {
    /// The send.
    pub key: SendKey,
    /// `send`, `defer` or `skip`.
    pub verdict: String,
    /// In plain words: why.
    pub why: String,
    /// Policy version.
    pub policy: String,
    /// Model version.
    pub model: Option<String>,
    /// The gate's checks in order.
    pub checks: Vec<crate::decision::Check>,
    /// The consent it rested on.
    pub consent: Option<crate::consent::Consent>,
    /// The events it rested on.
    pub events: Vec<crate::id::EventId>,
    /// What was known of cart and person, for the conditions.
    #[serde(default)]
    pub facts: crate::policy::Facts,
    /// The segments that they belong to.
    #[serde(default)]
    pub segments: Vec<String>,
    /// By which channel, if it is a yes or would have been one.
    #[serde(default)]
    pub channel: Option<crate::consent::Channel>,
    /// With which template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// With which offer.
    #[serde(default)]
    pub grant: Option<crate::offer::Grant>,
    /// How a learner chose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<crate::offer::Choice>,
    /// The experiments the message is part of.
    #[serde(default)]
    pub exposures: Vec<Exposure>,
}

impl From<&DecisionRecord> for DecisionSummary {
    fn from(record: &DecisionRecord) -> Self {
        let (verdict, why) = match &record.decision {
            Decision::Send(c) => ("send", format!("all checks passed; by {}", c.channel())),
            Decision::Defer { until, why } => {
                ("defer", format!("{why}; asked again at {}", until.to_rfc3339()))
            }
            Decision::Skip { why } => ("skip", why.to_string()),
        };
        let told = match &record.decision {
            Decision::Send(clearance) => Some(clearance.told()),
            _ => record.would.as_deref().cloned(),
        };
        let (channel, template, grant, choice, exposures) = match told {
            Some(Would { channel, template, grant, choice, exposures }) => {
                (Some(channel), Some(template), grant, choice, exposures)
            }
            None => (None, None, None, None, vec![]),
        };
        Self {
            channel,
            template,
            grant,
            choice,
            exposures,
            facts: record.facts.clone(),
            segments: record.segments.clone(),
            key: record.key.clone(),
            verdict: verdict.to_owned(),
            why,
            policy: record.policy.clone(),
            model: record.model.clone(),
            checks: record.checks.clone(),
            consent: record.consent.clone(),
            events: record.events.clone(),
        }
    }
}
