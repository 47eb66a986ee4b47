//! `cargo xtask demo`: the whole system on the local engine, rebuilt and reloaded as the sources change; or, headless, a real
//! browser that walks the journey once.
//!
//! The engine itself is driven by `tests/rig/serve.mjs`; this starts it, feeds it and makes sure that it ends.

use crate::build::{self, Variant};
use crate::place::Place;
use crate::run::{self, Error, Outcome, at};
use crate::setup::{self, Ready, Wanted};
use crate::watch::Sources;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// Set by Ctrl-C or SIGTERM.
static STOP: AtomicBool = AtomicBool::new(false);

const START_LIMIT: Duration = Duration::from_secs(60);
const JOURNEY_LIMIT: Duration = Duration::from_secs(300);
const GRACE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(300);

#[derive(Debug, PartialEq, Eq)]
struct Options {
    port: u16,
    fresh: bool,
    headless: bool,
}

pub(crate) fn command(place: &Place, rest: &[String]) -> Outcome {
    let options = options(rest)?;
    ctrlc::set_handler(|| STOP.store(true, Ordering::SeqCst))
        .map_err(|error| Error::new(error.to_string()))?;
    let machine = setup::prepare(place, Wanted { build: true, browser: options.headless, lint: false })?;
    let ready = machine.ready()?;
    build::all(place, ready, &[Variant::Dev])?;
    if options.headless { journey(place, ready, machine.chromium()?) } else { live(place, ready, &options) }
}

fn options(rest: &[String]) -> Outcome<Options> {
    let mut options = Options { port: 8787, fresh: false, headless: false };
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--fresh" => options.fresh = true,
            "--headless" => options.headless = true,
            "--port" => {
                let port = words.next().and_then(|port| port.parse().ok());
                options.port = port.ok_or_else(|| Error::usage("demo: --port needs a number"))?;
            }
            other => {
                return Err(Error::usage(format!(
                    "demo: unknown option `{other}` (--port N, --fresh, --headless)"
                )));
            }
        }
    }
    Ok(options)
}

/// The running system.
struct Engine {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Engine {
    /// Starts it and waits until it answers; returns the address.
    fn start(place: &Place, ready: &Ready, state: &Path, port: u16) -> Outcome<(Self, String)> {
        let mut command = ready.node();
        command
            .arg(place.root.join("tests/rig/serve.mjs"))
            .arg("--port")
            .arg(port.to_string())
            .arg("--state")
            .arg(state);
        // A group of its own: Ctrl-C reaches this program alone, which then stops the rest in order.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut child =
            command.spawn().map_err(|error| Error::new(format!("{}: {error}", run::shown(&command))))?;
        let (sender, lines) = channel();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        let stdin = child.stdin.take();
        let mut engine = Self { child, stdin, lines };
        let url = engine.wait_for("ready ", START_LIMIT)?;
        Ok((engine, url))
    }

    /// Passes output on until a line starts with `word`; returns the rest of that line.
    fn wait_for(&mut self, word: &str, limit: Duration) -> Outcome<String> {
        let until = Instant::now() + limit;
        loop {
            match self.lines.recv_timeout(Duration::from_millis(100)) {
                Ok(line) => match line.strip_prefix(word) {
                    Some(rest) => return Ok(rest.to_owned()),
                    None => println!("{line}"),
                },
                Err(RecvTimeoutError::Timeout) if Instant::now() < until && !stopping() => {}
                Err(RecvTimeoutError::Timeout) => {
                    return Err(Error::new(format!("the engine did not say `{}`", word.trim())));
                }
                Err(RecvTimeoutError::Disconnected) => return Err(Error::new("the engine ended")),
            }
        }
    }

    fn pass_on_output(&self) {
        for line in self.lines.try_iter() {
            println!("{line}");
        }
    }

    fn reload(&mut self) -> Outcome<String> {
        let stdin = self.stdin.as_mut().ok_or_else(|| Error::new("the engine is stopping"))?;
        writeln!(stdin, "reload")?;
        self.wait_for("reloaded ", START_LIMIT)
    }

    fn ended(&mut self) -> Outcome<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }
}

impl Drop for Engine {
    /// Closing its input asks it to stop; then its whole group is killed, the engine's process included.
    fn drop(&mut self) {
        drop(self.stdin.take());
        let until = Instant::now() + GRACE;
        while Instant::now() < until && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        run::kill_group(self.child.id());
        let _ = self.child.wait();
    }
}

fn stopping() -> bool {
    STOP.load(Ordering::SeqCst)
}

fn live(place: &Place, ready: &Ready, options: &Options) -> Outcome {
    let state = place.root.join(".comeback");
    if options.fresh {
        run::remove_if_there(&state)?;
    }
    let mut known = Sources::now(place)?;
    let (mut engine, url) = Engine::start(place, ready, &state, options.port)?;
    println!("\n  shop     {url}/\n  inbox    {url}/dev/inbox");
    if place.dist().join("assets/console").is_dir()
        || place.root.join("crates/worker/src/routes/console.rs").is_file()
    {
        println!("  console  {url}/console/");
    }
    println!("\nwatching crates/, www-demo/, sdk-js/; Ctrl-C stops");
    while !stopping() {
        std::thread::sleep(LOOK);
        engine.pass_on_output();
        if let Some(status) = engine.ended()? {
            return Err(Error::new(format!("the engine ended by itself: {status}")));
        }
        let now = Sources::now(place)?;
        if now == known {
            continue;
        }
        let started = Instant::now();
        let changed = now.changes(&known, place);
        known = now;
        println!("\nchanged: {}", changed.join(", "));
        match rebuild(place, ready, &mut engine, &changed) {
            Ok(()) => println!("  live after {:.1} s", started.elapsed().as_secs_f64()),
            Err(error) => println!("{error}\n  the last good build goes on"),
        }
    }
    println!("\nstopping");
    drop(engine);
    Ok(())
}

/// The Worker first: it is the quick one, and most changes are its. A change of configuration alone needs a reload too.
fn rebuild(place: &Place, ready: &Ready, engine: &mut Engine, changed: &[String]) -> Outcome {
    let configured = changed.iter().any(|file| file == "wrangler.toml" || file.starts_with("migrations/"));
    if build::worker(place, ready, Variant::Dev)? || configured {
        println!("  {:<44} {}", "engine reloaded", engine.reload()?);
    }
    if build::browser(place, ready)? {
        println!("  {:<44} {}", "engine reloaded", engine.reload()?);
    }
    Ok(())
}

/// A throwaway system and a browser that walks the journey; the browser's own output tells the steps.
pub(crate) fn journey(place: &Place, ready: &Ready, chromium: &Path) -> Outcome {
    let script = place.root.join("tests/browser/journey.mjs");
    if !script.is_file() {
        return Err(Error::new("tests/browser/journey.mjs is missing: it is the walk"));
    }
    let state = Throwaway::new(place)?;
    let (mut engine, url) = Engine::start(place, ready, &state.0, 0)?;
    println!("journey on {url}");
    let mut command = ready.node();
    command
        .arg(&script)
        .env("BASE_URL", &url)
        .env("CHROMIUM", chromium)
        .env("COMEBACK_SECRETS", state.0.join("secrets.json"))
        .stdin(Stdio::null())
        .process_group(0);
    let mut walk =
        command.spawn().map_err(|error| Error::new(format!("{}: {error}", run::shown(&command))))?;
    let until = Instant::now() + JOURNEY_LIMIT;
    let status = loop {
        engine.pass_on_output();
        if let Some(status) = walk.try_wait()? {
            break Ok(status);
        }
        if stopping() || Instant::now() > until || engine.ended()?.is_some() {
            break Err(if stopping() { "stopped" } else { "no end within its time, or the engine ended" });
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    run::kill_group(walk.id());
    walk.wait()?;
    engine.pass_on_output();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
            Err(Error::new(format!("the journey failed: {status}")).with_code(code.max(1)))
        }
        Err(why) => Err(Error::new(format!("the journey: {why}"))),
    }
}

/// A state folder that goes with the run.
struct Throwaway(PathBuf);

impl Throwaway {
    fn new(place: &Place) -> Outcome<Self> {
        let folder = place.scratch().join(format!("journey-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        Ok(Self(folder))
    }
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        let _ = run::remove_if_there(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_mistakes_refused() {
        let words = |list: &[&str]| list.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        assert_eq!(options(&[]).unwrap(), Options { port: 8787, fresh: false, headless: false });
        let all = options(&words(&["--headless", "--port", "9000", "--fresh"])).unwrap();
        assert_eq!(all, Options { port: 9000, fresh: true, headless: true });
        assert!(options(&words(&["--port"])).is_err());
        assert!(options(&words(&["--headles"])).is_err());
    }
}
