//! Language tags, anchors and mail addresses: text that means something to a browser beyond being
//! read. Each is checked down to a small alphabet or left out.

/// The language of the words in the templates.
const WORDS: &str = "en";

/// The `lang` of a page: the shop's locale where that is a form of English, else plain English,
/// since the templates speak nothing else and a screen reader believes what the page says.
pub(crate) fn page_language(locale: &str) -> &str {
    match tag(locale) {
        Some(tag) if is_english(tag) => tag,
        _ => WORDS,
    }
}

/// The `lang` of the shop's own texts where it differs from that of the page.
pub(crate) fn shop_language(locale: &str) -> Option<&str> {
    tag(locale).filter(|tag| !is_english(tag))
}

fn is_english(tag: &str) -> bool {
    tag.split('-').next().is_some_and(|first| first.eq_ignore_ascii_case(WORDS))
}

/// A language tag of the everyday form: letters, then letters and digits, in parts of 2 to 8.
fn tag(locale: &str) -> Option<&str> {
    let mut parts = locale.split('-');
    let first = parts.next()?;
    let ok = (2..=3).contains(&first.len())
        && first.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    ok.then_some(locale)
}

/// A mail address that means the same to every mail program, or `None`. `?`, `&` and `%` are legal
/// in addresses but would add header fields to a `mailto:` link.
pub(crate) fn mail(text: &str) -> Option<&str> {
    let (local, domain) = text.split_once('@')?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    let ok = !local.is_empty()
        && domain.contains('.')
        && text.len() <= 254
        && local.bytes().all(|b| plain(b) || b == b'+')
        && domain.bytes().all(plain)
        && !domain.starts_with(['.', '-'])
        && !domain.ends_with(['.', '-']);
    ok.then_some(text)
}

/// The letters, digits, `_` and `-` of an id: safe as an anchor and inside a style rule.
pub(crate) fn anchor(id: &str) -> String {
    id.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_says_the_language_it_speaks() {
        for (locale, page, shop) in [
            ("en-GB", "en-GB", None),
            ("EN", "EN", None),
            ("de-DE", "en", Some("de-DE")),
            ("zh-Hant-TW", "en", Some("zh-Hant-TW")),
            ("", "en", None),
            ("en_GB", "en", None),
            ("en-\"><script>", "en", None),
            ("englisch", "en", None),
            ("de-", "en", None),
        ] {
            assert_eq!((page_language(locale), shop_language(locale)), (page, shop), "{locale:?}");
        }
    }

    #[test]
    fn mail_addresses_are_plain() {
        for yes in ["help@shop.example", "a.b+c@x-y.example"] {
            assert_eq!(mail(yes), Some(yes));
        }
        for no in [
            "",
            "help",
            "a@b",
            "a@b.c?bcc=x@y.z",
            "a&b@c.d",
            "a%0a@c.d",
            "a b@c.d",
            "@c.d",
            "a@.d",
            "a@b@c.d",
            "é@c.d",
        ] {
            assert_eq!(mail(no), None, "{no:?}");
        }
    }

    #[test]
    fn anchors_keep_only_what_no_rule_reads() {
        assert_eq!(anchor("snd_9Zk-2"), "snd_9Zk-2");
        assert_eq!(anchor("\"}</style> é"), "style");
    }
}
