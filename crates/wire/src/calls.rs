//! Calls into the objects. One closed enum of calls and one of answers per object; they travel as
//! JSON over the platform's RPC. `now` is always an argument: an object never asks for the time.
//! The variant is the outer key, not a field among others: a field may come last, and serde would
//! have to buffer everything before it.

use std::collections::BTreeMap;

use comeback_core::cart::Line;
use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::decision::{DecisionRecord, Why};
use comeback_core::effect::Happened;
use comeback_core::experiment::Assignment;
use comeback_core::gate::ClaimRequest;
use comeback_core::id::{CartId, PersonId, SendKey, ShopId, VisitorId};
use comeback_core::jurisdiction::Place;
use comeback_core::money::Currency;
use comeback_core::offer::{Learned, Needs, Report, Reserved};
use comeback_core::person::{KnownEpisode, Order, Person, Subscription};
use comeback_core::policy::Facts;
use comeback_core::recovery::{CartOrder, Outcome, Phase, Prepared, Recovery};
use comeback_core::release::{InForce, ReleaseError, Releases};
use comeback_core::signal::Signal;
use comeback_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cart_view::CartView;
use crate::jobs::Numbered;
use crate::shop::Shop;

/// What a cart object is told about the session that a batch came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Which browser, where it has a cookie.
    pub visitor: Option<VisitorId>,
    /// IANA zone of the browser or of the edge.
    pub zone: Option<String>,
    /// A phone.
    pub mobile: bool,
    /// Driven by a program.
    pub automated: bool,
    /// Where, as the edge saw it; asked where the cart is new to the browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The shop's currency; told where the cart is new to the browser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<Currency>,
}

/// Calls of a cart object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CartCall {
    /// Signals from page or platform. Creates the cart if `currency` is given.
    Capture {
        /// The shop.
        shop: ShopId,
        /// The cart.
        cart: CartId,
        /// Currency of a cart that is born now.
        currency: Option<Currency>,
        /// What happened.
        signals: Vec<Signal>,
        /// Where.
        session: Option<Session>,
        /// Who, if that was found out.
        person: Option<PersonId>,
        /// What is known of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        profile: Option<Facts>,
        /// The arms of experiments that they were exposed to.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        assignments: Vec<Assignment>,
    },
    /// The cart as its shopper sees it.
    View,
    /// Replaces the lines if the version is still this one.
    Replace {
        /// The version the caller saw.
        if_version: u64,
        /// All lines.
        lines: Vec<Line>,
    },
    /// A person was found.
    Link {
        /// Who.
        person: PersonId,
        /// By whose word.
        source: Source,
        /// From which browser, where it was one.
        visitor: Option<VisitorId>,
        /// What is known of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        profile: Option<Facts>,
        /// The arms of experiments that they were exposed to.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        assignments: Vec<Assignment>,
    },
    /// Somebody was found behind a cart that was just born, who came while it was: theirs from now on, by
    /// a page's word, unless it is somebody else's by now than when it was born.
    Relink {
        /// Who.
        person: PersonId,
        /// Whose it was born as.
        instead_of: Option<PersonId>,
        /// In which browser.
        visitor: VisitorId,
        /// What is known of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        profile: Option<Facts>,
        /// The arms of experiments that they were exposed to.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        assignments: Vec<Assignment>,
    },
    /// An order.
    Order {
        /// The order.
        order: CartOrder,
        /// It is for this very cart. Otherwise the person bought something else, and a cart begun
        /// after that order is none of its business.
        own: bool,
    },
    /// Its shopper wants it forgotten.
    Forget,
    /// A link was followed.
    Click {
        /// Of which send.
        key: SendKey,
    },
    /// What is needed to claim a send.
    Prepare {
        /// Which.
        key: SendKey,
    },
    /// How a send ended.
    Settle {
        /// Which.
        key: SendKey,
        /// How.
        outcome: Outcome,
        /// The decision, if there was one.
        decision: Option<Box<DecisionRecord>>,
    },
    /// Something to be remembered beside the story, which changes nothing: what a candidate in shadow
    /// would have done.
    Note {
        /// What.
        what: Box<Happened>,
    },
    /// Time has passed.
    Tick,
    /// The whole story.
    Explain,
}

/// Answers of a cart object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CartAnswer {
    /// To `Capture` and everything else that changes.
    Done {
        /// Version of the cart.
        version: u64,
        /// State.
        phase: Phase,
        /// Who is behind it.
        person: Option<PersonId>,
        /// When it next has something to do.
        due: Option<Timestamp>,
        /// The score now.
        score: Option<ScoreView>,
        /// What a page must know for its panels.
        #[serde(default)]
        page: PageView,
        /// To `Order`: when that order was placed, by what this cart knows of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ordered_at: Option<Timestamp>,
        /// To `Capture`: it was born by this.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        born: bool,
    },
    /// There is no such cart.
    Missing,
    /// To `View`.
    View {
        /// As the page sees it.
        view: CartView,
        /// With their trust, for presenting to others.
        lines: Vec<Line>,
    },
    /// To `Replace` with an outdated version.
    Conflict {
        /// The version now.
        version: u64,
    },
    /// To `Replace` of a cart that an order ended.
    Closed,
    /// To `Prepare`.
    Prepared(Box<Prepared>),
    /// To `Prepare`, when there is nothing to claim.
    Moot {
        /// Why.
        why: Why,
    },
    /// To `Explain`.
    Story {
        /// The state.
        state: Box<Recovery>,
        /// The log.
        log: Vec<Numbered>,
    },
}

/// What of a cart's story a page must know for its panels.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PageView {
    /// The arms that its shopper was exposed to, by experiment: the first stays, whatever a hash says.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arms: BTreeMap<String, String>,
    /// A message of its sequence went out, and its shopper came back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_sequence: bool,
}

impl PageView {
    /// Of a cart as it stands.
    #[must_use]
    pub fn of(cart: &Recovery) -> Self {
        let came_back = |e: &comeback_core::recovery::Episode| e.contacted && e.paused.is_some();
        Self {
            arms: cart.assignments.iter().map(|a| (a.experiment.clone(), a.arm.clone())).collect(),
            in_sequence: !cart.phase.is_closed() && cart.episode.as_ref().is_some_and(came_back),
        }
    }
}

/// A score as the page and the log see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreView {
    /// Which model.
    pub model: String,
    /// Probability of buying without help.
    pub buy: f64,
    /// What weighed most.
    pub reasons: Vec<ScoreReason>,
}

/// One reason of a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreReason {
    /// Which feature.
    pub feature: String,
    /// Its part in the log-odds.
    pub effect: f64,
}

/// Calls of a person object, and of the alias objects that lead to persons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonCall {
    /// Of an alias: to whom does this identifier lead?
    Resolve,
    /// Of an alias: lead to this person, unless it leads to somebody already.
    Bind {
        /// Proposed.
        person: PersonId,
        /// Whoever it led to before.
        #[serde(default)]
        anew: bool,
    },
    /// Of an alias that stands for a short link: the token it stands for.
    Keep {
        /// The text.
        text: String,
    },
    /// Changes, all in one transaction.
    Apply {
        /// The shop.
        shop: ShopId,
        /// The person.
        person: PersonId,
        /// What changes.
        changes: Vec<PersonChange>,
    },
    /// May this be sent?
    Claim {
        /// The question.
        request: Box<ClaimRequest>,
        /// Policy version.
        policy: String,
        /// Channels whose provider takes idempotency keys.
        idempotent: Vec<Channel>,
    },
    /// What would be decided under another policy? Changes nothing.
    Peek {
        /// The question.
        request: Box<ClaimRequest>,
        /// Policy version.
        policy: String,
    },
    /// The provider took it.
    Sent {
        /// Which.
        key: SendKey,
    },
    /// The provider did not take it.
    Release {
        /// Which.
        key: SendKey,
    },
    /// Merge into another person: from now on every call is answered with `Moved`.
    MergeInto {
        /// The survivor.
        into: PersonId,
    },
    /// Take in a merged person.
    Absorb {
        /// Everything of them.
        other: Box<Person>,
    },
    /// The survivor has taken everything in.
    MergeDone,
    /// Time has passed.
    Tick,
    /// The state, for `explain` and preferences.
    Show,
}

/// A change to a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum PersonChange {
    /// An address.
    Contact {
        /// For which channel.
        channel: Channel,
        /// Normalised.
        address: String,
        /// From whom.
        source: Source,
    },
    /// A yes or a no.
    Consent(Consent),
    /// No more messages, on a channel or at all.
    OptOut {
        /// Which; all if absent.
        channel: Option<Channel>,
    },
    /// No messages until then.
    Pause {
        /// Until.
        until: Timestamp,
    },
    /// An order.
    Order(Order),
    /// An order to the postal address that they had something sent to. Ends what was begun before it,
    /// and counts as theirs for nothing else.
    OrderedNear {
        /// When.
        at: Timestamp,
    },
    /// One of their carts.
    LinkCart {
        /// Which.
        cart: CartId,
    },
    /// One of their carts was left.
    Left(KnownEpisode),
    /// Its shopper is back before anything of the episode was sent.
    Returned(KnownEpisode),
    /// Where they live, by a signed source.
    Place {
        /// Where.
        place: Place,
    },
    /// The channel they asked for, by a signed source.
    Prefers {
        /// Which.
        channel: Channel,
    },
    /// All tags that the shop has for them.
    Tags {
        /// Which.
        tags: Vec<String>,
    },
    /// Their zone.
    Zone {
        /// IANA name.
        zone: String,
    },
    /// One of their carts knows of exposures to panels.
    Exposed {
        /// All that it knows of.
        assignments: Vec<Assignment>,
    },
    /// One of their browsers may be pushed to.
    Subscribe {
        /// The subscription.
        subscription: Box<Subscription>,
        /// The yes, of the person where this browser and they are one, else of a page.
        yes: Consent,
    },
    /// One of their browsers may not be pushed to any more.
    Unsubscribe {
        /// Which.
        endpoint: String,
        /// The no, recorded when none is left.
        no: Consent,
    },
    /// They want this cart forgotten.
    ForgetCart {
        /// Which.
        cart: CartId,
    },
    /// They proved the address that this send went to, by following its link.
    Verified {
        /// The send.
        key: SendKey,
    },
}

/// Answers of a person or alias object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonAnswer {
    /// Of an alias.
    Leads {
        /// To whom, if to anyone.
        to: Option<PersonId>,
        /// The text kept, if any.
        text: Option<String>,
    },
    /// The change is stored.
    Applied {
        /// Carts of this person.
        carts: Vec<CartId>,
        /// Whether anything was known of this person before.
        known: bool,
        /// When the order among the changes was placed, by what this person knows of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ordered_at: Option<Timestamp>,
        /// What is known of them now.
        #[serde(default)]
        profile: Facts,
        /// The arms of experiments that they were exposed to.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        assignments: Vec<Assignment>,
    },
    /// To `Claim` and `Peek`.
    Decided(Box<DecisionRecord>),
    /// To `MergeInto`.
    Snapshot(Box<Person>),
    /// Merged: ask there. `settled` is false while the survivor may lack something; `state` is
    /// then what it must absorb first.
    Moved {
        /// The survivor.
        into: PersonId,
        /// What the survivor still has to take in.
        pending: Option<Box<Person>>,
    },
    /// To `Show`.
    State(Box<Person>),
    /// Nobody is here.
    Missing,
    /// Done.
    Ok,
}

/// Calls of a shop object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShopCall {
    /// Stores the shop. Its policy is activated if it is another than the last one stored so: a document
    /// that is sent again for its catalogue does not undo what was activated since.
    Put {
        /// All of it.
        shop: Box<Shop>,
        /// Name of its policy.
        policy_name: String,
        /// Who sends it, as they call themselves.
        who: String,
    },
    /// What the send path asks before every claim.
    Standing,
    /// The versions of its policy, and what was done with them.
    Releases,
    /// A change to them.
    Release {
        /// What.
        change: ReleaseChange,
        /// By whom, as they call themselves.
        who: String,
    },
    /// About the ledger of offers and rollout.
    Ledger(LedgerCall),
    /// Stops or resumes all sends.
    Stop {
        /// Stop.
        stopped: bool,
    },
    /// Revokes links.
    Revoke {
        /// The send whose link dies.
        jti: Option<String>,
        /// The key epoch whose links all die.
        epoch: Option<u32>,
    },
}

/// Calls of a shop object about what it keeps for offers and rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerCall {
    /// Before a claim: leases of offers, room in the hour, outcomes of learners. The same send reserves
    /// once, however often it asks.
    Reserve {
        /// The send.
        key: SendKey,
        /// What it may come to need.
        needs: Needs,
    },
    /// After it: what was spent is spent, the rest comes back.
    Report(Report),
    /// What carts tell of the arms of learners: tries and wins. Those known already change nothing.
    Learn(Vec<Learned>),
}

/// A change to the versions of a shop's policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseChange {
    /// A version is stored and may be used.
    Push {
        /// Hash of its canonical form.
        version: String,
        /// The policy's name.
        name: String,
    },
    /// It decides without sending; `None` ends that.
    Shadow {
        /// Which.
        version: Option<String>,
    },
    /// It is put in force.
    Activate {
        /// Which.
        version: String,
        /// For how many persons.
        percent: u8,
        /// With this bound.
        per_hour: Option<u32>,
    },
    /// The one in force is withdrawn, the one before comes back.
    RollBack,
    /// Offers of it are approved.
    Approve {
        /// Of which.
        version: String,
        /// Their names.
        offers: Vec<String>,
    },
}

/// Answers of a shop object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShopAnswer {
    /// To everything but what follows.
    Standing(Box<Standing>),
    /// To `Releases` and `Release`.
    Releases {
        /// All of them.
        releases: Box<Releases>,
        /// The shop as pages and carts must now find it; `None` if it is not provisioned.
        shop: Option<Box<Shop>>,
    },
    /// To `Release`, when it cannot be done.
    Refused(ReleaseError),
    /// To `Ledger`, when it reserves.
    Reserved(Box<Reserved>),
    /// To `Ledger` otherwise.
    Noted,
}

/// A shop's standing: everything that may stop a send or a link and must not be stale.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Standing {
    /// The shop, if it is provisioned.
    pub shop: Option<Box<Shop>>,
    /// All sends are stopped.
    pub stopped: bool,
    /// Key epoch that signs.
    pub epoch: u32,
    /// Epochs whose links are dead.
    pub revoked_epochs: Vec<u32>,
    /// Sends whose links are dead.
    pub revoked: Vec<String>,
    /// The policy in force, and what else the send path must know of versions.
    #[serde(default)]
    pub in_force: InForce,
}
