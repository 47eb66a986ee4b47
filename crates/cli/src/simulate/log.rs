//! A simulated shop's journal as a file, in the order of arrival. Shards know only their own shoppers, so their events
//! are first put down by day, and each day is then put in order: a log may be longer than memory, a day may not.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use comeback_core::time::{DAY, Timestamp};
use comeback_sim::journal::{Event, Header, write_line};
use comeback_sim::life::BEGINNING;
use comeback_sim::run;
use comeback_sim::world::{Setup, shop};

use super::{Asked, peak_rss_kb, policy_of, wrong};
use crate::failure::Failure;

/// Days that have a file of their own; what comes later than that (a click weeks after) shares the last.
const MOST_DAYS: i64 = 600;

/// One day's events on their way.
struct Day {
    path: PathBuf,
    file: BufWriter<File>,
}

/// Writes the journal.
pub(super) fn write_to(asked: &Asked, days: u32, to: &Path) -> Result<u64, Failure> {
    let setup = Setup { days, ..Setup::of(policy_of(asked)?) };
    let at = |e: std::io::Error| Failure::Found(format!("{}: {e}", to.display()));
    let mut parts: BTreeMap<i64, Day> = BTreeMap::new();
    let (mut first, mut last) = (Timestamp::from_millis(i64::MAX), BEGINNING);
    let mut events = 0;
    for n in 0..run::shards(asked.carts) {
        for event in run::journal(asked.seed, n, asked.carts, &setup) {
            (first, last) = (first.min(event.at), last.max(event.at));
            events += 1;
            let day = (event.at.since(BEGINNING) / DAY).clamp(0, MOST_DAYS);
            let part = match parts.entry(day) {
                std::collections::btree_map::Entry::Occupied(held) => held.into_mut(),
                std::collections::btree_map::Entry::Vacant(free) => {
                    let path = part_path(to, day);
                    let file = BufWriter::new(File::create(&path).map_err(at)?);
                    free.insert(Day { path, file })
                }
            };
            put(&mut part.file, &event)?;
        }
    }
    let source = format!("simulated: {} carts over {days} days, seed {}", asked.carts, asked.seed);
    let mut out = BufWriter::new(File::create(to).map_err(at)?);
    let header = Header::new(shop(), first.min(last), last, &source);
    writeln!(out, "{}", write_line(&header).map_err(wrong)?)?;
    for (_, mut part) in parts {
        part.file.flush()?;
        drop(part.file);
        in_order(&part.path, &mut out)?;
        std::fs::remove_file(&part.path).map_err(at)?;
    }
    out.flush()?;
    Ok(events)
}

fn part_path(to: &Path, day: i64) -> PathBuf {
    let mut name = to.as_os_str().to_owned();
    name.push(format!(".{day}.part"));
    PathBuf::from(name)
}

/// The instant before the line, so that a day is put in order without being read as JSON again.
fn put(file: &mut BufWriter<File>, event: &Event) -> Result<(), Failure> {
    Ok(writeln!(file, "{} {}", event.at.millis(), write_line(event).map_err(wrong)?)?)
}

fn in_order(part: &Path, out: &mut BufWriter<File>) -> Result<(), Failure> {
    let mut lines = vec![];
    for line in BufReader::new(File::open(part)?).lines() {
        let line = line?;
        let at: i64 = line.split_once(' ').and_then(|(at, _)| at.parse().ok()).unwrap_or_default();
        lines.push((at, line));
    }
    // Of one instant in the order in which they were written: that of their shoppers.
    lines.sort_by_key(|(at, _)| *at);
    for (_, line) in lines {
        let (_, event) = line.split_once(' ').unwrap_or_default();
        writeln!(out, "{event}")?;
    }
    Ok(())
}

/// Writes the journal and says so.
pub(crate) fn write(
    asked: &Asked,
    days: u32,
    to: &str,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let events = write_to(asked, days, Path::new(to))?;
    match json {
        true => {
            let told = serde_json::json!({
                "log": to, "carts": asked.carts, "days": days, "seed": asked.seed, "events": events,
                "peak_rss_kb": peak_rss_kb(),
            });
            writeln!(out, "{told}")?;
        }
        false => writeln!(out, "{to}: {events} events of {} carts over {days} days", asked.carts)?,
    }
    Ok(())
}
