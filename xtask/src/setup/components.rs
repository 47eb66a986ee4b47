//! rustfmt and clippy of the usual toolchain. A minimal rustup profile has neither, and only lints need them: nothing that is built
//! or tried on a desk waits for this. It installs no toolchain and does not care which version it finds.

use crate::place::Place;
use crate::run::{self, Error, Outcome};
use std::process::Command;
use std::time::Duration;

const BY_HAND: &str = "rustup component add rustfmt clippy";

/// Both are there afterwards.
pub(crate) fn ensure(place: &Place) -> Outcome {
    let name = "rustfmt and clippy";
    if missing().is_empty() {
        run::already(name, "");
        return Ok(());
    }
    run::step(&format!("{name}: rustup component add"), || {
        let mut command = Command::new("rustup");
        command.args(["component", "add", "rustfmt", "clippy"]).current_dir(&place.root);
        let log = place.scratch().join("log/components.log");
        let added = run::run_quietly(&mut command, &log, Duration::from_secs(300));
        let missing = missing();
        if missing.is_empty() {
            return Ok(());
        }
        let why =
            added.err().map_or_else(|| "rustup says it is installed".to_owned(), |error| error.to_string());
        Err(Error::new(format!("no {}, which the lints need ({why})", missing.join(", ")))
            .by_hand(format!("{BY_HAND}  (without rustup: your system's packages of both)")))
    })
}

/// Asked by running them: rustup puts a stand-in into `PATH` for what is not installed.
fn missing() -> Vec<&'static str> {
    ["fmt", "clippy"]
        .into_iter()
        .filter(|name| run::stdout_of(Command::new("cargo").args([name, "--version"])).is_err())
        .map(|name| if name == "fmt" { "rustfmt" } else { name })
        .collect()
}
