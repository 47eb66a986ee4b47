//! A journal longer than memory, divided: families of carts and persons that have nothing to do with
//! each other go into files of their own, each as long as memory takes well, to be replayed one after
//! the other. Two passes over the journal: who belongs together, then the dividing. The files have no
//! names, so nothing is left of them whatever happens to the program.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Seek as _, Write as _};
use std::path::Path;

use comeback_core::time::Timestamp;
use comeback_sim::families::Families;
use comeback_sim::journal::{self, Event};

use super::source::{Broken, Head, Line, Lines, event_of};
use super::window::Window;
use crate::failure::Failure;

/// Bytes of a journal whose carts and persons are held at a time. What is held of them, under two
/// policies, takes about as much memory as their events take room in the journal.
pub(super) const PART_BYTES: u64 = 32 << 20;
/// Files that are open at a time, and buffers that are held.
const MOST_PARTS: u64 = 256;
const BUFFER: usize = 32 << 10;
/// Bytes of a journal per slot of [`Families`]: an event takes more, and names few that are new.
const SLOT_BYTES: u64 = 256;
const MOST_SLOTS: u64 = 1 << 26;

/// A divided journal, being read part by part.
pub(super) struct Parts {
    rest: std::vec::IntoIter<File>,
    open: Option<BufReader<File>>,
    line: String,
    /// How many there are.
    pub(super) count: usize,
    /// Events of the journal: one that concerns everybody is in every part.
    pub(super) events: u64,
    /// The last instant of any event.
    pub(super) last: Timestamp,
}

/// Into how many parts a journal of this length is divided.
pub(super) fn wanted(bytes: u64, part_bytes: u64) -> usize {
    usize::try_from(bytes.div_ceil(part_bytes.max(1)).min(MOST_PARTS)).unwrap_or(1)
}

impl Parts {
    /// Divides a journal whose header is the line of this number.
    pub(super) fn divide(
        head: &Head,
        header: u64,
        bytes: u64,
        parts: usize,
        broken: &mut Broken,
    ) -> Result<Self, Failure> {
        let file = head.file.as_str();
        let mut families = families(file, header, bytes)?;
        let mut lines = beyond(file, header)?;
        let mut files = Vec::with_capacity(parts);
        for _ in 0..parts {
            files.push(BufWriter::with_capacity(BUFFER, unnamed_beside(file)?));
        }
        let mut window: Window<(Option<usize>, Box<str>)> = Window::new();
        let mut events = 0;
        loop {
            while window.wants_more() {
                match lines.next()? {
                    None => window.is_over(),
                    Some(Line::Unreadable(number, why)) => broken.note(number, why),
                    Some(Line::Text(number, text)) => match event_of(text, head.from, head.to) {
                        Err(why) => broken.note(number, &why),
                        Ok(event) => {
                            // Who is named by nobody is in any part; what is for all is in each.
                            let part = families.part(&event, parts).unwrap_or(0);
                            let part = (!event.what.is_for_all()).then_some(part);
                            if window.put(event.at, number, (part, text.into())) {
                                broken.note_late(number);
                            }
                        }
                    },
                }
            }
            let Some((at, (part, text))) = window.take() else { break };
            events += 1;
            let to = part.map_or(0..parts, |part| part..part + 1);
            for file in files.get_mut(to).into_iter().flatten() {
                // The instant before the line: that at which it counts.
                writeln!(file, "{} {text}", at.millis())?;
            }
        }
        let mut rest = Vec::with_capacity(parts);
        for file in files {
            let mut file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            file.rewind()?;
            rest.push(file);
        }
        let (rest, last) = (rest.into_iter(), window.told());
        Ok(Self { rest, open: None, line: String::new(), count: parts, events, last })
    }

    /// Goes on to the next part; `false` if there is none.
    pub(super) fn advance(&mut self) -> bool {
        self.open = self.rest.next().map(|file| BufReader::with_capacity(BUFFER, file));
        self.open.is_some()
    }

    /// The next event of the part.
    pub(super) fn next(&mut self) -> Result<Option<Event>, Failure> {
        let Some(open) = &mut self.open else { return Ok(None) };
        self.line.clear();
        if open.read_line(&mut self.line)? == 0 {
            return Ok(None);
        }
        let (at, text) = self.line.split_once(' ').unwrap_or_default();
        let event = journal::read_event(text).ok().zip(at.parse().ok());
        let (event, at) = event.ok_or_else(|| {
            Failure::Found("a file of this program's own was changed while it was read".to_owned())
        })?;
        Ok(Some(Event { at: Timestamp::from_millis(at), ..event }))
    }
}

fn beyond(file: &str, header: u64) -> Result<Lines, Failure> {
    let mut lines = Lines::open(file)?;
    while lines.number() < header && lines.next()?.is_some() {}
    Ok(lines)
}

/// The first pass. What cannot be read is the second's to tell of.
fn families(file: &str, header: u64, bytes: u64) -> Result<Families, Failure> {
    let slots = (bytes / SLOT_BYTES).clamp(1 << 10, MOST_SLOTS);
    let mut families = Families::new(u32::try_from(slots).unwrap_or(u32::MAX));
    let mut lines = beyond(file, header)?;
    while let Some(line) = lines.next()? {
        if let Line::Text(_, text) = line
            && let Ok(event) = journal::read_event(text)
        {
            families.join(&event);
        }
    }
    Ok(families)
}

/// Beside the journal, where there is room for one of its size; where nothing may be written there, in
/// the system's folder for such files.
fn unnamed_beside(file: &str) -> Result<File, Failure> {
    let beside = Path::new(file).parent().filter(|folder| !folder.as_os_str().is_empty());
    let opened = tempfile::tempfile_in(beside.unwrap_or(Path::new("."))).or_else(|_| tempfile::tempfile());
    opened.map_err(|e| Failure::Found(format!("a temporary file: {e}")))
}
