//! `comeback simulate --policy A --against B --log F`: two policies over one log, and what the second
//! would have done otherwise. The core decides, driven by the simulator's replay; here the log is read,
//! the two are run side by side, and what they tell is compared and shown.

mod archive;
mod assume;
mod compare;
mod html;
mod otto;
mod parts;
mod report;
mod source;
mod window;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write};

use comeback_core::consent::Channel;
use comeback_core::effect::{DecisionSummary, Entry, Happened};
use comeback_core::id::{CartId, SendKey};
use comeback_core::money::Currency;
use comeback_core::policy::Policy;
use comeback_core::time::Timestamp;
use comeback_sim::journal::{Event, Input};
use comeback_sim::shell::{Replay, Settings, Told};
use comeback_wire::jobs::Numbered;

use crate::arguments::{Simulation, Subject};
use crate::explain::{self, Story};
use crate::failure::Failure;
use crate::policy;

pub(crate) use archive::{Archived, currency as archives_currency};
use compare::{Seen, Tally, Which};
pub(crate) use source::{Broken, is_archive};
use source::{Head, Piece, Source};
pub(crate) use source::{Line as LogLine, Lines as LogLines};

/// Progress is told each time so many events have passed.
const STRIDE: u64 = 500_000;

/// All that a report is made of.
pub(crate) struct Outcome {
    a: Policy,
    b: Policy,
    head: Head,
    broken: Broken,
    tally: Tally,
    rates: BTreeMap<Channel, f64>,
    events: u64,
    carts: u64,
    parts: usize,
    peak_rss_kb: Option<u64>,
}

/// Runs it and shows it.
pub(crate) fn run(asked: &Simulation, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let (a, b) = (policy::load(&asked.policy)?, policy::load(&asked.against)?);
    let rates = rates(asked.cost.as_deref())?;
    let source = Source::open(&asked.log, asked.assume.as_deref())?;
    if let Some(cart) = &asked.cart {
        return drill(&a, &b, source, cart, json, out);
    }
    let outcome = compare(a, b, source, rates)?;
    if let Some(file) = &asked.html {
        std::fs::write(file, html::page(&outcome)).map_err(|e| Failure::Found(format!("{file}: {e}")))?;
    }
    match json {
        true => writeln!(out, "{:#}", report::json(&outcome))?,
        false => write!(out, "{}", report::text(&outcome, asked.html.as_deref()))?,
    }
    match asked.strict && outcome.broken.lines > 0 {
        true => Err(Failure::Found(format!("{}: lines were left out, and --strict forbids that", asked.log))),
        false => Ok(()),
    }
}

/// Replays a log under both, part by part.
fn compare(
    a: Policy,
    b: Policy,
    mut source: Source,
    rates: BTreeMap<Channel, f64>,
) -> Result<Outcome, Failure> {
    let mut tally = Tally::new(rates.clone());
    let mut both = Both::new(&a, &b, &source.head);
    let mut progress = Progress { events: 0, shown: std::io::stderr().is_terminal() };
    let mut carts = 0;
    while let Some(piece) = source.next()? {
        match piece {
            Piece::Event(event) => {
                progress.step();
                let seen = match &event.what {
                    Input::Capture(capture) => Some(Seen::of(capture)),
                    _ => None,
                };
                both.event(*event, &mut tally);
                // Only now: what was due before this event went out where the shopper was before it.
                if let Some(seen) = seen {
                    tally.seen(&seen);
                }
            }
            Piece::Apart => {
                carts += both.finish(source.end(), &mut tally);
                both = Both::new(&a, &b, &source.head);
                tally.settle();
            }
        }
    }
    carts += both.finish(source.end(), &mut tally);
    drop(both);
    tally.finish();
    progress.over();
    let (events, parts) = (source.events, source.parts());
    let Source { head, broken, .. } = source;
    let peak_rss_kb = crate::simulate::peak_rss_kb();
    Ok(Outcome { a, b, head, broken, tally, rates, events, carts, parts, peak_rss_kb })
}

/// The two replays, event by event.
struct Both<'p> {
    a: Replay<'p>,
    b: Replay<'p>,
}

impl<'p> Both<'p> {
    fn new(a: &'p Policy, b: &'p Policy, head: &Head) -> Self {
        let replay = |policy: &'p Policy| Replay::new(policy, Settings::of(head.shop.clone(), policy));
        Self { a: replay(a), b: replay(b) }
    }

    fn event(&mut self, event: Event, tally: &mut Tally) {
        self.pass(event.at, tally);
        self.a.event(event.clone());
        self.b.event(event);
        self.tell(tally);
    }

    /// Lets time pass, and counts what happens as it happens: what is told of a silence of weeks takes
    /// far more room than the carts.
    fn pass(&mut self, end: Timestamp, tally: &mut Tally) {
        while self.a.advance(end) | self.b.advance(end) {
            self.tell(tally);
        }
        self.tell(tally);
    }

    fn tell(&mut self, tally: &mut Tally) {
        for (which, replay) in [(Which::A, &mut self.a), (Which::B, &mut self.b)] {
            while let Some(told) = replay.next_told() {
                if let Told::Decided(decided) = told {
                    tally.decided(which, &decided);
                }
            }
        }
    }

    /// Lets time go on to the end of the log, and no further; how many carts there were.
    fn finish(&mut self, end: Timestamp, tally: &mut Tally) -> u64 {
        self.pass(end, tally);
        self.a.counts().carts
    }
}

/// The story of one cart under each policy.
fn drill(
    a: &Policy,
    b: &Policy,
    source: Source,
    cart: &CartId,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let file = source.head.file.clone();
    let ([first, second], broken) = stories([a, b], source, |id, _| id == cart)?;
    broken.warn(&file)?;
    if first.is_empty() && second.is_empty() {
        return Err(Failure::Found(format!("{cart}: the log has no such cart")));
    }
    let of = |stories: &Stories| stories.get(cart).cloned().unwrap_or_default();
    if json {
        let all = serde_json::json!({
            "cart": cart,
            "a": { "policy": a.version, "log": of(&first).log },
            "b": { "policy": b.version, "log": of(&second).log },
        });
        return Ok(writeln!(out, "{all:#}")?);
    }
    for (letter, policy, stories) in [("A", a, &first), ("B", b, &second)] {
        writeln!(out, "{letter}: under `{}` {}", policy.name, policy.version)?;
        writeln!(out, "{}", explain::tell(&of(stories), Some(cart)))?;
    }
    Ok(())
}

type Stories = BTreeMap<CartId, Story>;

/// What replays of a log under policies tell of the carts that are wanted, and what of it could not be read.
fn stories<const N: usize>(
    policies: [&Policy; N],
    mut source: Source,
    wanted: impl Fn(&CartId, Option<&SendKey>) -> bool,
) -> Result<([Stories; N], Broken), Failure> {
    let head = source.head.clone();
    let fresh = || policies.map(|p| Replay::new(p, Settings::of(head.shop.clone(), p)));
    let mut replays = fresh();
    let mut stories: [Stories; N] = std::array::from_fn(|_| Stories::new());
    let mut currencies: BTreeMap<CartId, Currency> = BTreeMap::new();
    let gather = |replays: &mut [Replay<'_>; N], stories: &mut [Stories; N], until: Timestamp| loop {
        // What is told is looked through as it happens; most of it is of other carts.
        let more = replays.iter_mut().fold(false, |more, replay| replay.advance(until) | more);
        for (replay, stories) in replays.iter_mut().zip(stories.iter_mut()) {
            while let Some(told) = replay.next_told() {
                let (cart, entry, key) = match told {
                    Told::Logged { cart, entry } => (cart, entry, None),
                    Told::Decided(decided) => {
                        let record = Box::new(DecisionSummary::from(&decided.record));
                        let at = decided.record.at;
                        let key = decided.record.key.clone();
                        (decided.cart, Entry { at, what: Happened::Decided { record } }, Some(key))
                    }
                };
                if wanted(&cart, key.as_ref()) {
                    let log = &mut stories.entry(cart).or_default().log;
                    let seq = u64::try_from(log.len()).unwrap_or(u64::MAX).saturating_add(1);
                    log.push(Numbered { seq, entry });
                }
            }
        }
        if !more {
            break;
        }
    };
    while let Some(piece) = source.next()? {
        match piece {
            Piece::Event(event) => {
                gather(&mut replays, &mut stories, event.at);
                if let Input::Capture(capture) = &event.what
                    && wanted(&capture.cart, None)
                {
                    let before = currencies.get(&capture.cart).copied();
                    currencies.insert(capture.cart.clone(), Seen::of(capture).currency_after(before));
                }
                for replay in &mut replays {
                    replay.event((*event).clone());
                }
            }
            Piece::Apart => {
                gather(&mut replays, &mut stories, source.end());
                replays = fresh();
            }
        }
    }
    gather(&mut replays, &mut stories, source.end());
    // Of one instant, what was decided comes before what followed from it.
    for (cart, story) in stories.iter_mut().flatten() {
        story.currency = currencies.get(cart).copied();
        story.log.sort_by_key(|n| {
            (n.entry.at, !matches!(n.entry.what, Happened::Decided { .. }) && follows(&n.entry.what))
        });
    }
    Ok((stories, source.broken))
}

const fn follows(what: &Happened) -> bool {
    matches!(what, Happened::Settled { .. } | Happened::Moved { .. })
}

/// The story of a cart or send in a journal, as a policy would have had it.
pub(crate) fn story(
    file: &str,
    policy: &str,
    assume: Option<&str>,
    subject: &Subject,
) -> Result<(CartId, Story), Failure> {
    let policy = policy::load(policy)?;
    let open = || Source::open(file, assume);
    let cart = match subject {
        Subject::Cart(cart) => cart.clone(),
        Subject::Send(key) | Subject::Decision(key, _) => {
            let ([found], _) = stories([&policy], open()?, |_, k| k == Some(key))?;
            let cart = found.into_keys().next();
            cart.ok_or_else(|| Failure::Found(format!("{key}: no decision about it under this policy")))?
        }
    };
    let ([found], broken) = stories([&policy], open()?, |id, _| *id == cart)?;
    broken.warn(file)?;
    Ok((cart, found.into_values().next().unwrap_or_default()))
}

/// `email=0.001,sms=0.05`, in major units.
fn rates(text: Option<&str>) -> Result<BTreeMap<Channel, f64>, Failure> {
    let usage = || Failure::Usage("--cost: expected channel=price, as in email=0.001,sms=0.05".to_owned());
    text.unwrap_or_default()
        .split(',')
        .filter(|p| !p.is_empty())
        .map(|part| {
            let (name, price) = part.split_once('=').ok_or_else(usage)?;
            let channel = [Channel::Email, Channel::Sms, Channel::Push]
                .into_iter()
                .find(|c| c.as_str() == name)
                .ok_or_else(usage)?;
            let price: f64 = price.parse().ok().filter(|p| (0.0..1_000.0).contains(p)).ok_or_else(usage)?;
            Ok((channel, price))
        })
        .collect()
}

struct Progress {
    events: u64,
    shown: bool,
}

impl Progress {
    fn step(&mut self) {
        self.events += 1;
        if self.shown && self.events.is_multiple_of(STRIDE) {
            // Nobody misses a progress line that could not be written.
            let _ = write!(std::io::stderr(), "\r{:.1} million events", self.millions());
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "for people")]
    fn millions(&self) -> f64 {
        self.events as f64 / 1e6
    }

    fn over(&self) {
        if self.shown && self.events >= STRIDE {
            let _ = writeln!(std::io::stderr());
        }
    }
}
