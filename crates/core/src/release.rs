//! Which version of a shop's policy is in force: pushed, tried in shadow, activated, rolled back.
//! A version is never changed. The last fifty are kept, first of all those that something may follow; every change is
//! noted with its time and whoever made it. Holds no policy texts: those are stored under their hash.
//!
//! **What is touched.** A cart follows the version it was left under to the end of that episode, so
//! an activation touches nothing that was left before it. A rollback *withdraws* a version: what was
//! left under it is not written to any more. What was left under the version before goes on.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::experiment::{BUCKETS, bucket};
use crate::gate::Activation;
use crate::time::Timestamp;

/// Versions kept. Of those that nothing needs the oldest that was never in force is forgotten first, and
/// what was withdrawn last; pushing it again brings it back.
pub const MOST_VERSIONS: usize = 50;
/// Changes kept.
pub const MOST_CHANGES: usize = 200;
/// Largest bound per hour that an activation may set: the turns taken in an hour are kept one by one.
pub const MOST_PER_HOUR: u32 = 1_000;
/// Shortest beginning of a version that names it.
const SHORTEST: usize = 8;

/// Why a change was not made. Nothing was changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseError {
    /// No such version was pushed, or it was forgotten.
    #[error("no version `{0}` is kept; push it first")]
    Unknown(String),
    /// Several versions begin like that.
    #[error("several versions begin with `{0}`")]
    Ambiguous(String),
    /// It is in force, so it cannot run in shadow.
    #[error("this version is in force already; a shadow is another one")]
    InForce,
    /// There is nothing to go back to.
    #[error("there is no version before this one to go back to")]
    NothingBefore,
    /// A share of the people needs something for the others to follow.
    #[error(
        "there is no version before this one for the others to follow; use `[rollout] percent` in the policy"
    )]
    NobodyElse,
    /// Not a percentage of people.
    #[error("percent: 1 to 100")]
    Percent,
    /// Not a bound that can be kept.
    #[error("per_hour: 1 to {MOST_PER_HOUR}")]
    PerHour,
}

/// A version of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Hash of its canonical form.
    pub version: String,
    /// The policy's name.
    pub name: String,
    /// When it was pushed first.
    pub pushed_at: Timestamp,
    /// By whom, as they called themselves.
    pub pushed_by: String,
    /// From when on carts are left under it: its first activation that was not withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_force_since: Option<Timestamp>,
    /// It was rolled back: what was left under it is not touched any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
    /// Its offers that somebody approved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approved: Vec<String>,
}

/// How the version in force came to be so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// Which.
    pub version: String,
    /// When it was activated last.
    pub at: Timestamp,
    /// To how many persons it applies; the others follow the version before.
    pub percent: u8,
    /// Messages of the shop in any hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_hour: Option<u32>,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// Pushed: kept, nothing else.
    Pushed,
    /// Put into shadow.
    Shadowed,
    /// Taken out of shadow.
    ShadowEnded,
    /// Put in force.
    Activated {
        /// For how many.
        percent: u8,
        /// With which bound.
        per_hour: Option<u32>,
    },
    /// Rolled back: this version is in force again.
    RolledBack {
        /// The version that was withdrawn.
        withdrawn: String,
    },
    /// Offers were approved.
    Approved {
        /// Which.
        offers: Vec<String>,
    },
}

/// A change, as it is shown to whoever asks what happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// By whom, as they called themselves.
    pub who: String,
    /// Of which version.
    pub version: String,
    /// What.
    pub act: Act,
}

/// A rollout to some: the others follow the version before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Percent of persons whom it has reached.
    pub percent: u8,
    /// What the others follow.
    pub before: String,
}

impl Trial {
    /// Whether it has reached a person, or a cart of which no person is known. By hash, so raising the
    /// percentage keeps those who were in.
    #[must_use]
    pub fn reaches(&self, shop: &str, version: &str, unit: &str) -> bool {
        bucket(shop, &format!("release:{version}"), unit) < u16::from(self.percent.min(100)) * (BUCKETS / 100)
    }
}

/// A shop's versions and which of them is in force.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Releases {
    /// Versions kept, oldest first.
    pub versions: Vec<Version>,
    /// The one in force.
    pub live: Option<Live>,
    /// Those that were in force for everybody before it and may be gone back to, the latest last.
    pub before: Vec<Live>,
    /// The one in shadow.
    pub shadow: Option<String>,
    /// What was done, oldest first.
    pub changes: Vec<Change>,
}

impl Releases {
    /// Finds a version by its name or a beginning of it that only it has.
    pub fn find(&self, version: &str) -> Result<&Version, ReleaseError> {
        let unknown = || ReleaseError::Unknown(version.chars().take(40).collect());
        if let Some(found) = self.versions.iter().find(|v| v.version == version) {
            return Ok(found);
        }
        if version.len() < SHORTEST {
            return Err(unknown());
        }
        let mut like = self.versions.iter().filter(|v| v.version.starts_with(version));
        match (like.next(), like.next()) {
            (Some(found), None) => Ok(found),
            (Some(_), Some(_)) => Err(ReleaseError::Ambiguous(version.chars().take(40).collect())),
            (None, _) => Err(unknown()),
        }
    }

    /// Keeps a version. Whether it is new.
    pub fn push(&mut self, now: Timestamp, version: &str, name: &str, who: &str) -> bool {
        if self.versions.iter().any(|v| v.version == version) {
            return false;
        }
        self.versions.push(Version {
            version: version.to_owned(),
            name: name.to_owned(),
            pushed_at: now,
            pushed_by: who.to_owned(),
            in_force_since: None,
            withdrawn: false,
            approved: vec![],
        });
        self.note(now, who, version, Act::Pushed);
        if self.versions.len() > MOST_VERSIONS
            && let Some(oldest) = self.dispensable(version)
        {
            let gone = self.versions.remove(oldest).version;
            self.before.retain(|l| l.version != gone);
        }
        true
    }

    /// The version to forget for this one: what was never in force before what was, and what was
    /// withdrawn last of all, for carts that were left under it must go on hearing nothing.
    fn dispensable(&self, version: &str) -> Option<usize> {
        let free = || {
            let all = self.versions.iter().enumerate();
            all.filter(|(_, v)| v.version != version && !self.is_needed(&v.version))
        };
        free().min_by_key(|(_, v)| (v.withdrawn, v.in_force_since.is_some())).map(|(index, _)| index)
    }

    /// In force, in shadow, or next to go back to.
    fn is_needed(&self, version: &str) -> bool {
        self.live.as_ref().is_some_and(|l| l.version == version)
            || self.shadow.as_deref() == Some(version)
            || self.base().is_some_and(|l| l.version == version)
    }

    /// Lets a version decide without sending, or ends that.
    pub fn shadow(&mut self, now: Timestamp, version: Option<&str>, who: &str) -> Result<(), ReleaseError> {
        let Some(version) = version else {
            if let Some(ended) = self.shadow.take() {
                self.note(now, who, &ended, Act::ShadowEnded);
            }
            return Ok(());
        };
        let version = self.find(version)?.version.clone();
        if self.live.as_ref().is_some_and(|l| l.version == version) {
            return Err(ReleaseError::InForce);
        }
        if self.shadow.as_deref() != Some(&version) {
            self.note(now, who, &version, Act::Shadowed);
            self.shadow = Some(version);
        }
        Ok(())
    }

    /// Puts a version in force. Repeating it with the same bounds changes nothing; with others it
    /// changes the bounds, and the time of activation stays.
    pub fn activate(
        &mut self,
        now: Timestamp,
        version: &str,
        percent: u8,
        per_hour: Option<u32>,
        who: &str,
    ) -> Result<(), ReleaseError> {
        if !(1..=100).contains(&percent) {
            return Err(ReleaseError::Percent);
        }
        if per_hour.is_some_and(|n| !(1..=MOST_PER_HOUR).contains(&n)) {
            return Err(ReleaseError::PerHour);
        }
        let version = self.find(version)?.version.clone();
        let again = self.live.as_ref().filter(|l| l.version == version);
        let at = again.map_or(now, |l| l.at);
        let next = Live { version: version.clone(), at, percent, per_hour };
        if again == Some(&next) {
            return Ok(());
        }
        let before = self.base_of(&version);
        if percent < 100 && before.is_empty() {
            return Err(ReleaseError::NobodyElse);
        }
        self.before = before;
        self.live = Some(next);
        if self.shadow.as_deref() == Some(&version) {
            self.shadow = None;
        }
        // Before a shop's first policy nothing could be left under another.
        let is_first = self.versions.iter().all(|v| v.in_force_since.is_none());
        let since = if is_first { Timestamp::default() } else { now };
        if let Some(kept) = self.versions.iter_mut().find(|v| v.version == version) {
            if kept.withdrawn || kept.in_force_since.is_none() {
                kept.in_force_since = Some(since);
            }
            kept.withdrawn = false;
        }
        self.note(now, who, &version, Act::Activated { percent, per_hour });
        Ok(())
    }

    /// The latest before that was in force for everybody. Shops from before this was kept to may hold others.
    fn base(&self) -> Option<&Live> {
        self.before.iter().rfind(|l| l.percent >= 100)
    }

    /// What may be gone back to from a version: what was in force for everybody, once each, the latest last. A
    /// rollout that did not get so far is none of them, or a second one would bring the first to everybody else.
    fn base_of(&self, version: &str) -> Vec<Live> {
        let former = self.live.iter().filter(|l| l.version != version && l.percent >= 100);
        let is_former = |l: &&Live| former.clone().any(|f| f.version == l.version);
        let earlier =
            self.before.iter().filter(|l| l.version != version && l.percent >= 100 && !is_former(l));
        earlier.chain(former.clone()).cloned().collect()
    }

    /// Withdraws the version in force and puts the one before in its place, for everybody.
    pub fn roll_back(&mut self, now: Timestamp, who: &str) -> Result<(), ReleaseError> {
        // One that was forgotten meanwhile cannot be told what it is.
        self.before.retain(|l| l.percent >= 100 && self.versions.iter().any(|v| v.version == l.version));
        let former = self.before.pop().ok_or(ReleaseError::NothingBefore)?;
        let withdrawn = self.live.take().map(|l| l.version).unwrap_or_default();
        if let Some(kept) = self.versions.iter_mut().find(|v| v.version == withdrawn) {
            kept.withdrawn = true;
        }
        if self.shadow.as_deref() == Some(&former.version) {
            self.shadow = None;
        }
        let version = former.version.clone();
        self.live = Some(Live { at: now, ..former });
        self.note(now, who, &version, Act::RolledBack { withdrawn });
        Ok(())
    }

    /// Approves offers of a version.
    pub fn approve(
        &mut self,
        now: Timestamp,
        version: &str,
        offers: &[String],
        who: &str,
    ) -> Result<(), ReleaseError> {
        let version = self.find(version)?.version.clone();
        let Some(kept) = self.versions.iter_mut().find(|v| v.version == version) else { return Ok(()) };
        let fresh: Vec<String> = offers.iter().filter(|o| !kept.approved.contains(o)).cloned().collect();
        if !fresh.is_empty() {
            kept.approved.extend(fresh.iter().cloned());
            self.note(now, who, &version, Act::Approved { offers: fresh });
        }
        Ok(())
    }

    /// The rollout that runs, for whoever decides which version a cart is left under.
    #[must_use]
    pub fn trial(&self) -> Option<Trial> {
        let live = self.live.as_ref().filter(|l| l.percent < 100)?;
        let before = self.base()?.version.clone();
        Some(Trial { percent: live.percent, before })
    }

    /// What the send path must know.
    #[must_use]
    pub fn in_force(&self) -> InForce {
        let of = |version: &str| self.versions.iter().find(|v| v.version == version);
        InForce {
            live: self.live.clone(),
            since: self.live.as_ref().and_then(|l| of(&l.version)).and_then(|v| v.in_force_since),
            shadow: self.shadow.clone(),
            withdrawn: self.versions.iter().filter(|v| v.withdrawn).map(|v| v.version.clone()).collect(),
            approved: self
                .versions
                .iter()
                .filter(|v| !v.approved.is_empty())
                .map(|v| (v.version.clone(), v.approved.clone()))
                .collect(),
        }
    }

    fn note(&mut self, at: Timestamp, who: &str, version: &str, act: Act) {
        if self.changes.len() >= MOST_CHANGES {
            self.changes.remove(0);
        }
        self.changes.push(Change { at, who: who.to_owned(), version: version.to_owned(), act });
    }
}

/// What is in force, as the send path asks for it before every claim.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct InForce {
    /// The version in force; `None` for a shop from before versions were kept.
    pub live: Option<Live>,
    /// From when on carts are left under it.
    pub since: Option<Timestamp>,
    /// The version in shadow.
    pub shadow: Option<String>,
    /// Versions under which nothing goes on.
    pub withdrawn: Vec<String>,
    /// Approved offers, by version.
    pub approved: BTreeMap<String, Vec<String>>,
}

impl InForce {
    /// The version to ask about a cart that was left under `left_under` (empty: not noted), and how
    /// it came into force. `fallback` is the version of a shop that never activated one.
    #[must_use]
    pub fn version_for<'v>(
        &'v self,
        now: Timestamp,
        left_under: &'v str,
        fallback: &'v str,
    ) -> (&'v str, Option<Activation>) {
        let Some(live) = &self.live else {
            return (if left_under.is_empty() { fallback } else { left_under }, None);
        };
        let activation = |at| Activation {
            at,
            shadow: false,
            // Filled by what the shop reserves, where a bound is set.
            sent_this_hour: 0,
            room_at: None,
            per_hour: live.per_hour,
        };
        if self.withdrawn.iter().any(|v| v == left_under) {
            return (&live.version, Some(activation(now)));
        }
        if left_under.is_empty() {
            return (&live.version, Some(activation(live.at)));
        }
        if left_under == live.version {
            return (&live.version, Some(activation(self.since.unwrap_or(live.at))));
        }
        // Superseded, or not reached by a rollout: it goes on as it began.
        (left_under, Some(Activation { per_hour: None, ..activation(Timestamp::default()) }))
    }

    /// Offers of a version that somebody approved.
    #[must_use]
    pub fn approved_of(&self, version: &str) -> Vec<String> {
        self.approved.get(version).cloned().unwrap_or_default()
    }
}

mod shadow;
pub use shadow::{shadow_left, shadow_request};

#[cfg(test)]
mod tests;
