//! The standard library for wasm32-unknown-unknown.
//!
//! Two ways, the ordinary one first. *rustup*: `rustup target add`. *registries only* (Debian, for machines that reach package
//! mirrors but not rustup's host): Debian's rustc 1.96 with its library sources, from which std is built once. A compiler and its
//! library must be one version, so in that case every wasm build uses `/usr/bin/rustc`; host builds keep the usual one.
//! Linking then needs rustup's `rust-lld`: Debian's `wasm-ld` is LLVM 14 and refuses the newer object files.

use super::apt;
use crate::place::Place;
use crate::run::{self, Error, Outcome, at};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The only wasm target of this project.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";
const SYSTEM_RUSTC: &str = "/usr/bin/rustc";
const SYSTEM_CARGO: &str = "/usr/bin/cargo";
const PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];
/// Forces a way (`rustup` or `apt`); for trying the other one out.
const CHOICE: &str = "COMEBACK_WASM_STD";

/// How wasm32 is compiled on this machine.
#[derive(Clone, Debug)]
pub(crate) enum WasmTarget {
    /// The usual rustc has the target.
    Rustup,
    /// Debian's rustc with a std built from its sources; linked with `linker`; `bin` holds only a link `rustc`.
    System { linker: PathBuf, bin: PathBuf },
}

impl WasmTarget {
    /// Prepares a cargo (or worker-build) command that compiles for wasm32.
    pub(crate) fn apply(&self, command: &mut Command) {
        if let Self::System { linker, bin } = self {
            command
                .env("RUSTC", SYSTEM_RUSTC)
                .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
                // worker-build asks the `rustc` in PATH whether the target is there.
                .env("PATH", run::path_with(bin));
        }
    }

    fn way(&self) -> &'static str {
        match self {
            Self::Rustup => "rustup",
            Self::System { .. } => "apt",
        }
    }

    /// Debian's compiler comes without clippy, so wasm32 can be linted only with rustup's.
    pub(crate) fn has_clippy(&self) -> bool {
        matches!(self, Self::Rustup)
    }

    /// Whether rustup manages the compiler, and may be asked for more of it.
    pub(crate) fn is_rustup(&self) -> bool {
        matches!(self, Self::Rustup)
    }

    /// The compiler.
    pub(crate) fn rustc(&self) -> &'static str {
        match self {
            Self::Rustup => "rustc",
            Self::System { .. } => SYSTEM_RUSTC,
        }
    }

    /// The cargo of the compiler's version, which building its library wants.
    pub(crate) fn cargo(&self) -> &'static str {
        match self {
            Self::Rustup => "cargo",
            Self::System { .. } => SYSTEM_CARGO,
        }
    }

    /// Part of every wasm build's stamp: another compiler means another artefact.
    pub(crate) fn identity(&self) -> String {
        run::stdout_of(Command::new(self.rustc()).arg("-V")).unwrap_or_default()
    }
}

/// Finds or makes the library.
pub(crate) fn ensure(place: &Place) -> Outcome<WasmTarget> {
    let name = "std for wasm32-unknown-unknown";
    let decision = place.cache.join("wasm-std");
    let choice = std::env::var(CHOICE).ok();
    let wanted =
        choice.clone().or_else(|| fs::read_to_string(&decision).ok().map(|way| way.trim().to_owned()));
    let found = match wanted.as_deref() {
        Some("apt") => system(place)?,
        Some("rustup") if choice.is_some() => rustup_has_it(),
        Some("rustup") | None => match rustup_has_it() {
            Some(target) => Some(target),
            None => system(place)?,
        },
        Some(other) => {
            return Err(Error::usage(format!("{CHOICE}={other}: expected `rustup` or `apt`")));
        }
    };
    if let Some(target) = found {
        run::already(name, target.way());
        remember(&decision, &target)?;
        return Ok(target);
    }
    let rustup_failed = match choice.as_deref() {
        Some("apt") => "not tried".to_owned(),
        _ => match run::step(&format!("{name}: rustup target add"), || add_by_rustup(place)) {
            Ok(target) => {
                println!("    took the ordinary way: rustup's {TARGET}");
                remember(&decision, &target)?;
                return Ok(target);
            }
            Err(error) => error.to_string(),
        },
    };
    if choice.as_deref() == Some("rustup") {
        return Err(Error::new(rustup_failed).by_hand(format!("rustup target add {TARGET}")));
    }
    let target = run::step(&format!("{name}: apt and build (about 2 min)"), || add_by_apt(place))
        .map_err(|error| error_with(&error, &rustup_failed))?;
    println!(
        "    took the registry-only way: Debian's rustc and a std built from its sources (rustup: {})",
        first_line(&rustup_failed)
    );
    remember(&decision, &target)?;
    Ok(target)
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn error_with(error: &Error, rustup_failed: &str) -> Error {
    let first = first_line(rustup_failed);
    Error::new(format!("no std for {TARGET}. rustup: {first}. apt: {error}"))
        .by_hand(format!("rustup target add {TARGET}"))
}

fn remember(decision: &Path, target: &WasmTarget) -> Outcome {
    if std::env::var_os(CHOICE).is_some() {
        return Ok(());
    }
    if let Some(folder) = decision.parent() {
        fs::create_dir_all(folder).map_err(at(folder))?;
    }
    fs::write(decision, target.way()).map_err(at(decision))
}

/// Whether this rustc's library folder for wasm32 holds std, not only exists.
fn has_std(rustc: &str) -> bool {
    let mut command = Command::new(rustc);
    command.args(["--print", "target-libdir", "--target", TARGET]);
    let Ok(folder) = run::stdout_of(&mut command) else {
        return false;
    };
    let Ok(entries) = fs::read_dir(folder.trim()) else {
        return false;
    };
    let names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    ["libstd-", "libcore-", "libpanic_abort-"]
        .iter()
        .all(|start| names.iter().any(|name| name.starts_with(start) && name.ends_with(".rlib")))
}

fn rustup_has_it() -> Option<WasmTarget> {
    has_std("rustc").then_some(WasmTarget::Rustup)
}

fn add_by_rustup(place: &Place) -> Outcome<WasmTarget> {
    let mut command = Command::new("rustup");
    command.args(["target", "add", TARGET]).current_dir(&place.root);
    run::run_quietly(&mut command, &place.scratch().join("log/rustup.log"), Duration::from_secs(300))?;
    rustup_has_it()
        .ok_or_else(|| Error::new(format!("rustup says {TARGET} is installed; rustc has no std for it")))
}

/// The registry-only way, if it was gone before on this machine.
fn system(place: &Place) -> Outcome<Option<WasmTarget>> {
    if !Path::new(SYSTEM_RUSTC).exists() || !has_std(SYSTEM_RUSTC) {
        return Ok(None);
    }
    Ok(Some(WasmTarget::System { linker: rust_lld()?, bin: rustc_only(place)? }))
}

fn add_by_apt(place: &Place) -> Outcome<WasmTarget> {
    let linker = rust_lld()?;
    let sources = Path::new("/usr/lib/rustlib/src/rust/library/std/Cargo.toml");
    if !(Path::new(SYSTEM_RUSTC).exists() && Path::new(SYSTEM_CARGO).exists() && sources.exists()) {
        apt::install(place, &PACKAGES)?;
    }
    if !has_std(SYSTEM_RUSTC) {
        build_std(place, &linker)?;
    }
    Ok(WasmTarget::System { linker, bin: rustc_only(place)? })
}

/// Compiles std in an empty crate and puts the libraries where rustc looks for them.
fn build_std(place: &Place, linker: &Path) -> Outcome {
    let folder = place.scratch().join("wasm-std");
    fs::create_dir_all(folder.join("src")).map_err(at(&folder))?;
    // Not a member of this workspace; lto off so that the rlibs hold machine code besides the bitcode that fat LTO wants.
    let manifest = "[package]\nname = \"wasm-std\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[workspace]\n[profile.release]\nlto = false\n";
    fs::write(folder.join("Cargo.toml"), manifest).map_err(at(&folder))?;
    fs::write(folder.join("src/lib.rs"), "#![no_std]\n").map_err(at(&folder))?;
    let mut command = Command::new(SYSTEM_CARGO);
    command
        .args([
            "build",
            "--release",
            "--target",
            TARGET,
            "-Z",
            "build-std=std,panic_abort,test",
            "--target-dir",
            "target",
        ])
        .current_dir(&folder)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTC", SYSTEM_RUSTC)
        .env("RUSTFLAGS", "-Cembed-bitcode=yes")
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("CARGO_TARGET_DIR");
    run::run_quietly(&mut command, &place.scratch().join("log/wasm-std.log"), Duration::from_secs(1_800))?;
    // As rustc names it, below its rustlib: one folder to copy, by us or by hand.
    let libraries = folder.join(TARGET).join("lib");
    run::remove_if_there(&libraries)?;
    fs::create_dir_all(&libraries).map_err(at(&libraries))?;
    let built = folder.join("target").join(TARGET).join("release/deps");
    for entry in fs::read_dir(&built).map_err(at(&built))?.flatten() {
        let file = entry.file_name().to_string_lossy().into_owned();
        if file.ends_with(".rlib") && !file.starts_with("libwasm_std-") {
            fs::copy(entry.path(), libraries.join(&file)).map_err(at(&libraries))?;
        }
    }
    let mut libdir = Command::new(SYSTEM_RUSTC);
    libdir.args(["--print", "target-libdir", "--target", TARGET]);
    put(&libraries, Path::new(run::stdout_of(&mut libdir)?.trim()))?;
    if !has_std(SYSTEM_RUSTC) {
        return Err(Error::new("std was built and rustc does not find it"));
    }
    run::remove_if_there(&folder)
}

/// Copies the libraries to where rustc looks for them, which is root's. Whoever is not root gets the one command that is left to do;
/// all of set-up under sudo would be no way out: rustup looks for its toolchains in root's home, and what root writes into the
/// repository and the cache stays root's.
fn put(libraries: &Path, destination: &Path) -> Outcome {
    let copy = || {
        fs::create_dir_all(destination).map_err(at(destination))?;
        for entry in fs::read_dir(libraries).map_err(at(libraries))?.flatten() {
            fs::copy(entry.path(), destination.join(entry.file_name())).map_err(at(destination))?;
        }
        Ok(())
    };
    copy().map_err(|error: Error| {
        let (from, to) = (libraries.display(), destination.display());
        Error::new(format!("std is built and could not be put in place: {error}")).by_hand(format!(
            "sudo mkdir -p '{to}' && sudo cp '{from}'/*.rlib '{to}/'  (then again what you ran)"
        ))
    })
}

/// `rust-lld` of the usual toolchain.
fn rust_lld() -> Outcome<PathBuf> {
    let sysroot = run::stdout_of(Command::new("rustc").args(["--print", "sysroot"]))?;
    let version = run::stdout_of(Command::new("rustc").arg("-vV"))?;
    let host =
        version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or("x86_64-unknown-linux-gnu");
    let path = Path::new(sysroot.trim()).join("lib/rustlib").join(host).join("bin/rust-lld");
    if path.is_file() {
        return Ok(path);
    }
    Err(Error::new(format!("no rust-lld at {}; a toolchain from rustup has it", path.display())))
}

/// A folder with nothing but `rustc`, so that putting it in front of PATH hides nothing else.
fn rustc_only(place: &Place) -> Outcome<PathBuf> {
    let bin = place.cache.join("system-rustc/bin");
    let link = bin.join("rustc");
    if !link.exists() {
        fs::create_dir_all(&bin).map_err(at(&bin))?;
        std::os::unix::fs::symlink(SYSTEM_RUSTC, &link).map_err(at(&link))?;
    }
    Ok(bin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_put_in_place_or_the_command_for_it_is_told() {
        let scratch = std::env::temp_dir().join(format!("comeback-put-{}", std::process::id()));
        let libraries = scratch.join("from");
        fs::create_dir_all(&libraries).unwrap();
        fs::write(libraries.join("libstd-1.rlib"), "std").unwrap();

        let destination = scratch.join("to/lib");
        put(&libraries, &destination).unwrap();
        assert_eq!(fs::read_to_string(destination.join("libstd-1.rlib")).unwrap(), "std");

        // Below a file no folder can be made, whoever asks; as below root's folder for anybody else.
        let refused = put(&libraries, &libraries.join("libstd-1.rlib/lib")).unwrap_err().to_string();
        assert!(refused.contains("by hand: sudo mkdir -p"), "{refused}");
        fs::remove_dir_all(&scratch).unwrap();
    }
}
