//! Makes a machine with only cargo, Node with npm and (on Debian) apt ready to build and test, from package registries alone.
//!
//! Each part checks first and is silent about nothing: what it does, how long it took, or `already there`.
//! It does not touch the user's shell set-up and installs no toolchain by itself.

mod apt;
mod chromium;
mod components;
mod npm;
mod sdk_std;
mod tools;
mod wasm_target;

use crate::place::Place;
use crate::run::{Error, Outcome};
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) use sdk_std::SdkStd;
pub(crate) use wasm_target::WasmTarget;

/// The programs a build needs, checked to be there.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    pub(crate) wasm: WasmTarget,
    /// `None` where it could not be made: then the SDK is larger.
    pub(crate) sdk_std: Option<SdkStd>,
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

/// What a command is about to do on this machine; each part brings what it needs and nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// rustfmt, clippy, and the wasm32 library that clippy reads.
    pub(crate) lint: bool,
    /// wasm32, its tools, Node and the engine.
    pub(crate) build: bool,
    /// A browser.
    pub(crate) browser: bool,
}

/// What was found or made; a part that was not wanted is `None`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Machine {
    wasm: Option<WasmTarget>,
    ready: Option<Ready>,
    chromium: Option<PathBuf>,
}

impl Machine {
    pub(crate) fn wasm(&self) -> Outcome<&WasmTarget> {
        self.wasm.as_ref().ok_or_else(|| not_set_up("wasm32"))
    }

    pub(crate) fn ready(&self) -> Outcome<&Ready> {
        self.ready.as_ref().ok_or_else(|| not_set_up("builds"))
    }

    pub(crate) fn chromium(&self) -> Outcome<&Path> {
        self.chromium.as_deref().ok_or_else(|| not_set_up("a browser"))
    }
}

fn not_set_up(what: &str) -> Error {
    Error::new(format!("this machine was not set up for {what}: `Wanted` does not say that it is needed"))
}

/// The wanted parts, in the order in which they take time; what only lints need comes last, so that it holds up nothing else.
pub(crate) fn prepare(place: &Place, wanted: Wanted) -> Outcome<Machine> {
    let mut machine = Machine::default();
    if wanted == Wanted::default() {
        return Ok(machine);
    }
    println!("setup");
    if wanted.lint || wanted.build {
        let wasm = wasm_target::ensure(place)?;
        if wanted.build {
            machine.ready = Some(tools_for(place, wasm.clone())?);
        }
        machine.wasm = Some(wasm);
    }
    if wanted.browser {
        machine.chromium = Some(chromium::ensure(place)?);
    }
    if wanted.lint {
        components::ensure(place)?;
    }
    Ok(machine)
}

/// Everything but the browser: what a build needs.
pub(crate) fn for_build(place: &Place) -> Outcome<Ready> {
    println!("setup");
    tools_for(place, wasm_target::ensure(place)?)
}

fn tools_for(place: &Place, wasm: WasmTarget) -> Outcome<Ready> {
    let worker_build = tools::ensure(place, "worker-build", tools::WORKER_BUILD, "worker-build")?;
    let wasm_bindgen = tools::ensure(place, "wasm-bindgen-cli", tools::WASM_BINDGEN, "wasm-bindgen")?;
    let node = npm::ensure(place)?;
    let sdk_std = sdk_std::ensure(place, &wasm);
    Ok(Ready { wasm, sdk_std, worker_build, wasm_bindgen, node, place: place.clone() })
}
