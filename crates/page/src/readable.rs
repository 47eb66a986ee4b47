//! What of foreign text reaches a page. Does not escape: that depends on where the text goes.

use std::borrow::Cow;

/// The text without control characters (line breaks and tabs stay), without overrides of the
/// direction of reading (every foreign text stands in its own `<bdi>`; these would reach out of it)
/// and without noncharacters.
pub(crate) fn readable(text: &str) -> Cow<'_, str> {
    if text.contains(is_dropped) { Cow::Owned(text.replace(is_dropped, "")) } else { Cow::Borrowed(text) }
}

fn is_dropped(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{FDD0}'..='\u{FDEF}')
        || u32::from(c) & 0xFFFE == 0xFFFE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_text_is_dropped() {
        for (given, expect) in [
            ("a\0\u{1B}[1mb\u{9F}", "a[1mb"),
            ("a\r\nb\tc", "a\nb\tc"),
            ("a\u{202E}gpj.exe\u{2066}", "agpj.exe"),
            ("\u{FFFE}\u{10FFFF}\u{FDD0}x", "x"),
            (
                "1\u{202F}234,00\u{A0}€ \u{200F}שלום \u{1F469}\u{200D}\u{1F680}",
                "1\u{202F}234,00\u{A0}€ \u{200F}שלום \u{1F469}\u{200D}\u{1F680}",
            ),
        ] {
            assert_eq!(readable(given), expect, "{given:?}");
        }
    }
}
