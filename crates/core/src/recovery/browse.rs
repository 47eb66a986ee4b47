//! Looking without buying: what was looked at longest, and when that counts as left. Nothing is in
//! the cart, a person is known, and no order ended it; whether they may be written to is the gate's.

use serde::{Deserialize, Serialize};

use super::leaving::Leaving;
use super::{Recovery, Trigger};
use crate::cart::{Line, Trust};
use crate::id::EventId;
use crate::policy::{Browse, Policy};
use crate::signal::Viewed;
use crate::time::{Millis, Timestamp};

/// Product classes of which a look is kept. One per class, because the time from which on a look
/// counts is the class's.
const MOST: usize = 4;

/// One look at a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// When.
    pub at: Timestamp,
    /// How long.
    pub dwell_ms: Millis,
    /// The event that told of it.
    pub id: EventId,
    /// At what.
    pub item: Viewed,
}

impl Look {
    /// The longest first; of two the later. The id settles what is left, so that the order in which
    /// looks arrive does not matter.
    fn rank(&self) -> (Millis, Timestamp, &EventId) {
        (self.dwell_ms, self.at, &self.id)
    }
}

/// The longest look at each product class, of the four classes that were looked at longest. Looks
/// are not summed: a sum over a bounded list would depend on the order of arrival.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Looks(Vec<Look>);

impl Looks {
    /// Whether nothing was looked at.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a look into account.
    pub(super) fn note(&mut self, at: Timestamp, id: EventId, item: Viewed, dwell_ms: Millis) {
        if dwell_ms <= 0 {
            return;
        }
        let look = Look { at, dwell_ms, id, item };
        match self.0.iter_mut().find(|held| held.item.class == look.item.class) {
            Some(held) if held.rank() >= look.rank() => return,
            Some(held) => *held = look,
            None => self.0.push(look),
        }
        self.0.sort_by(|a, b| b.rank().cmp(&a.rank()));
        self.0.truncate(MOST);
    }

    /// The longest look that counts.
    fn best(&self, browse: &Browse) -> Option<&Look> {
        let least = |item: &Viewed| {
            let own = item.class.as_ref().and_then(|class| browse.dwell_by_class.get(class));
            own.copied().unwrap_or(browse.dwell_ms)
        };
        self.0.iter().find(|look| look.dwell_ms >= least(&look.item))
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Recovery {
    /// When looking counts as left. Besides a look that is long enough, an episode that a return
    /// paused is enough: left again after a short stay, it goes on.
    pub(super) fn browse_leaving(&self, policy: &Policy) -> Option<Leaving> {
        let browse = policy.browse.as_ref()?;
        self.person.as_ref()?;
        if !policy.sequences.iter().any(|s| s.answers(Trigger::Browse)) {
            return None;
        }
        let paused = || {
            let held = self.episode.as_ref().filter(|e| e.trigger == Trigger::Browse)?;
            self.is_short_stay(held, browse.idle_ms).then(|| held.look.clone()).flatten()
        };
        let look = self.looks.best(browse).cloned().or_else(paused)?;
        let due = self.last_activity.plus(browse.idle_ms);
        let trigger = Trigger::Browse;
        Some(Leaving { trigger, due, since: due, idle_ms: browse.idle_ms, look: Some(look) })
    }
}

impl Viewed {
    /// What it is, as a value that two equal looks share.
    pub(super) fn contents(&self) -> String {
        format!("{}\u{1f}{}", self.item_id, self.item_variant.as_deref().unwrap_or(""))
    }

    /// As a line: one piece, its price unknown. Only the catalogue may name it to others.
    #[must_use]
    pub fn as_line(&self) -> Line {
        Line {
            item_id: self.item_id.clone(),
            item_variant: self.item_variant.clone(),
            quantity: 1,
            unit_price_minor: 0,
            title: String::new(),
            image_url: None,
            item_url: None,
            class: self.class.clone(),
            trust: Trust::Page,
        }
    }
}
