//! `cargo xtask lint`: formatting, clippy on every target that ships, and the documentation's links.

use crate::place::Place;
use crate::run::{self, Outcome};
use crate::setup::{self, WasmTarget};
use std::process::Command;

pub(crate) fn command(place: &Place) -> Outcome {
    let machine = setup::prepare(place, setup::Wanted { lint: true, ..setup::Wanted::default() })?;
    println!("lint");
    steps(machine.wasm()?)
        .into_iter()
        .try_for_each(|(name, mut command)| run::step(name, || run::run(command.current_dir(&place.root))))
}

/// The checks by name; `test` runs the same ones with its own report.
pub(crate) fn steps(wasm: &WasmTarget) -> Vec<(&'static str, Command)> {
    let cargo = |arguments: &[&str]| {
        let mut command = Command::new("cargo");
        command.args(arguments);
        command
    };
    let mut doc = cargo(&["doc", "--quiet", "--no-deps", "--document-private-items"]);
    // Private items are documented too, so a link to one leads somewhere.
    doc.env("RUSTDOCFLAGS", "-Dwarnings -Arustdoc::private_intra_doc_links");
    let mut steps = vec![
        ("rustfmt", cargo(&["fmt", "--all", "--check"])),
        ("clippy", cargo(&["clippy", "--quiet", "--all-targets", "--", "-Dwarnings"])),
        ("rustdoc", doc),
    ];
    let target = "--target=wasm32-unknown-unknown";
    if wasm.has_clippy() {
        let browser_and_edge = ["-p", "comeback-worker", "-p", "comeback-sdk", target];
        let lint = |features: &[&str]| {
            let mut command = cargo(&["clippy", "--quiet"]);
            command.args(browser_and_edge).args(features).args(["--", "-Dwarnings"]);
            command
        };
        steps.push(("clippy wasm32", lint(&[])));
        steps.push(("clippy wasm32 (dev)", lint(&["--features", "comeback-worker/dev"])));
    } else {
        // Debian ships no clippy for its compiler: the compiler's own lints are what is left.
        let mut check = cargo(&["check", "--quiet", "-p", "comeback-worker", "-p", "comeback-sdk", target]);
        check.env("RUSTFLAGS", "-Dwarnings");
        wasm.apply(&mut check);
        steps.push(("check wasm32 (no clippy for this compiler)", check));
    }
    steps
}
