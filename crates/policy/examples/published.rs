//! Prints what docs/ publishes of the policy language: `schema`, `pack-schema`, `keys` or `fields`.
//! `cargo run -q -p comeback-policy --example published -- schema > docs/policy.schema.json`

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let text = match std::env::args().nth(1).as_deref() {
        Some("schema") => format!("{:#}\n", comeback_policy::schema::policy()),
        Some("pack-schema") => format!("{:#}\n", comeback_policy::schema::pack()),
        Some("keys") => comeback_policy::reference::keys(),
        Some("fields") => comeback_policy::reference::fields(),
        _ => return ExitCode::from(2),
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
