//! CPU time of the server and of everybody else, from `/proc` (Linux only; elsewhere it says so).

use crate::run::{Error, Outcome, at};
use std::fs;
use std::path::Path;

/// Kernel ticks per second as `/proc` shows them: 100 on every Linux that is built for these architectures.
const TICKS: f64 = 100.0;

/// Processors of this machine.
pub(super) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// CPU seconds so far.
pub(super) struct Sample {
    server_s: f64,
    own_s: f64,
    busy_s: f64,
}

/// CPU seconds between two samples.
pub(super) struct Spent {
    /// By the server.
    pub(super) server_s: f64,
    /// By neither the server nor this program.
    pub(super) others_s: f64,
}

impl Sample {
    /// Of the server with this process id.
    pub(super) fn take(server: u32) -> Outcome<Self> {
        Ok(Self {
            server_s: of_process(&server.to_string())?,
            own_s: of_process("self")?,
            busy_s: busy(&read("/proc/stat")?)?,
        })
    }

    pub(super) fn since(&self, before: &Self) -> Spent {
        let server_s = self.server_s - before.server_s;
        let known = server_s + self.own_s - before.own_s;
        Spent { server_s, others_s: (self.busy_s - before.busy_s - known).max(0.0) }
    }
}

fn read(path: &str) -> Outcome<String> {
    fs::read_to_string(path).map_err(at(Path::new(path)))
}

fn of_process(id: &str) -> Outcome<f64> {
    user_and_system(&read(&format!("/proc/{id}/stat"))?, OWN)
}

/// CPU seconds of all programs that this one started and that have ended.
pub(super) fn of_children() -> Outcome<f64> {
    user_and_system(&read("/proc/self/stat")?, CHILDREN)
}

/// Where the fields of `/proc/<pid>/stat` stand after the name: 14 and 15 are its own, 16 and 17 its ended children's.
const OWN: usize = 11;
const CHILDREN: usize = 13;

/// Two fields of `/proc/<pid>/stat`; the name in brackets may hold spaces and brackets itself.
fn user_and_system(stat: &str, from: usize) -> Outcome<f64> {
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().skip(from).take(2));
    let ticks: Vec<f64> = fields.into_iter().flatten().filter_map(|f| f.parse().ok()).collect();
    match ticks.as_slice() {
        [user, system] => Ok((user + system) / TICKS),
        _ => Err(Error::new("/proc/<pid>/stat is not what proc(5) says")),
    }
}

/// Everything but idle and waiting, of the first line of `/proc/stat`.
fn busy(stat: &str) -> Outcome<f64> {
    let line = stat.lines().next().and_then(|line| line.strip_prefix("cpu "));
    let ticks: Vec<f64> =
        line.into_iter().flat_map(str::split_whitespace).take(8).filter_map(|f| f.parse().ok()).collect();
    match ticks.as_slice() {
        [user, nice, system, _idle, _wait, irq, softirq, steal] => {
            Ok((user + nice + system + irq + softirq + steal) / TICKS)
        }
        _ => Err(Error::new("/proc/stat is not what proc(5) says")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_is_read_by_field() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194304 5 0 0 0 150 50 9 9 20 0 12 0 100 1 1";
        assert!((user_and_system(stat, OWN).unwrap() - 2.0).abs() < 1e-9);
        assert!((user_and_system(stat, CHILDREN).unwrap() - 0.18).abs() < 1e-9);
        assert!(user_and_system("7 (x) S 1", OWN).is_err());
        let all = "cpu  100 0 50 9000 800 10 20 20 5 5\ncpu0 1 1 1 1 1 1 1 1 1 1";
        assert!((busy(all).unwrap() - 2.0).abs() < 1e-9);
        assert!(busy("").is_err());
    }
}
