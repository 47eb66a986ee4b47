//! Makes a machine with only cargo, Node with npm and (on Debian) apt ready to build and test, from package registries alone.
//!
//! Each part checks first and is silent about nothing: what it does, how long it took, or `already there`.
//! It does not touch the user's shell set-up and installs no toolchain by itself.

mod apt;
mod chromium;
mod npm;
mod tools;
mod wasm_target;

use crate::place::Place;
use crate::run::Outcome;
use std::path::PathBuf;
use std::process::Command;

pub(crate) use wasm_target::WasmTarget;

/// The programs a build needs, checked to be there.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    pub(crate) wasm: WasmTarget,
    pub(crate) worker_build: PathBuf,
    pub(crate) wasm_bindgen: PathBuf,
    /// Node 22 from the npm package `node`, which the local engine needs; the machine's own may be older.
    pub(crate) node: PathBuf,
    place: Place,
}

impl Ready {
    /// A Node command in the repository, with the pinned packages' programs first in `PATH`.
    pub(crate) fn node(&self) -> Command {
        let mut command = Command::new(&self.node);
        self.pinned(&mut command);
        command
    }

    /// A program of a pinned npm package.
    pub(crate) fn npm_program(&self, name: &str) -> Command {
        let mut command = Command::new(self.place.npm_bin().join(name));
        self.pinned(&mut command);
        command
    }

    fn pinned(&self, command: &mut Command) {
        command.current_dir(&self.place.root).env("PATH", crate::run::path_with(&self.place.npm_bin()));
    }
}

/// Everything but the browser: what a build needs.
pub(crate) fn for_build(place: &Place) -> Outcome<Ready> {
    println!("setup");
    let wasm = wasm_target::ensure(place)?;
    let worker_build = tools::ensure(place, "worker-build", tools::WORKER_BUILD, "worker-build")?;
    let wasm_bindgen = tools::ensure(place, "wasm-bindgen-cli", tools::WASM_BINDGEN, "wasm-bindgen")?;
    let node = npm::ensure(place)?;
    Ok(Ready { wasm, worker_build, wasm_bindgen, node, place: place.clone() })
}

/// Everything, with the browser.
pub(crate) fn all(place: &Place) -> Outcome<(Ready, PathBuf)> {
    let ready = for_build(place)?;
    let chromium = chromium::ensure(place)?;
    Ok((ready, chromium))
}

/// Only the wasm32 library, for lints.
pub(crate) fn wasm_only(place: &Place) -> Outcome<WasmTarget> {
    wasm_target::ensure(place)
}
