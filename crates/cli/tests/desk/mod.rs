//! The program as a person starts it on files, for several tests. Says nothing over HTTP.

use std::path::PathBuf;
use std::process::Command;

/// Runs `comeback` without anything of this machine's environment: exit code, stdout, stderr.
pub(crate) fn comeback(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_comeback"));
    let done = command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).env_clear().output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code(), text(done.stdout), text(done.stderr))
}

/// A file of this test, gone with it.
pub(crate) struct Temporary(PathBuf);

impl Temporary {
    /// With this in it.
    pub(crate) fn with(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("comeback-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
