//! Where things are: the repository, the cache that outlives a clone, cargo's target folder. Creates nothing.

use crate::run::{Error, Outcome};
use std::path::{Path, PathBuf};

/// The version every artefact carries: the workspace's.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The folders every command works in.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The repository.
    pub(crate) root: PathBuf,
    /// Tools and decisions that outlive a clone: `$COMEBACK_CACHE` or `~/.cache/comeback`.
    pub(crate) cache: PathBuf,
    /// Cargo's target folder.
    pub(crate) target: PathBuf,
}

impl Place {
    pub(crate) fn find() -> Outcome<Self> {
        // cargo sets the variable for `cargo run`; the compiled-in value serves a binary started by hand.
        let manifest =
            std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
        let root = Path::new(&manifest)
            .parent()
            .map(Path::to_path_buf)
            .ok_or_else(|| Error::new("xtask has no parent folder"))?;
        let cache = match std::env::var_os("COMEBACK_CACHE") {
            Some(cache) => PathBuf::from(cache),
            None => match std::env::var_os("HOME") {
                Some(home) => Path::new(&home).join(".cache/comeback"),
                None => root.join("target/comeback-cache"),
            },
        };
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(target) => root.join(target),
            None => root.join("target"),
        };
        Ok(Self { root, cache, target })
    }

    /// What a build leaves for others.
    pub(crate) fn dist(&self) -> PathBuf {
        self.root.join("dist")
    }

    /// `dist/sdk/<version>`.
    pub(crate) fn sdk(&self) -> PathBuf {
        self.dist().join("sdk").join(VERSION)
    }

    /// Scratch space of this program: logs, stamps, intermediate wasm.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.target.join("xtask")
    }

    /// Programs of the pinned npm packages.
    pub(crate) fn npm_bin(&self) -> PathBuf {
        self.root.join("node_modules/.bin")
    }
}
