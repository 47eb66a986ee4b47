//! A story from a file: the lines of an archive that are about it, or a journal replayed under a policy.

use std::io::Write;

use comeback_core::effect::Happened;
use comeback_core::id::{CartId, SendKey};
use comeback_wire::jobs::Numbered;

use super::{Story, print};
use crate::arguments::Subject;
use crate::failure::Failure;
use crate::replay::{self, Archived, Broken, LogLine, LogLines};

/// Tells it from a file.
pub(crate) fn from_log(
    file: &str,
    policy: Option<&str>,
    assume: Option<&str>,
    subject: &Subject,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    if replay::is_archive(file)? {
        let cart = match subject {
            Subject::Cart(cart) => cart.clone(),
            Subject::Send(key) | Subject::Decision(key, _) => cart_of(file, key)?,
        };
        let (log, broken) = log_of(file, &cart)?;
        broken.warn(file)?;
        let story = Story { state: None, log, currency: replay::archives_currency(assume)? };
        return print(&cart, story, subject, json, out);
    }
    let Some(policy) = policy else {
        return Err(Failure::Usage(
            "a journal holds what came in, not what was decided: say under which --policy to tell it"
                .to_owned(),
        ));
    };
    let (cart, story) = replay::story(file, policy, assume, subject)?;
    print(&cart, story, subject, json, out)
}

/// Every entry of an archive, and the lines that are none.
fn each(file: &str, mut take: impl FnMut(Archived)) -> Result<Broken, Failure> {
    let mut lines = LogLines::open(file)?;
    let mut broken = Broken::default();
    while let Some(line) = lines.next()? {
        match line {
            LogLine::Text(number, text) => match serde_json::from_str(text) {
                Ok(archived) => take(archived),
                Err(_) => broken.note(number, "not an entry of an archive that this version knows"),
            },
            LogLine::Unreadable(number, why) => broken.note(number, why),
        }
    }
    Ok(broken)
}

fn cart_of(file: &str, key: &SendKey) -> Result<CartId, Failure> {
    let mut found = None;
    each(file, |archived| {
        let is_it = match &archived.entry.what {
            Happened::Offered { key: k, .. } | Happened::Settled { key: k, .. } => k == key,
            Happened::Decided { record } => record.key == *key,
            _ => false,
        };
        if is_it {
            found = Some(archived.cart);
        }
    })?;
    found.ok_or_else(|| Failure::Found(format!("{file}: nothing about {key}")))
}

fn log_of(file: &str, cart: &CartId) -> Result<(Vec<Numbered>, Broken), Failure> {
    let mut log = vec![];
    let broken = each(file, |archived| {
        if archived.cart == *cart {
            log.push(Numbered { seq: archived.seq, entry: archived.entry });
        }
    })?;
    // The archive is written at least once, and in whatever order the queue delivered.
    log.sort_by_key(|n| n.seq);
    log.dedup_by_key(|n| n.seq);
    Ok((log, broken))
}
