//! Policy text (TOML) checked and compiled into what the core holds, and back into the canonical
//! form in which it travels. It decides nothing about carts or people and reads no files: text in,
//! policy or located errors out.
//!
//! ```
//! let text = r#"
//! [policy]
//! name = "mine"
//!
//! [[sequence]]
//! name = "standard"
//! steps = [{ name = "reminder", at = "24h", channel = ["email"], template = "reminder" }]
//! "#;
//! let (policy, warnings) = comeback_policy::parse("mine.toml", text)?;
//! assert!(warnings.is_empty());
//!
//! let canonical = comeback_policy::to_canonical(&policy)?;
//! assert_eq!(comeback_policy::from_canonical(&policy.version, &canonical)?, policy);
//!
//! let errors = comeback_policy::parse("mine.toml", &text.replace("24h", "a day")).unwrap_err();
//! assert_eq!((errors.errors[0].line, errors.errors[0].column), (7, 36));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The language, table by table, is described in [`mod@reference`].

mod canonical;
mod check;
mod condition;
mod diagnostic;
mod diff;
mod goods;
mod logic;
mod pack;
mod places;
mod preset;
mod quantity;
mod read;
pub mod reference;
pub mod schema;
mod section;
mod shape;
mod suggest;
mod word;
mod words;

pub use canonical::{CanonicalError, from_canonical, to_canonical, version_of};
pub use diagnostic::{Diagnostic, PolicyErrors, Severity, Warning};
pub use diff::{Change, ChangeKind, diff};
pub use goods::{GoodsKnown, check_goods};
pub use pack::{packs, parse_pack};
pub use preset::presets;
pub use read::TEMPLATES;
pub use words::show_condition;

use comeback_core::policy::Policy;

use diagnostic::Report;

/// Longest policy text, in bytes. Hand-written policies are a few kilobytes.
pub const MAX_TEXT: usize = 64 * 1024;

/// Checks and compiles a policy text. `file_name` only names the text in messages.
pub fn parse(file_name: &str, text: &str) -> Result<(Policy, Vec<Warning>), PolicyErrors> {
    parse_for(file_name, text, &GoodsKnown::default())
}

/// Checks and compiles a policy text for a shop of which something is known.
pub fn parse_for(
    file_name: &str,
    text: &str,
    goods: &GoodsKnown<'_>,
) -> Result<(Policy, Vec<Warning>), PolicyErrors> {
    let mut report = Report::new(file_name, text);
    let policy = read::read(&mut report).and_then(|(mut policy, places)| {
        goods::check(&mut report, &policy, &places, goods);
        match to_canonical(&policy) {
            Ok(canonical) => {
                policy.version = version_of(&canonical);
                Some(policy)
            }
            Err(error) => {
                report.error(0..0, error.to_string(), None);
                None
            }
        }
    });
    if policy.is_none() && !report.has_errors() {
        // Reached only if a reader gave up without saying why; an error without a reason is still
        // better than a policy nobody asked for.
        report.error(0..0, "the policy could not be read", None);
    }
    let warnings = report.finish()?;
    match policy {
        Some(policy) => Ok((policy, warnings)),
        None => Err(PolicyErrors { errors: Vec::new(), warnings }),
    }
}
