//! From identifiers to persons. Each identifier has an alias object, named by a keyed hash, that leads
//! to a person. Where a shop's server vouches that several identifiers are one person, persons are
//! merged, always into the one with the smaller id, so that two requests at once come to the same
//! end. What was only typed (into a page, or into a checkout that a platform relays) never merges
//! anybody: whoever knows an address could otherwise become its owner.

use comeback_core::experiment::Assignment;
use comeback_core::id::{CartId, PersonId, ShopId};
use comeback_core::policy::Facts;
use comeback_core::time::Timestamp;
use comeback_link::{derive_identifier_hash, label};
use comeback_wire::calls::{PersonAnswer, PersonCall, PersonChange};
use worker::Env;

use crate::failure::{Failure, Outcome};
use crate::{entropy, objects, platform};

/// A tombstone leads to a tombstone only as often as persons were merged; more is a broken chain.
const MOST_HOPS: usize = 16;

/// Something that tells who somebody is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identifier {
    kind: &'static str,
    value: String,
}

impl Identifier {
    /// A visitor cookie.
    pub(crate) fn visitor(id: &comeback_core::id::VisitorId) -> Self {
        Self { kind: "visitor", value: id.as_str().to_owned() }
    }

    /// A normalised email address.
    pub(crate) fn email(address: &str) -> Self {
        Self { kind: "email", value: address.to_owned() }
    }

    /// A normalised phone number.
    pub(crate) fn phone(number: &str) -> Self {
        Self { kind: "phone", value: number.to_owned() }
    }

    /// A postal address in its one form. Leads to whoever had something sent there last; more than one
    /// person may live there, so it makes nobody the same person.
    pub(crate) fn postal(address: &str) -> Self {
        Self { kind: "postal", value: address.to_owned() }
    }

    /// The endpoint of a push subscription: one browser's, given out by its push service.
    pub(crate) fn endpoint(address: &str) -> Self {
        Self { kind: "push", value: address.to_owned() }
    }

    /// A cart of ours: whoever bought it is whoever left it.
    pub(crate) fn cart(id: &CartId) -> Self {
        Self { kind: "cart", value: id.as_str().to_owned() }
    }
}

/// Normalises an email address: checked against RFC 5322, in lower case. Providers that tell
/// `A@x` from `a@x` are not in use; two records for one person would be worse.
pub(crate) fn email(text: &str) -> Option<String> {
    let text = text.trim();
    let options =
        email_address::Options::default().without_display_text().without_domain_literal().with_required_tld();
    if text.len() > 254 || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return None;
    }
    email_address::EmailAddress::parse_with_options(text, options).ok().map(|_| text.to_lowercase())
}

/// Normalises a phone number to E.164. Only the international form is taken: a national number
/// without its country is a guess, and a wrong guess writes to a stranger.
pub(crate) fn phone(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/')).collect();
    let digits = text.strip_prefix('+').or_else(|| text.strip_prefix("00"))?;
    let fine = (8..=15).contains(&digits.len())
        && digits.bytes().all(|b| b.is_ascii_digit())
        && !digits.starts_with('0');
    fine.then(|| format!("+{digits}"))
}

fn hash(env: &Env, shop: &ShopId, identifier: &Identifier) -> Outcome<String> {
    let pepper = platform::master_key(env)?
        .derive_secret(label::IDENTIFIER_PEPPER, shop.as_str())
        .map_err(|e| Failure::internal(e.to_string()))?;
    Ok(derive_identifier_hash(&pepper, identifier.kind, &identifier.value))
}

/// The person an identifier leads to, if any.
pub(crate) async fn find(
    env: &Env,
    shop: &ShopId,
    identifier: &Identifier,
    now: Timestamp,
) -> Outcome<Option<PersonId>> {
    let hash = hash(env, shop, identifier)?;
    match objects::alias(env, shop, identifier.kind, &hash, now, &PersonCall::Resolve).await? {
        PersonAnswer::Leads { to, .. } => Ok(to),
        _ => Ok(None),
    }
}

/// The persons that identifiers lead to, each once.
pub(crate) async fn find_all(
    env: &Env,
    shop: &ShopId,
    identifiers: &[Identifier],
    now: Timestamp,
) -> Outcome<Vec<PersonId>> {
    let mut found = vec![];
    for identifier in identifiers {
        if let Some(person) = find(env, shop, identifier, now).await?
            && !found.contains(&person)
        {
            found.push(person);
        }
    }
    Ok(found)
}

/// Lets an identifier lead to a person, unless it leads to somebody already; to whom it leads now.
pub(crate) async fn bind(
    env: &Env,
    shop: &ShopId,
    identifier: &Identifier,
    person: &PersonId,
    now: Timestamp,
) -> Outcome<PersonId> {
    let hash = hash(env, shop, identifier)?;
    let call = PersonCall::Bind { person: person.clone(), anew: false };
    match objects::alias(env, shop, identifier.kind, &hash, now, &call).await? {
        PersonAnswer::Leads { to: Some(held), .. } => Ok(held),
        _ => Err(Failure::internal("an alias leads nowhere")),
    }
}

/// Lets an identifier lead to a person, whoever it led to before.
pub(crate) async fn rebind(
    env: &Env,
    shop: &ShopId,
    identifier: &Identifier,
    person: &PersonId,
    now: Timestamp,
) -> Outcome<()> {
    let hash = hash(env, shop, identifier)?;
    let call = PersonCall::Bind { person: person.clone(), anew: true };
    objects::alias(env, shop, identifier.kind, &hash, now, &call).await?;
    Ok(())
}

/// The person of an address that somebody typed. An address has a person of its own: a known one
/// keeps it, an unknown one gets a new one. Never the person of whoever typed it.
pub(crate) async fn person_of_typed(
    env: &Env,
    shop: &ShopId,
    address: &Identifier,
    now: Timestamp,
) -> Outcome<Typed> {
    match find(env, shop, address, now).await? {
        Some(person) => Ok(Typed { person, is_new: false }),
        None => typed_first(env, shop, address, &make_person()?, now).await,
    }
}

/// The person of an address that nobody was known to have: `proposed`, unless somebody was faster.
pub(crate) async fn typed_first(
    env: &Env,
    shop: &ShopId,
    address: &Identifier,
    proposed: &PersonId,
    now: Timestamp,
) -> Outcome<Typed> {
    let person = bind(env, shop, address, proposed, now).await?;
    Ok(Typed { is_new: person == *proposed, person })
}

/// Whether nobody's address is known of this person: a browser that was pushed to, say, and never told
/// another.
pub(crate) async fn has_no_address(
    env: &Env,
    shop: &ShopId,
    person: &PersonId,
    now: Timestamp,
) -> Outcome<bool> {
    Ok(match call(env, shop, person, now, &PersonCall::Show).await? {
        PersonAnswer::State(person) => person.contacts.is_empty(),
        PersonAnswer::Missing => true,
        _ => false,
    })
}

/// See [`person_of_typed`].
pub(crate) struct Typed {
    pub(crate) person: PersonId,
    /// Nobody had this address before.
    pub(crate) is_new: bool,
}

/// A person of whom nothing is known.
pub(crate) fn make_person() -> Outcome<PersonId> {
    PersonId::parse(&format!("per_{}", entropy::make_tail()?)).map_err(|e| Failure::internal(e.to_string()))
}

/// The one person behind all these identifiers, by the word of the shop's server: found, merged or
/// made.
pub(crate) async fn person_of(
    env: &Env,
    shop: &ShopId,
    identifiers: &[Identifier],
    now: Timestamp,
) -> Outcome<PersonId> {
    let mut found: Vec<PersonId> = vec![];
    let mut unbound = vec![];
    for identifier in identifiers {
        match find(env, shop, identifier, now).await? {
            Some(person) => found.push(person),
            None => unbound.push(identifier),
        }
    }
    let mut person = match unite(env, shop, found, now).await? {
        Some(person) => person,
        None => make_person()?,
    };
    for identifier in unbound {
        // Somebody else may have been faster; then the two are one.
        let held = bind(env, shop, identifier, &person, now).await?;
        if held != person {
            person = unite(env, shop, vec![person, held], now)
                .await?
                .ok_or_else(|| Failure::internal("no survivor"))?;
        }
    }
    Ok(person)
}

/// Merges persons into the one with the smallest id, following tombstones first.
async fn unite(
    env: &Env,
    shop: &ShopId,
    persons: Vec<PersonId>,
    now: Timestamp,
) -> Outcome<Option<PersonId>> {
    let mut living: Vec<PersonId> = vec![];
    for person in persons {
        let end = survivor(env, shop, &person, now).await?;
        if !living.contains(&end) {
            living.push(end);
        }
    }
    living.sort_unstable();
    let Some((first, rest)) = living.split_first() else { return Ok(None) };
    for other in rest {
        // The survivor must exist before anyone is told to lead to it.
        apply_at(env, shop, first, vec![], now).await?;
        let call = PersonCall::MergeInto { into: first.clone() };
        match objects::person(env, shop, other, now, &call).await? {
            PersonAnswer::Snapshot(state) => hand_over(env, shop, other, first, state, now).await?,
            // Nothing was known of the other; an alias may still lead there, so leave a tombstone.
            PersonAnswer::Missing => {
                apply_at(env, shop, other, vec![], now).await?;
                if let PersonAnswer::Snapshot(state) = objects::person(env, shop, other, now, &call).await? {
                    hand_over(env, shop, other, first, state, now).await?;
                }
            }
            PersonAnswer::Moved { .. } => {
                survivor(env, shop, other, now).await?;
            }
            _ => return Err(Failure::internal("a merge was answered with something else")),
        }
    }
    Ok(Some(first.clone()))
}

async fn hand_over(
    env: &Env,
    shop: &ShopId,
    from: &PersonId,
    to: &PersonId,
    state: Box<comeback_core::person::Person>,
    now: Timestamp,
) -> Outcome<()> {
    match objects::person(env, shop, to, now, &PersonCall::Absorb { other: state }).await? {
        PersonAnswer::Applied { .. } => {
            objects::person(env, shop, from, now, &PersonCall::MergeDone).await?;
            Ok(())
        }
        // The survivor was merged meanwhile: the tombstone keeps what is pending and its alarm
        // hands it on.
        PersonAnswer::Moved { .. } => Ok(()),
        _ => Err(Failure::internal("the survivor of a merge is missing")),
    }
}

/// Follows tombstones to the living person, finishing on the way what a merge left undone.
async fn survivor(env: &Env, shop: &ShopId, person: &PersonId, now: Timestamp) -> Outcome<PersonId> {
    let mut at = person.clone();
    for _ in 0..MOST_HOPS {
        match objects::person(env, shop, &at, now, &PersonCall::Show).await? {
            PersonAnswer::Moved { into, pending } => {
                if let Some(state) = pending {
                    hand_over(env, shop, &at, &into, state, now).await?;
                }
                at = into;
            }
            _ => return Ok(at),
        }
    }
    Err(Failure::internal("too many merges in a row"))
}

/// Calls a person, following tombstones. A merge that was cut off is finished first, so that a
/// claim never asks a survivor who does not yet know of an order.
pub(crate) async fn call(
    env: &Env,
    shop: &ShopId,
    person: &PersonId,
    now: Timestamp,
    body: &PersonCall,
) -> Outcome<PersonAnswer> {
    let answer = objects::person(env, shop, person, now, body).await?;
    if !matches!(answer, PersonAnswer::Moved { .. }) {
        return Ok(answer);
    }
    let living = survivor(env, shop, person, now).await?;
    objects::person(env, shop, &living, now, body).await
}

async fn apply_at(
    env: &Env,
    shop: &ShopId,
    person: &PersonId,
    changes: Vec<PersonChange>,
    now: Timestamp,
) -> Outcome<Applied> {
    let body = PersonCall::Apply { shop: shop.clone(), person: person.clone(), changes };
    match call(env, shop, person, now, &body).await? {
        PersonAnswer::Applied { carts, known, ordered_at, profile, assignments } => {
            Ok(Applied { carts, known, ordered_at, profile, assignments })
        }
        _ => Err(Failure::internal("a person did not take a change")),
    }
}

/// A person after a change.
pub(crate) struct Applied {
    /// Their carts.
    pub(crate) carts: Vec<CartId>,
    /// Whether anything was known of them before.
    pub(crate) known: bool,
    /// When the order among the changes was placed, as they were first told.
    pub(crate) ordered_at: Option<Timestamp>,
    /// What is known of them now, for a cart to keep.
    pub(crate) profile: Facts,
    /// The arms of experiments that they were exposed to.
    pub(crate) assignments: Vec<Assignment>,
}

/// Changes a person.
pub(crate) async fn apply(
    env: &Env,
    shop: &ShopId,
    person: &PersonId,
    changes: Vec<PersonChange>,
    now: Timestamp,
) -> Outcome<Applied> {
    apply_at(env, shop, person, changes, now).await
}
