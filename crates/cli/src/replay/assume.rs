//! What a log does not know and somebody therefore has to say: `contact=email+sms,consent=all,price=40`.
//! It is part of every result that rests on it.

use comeback_core::consent::{Channel, Source};
use comeback_core::experiment::{BUCKETS, bucket};
use comeback_core::jurisdiction::Place;
use comeback_core::money::{Currency, Money};
use comeback_core::time::Zone;

use crate::failure::Failure;

/// Assumptions in full.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Assumed {
    /// Channels on which everybody has an address.
    pub(crate) contact: Vec<Channel>,
    /// Channels for which everybody said yes, and on what that rests.
    pub(crate) consent: Vec<(Channel, Source)>,
    /// Prices in minor units, from and to: an article's lies between them, by its number.
    price: (i64, i64),
    /// Of everybody.
    pub(crate) zone: String,
    /// Of all prices.
    pub(crate) currency: Currency,
    /// Of everybody; unknown if nobody said.
    pub(crate) place: Place,
}

const CHANNELS: [Channel; 3] = [Channel::Email, Channel::Sms, Channel::Push];

fn channels(key: &str, text: &str) -> Result<Vec<Channel>, Failure> {
    match text {
        "all" => return Ok(CHANNELS.to_vec()),
        "none" => return Ok(vec![]),
        _ => {}
    }
    text.split('+')
        .map(|name| {
            CHANNELS.iter().find(|c| c.as_str() == name).copied().ok_or_else(|| {
                Failure::Usage(format!("--assume {key}: email, sms, push joined by +, or all, or none"))
            })
        })
        .collect()
}

/// `all:confirmed`, `email+sms:signed`: as [`channels`], each with what the yes rests on. Policies have the
/// same words for it.
fn consents(text: &str) -> Result<Vec<(Channel, Source)>, Failure> {
    let mut all = vec![];
    for part in text.split('+') {
        let (names, level) = part.split_once(':').unwrap_or((part, "signed"));
        let source = match level {
            "page" => Source::Page,
            "signed" => Source::Signed,
            "confirmed" => Source::Person,
            _ => {
                return Err(Failure::Usage(
                    "--assume consent: a yes is page, signed or confirmed, as in email:confirmed".to_owned(),
                ));
            }
        };
        // `all` and `none` stand alone.
        let alone = text == part || !matches!(names, "all" | "none");
        let names = if alone { channels("consent", names)? } else { channels("consent", "")? };
        all.extend(names.into_iter().map(|channel| (channel, source)));
    }
    Ok(all)
}

/// The highest price, minor units: what is added up of a user's orders stays far from overflow.
const MOST: i64 = 1_000_000_000;

fn minor(text: &str, currency: Currency) -> Option<i64> {
    currency.minor_from_number(text.parse().ok()?).filter(|minor| (1..=MOST).contains(minor))
}

impl Assumed {
    /// Reads it. What is missing is named.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, Failure> {
        let (mut contact, mut consent, mut price) = (None, None, None);
        let (mut zone, mut currency) = ("Europe/Berlin".to_owned(), "EUR".to_owned());
        let mut place = Place::default();
        for part in text.unwrap_or_default().split(',').filter(|p| !p.is_empty()) {
            let (key, value) = part
                .split_once('=')
                .ok_or_else(|| Failure::Usage(format!("--assume: expected key=value, not {part:?}")))?;
            match key {
                "contact" => contact = Some(channels(key, value)?),
                "consent" => consent = Some(consents(value)?),
                // Its minor units depend on the currency, which may come later.
                "price" => price = Some(value.split_once('-').unwrap_or((value, value))),
                "zone" => value.clone_into(&mut zone),
                "currency" => value.clone_into(&mut currency),
                "country" if value.len() == 2 && value.bytes().all(|b| b.is_ascii_uppercase()) => {
                    place.country = Some(value.to_owned());
                }
                "country" => {
                    return Err(Failure::Usage(
                        "--assume country: two capital letters, as in DE (ISO 3166-1)".to_owned(),
                    ));
                }
                other => {
                    return Err(Failure::Usage(format!(
                        "--assume: {other:?} is none of contact, consent, price, zone, currency, country"
                    )));
                }
            }
        }
        let missing: Vec<&str> =
            [("contact", contact.is_none()), ("consent", consent.is_none()), ("price", price.is_none())]
                .into_iter()
                .filter_map(|(name, is_missing)| is_missing.then_some(name))
                .collect();
        let (Some(contact), Some(consent), Some(price)) = (contact, consent, price) else {
            return Err(Failure::Usage(format!(
                "this log holds no {}; say what to assume, as in --assume contact=email,consent=email,price=40",
                missing.join(" and no "),
            )));
        };
        if Zone::parse(&zone).is_none() {
            return Err(Failure::Usage(format!("--assume zone: {zone:?} is no IANA zone")));
        }
        let currency =
            Currency::parse(&currency).map_err(|e| Failure::Usage(format!("--assume currency: {e}")))?;
        let (from, to) = price;
        let both = minor(from, currency).zip(minor(to, currency)).filter(|(from, to)| from <= to);
        let price =
            both.ok_or_else(|| Failure::Usage("--assume price: a price, or two as in 20-80".to_owned()))?;
        Ok(Self { contact, consent, price, zone, currency, place })
    }

    /// The price of an article, minor units.
    pub(crate) fn price_of(&self, article: u64) -> i64 {
        let (from, to) = self.price;
        let place = i64::from(bucket("assumed", "price", &article.to_string()));
        from + (to - from) * place / (i64::from(BUCKETS) - 1)
    }

    /// In plain words, for the head of every result.
    pub(crate) fn told(&self) -> Vec<String> {
        let list = |all: Vec<String>| if all.is_empty() { "none".to_owned() } else { all.join(" and ") };
        let contacts = self.contact.iter().map(ToString::to_string).collect();
        let money = |minor| Money { minor, currency: self.currency };
        let (from, to) = self.price;
        let price = if from == to {
            money(from).to_string()
        } else {
            format!("{} to {}, by its number", money(from), money(to))
        };
        let mut told = vec![
            format!("everybody has an address for {}", list(contacts)),
            format!("everybody agreed to {}", list(self.agreed())),
            format!("an article costs {price}"),
            format!("everybody lives by {}", self.zone),
        ];
        told.extend(self.place.country.iter().map(|country| format!("everybody is in {country}")));
        told
    }

    /// What everybody agreed to; on what it rests, once for those that are alike.
    fn agreed(&self) -> Vec<String> {
        let rests = |source: Source| match source {
            Source::Page => "a box was ticked",
            Source::Signed => "the shop vouches for it",
            Source::Person => "confirmed from the address itself",
        };
        let mut next = self.consent.iter().map(|(_, source)| source).skip(1);
        let alike = |(channel, source): &(Channel, Source)| match next.next() {
            Some(after) if after == source => channel.to_string(),
            _ => format!("{channel} ({})", rests(*source)),
        };
        self.consent.iter().map(alike).collect()
    }

    /// What nobody said and therefore nobody knows.
    pub(crate) fn untold(&self) -> Option<String> {
        let unknown = self.place == Place::default();
        unknown.then(|| {
            "where anybody is, so every pack of a policy applies that names no default_country (--assume country=DE)"
                .to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let said = |text| Assumed::parse(Some(text)).err().and_then(|f| f.text()).unwrap_or_default();
        assert!(said("price=40").contains("no contact and no consent"), "{}", said("price=40"));
        assert!(said("contact=email,consent=fax,price=4").contains("consent"));
        assert!(said("contact=email,consent=all,price=80-20").contains("price"));
        assert!(said("contact=email,consent=all,price=4,zone=Mars/Olympus").contains("zone"));
        let fine = Assumed::parse(Some("contact=email+sms,consent=email,price=20-80")).unwrap();
        assert!((2_000..=8_000).contains(&fine.price_of(7)));
        assert_eq!(fine.price_of(7), fine.price_of(7));
        assert!(fine.told()[2].starts_with("an article costs 20.00 EUR to 80.00 EUR"));
    }
    #[test]
    fn a_price_is_in_the_currency_that_is_named() {
        let read = |text| Assumed::parse(Some(text)).unwrap();
        let yen = read("contact=email,consent=email,price=4000,currency=JPY");
        assert_eq!((yen.price_of(7), yen.told()[2].as_str()), (4_000, "an article costs 4000 JPY"));
        let dinar = read("contact=email,consent=email,currency=KWD,price=1.5");
        assert_eq!((dinar.price_of(7), dinar.told()[2].as_str()), (1_500, "an article costs 1.500 KWD"));
        assert!(Assumed::parse(Some("contact=email,consent=email,price=0.4,currency=JPY")).is_err());
    }

    #[test]
    fn a_yes_says_on_what_it_rests_and_a_place_where() {
        let agreed = |text: &str| {
            let text = format!("contact=all,consent={text},price=4");
            Assumed::parse(Some(&text)).map(|a| (a.consent.clone(), a.told()[1].clone()))
        };
        let (email, sms) = (Channel::Email, Channel::Sms);
        assert_eq!(agreed("email").unwrap().0, [(email, Source::Signed)]);
        let (consent, told) = agreed("email:page+sms:confirmed").unwrap();
        assert_eq!(consent, [(email, Source::Page), (sms, Source::Person)]);
        assert_eq!(
            told,
            "everybody agreed to email (a box was ticked) and sms (confirmed from the address itself)"
        );
        let (all, told) = agreed("all:confirmed").unwrap();
        assert!(all.len() == 3 && all.iter().all(|(_, source)| *source == Source::Person));
        assert_eq!(told, "everybody agreed to email and sms and push (confirmed from the address itself)");
        assert_eq!(agreed("none").unwrap().1, "everybody agreed to none");
        for wrong in ["email:sworn", "all+email", "fax:signed", "email+none"] {
            assert!(agreed(wrong).is_err(), "{wrong}");
        }
        let there = |text| Assumed::parse(Some(text));
        let germany = there("contact=all,consent=all,price=4,country=DE").unwrap();
        assert_eq!(germany.place.country.as_deref(), Some("DE"));
        assert!(germany.told().last().is_some_and(|t| t == "everybody is in DE"));
        assert_eq!(germany.untold(), None);
        let nowhere = there("contact=all,consent=all,price=4").unwrap();
        assert!(nowhere.untold().is_some_and(|t| t.contains("every pack of a policy applies")));
        assert!(there("contact=all,consent=all,price=4,country=Germany").is_err());
    }
}
