//! The Worker by `worker-build`: `index.js` and the wasm, with `entry.js` (the module wrangler and the tests load) beside them.

use super::stamp::Stamp;
use crate::place::Place;
use crate::run::{self, Error, Outcome, at};
use crate::setup::Ready;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(1_800);

/// The two Workers: only the first has `/dev/` routes and the virtual clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// Feature `dev`, quick to compile; for the demo and the tests.
    Dev,
    /// What a shop deploys.
    Release,
}

impl Variant {
    /// Its folder below `dist/`.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Dev => "worker-dev",
            Self::Release => "worker",
        }
    }

    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Dev => &["--dev"],
            Self::Release => &["--release"],
        }
    }

    fn features(self) -> &'static [&'static str] {
        match self {
            Self::Dev => &["--features", "dev"],
            Self::Release => &[],
        }
    }
}

/// Returns whether it was compiled anew.
pub(crate) fn build(place: &Place, ready: &Ready, variant: Variant) -> Outcome<bool> {
    let folder = place.dist().join(variant.folder());
    let name = format!("Worker -> dist/{}/", variant.folder());
    let elsewhere = ["sdk", "cli", "testkit", "sim", "target", "build", "tests", "benches"];
    Stamp::new(place, variant.folder())
        .word(&ready.wasm.identity())
        .tree(&place.root.join("crates"), &elsewhere)?
        .tree(&place.root.join("policies"), &[])?
        .tree(&place.root.join("models"), &[])?
        .tree(&place.root.join("migrations"), &[])?
        .tree(&place.root.join("Cargo.toml"), &[])?
        .tree(&place.root.join("Cargo.lock"), &[])?
        .unless_done(
            &name,
            &[&folder.join("entry.js"), &folder.join("index.js"), &folder.join("index_bg.wasm")],
            || compile(place, ready, variant, &folder),
        )
}

fn compile(place: &Place, ready: &Ready, variant: Variant, folder: &PathBuf) -> Outcome {
    let krate = place.root.join("crates/worker");
    let entry = krate.join("entry.js");
    if !entry.is_file() {
        return Err(Error::new(
            "crates/worker/entry.js is missing: it is the module `main` of wrangler.toml",
        ));
    }
    // Relative to the crate: worker-build joins whatever it is given to the crate's path.
    let staging = place.scratch().join(variant.folder());
    fs::create_dir_all(&staging).map_err(at(&staging))?;
    let mut command = Command::new(&ready.worker_build);
    command
        .args(variant.options())
        .arg("--out-dir")
        .arg(&staging)
        .args(variant.features())
        .current_dir(&krate)
        .env("WASM_BINDGEN_BIN", &ready.wasm_bindgen)
        .env("ESBUILD_BIN", place.npm_bin().join("esbuild"))
        .env("WASM_OPT_BIN", place.npm_bin().join("wasm-opt"))
        // Its own backtrace would push the compiler's message out of the shown tail.
        .env("RUST_BACKTRACE", "0")
        // xtask was itself started by cargo, whose variables would make build scripts run again.
        .env_remove("CARGO_MANIFEST_DIR")
        .env_remove("CARGO_PKG_NAME");
    ready.wasm.apply(&mut command);
    run::run_quietly(&mut command, &place.scratch().join(format!("log/{}.log", variant.folder())), LIMIT)?;
    fs::create_dir_all(folder).map_err(at(folder))?;
    for file in ["index.js", "index_bg.wasm"] {
        fs::copy(staging.join(file), folder.join(file)).map_err(at(&staging.join(file)))?;
    }
    fs::copy(&entry, folder.join("entry.js")).map_err(at(&entry))?;
    Ok(())
}
