//! Makes other people's text safe to place: one line, bounded, without what steers a terminal, a
//! header or the direction of reading. Does not escape: that depends on where the text goes.

/// Stand-ins for `{` and `}` of data while a template renders, so that a brace in the output is
/// known to be the template's own. Both are Unicode noncharacters: [`line()`] strips them from input.
pub(crate) const OPEN: char = '\u{FDD0}';
pub(crate) const CLOSE: char = '\u{FDD1}';

/// Pairs that open or close a merge tag here and in the template languages of mail providers.
const TAGS: [(char, char); 6] = [('{', '{'), ('}', '}'), ('{', '%'), ('%', '}'), ('{', '#'), ('#', '}')];

/// One clean line of at most `max` characters; what is longer ends in `…`.
pub(crate) fn line(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max * 4));
    let mut count = 0;
    let mut gap = false;
    for c in text.chars() {
        if is_gap(c) {
            gap = true;
        } else if !is_dropped(c) {
            if gap && count > 0 {
                out.push(' ');
                count += 1;
            }
            gap = false;
            out.push(c);
            count += 1;
            if count > max {
                return cut(&out, max.saturating_sub(1), "…");
            }
        }
    }
    out
}

/// [`line()`] for a header. Text that looks like an RFC 2047 encoded word is broken apart: the
/// receiver would decode it, line breaks included, into something nobody wrote.
pub(crate) fn header(text: &str, max: usize) -> String {
    line(&text.replace("=?", "= ?"), max)
}

/// The first `max` characters, without a trailing space or dangling joiner, then `end`.
pub(crate) fn cut(text: &str, max: usize, end: &str) -> String {
    let head: String = text.chars().take(max).collect();
    let head = head.trim_end_matches([' ', '\u{200D}', '\u{FE0F}']);
    format!("{head}{end}")
}

/// Line breaks and tabs become a space. A no-break space stays: prices are written with it.
fn is_gap(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\u{B}' | '\u{C}' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
        || (c.is_whitespace() && !matches!(c, '\u{A0}' | '\u{2007}' | '\u{202F}'))
}

/// Controls, bidirectional overrides (they let `gpj.exe` read as `exe.jpg`), invisible fillers and
/// noncharacters.
fn is_dropped(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{AD}' | '\u{200B}' | '\u{2060}' | '\u{FEFF}' | '\u{180E}' | '\u{FFF9}'..='\u{FFFB}')
        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{FDD0}'..='\u{FDEF}')
        || u32::from(c) & 0xFFFE == 0xFFFE
}

/// Whether this could be what somebody is called, and no advertisement, link or address.
pub(crate) fn looks_like_a_name(text: &str) -> bool {
    let dotted = text.split('.').skip(1).any(|rest| rest.starts_with(char::is_alphanumeric));
    let odd = |c: char| "/\\@:<>{}[]()|=%$€£#*_~^`\"!?;+&0123456789".contains(c);
    !dotted && text.chars().any(char::is_alphabetic) && !text.contains(odd)
}

/// Whether a template left a merge tag in what it wrote itself.
pub(crate) fn has_tag(rendered: &str) -> bool {
    rendered.chars().zip(rendered.chars().skip(1)).any(|pair| TAGS.contains(&pair))
}

/// Puts the braces of data back as character references, which no merge language reads.
pub(crate) fn restore_html(rendered: &str) -> String {
    rendered.replace(OPEN, "&#123;").replace(CLOSE, "&#125;")
}

/// Puts the braces of data back into plain text, a space between two that would make a tag: a
/// provider that fills templates of its own must not find one in a product's name.
pub(crate) fn restore_text(rendered: &str) -> String {
    let mut out = String::with_capacity(rendered.len());
    let mut last = None;
    for c in rendered.chars() {
        let c = match c {
            OPEN => '{',
            CLOSE => '}',
            other => other,
        };
        if last.is_some_and(|before| TAGS.contains(&(before, c))) {
            out.push(' ');
        }
        out.push(c);
        last = Some(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_single_bounded_and_plain() {
        let cases = [
            ("  a\r\nBcc: x  ", "a Bcc: x"),
            ("a\u{202E}gpj.exe", "agpj.exe"),
            ("\u{FDD0}\u{FEFF}\0", ""),
            ("1\u{202F}234,00\u{A0}€", "1\u{202F}234,00\u{A0}€"),
            ("e\u{301}\u{200D}", "e\u{301}\u{200D}"),
            ("0123456789", "0123456789"),
            ("01234567890", "012345678…"),
            ("ÄÖÜ ÄÖÜ ÄÖÜ", "ÄÖÜ ÄÖÜ Ä…"),
            ("ÄÖÜÄÖÜÄÖ ÄÖ", "ÄÖÜÄÖÜÄÖ…"),
        ];
        for (given, expect) in cases {
            assert_eq!(line(given, 10), expect, "{given:?}");
        }
    }

    #[test]
    fn names_are_told_from_advertisements() {
        for name in ["Ada", "Anne-Marie", "O'Neil", "J. R.", "Łukasz", "明美", "Ada Lovelace"] {
            assert!(looks_like_a_name(name), "{name}");
        }
        for no in [
            "",
            "-",
            "win at evil.example",
            "http://x",
            "a@b",
            "50% off",
            "{{name}}",
            "R2D2",
            "www.x",
            "CALL NOW!",
        ] {
            assert!(!looks_like_a_name(no), "{no}");
        }
    }

    #[test]
    fn braces_of_data_never_make_a_tag() {
        let data =
            "{{ x }} {% y %} {# z #} {{{".replace('{', &OPEN.to_string()).replace('}', &CLOSE.to_string());
        assert!(!has_tag(&data));
        assert_eq!(restore_text(&data), "{ { x } } { % y % } { # z # } { { {");
        assert!(!restore_html(&data).contains(['{', '}']));
        assert!(has_tag("a {{ b"));
    }
}
