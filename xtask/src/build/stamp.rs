//! Whether a step may be skipped: a hash over the contents of its inputs, kept from the last good run.
//!
//! Contents, not times: a checkout touches every file. Outputs are only checked to exist.

use crate::place::Place;
use crate::run::{Outcome, at, remove_if_there};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// The inputs of one step.
pub(crate) struct Stamp {
    file: PathBuf,
    hash: Sha256,
}

impl Stamp {
    /// `name` is unique per step.
    pub(crate) fn new(place: &Place, name: &str) -> Self {
        Self { file: place.scratch().join("stamp").join(name), hash: Sha256::new() }
    }

    /// Something that is not a file: a version, an option.
    pub(crate) fn word(mut self, word: &str) -> Self {
        self.hash.update(word.as_bytes());
        self.hash.update([0]);
        self
    }

    /// A file, or every file below a folder but for names in `without`. What is not there counts as empty.
    pub(crate) fn tree(mut self, path: &Path, without: &[&str]) -> Outcome<Self> {
        let mut files = Vec::new();
        walk(path, without, &mut files)?;
        for file in files {
            self.hash.update(file.to_string_lossy().as_bytes());
            self.hash.update([0]);
            self.hash.update(Sha256::digest(fs::read(&file).map_err(at(&file))?));
        }
        Ok(self)
    }

    /// Does the work unless the inputs are those of the last good run and all `outputs` exist. Returns whether it worked.
    pub(crate) fn unless_done(
        self,
        name: &str,
        outputs: &[&Path],
        work: impl FnOnce() -> Outcome,
    ) -> Outcome<bool> {
        let now: String = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let same = fs::read_to_string(&self.file).is_ok_and(|last| last == now);
        if same && outputs.iter().all(|output| output.exists()) {
            println!("  {name:<44} unchanged");
            return Ok(false);
        }
        remove_if_there(&self.file)?;
        crate::run::step(name, work)?;
        if let Some(folder) = self.file.parent() {
            fs::create_dir_all(folder).map_err(at(folder))?;
        }
        fs::write(&self.file, now).map_err(at(&self.file))?;
        Ok(true)
    }
}

/// Files below `path` in a fixed order, without links, editors' leavings, and names in `without`.
pub(crate) fn walk(path: &Path, without: &[&str], files: &mut Vec<PathBuf>) -> Outcome {
    let Ok(about) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    if about.is_file() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    if !about.is_dir() {
        return Ok(());
    }
    let mut entries: Vec<PathBuf> =
        fs::read_dir(path).map_err(at(path))?.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for entry in entries {
        let name = entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let leaving =
            name.ends_with('~') || name.ends_with(".swp") || name.starts_with(".#") || name == ".git";
        if !leaving && !without.contains(&name.as_str()) {
            walk(&entry, without, files)?;
        }
    }
    Ok(())
}
