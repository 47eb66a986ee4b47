//! The measured engine: starts `tests/bench/engine.mjs`, learns where everything listens, and ends it. Measures nothing.

use crate::place::Place;
use crate::run::{self, Error, Outcome};
use crate::setup::Ready;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

const START_LIMIT: Duration = Duration::from_secs(60);
const GRACE: Duration = Duration::from_secs(10);

/// A cart that exists, and the cookies of the browser that made it.
pub(super) struct Cart {
    pub(super) id: String,
    pub(super) cookie: String,
}

/// A running engine.
pub(super) struct Engine {
    child: Child,
    stdin: Option<ChildStdin>,
    /// The process whose CPU is measured.
    pub(super) pid: u32,
    pub(super) carts: Vec<Cart>,
    ports: Value,
}

impl Engine {
    /// Starts it on an empty state folder and waits until its carts exist.
    pub(super) fn start(place: &Place, ready: &Ready, state: &Path, worker: Option<&Path>) -> Outcome<Self> {
        let mut command = ready.node();
        command.arg(place.root.join("tests/bench/engine.mjs")).arg("--state").arg(state);
        if let Some(worker) = worker {
            command.arg("--worker").arg(worker);
        }
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
        let mut engine = Self { child, stdin, pid: 0, carts: Vec::new(), ports: Value::Null };
        let until = Instant::now() + START_LIMIT;
        let said: Value = loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = lines.recv_timeout(left).map_err(|_| Error::new("the engine did not get ready"))?;
            match line.strip_prefix("ready ") {
                Some(rest) => break serde_json::from_str(rest)?,
                None => println!("{line}"),
            }
        };
        let pid = said.get("pid").and_then(Value::as_u64).and_then(|pid| u32::try_from(pid).ok());
        engine.pid = pid.ok_or_else(|| Error::new("the engine did not say its pid"))?;
        engine.ports = said.get("ports").cloned().unwrap_or_default();
        for cart in said.get("carts").and_then(Value::as_array).into_iter().flatten() {
            let text = |key: &str| cart.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            engine.carts.push(Cart { id: text("cart"), cookie: text("cookie") });
        }
        if engine.carts.is_empty() {
            return Err(Error::new("the engine made no carts"));
        }
        Ok(engine)
    }

    /// The socket of a Worker.
    pub(super) fn port(&self, worker: &str) -> Outcome<u16> {
        self.ports
            .get(worker)
            .and_then(Value::as_u64)
            .and_then(|port| u16::try_from(port).ok())
            .ok_or_else(|| Error::new(format!("the engine has no Worker `{worker}`")))
    }
}

impl Drop for Engine {
    /// Closing its input asks it to stop; then its group is killed, which holds the engine's own process too.
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
