//! Experiments as a policy defines them. Assignment by hash is [`crate::experiment`]'s.

use serde::{Deserialize, Serialize};

use super::is_default;
use crate::consent::Channel;
use crate::time::Millis;

/// A comparison of arms on one subject.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Experiment {
    /// Its name: the seed of the assignment.
    pub name: String,
    /// What is tested, and why.
    pub hypothesis: String,
    /// On what.
    pub subject: Subject,
    /// At least two; the first is the control.
    pub arms: Vec<Arm>,
}

/// What an experiment varies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A step of a sequence.
    Step {
        /// Name of the sequence.
        sequence: String,
        /// Name of the step.
        step: String,
    },
    /// A panel of the page, by its kind.
    Panel {
        /// `exit`, `saved_cart`…
        panel: String,
    },
}

/// One arm. What it does not name stays as the step or the panel has it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Arm {
    /// Its name.
    pub name: String,
    /// Its share among the weights of all arms.
    pub weight: u32,
    /// Another time, counted from the abandonment.
    #[serde(default, skip_serializing_if = "is_default")]
    pub at_ms: Option<Millis>,
    /// Other channels.
    #[serde(default, skip_serializing_if = "is_default")]
    pub channels: Option<Vec<Channel>>,
    /// Another template: subject, body and call to action go together.
    #[serde(default, skip_serializing_if = "is_default")]
    pub template: Option<String>,
    /// Another offer; `none` takes it away.
    #[serde(default, skip_serializing_if = "is_default")]
    pub offer: Option<String>,
    /// Nothing is sent or shown: what the contact itself is worth.
    #[serde(default, skip_serializing_if = "is_default")]
    pub silent: bool,
    /// Of a panel: other words, by the name of a variant in the shop's copy.
    #[serde(default, skip_serializing_if = "is_default")]
    pub copy: Option<String>,
    /// Of a panel: the page must have been open for another time.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dwell_ms: Option<Millis>,
    /// Of a panel: another bound for those who will likely buy without help.
    #[serde(default, skip_serializing_if = "is_default")]
    pub max_buy: Option<f64>,
}
