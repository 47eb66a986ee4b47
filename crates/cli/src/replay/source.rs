//! A log read as a stream of events: a journal, or OTTO's sessions. Lines that cannot be used are
//! counted, named by number and left out; lines a little out of order are put in order. Holds no more
//! of a log than a window of it, and a long journal comes in parts that have nothing to do with each
//! other, so a log may be longer than memory. An archive may not.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Write as _};

use comeback_core::id::ShopId;
use comeback_core::time::Timestamp;
use comeback_sim::journal::{self, Event, Header, JournalError};
use serde::Serialize;

use super::assume::Assumed;
use super::parts::{self, Parts};
use super::window::Window;
use super::{archive, otto};
use crate::failure::Failure;
use crate::shown;

/// Longest line. A capture batch has 16 KB.
const MAX_LINE: u64 = 4 * 1024 * 1024;
/// Broken lines that are named; the rest is counted.
const MOST_NAMED: usize = 20;
/// Late ones that are.
const MOST_LATE_NAMED: usize = 5;
/// Lines of which one must say what kind of log it is: one that was cut off at the top does not make the
/// others unreadable.
const LOOKED_AT: usize = 1_000;

/// What a log says of itself, and what is not in it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Head {
    /// The file.
    pub(crate) file: String,
    /// What kind of log.
    pub(crate) form: &'static str,
    /// Where it comes from, in its own words.
    pub(crate) source: String,
    /// Whose.
    pub(crate) shop: ShopId,
    /// First and last instant.
    pub(crate) from: Timestamp,
    /// The last: what would have come after is not told, for nobody knows who would have come back.
    pub(crate) to: Timestamp,
    /// What was assumed because the log does not say.
    pub(crate) assumed: Vec<String>,
    /// What cannot be told from such a log.
    pub(crate) unknown: Vec<String>,
}

/// Lines that were not used.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Broken {
    /// How many.
    pub(crate) lines: u64,
    /// The first of them, by number, with the reason.
    pub(crate) first: Vec<(u64, String)>,
    /// Events too late for their place, taken as if they had happened when they came.
    pub(crate) late: u64,
    /// The lines of the first of them.
    pub(crate) late_lines: Vec<u64>,
}

impl Broken {
    /// What was left out in words, `2 lines (line 3: …; line 5: …)`; nothing if all was used.
    pub(crate) fn told(&self) -> Option<String> {
        let first: Vec<String> = self.first.iter().map(|(n, why)| format!("line {n}: {why}")).collect();
        let more = if self.lines > self.first.len() as u64 { "; …" } else { "" };
        let plural = if self.lines == 1 { "" } else { "s" };
        (self.lines > 0).then(|| format!("{} line{plural} ({}{more})", self.lines, first.join("; ")))
    }

    /// Says it beside a story, whose own text goes to stdout: what was left out may have been part of it.
    pub(crate) fn warn(&self, file: &str) -> Result<(), Failure> {
        let Some(told) = self.told() else { return Ok(()) };
        Ok(writeln!(std::io::stderr(), "comeback: {}", shown::line(&format!("{file}: left out {told}")))?)
    }

    /// What came too late in words, `3 events (lines 7, 9 and 12)`; nothing if nothing did.
    pub(crate) fn told_late(&self) -> Option<String> {
        let lines: Vec<String> = self.late_lines.iter().map(ToString::to_string).collect();
        let more = if self.late > lines.len() as u64 { ", …" } else { "" };
        let plural = if self.late == 1 { "" } else { "s" };
        (self.late > 0)
            .then(|| format!("{} event{plural} (line{plural} {}{more})", self.late, lines.join(", ")))
    }

    pub(super) fn note_late(&mut self, line: u64) {
        self.late += 1;
        if self.late_lines.len() < MOST_LATE_NAMED {
            self.late_lines.push(line);
        }
    }

    pub(crate) fn note(&mut self, line: u64, why: &str) {
        self.lines += 1;
        if self.first.len() < MOST_NAMED {
            self.first.push((line, why.to_owned()));
        }
    }
}

/// What a log yields.
pub(crate) enum Piece {
    /// Something came in.
    Event(Box<Event>),
    /// Nobody before has anything to do with anybody after: a replay may begin anew.
    Apart,
}

/// What some programs put before a text to say that it is UTF-8.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// Lines with their numbers, bounded in length.
pub(crate) struct Lines {
    file: String,
    reader: BufReader<File>,
    number: u64,
    buffer: Vec<u8>,
}

/// One line.
pub(crate) enum Line<'l> {
    /// Its number and text.
    Text(u64, &'l str),
    /// It cannot be read.
    Unreadable(u64, &'static str),
}

impl Lines {
    pub(crate) fn open(file: &str) -> Result<Self, Failure> {
        let opened = File::open(file).map_err(|e| Failure::Found(format!("{file}: {e}")))?;
        let reader = BufReader::with_capacity(1 << 16, opened);
        Ok(Self { file: file.to_owned(), reader, number: 0, buffer: vec![] })
    }

    /// Number of the line that was read last.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next line that is not empty.
    pub(crate) fn next(&mut self) -> Result<Option<Line<'_>>, Failure> {
        loop {
            self.buffer.clear();
            let read = self.reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut self.buffer);
            // A folder can be opened and not read.
            let read = read.map_err(|e| Failure::Found(format!("{}: {e}", self.file)))?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            if self.number == 1 && self.buffer.starts_with(MARK) {
                self.buffer.drain(..MARK.len());
            }
            if !self.buffer.ends_with(b"\n") && u64::try_from(read).is_ok_and(|n| n == MAX_LINE) {
                self.skip_rest()?;
                return Ok(Some(Line::Unreadable(self.number, "longer than any line of a log")));
            }
            if !self.buffer.trim_ascii().is_empty() {
                break;
            }
        }
        Ok(Some(match std::str::from_utf8(&self.buffer) {
            Ok(text) => Line::Text(self.number, text.trim()),
            Err(_) => Line::Unreadable(self.number, "not UTF-8"),
        }))
    }

    fn skip_rest(&mut self) -> Result<(), Failure> {
        loop {
            let held = self.reader.fill_buf()?;
            let (used, done) = match held.iter().position(|b| *b == b'\n') {
                Some(end) => (end + 1, true),
                None => (held.len(), held.is_empty()),
            };
            self.reader.consume(used);
            if done {
                return Ok(());
            }
        }
    }
}

/// What kind of log a file is.
enum Kind {
    Otto,
    Archive,
    Journal(Header),
}

/// Finds out what kind of log it is by the first line that says so, and reads no further. Lines before a
/// journal's header are of no use; those of other logs are read again and named then.
fn kind(file: &str, lines: &mut Lines, broken: &mut Broken) -> Result<Kind, Failure> {
    let (mut looked_at, mut an_event) = (0, false);
    while looked_at < LOOKED_AT {
        looked_at += 1;
        let (number, text) = match lines.next()? {
            None => break,
            Some(Line::Unreadable(number, why)) => {
                broken.note(number, why);
                continue;
            }
            Some(Line::Text(number, text)) => (number, text),
        };
        if otto::is_session(text) {
            return Ok(Kind::Otto);
        }
        if archive::is_entry(text) {
            return Ok(Kind::Archive);
        }
        match journal::read_header(text) {
            Ok(header) if header.from <= header.to => return Ok(Kind::Journal(header)),
            Ok(_) => {
                return Err(Failure::Found(format!(
                    "{file}:{number}: the span of the header ends before it begins"
                )));
            }
            Err(e @ JournalError::Newer { .. }) => {
                return Err(Failure::Found(format!("{file}:{number}: {e}")));
            }
            Err(_) => {
                an_event |= journal::read_event(text).is_ok();
                broken.note(number, "not the header of a journal, and nothing before it is used");
            }
        }
    }
    Err(Failure::Found(if an_event {
        format!("{file}: a journal without its header, which says whose it is and which span it covers")
    } else {
        format!("{file}: not a log: none of its first lines is an entry or an event")
    }))
}

/// Whether a file is an archive.
pub(crate) fn is_archive(file: &str) -> Result<bool, Failure> {
    Ok(matches!(kind(file, &mut Lines::open(file)?, &mut Broken::default())?, Kind::Archive))
}

/// An event of a journal; one outside the span that the header names has a wrong clock, and would take the
/// end of time with it.
pub(super) fn event_of(text: &str, from: Timestamp, to: Timestamp) -> Result<Event, String> {
    let event = journal::read_event(text).map_err(|e| e.to_string())?;
    if event.at < from || event.at > to {
        return Err("its time is outside the span that the header names".to_owned());
    }
    Ok(event)
}

enum Form {
    Journal(Window<Box<Event>>),
    Parts { parts: Box<Parts>, begun: bool },
    Otto { assumed: Assumed, ready: std::collections::VecDeque<Piece> },
    Archive { events: std::vec::IntoIter<Event> },
}

/// A log that is being read.
pub(crate) struct Source {
    /// What it says of itself.
    pub(crate) head: Head,
    /// What could not be used.
    pub(crate) broken: Broken,
    /// Events told so far, each once.
    pub(crate) events: u64,
    lines: Lines,
    form: Form,
}

impl Source {
    /// Opens a log and finds out what it is.
    pub(crate) fn open(file: &str, assume: Option<&str>) -> Result<Self, Failure> {
        Self::open_in_parts(file, assume, parts::PART_BYTES)
    }

    /// The same; a journal longer than that comes in parts.
    pub(super) fn open_in_parts(file: &str, assume: Option<&str>, part_bytes: u64) -> Result<Self, Failure> {
        let mut lines = Lines::open(file)?;
        let mut broken = Broken::default();
        let header = match kind(file, &mut lines, &mut broken)? {
            Kind::Otto => {
                let assumed = Assumed::parse(assume)?;
                let (head, lines) = otto::survey(file, &assumed)?;
                let form = Form::Otto { assumed, ready: std::collections::VecDeque::new() };
                return Ok(Self { head, broken: Broken::default(), events: 0, lines, form });
            }
            Kind::Archive => {
                let mut broken = Broken::default();
                let (head, events) = archive::load(file, assume, &mut broken)?;
                let form = Form::Archive { events: events.into_iter() };
                return Ok(Self { head, broken, events: 0, lines, form });
            }
            Kind::Journal(header) => header,
        };
        if assume.is_some() {
            return Err(Failure::Usage(
                "--assume is for logs that lack something; a journal says who agreed to what".to_owned(),
            ));
        }
        let head = Head {
            file: file.to_owned(),
            form: "journal",
            source: header.source,
            shop: header.shop,
            from: header.from,
            to: header.to,
            assumed: vec![],
            unknown: vec![],
        };
        // Of what is no file the length is not known, and it cannot be read twice.
        let bytes = std::fs::metadata(file).map_or(0, |m| if m.is_file() { m.len() } else { 0 });
        let form = match parts::wanted(bytes, part_bytes) {
            0 | 1 => Form::Journal(Window::new()),
            n => {
                let parts = Parts::divide(&head, lines.number(), bytes, n, &mut broken)?;
                Form::Parts { parts: Box::new(parts), begun: false }
            }
        };
        Ok(Self { head, broken, events: 0, lines, form })
    }

    /// The instant up to which time goes on: the end of the log as it says itself, or its last event's.
    pub(crate) fn end(&self) -> Timestamp {
        match &self.form {
            Form::Journal(window) => window.told().max(self.head.to),
            Form::Parts { parts, .. } => parts.last.max(self.head.to),
            Form::Otto { .. } | Form::Archive { .. } => self.head.to,
        }
    }

    /// Into how many parts it was divided.
    pub(crate) fn parts(&self) -> usize {
        match &self.form {
            Form::Parts { parts, .. } => parts.count,
            _ => 1,
        }
    }

    /// The next thing, or the end.
    pub(crate) fn next(&mut self) -> Result<Option<Piece>, Failure> {
        let piece = self.read()?;
        match (&self.form, &piece) {
            (Form::Parts { parts, .. }, _) => self.events = parts.events,
            (_, Some(Piece::Event(_))) => self.events += 1,
            _ => {}
        }
        Ok(piece)
    }

    fn read(&mut self) -> Result<Option<Piece>, Failure> {
        match &mut self.form {
            Form::Archive { events } => Ok(events.next().map(|e| Piece::Event(Box::new(e)))),
            Form::Otto { assumed, ready } => loop {
                if let Some(piece) = ready.pop_front() {
                    return Ok(Some(piece));
                }
                match self.lines.next()? {
                    None => return Ok(None),
                    Some(Line::Unreadable(number, why)) => self.broken.note(number, why),
                    Some(Line::Text(number, text)) => match otto::read(text, assumed) {
                        Ok(events) => {
                            ready.extend(events.into_iter().map(|e| Piece::Event(Box::new(e))));
                            ready.push_back(Piece::Apart);
                        }
                        Err(why) => self.broken.note(number, why),
                    },
                }
            },
            Form::Parts { parts, begun } => {
                if let Some(event) = parts.next()? {
                    return Ok(Some(Piece::Event(Box::new(event))));
                }
                match (parts.advance(), std::mem::replace(begun, true)) {
                    (false, _) => Ok(None),
                    (true, true) => Ok(Some(Piece::Apart)),
                    (true, false) => self.read(),
                }
            }
            Form::Journal(window) => {
                while window.wants_more() {
                    match self.lines.next()? {
                        None => window.is_over(),
                        Some(Line::Unreadable(number, why)) => self.broken.note(number, why),
                        Some(Line::Text(number, text)) => {
                            match event_of(text, self.head.from, self.head.to) {
                                Err(why) => self.broken.note(number, &why),
                                Ok(event) => {
                                    if window.put(event.at, number, Box::new(event)) {
                                        self.broken.note_late(number);
                                    }
                                }
                            }
                        }
                    }
                }
                Ok(window.take().map(|(at, event)| Piece::Event(Box::new(Event { at, ..*event }))))
            }
        }
    }
}
