//! What the checks of a decision tell of a person that no other entry does: that they had opted out, asked
//! for a pause, refused, or ordered elsewhere. A replay that did not hear of it would write to them. Only
//! what did not pass is asked; of what passed there is nothing to tell.

use comeback_core::consent::{Channel, Consent, Source};
use comeback_core::decision::Check;
use comeback_core::id::PersonId;
use comeback_core::time::Timestamp;
use comeback_sim::journal::Input;

/// What a check tells.
#[derive(Debug, PartialEq)]
pub(super) enum Told {
    /// Something about the person, since then where the check says since when.
    Person(Option<Timestamp>, Input),
    /// They opted out of everything, since then where the check says so.
    OptedOut(Option<Timestamp>),
    /// They ordered after the cart was begun.
    Ordered,
    /// The session was a program's.
    Automated,
}

/// What the checks that did not pass tell of whom they were about.
pub(super) fn by(checks: &[Check], person: &PersonId) -> Vec<Told> {
    checks.iter().filter(|check| !check.passed).filter_map(|check| of(check, person)).collect()
}

fn of(check: &Check, person: &PersonId) -> Option<Told> {
    let person = || person.clone();
    let found = check.found.as_ref();
    match check.rule.as_ref() {
        "opted_out" => return Some(Told::OptedOut(instant(found, "opted out at "))),
        "ordered" => return Some(Told::Ordered),
        "automated" => return Some(Told::Automated),
        "paused" => {
            let until = instant(found, "paused until ")?;
            return Some(Told::Person(None, Input::Pause { person: person(), until }));
        }
        _ => {}
    }
    let (name, rule) = check.rule.split_once('.')?;
    let channel = [Channel::Email, Channel::Sms, Channel::Push].into_iter().find(|c| c.as_str() == name)?;
    match rule {
        "opted_out" => Some(Told::Person(None, Input::OptOut { person: person(), channel: Some(channel) })),
        "consent" => {
            let at = instant(found, "refused at ")?;
            let wording = found.split_once(" under wording ").map_or("", |(_, wording)| wording);
            let wording = serde_json::from_str(wording).unwrap_or_default();
            // Who reported a no is not told, and makes no difference to it.
            let consent = Consent { channel, granted: false, wording, at, source: Source::Page };
            Some(Told::Person(Some(at), Input::Consent { person: person(), consent }))
        }
        _ => None,
    }
}

/// The instant behind these words.
fn instant(found: &str, words: &str) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(found.strip_prefix(words)?.split(' ').next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(rule: &'static str, found: &'static str, passed: bool) -> Option<Told> {
        let check = Check { rule: rule.into(), found: found.into(), passed };
        by(&[check], &PersonId::parse("per_1").unwrap()).pop()
    }

    #[test]
    fn a_no_is_read_with_its_time_and_what_passed_tells_nothing() {
        let person = || PersonId::parse("per_1").unwrap();
        let at = |text| Timestamp::parse_rfc3339(text).unwrap();
        let (june, july) = ("2026-06-03T08:00:00Z", "2026-07-01T00:00:00Z");
        let out = said("opted_out", "opted out at 2026-06-03T08:00:00Z", false);
        assert_eq!(out, Some(Told::OptedOut(Some(at(june)))));
        assert_eq!(said("opted_out", "in other words", false), Some(Told::OptedOut(None)), "still a no");
        assert_eq!(said("opted_out", "no opt-out", true), None);
        let pause = Input::Pause { person: person(), until: at(july) };
        assert_eq!(
            said("paused", "paused until 2026-07-01T00:00:00Z", false),
            Some(Told::Person(None, pause))
        );
        let texts = Input::OptOut { person: person(), channel: Some(Channel::Sms) };
        let told = said("sms.opted_out", "opted out of this channel", false);
        assert_eq!(told, Some(Told::Person(None, texts)));
        let told = said("email.consent", "refused at 2026-06-03T08:00:00Z under wording \"v1\"", false);
        let Some(Told::Person(Some(when), Input::Consent { consent, .. })) = told else { panic!("{told:?}") };
        assert_eq!((when, consent.granted, consent.wording.as_str()), (at(june), false, "v1"));
        assert_eq!(said("email.consent", "never asked or never answered", false), None);
        assert_eq!(said("fax.opted_out", "opted out of this channel", false), None);
    }
}
