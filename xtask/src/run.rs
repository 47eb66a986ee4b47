//! Starting other programs and saying what happened. Knows nothing about what is started.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Why a command stopped: one message, and what to run by hand where that helps.
#[derive(Debug)]
pub(crate) struct Error {
    message: String,
    by_hand: Option<String>,
    code: u8,
}

/// What every step returns.
pub(crate) type Outcome<T = ()> = Result<T, Error>;

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), by_hand: None, code: 1 }
    }

    /// Wrong options: exit code 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), by_hand: None, code: 2 }
    }

    /// For a failure that was already reported: nothing more is printed.
    pub(crate) fn silent() -> Self {
        Self { message: String::new(), by_hand: None, code: 1 }
    }

    pub(crate) fn is_silent(&self) -> bool {
        self.message.is_empty()
    }

    /// The same error with the command a person can run instead.
    pub(crate) fn by_hand(mut self, command: impl Into<String>) -> Self {
        self.by_hand = Some(command.into());
        self
    }

    /// Hands on the exit code of a program whose own output has said it all.
    pub(crate) fn with_code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    pub(crate) fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        if let Some(command) = &self.by_hand {
            write!(f, "\n  by hand: {command}")?;
        }
        Ok(())
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::new(error.to_string())
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::new(format!("JSON: {error}"))
    }
}

/// An I/O error that names the file.
pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> Error + '_ {
    move |error| Error::new(format!("{}: {error}", path.display()))
}

/// Removes what may be absent.
pub(crate) fn remove_if_there(path: &Path) -> Outcome {
    let gone = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match gone {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path)(error)),
        _ => Ok(()),
    }
}

/// The command as a person would type it, for messages.
pub(crate) fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

/// Runs with this terminal's input and output.
pub(crate) fn run(command: &mut Command) -> Outcome {
    let status = command.status().map_err(|error| Error::new(format!("{}: {error}", shown(command))))?;
    checked(command, status)
}

fn checked(command: &Command, status: ExitStatus) -> Outcome {
    if status.success() {
        return Ok(());
    }
    Err(Error::new(format!("`{}`: {status}", shown(command))))
}

/// Standard output of a program that should succeed; standard error goes into the message when it does not.
pub(crate) fn stdout_of(command: &mut Command) -> Outcome<String> {
    let output = command.output().map_err(|error| Error::new(format!("{}: {error}", shown(command))))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::new(format!("`{}`: {}\n{}", shown(command), output.status, tail(&said, 20))));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A program whose output goes to a file, so that a good run is quiet and a bad one can show its end.
pub(crate) struct Logged {
    /// Both outputs, in order.
    pub(crate) log: PathBuf,
    /// How it ended; `None` when the time was up and it was killed.
    pub(crate) status: Option<ExitStatus>,
}

impl Logged {
    pub(crate) fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    pub(crate) fn text(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }
}

/// Runs in a process group of its own, with both outputs in `log`; kills the whole group after `limit`.
pub(crate) fn run_logged(command: &mut Command, log: &Path, limit: Duration) -> Outcome<Logged> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder).map_err(at(folder))?;
    }
    let file = File::create(log).map_err(at(log))?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).process_group(0);
    let mut child = command.spawn().map_err(|error| Error::new(format!("{}: {error}", shown(command))))?;
    let until = Instant::now() + limit;
    let mut pause = Duration::from_millis(5);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if Instant::now() >= until {
            kill_group(child.id());
            child.wait()?;
            break None;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(100));
    };
    // Whatever the program left behind in its group (a browser, an engine) ends with it.
    kill_group(child.id());
    Ok(Logged { log: log.to_path_buf(), status })
}

/// Like [`run_logged`] for a step that must succeed: on failure the error carries the end of the output.
pub(crate) fn run_quietly(command: &mut Command, log: &Path, limit: Duration) -> Outcome {
    let done = run_logged(command, log, limit)?;
    if done.succeeded() {
        return Ok(());
    }
    let how = done
        .status
        .map_or_else(|| format!("killed after {} s", limit.as_secs()), |status| status.to_string());
    Err(Error::new(format!("`{}`: {how}\n{}", shown(command), tail(&done.text(), 40))))
}

/// Kills a process group this program started.
pub(crate) fn kill_group(leader: u32) {
    signal_group("-KILL", leader);
}

/// Signals a process group this program started. std has no kill, and this workspace has no unsafe code.
pub(crate) fn signal_group(signal: &str, leader: u32) {
    let _ = Command::new("kill")
        .args([signal, "--", &format!("-{leader}")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// The last `lines` lines.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.trim_end().lines().collect();
    let from = all.len().saturating_sub(lines);
    all.get(from..).unwrap_or_default().join("\n")
}

/// Does the step and prints one line: its name and how long it took.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    let started = Instant::now();
    let result = work();
    let seconds = started.elapsed().as_secs_f64();
    match &result {
        Ok(_) => println!("  {name:<44} {seconds:6.1} s"),
        Err(_) => println!("  {name:<44} {seconds:6.1} s  FAILED"),
    }
    result
}

/// Prints one line for a step with nothing to do.
pub(crate) fn already(name: &str, what: &str) {
    println!(
        "  {name:<44} already there{}",
        if what.is_empty() { String::new() } else { format!(" ({what})") }
    );
}

/// A program found in `PATH`.
pub(crate) fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// `PATH` with `first` in front.
pub(crate) fn path_with(first: &Path) -> std::ffi::OsString {
    let mut folders = vec![first.to_path_buf()];
    if let Some(path) = std::env::var_os("PATH") {
        folders.extend(std::env::split_paths(&path));
    }
    // Fails only for a folder whose name holds a colon; then the plain PATH is the better answer.
    std::env::join_paths(folders).unwrap_or_else(|_| std::env::var_os("PATH").unwrap_or_default())
}
