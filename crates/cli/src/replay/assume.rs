//! What a log does not know and somebody therefore has to say: `contact=email+sms,consent=all,price=40`.
//! It is part of every result that rests on it.

use comeback_core::consent::Channel;
use comeback_core::experiment::{BUCKETS, bucket};
use comeback_core::money::Currency;
use comeback_core::time::Zone;

use crate::failure::Failure;

/// Assumptions in full.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Assumed {
    /// Channels on which everybody has an address.
    pub(crate) contact: Vec<Channel>,
    /// Channels for which everybody said yes.
    pub(crate) consent: Vec<Channel>,
    /// Prices in minor units, from and to: an article's lies between them, by its number.
    price: (i64, i64),
    /// Of everybody.
    pub(crate) zone: String,
    /// Of all prices.
    pub(crate) currency: Currency,
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

fn minor(text: &str) -> Option<i64> {
    let price: f64 = text.parse().ok().filter(|p| (0.01..1_000_000.0).contains(p))?;
    #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
    let minor = (price * 100.0).round() as i64;
    Some(minor)
}

impl Assumed {
    /// Reads it. What is missing is named.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self, Failure> {
        let (mut contact, mut consent, mut price) = (None, None, None);
        let (mut zone, mut currency) = ("Europe/Berlin".to_owned(), "EUR".to_owned());
        for part in text.unwrap_or_default().split(',').filter(|p| !p.is_empty()) {
            let (key, value) = part
                .split_once('=')
                .ok_or_else(|| Failure::Usage(format!("--assume: expected key=value, not {part:?}")))?;
            match key {
                "contact" => contact = Some(channels(key, value)?),
                "consent" => consent = Some(channels(key, value)?),
                "price" => {
                    let (from, to) = value.split_once('-').unwrap_or((value, value));
                    let both = minor(from).zip(minor(to)).filter(|(from, to)| from <= to);
                    price = Some(both.ok_or_else(|| {
                        Failure::Usage("--assume price: a price, or two as in 20-80".to_owned())
                    })?);
                }
                "zone" => value.clone_into(&mut zone),
                "currency" => value.clone_into(&mut currency),
                other => {
                    return Err(Failure::Usage(format!(
                        "--assume: {other:?} is none of contact, consent, price, zone, currency"
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
        Ok(Self { contact, consent, price, zone, currency })
    }

    /// The price of an article, minor units.
    pub(crate) fn price_of(&self, article: u64) -> i64 {
        let (from, to) = self.price;
        let place = i64::from(bucket("assumed", "price", &article.to_string()));
        from + (to - from) * place / (i64::from(BUCKETS) - 1)
    }

    /// In plain words, for the head of every result.
    pub(crate) fn told(&self) -> Vec<String> {
        let list = |channels: &[Channel]| match channels {
            [] => "none".to_owned(),
            some => some.iter().map(|c| c.as_str()).collect::<Vec<_>>().join(" and "),
        };
        let money = |minor: i64| format!("{}.{:02}", minor / 100, minor % 100);
        let (from, to) = self.price;
        let code = self.currency.code();
        let price = if from == to {
            format!("{} {code}", money(from))
        } else {
            format!("{} to {} {code}, by its number", money(from), money(to))
        };
        vec![
            format!("everybody has an address for {}", list(&self.contact)),
            format!("everybody agreed to {}", list(&self.consent)),
            format!("an article costs {price}"),
            format!("everybody lives by {}", self.zone),
        ]
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
        assert!(fine.told()[2].starts_with("an article costs 20.00 to 80.00"));
    }
}
