//! The SDK's own standard library, in which a panic is one instruction: the texts of panics and what formats them weigh 1.7 KB of
//! every page, and nobody reads them there. Built once per compiler, from that compiler's own sources, into the cache outside the
//! clone; about half a minute. Where there are no sources the build goes on with the usual library and says what that costs.

use super::wasm_target::{TARGET, WasmTarget};
use crate::place::Place;
use crate::run::{self, Error, Outcome, at};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const NAME: &str = "std of the SDK";
/// `immediate-abort` is not stable yet, neither as a flag nor in the library.
const FLAGS: &str = "-Zunstable-options -Cpanic=immediate-abort";
/// Not a member of this workspace. lto off, so that the rlibs hold what fat LTO wants whatever profile asks for it.
const MANIFEST: &str = "[package]\nname = \"sdk-std\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[workspace]\n\
     [profile.release]\nopt-level = \"z\"\npanic = \"abort\"\nlto = false\n";

/// A sysroot with nothing but libraries for wasm32.
#[derive(Clone, Debug)]
pub(crate) struct SdkStd(PathBuf);

impl SdkStd {
    /// Makes a cargo command with an explicit `--target` link against it.
    pub(crate) fn apply(&self, command: &mut Command) {
        let flags: Vec<String> = FLAGS
            .split(' ')
            .map(str::to_owned)
            .chain(["--sysroot".to_owned(), self.0.display().to_string()])
            .collect();
        // Unlike RUSTFLAGS this form bears blanks in a path.
        command.env("RUSTC_BOOTSTRAP", "1").env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    }
}

/// Finds or makes it; `None`, with a line that tells why, where that cannot be done.
pub(crate) fn ensure(place: &Place, wasm: &WasmTarget) -> Option<SdkStd> {
    let sysroot = place.cache.join("sdk-std").join(identity(wasm));
    if libraries(&sysroot).is_dir() {
        run::already(NAME, "");
        return Some(SdkStd(sysroot));
    }
    match run::step(&format!("{NAME} (about 30 s)"), || make(place, wasm, &sysroot)) {
        Ok(()) => Some(SdkStd(sysroot)),
        Err(error) => {
            println!("    the SDK is built with the usual std and is larger for it: {error}");
            None
        }
    }
}

/// Another compiler or other flags: another library.
fn identity(wasm: &WasmTarget) -> String {
    let version = run::stdout_of(Command::new(wasm.rustc()).arg("-vV")).unwrap_or_default();
    let hash = Sha256::digest([version.as_bytes(), FLAGS.as_bytes(), MANIFEST.as_bytes()].concat());
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// Where rustc looks below a sysroot.
fn libraries(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib").join(TARGET).join("lib")
}

fn make(place: &Place, wasm: &WasmTarget, sysroot: &Path) -> Outcome {
    sources(place, wasm)?;
    let folder = place.scratch().join("sdk-std");
    fs::create_dir_all(folder.join("src")).map_err(at(&folder))?;
    fs::write(folder.join("Cargo.toml"), MANIFEST).map_err(at(&folder))?;
    fs::write(folder.join("src/lib.rs"), "#![no_std]\n").map_err(at(&folder))?;
    let mut command = Command::new(wasm.cargo());
    wasm.apply(&mut command);
    command
        .args(["build", "--release", "--target", TARGET, "--target-dir", "target"])
        .args(["-Z", "build-std=std,panic_abort", "-Z", "build-std-features=optimize_for_size"])
        .current_dir(&folder)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", format!("{FLAGS} -Cembed-bitcode=yes"))
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_TARGET_DIR");
    run::run_quietly(&mut command, &place.scratch().join("log/sdk-std.log"), Duration::from_secs(1_800))?;

    // Beside its place first: a cache that was filled halfway would be believed.
    let half = sysroot.with_extension("half");
    run::remove_if_there(&half)?;
    let to = libraries(&half);
    fs::create_dir_all(&to).map_err(at(&to))?;
    let built = folder.join("target").join(TARGET).join("release/deps");
    for entry in fs::read_dir(&built).map_err(at(&built))?.flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        if file.ends_with(".rlib") && !file.starts_with("libsdk_std-") {
            fs::copy(entry.path(), to.join(&file)).map_err(at(&to))?;
        }
    }
    fs::rename(&half, sysroot).map_err(at(sysroot))?;
    run::remove_if_there(&folder)
}

/// The library's sources belong to the compiler; rustup brings them, Debian's package is part of that way's set-up.
fn sources(place: &Place, wasm: &WasmTarget) -> Outcome {
    let sysroot = run::stdout_of(Command::new(wasm.rustc()).args(["--print", "sysroot"]))?;
    let file = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library/std/Cargo.toml");
    if !file.is_file() && wasm.is_rustup() {
        let mut command = Command::new("rustup");
        command.args(["component", "add", "rust-src"]).current_dir(&place.root);
        run::run_quietly(&mut command, &place.scratch().join("log/rust-src.log"), Duration::from_secs(300))
            .map_err(|error| error.by_hand("rustup component add rust-src"))?;
    }
    if file.is_file() { Ok(()) } else { Err(Error::new(format!("no {}", file.display()))) }
}
