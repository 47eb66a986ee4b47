//! Signals to features to a probability with reasons.
//!
//! One computation of features and one of the score, in the browser, at the edge and on a desk:
//! floating point is added in one fixed order and the exponential comes from `libm`, so the same
//! session has the same score to the last bit everywhere. It gathers nothing, knows no clock and
//! decides nothing; what a score is used for is the policy's.
//!
//! ```
//! use comeback_core::signal::{SessionFacts, Stage};
//! use comeback_score::{Baseline, Context, Features, Model};
//!
//! let session = SessionFacts { stage: Stage::Checkout, checkout_errors: 1, ..SessionFacts::default() };
//! let score = Baseline.predict(&Features::of(&session, &Context::default()));
//! assert!(score.buy < 0.5);
//! assert_eq!(score.reasons[0].feature, "checkout_errors");
//! ```

mod baseline;
mod feature;
mod model;

pub use baseline::Baseline;
pub use feature::{Context, FEATURES, Feature, Features};
pub use model::{MAX_REASONS, Model, Reason, Score};
