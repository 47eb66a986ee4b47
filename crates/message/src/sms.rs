//! Text messages: how many segments a text takes (3GPP TS 23.038), and a reminder that is one.
//!
//! One segment always: a second one doubles the price and may arrive alone. What must be in it is
//! the brand, the link and how to stop; the product's name gives way to them.

use serde::{Deserialize, Serialize};

use crate::clean;
use crate::error::RenderError;
use crate::model::MessageModel;
use crate::render::{lines, link, render, shop_name};

/// Septets of a single GSM-7 message: 140 bytes.
const GSM_SINGLE: usize = 160;
/// Septets of each part of a longer one: six bytes go to the header.
const GSM_PART: usize = 153;
/// UTF-16 units of a single UCS-2 message.
const UCS_SINGLE: usize = 70;
/// UTF-16 units of each part of a longer one.
const UCS_PART: usize = 67;
/// A product's name cut shorter than this says nothing; then it is left out.
const MIN_TITLE: usize = 8;
const ELLIPSIS: &str = "...";

/// The basic set of GSM 03.38, one septet each.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Its extension, an escape and one more septet each.
const EXTENSION: &str = "\u{C}^{}\\[~]|€";

/// How a text travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encoding {
    /// Seven bits a character; only the GSM 03.38 set.
    #[serde(rename = "GSM-7")]
    Gsm7,
    /// Sixteen bits a unit; everything else.
    #[serde(rename = "UCS-2")]
    Ucs2,
}

impl Encoding {
    /// Units of a message of one segment.
    const fn single(self) -> usize {
        match self {
            Self::Gsm7 => GSM_SINGLE,
            Self::Ucs2 => UCS_SINGLE,
        }
    }

    const fn part(self) -> usize {
        match self {
            Self::Gsm7 => GSM_PART,
            Self::Ucs2 => UCS_PART,
        }
    }
}

/// What a text costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segments {
    /// The narrowest encoding that holds the text.
    pub encoding: Encoding,
    /// Septets or UTF-16 units.
    pub units: usize,
    /// Segments billed; 0 for an empty text.
    pub count: usize,
}

fn gsm_units(c: char) -> Option<usize> {
    if BASIC.contains(c) {
        Some(1)
    } else if EXTENSION.contains(c) {
        Some(2)
    } else {
        None
    }
}

/// Counts segments. A character of two units is never split over two segments.
#[must_use]
pub fn segments(text: &str) -> Segments {
    let is_gsm = text.chars().all(|c| gsm_units(c).is_some());
    let encoding = if is_gsm { Encoding::Gsm7 } else { Encoding::Ucs2 };
    let of = |c: char| if is_gsm { gsm_units(c).unwrap_or(0) } else { c.len_utf16() };
    let units: usize = text.chars().map(of).sum();
    if units <= encoding.single() {
        return Segments { encoding, units, count: usize::from(units > 0) };
    }
    let (mut count, mut held) = (1, 0);
    for unit in text.chars().map(of) {
        if held + unit > encoding.part() {
            count += 1;
            held = 0;
        }
        held += unit;
    }
    Segments { encoding, units, count }
}

/// A template for text messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmsTemplate {
    /// The cart is kept.
    #[serde(rename = "sms_reminder")]
    Reminder,
    /// A second one, at least a day later.
    #[serde(rename = "sms_follow_up")]
    FollowUp,
}

impl SmsTemplate {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Reminder, Self::FollowUp];

    /// The template that policies call by this name. A sequence names one template for all of a
    /// step's channels, so `reminder` is the reminder here too.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "sms_reminder" | "reminder" => Some(Self::Reminder),
            "sms_follow_up" => Some(Self::FollowUp),
            _ => None,
        }
    }

    /// The folder under `templates/`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reminder => "sms_reminder",
            Self::FollowUp => "sms_follow_up",
        }
    }
}

/// A finished text message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sms {
    /// The text.
    pub text: String,
    /// Segments it takes: always 1 from [`render_sms`].
    pub segments: usize,
    /// How it travels.
    pub encoding: Encoding,
}

#[derive(Serialize)]
struct View<'a> {
    shop_name: &'a str,
    title: Option<&'a str>,
    others: usize,
    link: &'a str,
}

/// Renders a text message of one segment. `short_url` is the `/s/…` form of the resume link.
///
/// The product's name is written in the GSM set (`’` as `'`), cut where it must be, and left out
/// where it would force UCS-2. The brand is never changed: one that needs UCS-2 gets it.
pub fn render_sms(template: SmsTemplate, model: &MessageModel, short_url: &str) -> Result<Sms, RenderError> {
    let file = format!("{}/body.txt", template.name());
    let shop_name = shop_name(model)?;
    let link = link(short_url, "short_url")?;
    let lines = lines(model)?;
    let first = lines.first().ok_or(RenderError::Missing { field: "lines" })?;
    let others = lines.len() - 1;
    let with = |title: Option<&str>| -> Result<Sms, RenderError> {
        let view = View { shop_name: &shop_name, title, others, link: &link };
        let text = render(&file, &view)?.trim().to_owned();
        let Segments { encoding, units, count } = segments(&text);
        if count > 1 {
            return Err(RenderError::TooLong { units, limit: encoding.single() });
        }
        Ok(Sms { text, segments: count, encoding })
    };
    let brand_is_gsm = segments(&shop_name).encoding == Encoding::Gsm7;
    if let Some(title) = in_gsm(&first.title).filter(|_| brand_is_gsm) {
        let length = title.chars().count();
        match with(Some(&title)) {
            Err(RenderError::TooLong { .. }) => {}
            other => return other,
        }
        for keep in (MIN_TITLE..length).rev() {
            match with(Some(&clean::cut(&title, keep, ELLIPSIS))) {
                Err(RenderError::TooLong { .. }) => {}
                other => return other,
            }
        }
    }
    with(None)
}

/// The text in the GSM set, or `None` when that would lose letters.
fn in_gsm(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '‘' | '’' | '‚' | '‛' | '′' | '´' | '`' => out.push('\''),
            '“' | '”' | '„' | '‟' | '″' | '«' | '»' => out.push('"'),
            '‐'..='―' | '−' => out.push('-'),
            '…' => out.push_str(ELLIPSIS),
            '×' => out.push('x'),
            '·' | '•' => out.push('-'),
            '\u{A0}' | '\u{2007}' | '\u{202F}' => out.push(' '),
            '®' | '©' | '™' | '\u{FE0E}' | '\u{FE0F}' => {}
            c if gsm_units(c).is_some() => out.push(c),
            _ => return None,
        }
    }
    let out = out.trim().to_owned();
    (!out.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gsm_tables_are_whole() {
        // 3GPP TS 23.038: 128 places of which one is the escape; ten extensions in use.
        assert_eq!(BASIC.chars().count(), 127);
        assert_eq!(EXTENSION.chars().count(), 10);
    }

    #[test]
    fn boundaries_of_segments() {
        let cases = [
            ("", Encoding::Gsm7, 0, 0),
            ("a", Encoding::Gsm7, 1, 1),
            (&"a".repeat(160), Encoding::Gsm7, 160, 1),
            (&"a".repeat(161), Encoding::Gsm7, 161, 2),
            (&"a".repeat(306), Encoding::Gsm7, 306, 2),
            (&"a".repeat(307), Encoding::Gsm7, 307, 3),
            (&"€".repeat(80), Encoding::Gsm7, 160, 1),
            // 152 + an escape pair: the pair does not fit into the 153rd place and moves on.
            (&format!("{}€{}", "a".repeat(152), "a".repeat(152)), Encoding::Gsm7, 306, 3),
            (&"č".repeat(70), Encoding::Ucs2, 70, 1),
            (&"č".repeat(71), Encoding::Ucs2, 71, 2),
            (&"😀".repeat(35), Encoding::Ucs2, 70, 1),
            (&"😀".repeat(67), Encoding::Ucs2, 134, 3),
        ];
        for (text, encoding, units, count) in cases {
            assert_eq!(segments(text), Segments { encoding, units, count }, "{text}");
        }
    }

    #[test]
    fn typography_is_folded_and_letters_are_not_lost() {
        assert_eq!(in_gsm("“Nano” – 8 GB™ …").as_deref(), Some("\"Nano\" - 8 GB ..."));
        assert_eq!(in_gsm("Größe M – 5 €").as_deref(), Some("Größe M - 5 €"));
        assert_eq!(in_gsm("Čajník"), None);
        assert_eq!(in_gsm("™"), None);
    }
}
