//! Plain text with its web addresses made into links, for the development inbox: what a mail or
//! text program would do with the message. Escapes everything itself; knows nothing but `http://`
//! and `https://`.

use minijinja::HtmlEscape;

use crate::readable::readable;
use crate::web_url;

/// The text as HTML, escaped, with a link around each web address.
pub(crate) fn linked(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, url, after)) = next(rest) {
        out.push_str(&escaped(before));
        match web_url::parse(url) {
            Some(href) => {
                let (href, url) = (escaped(&href), escaped(url));
                out.push_str(&format!(
                    "<a href=\"{href}\" target=\"_blank\" rel=\"noopener noreferrer\">{url}</a>"
                ));
            }
            None => out.push_str(&escaped(url)),
        }
        rest = after;
    }
    out.push_str(&escaped(rest));
    out
}

/// Splits at the first address: up to white space or a quote, without the full stop after it.
fn next(text: &str) -> Option<(&str, &str, &str)> {
    let start = ["http://", "https://"].iter().filter_map(|scheme| text.find(scheme)).min()?;
    let (before, tail) = text.split_at_checked(start)?;
    let end =
        tail.find(|c: char| c.is_whitespace() || c.is_control() || "<>\"'".contains(c)).unwrap_or(tail.len());
    let url = tail.get(..end)?.trim_end_matches(['.', ',', ';', ':', '!', '?', ')']);
    let after = tail.get(url.len()..)?;
    // An empty address would never end the loop of the caller.
    (!url.is_empty()).then_some((before, url, after))
}

fn escaped(text: &str) -> String {
    HtmlEscape(&readable(text)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_links_and_all_else_stays_text() {
        let link = |href: &str| {
            format!("<a href=\"{href}\" target=\"_blank\" rel=\"noopener noreferrer\">{href}</a>")
        };
        let escaped_link = |url: &str| link(&escaped(url));
        for (text, expect) in [
            ("none", "none".to_owned()),
            ("<b>&", "&lt;b&gt;&amp;".to_owned()),
            ("see https://a.example/x.", format!("see {}.", escaped_link("https://a.example/x"))),
            ("(http://a.example/s/k)", format!("({})", escaped_link("http://a.example/s/k"))),
            (
                "a https://a.example/ b https://b.example/",
                format!("a {} b {}", escaped_link("https://a.example/"), escaped_link("https://b.example/")),
            ),
            ("https://", escaped("https://")),
            ("http://https://a.example", escaped("http://https://a.example")),
            ("https://a.example/\"onx=1", format!("{}&quot;onx=1", escaped_link("https://a.example/"))),
            ("javascript://x", escaped("javascript://x")),
        ] {
            assert_eq!(linked(text), expect, "{text:?}");
        }
    }
}
