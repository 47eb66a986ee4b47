//! Words with a closed list that several tables use: channels, consent sources, countries.

use comeback_core::consent::{Channel, Source};
use comeback_core::recovery::Trigger;

use crate::shape::{MAX_CLASS, SOURCES};

/// Every channel, in the order of the core.
pub(crate) const ALL_CHANNELS: [Channel; 3] = [Channel::Email, Channel::Sms, Channel::Push];

/// ISO 3166-1 alpha-2, officially assigned codes (ISO Online Browsing Platform).
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO \
BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH \
ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL \
IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME \
MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH \
PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC \
TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// A country's code, else what was probably meant.
pub(crate) fn country(text: &str) -> Result<String, Option<String>> {
    let known = |code: &str| COUNTRIES.split(' ').any(|known| known == code);
    if known(text) {
        return Ok(text.to_owned());
    }
    let upper = text.to_uppercase();
    Err(match upper.as_str() {
        "UK" => Some("the code of the United Kingdom is \"GB\"".to_owned()),
        "EU" => Some("the European Union is no country; name its members".to_owned()),
        _ if known(&upper) => Some(format!("write \"{upper}\"")),
        _ => Some("countries are ISO 3166-1 codes of two letters, \"DE\"".to_owned()),
    })
}

/// Whether it can be a product class or a tag: printable, and not too long.
pub(crate) fn is_class(text: &str) -> bool {
    let length = text.chars().count();
    (1..=MAX_CLASS).contains(&length) && !text.chars().any(char::is_control)
}

/// A channel by its name.
pub(crate) fn channel(name: &str) -> Option<Channel> {
    ALL_CHANNELS.into_iter().find(|channel| channel.as_str() == name)
}

/// A trigger by its name.
pub(crate) fn trigger(name: &str) -> Option<Trigger> {
    Trigger::ALL.into_iter().find(|trigger| trigger.as_str() == name)
}

/// What a yes rests on, by its name.
pub(crate) fn source(name: &str) -> Option<Source> {
    let at = SOURCES.iter().position(|known| *known == name)?;
    [Source::Page, Source::Signed, Source::Person].get(at).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{CHANNELS, TRIGGERS};

    #[test]
    fn closed_lists_are_the_cores() {
        assert_eq!(ALL_CHANNELS.map(Channel::as_str), CHANNELS);
        assert_eq!(Trigger::ALL.map(Trigger::as_str), TRIGGERS);
        assert_eq!(SOURCES.iter().filter_map(|name| source(name)).count(), 3);
    }

    #[test]
    fn countries_are_sorted_and_slips_are_explained() {
        let codes: Vec<&str> = COUNTRIES.split(' ').collect();
        assert_eq!(codes.len(), 249);
        assert!(codes.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(country("DE"), Ok("DE".to_owned()));
        assert_eq!(country("de"), Err(Some("write \"DE\"".to_owned())));
        assert_eq!(country("UK"), Err(Some("the code of the United Kingdom is \"GB\"".to_owned())));
        assert!(country("Germany").is_err());
    }
}
