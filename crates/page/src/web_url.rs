//! Which addresses may stand in a page, and how they are written. Not a URL parser: what is not
//! plainly a web address or a path of this origin is refused.

/// Longest address; a token link has some 300 to 500 bytes.
const MAX: usize = 2048;

/// An http(s) address or a path of this origin, with everything but URL characters
/// percent-encoded; `None` for anything else.
pub(crate) fn parse(text: &str) -> Option<String> {
    if text.starts_with('/') {
        return path(text);
    }
    let (scheme, rest) = text.split_once("://")?;
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "https" => "https",
        "http" => "http",
        _ => return None,
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at_checked(end)?;
    if !is_host(authority) {
        return None;
    }
    encode(&format!("{scheme}://{authority}"), tail)
}

/// A path of this origin. A second slash or a backslash would name another host.
pub(crate) fn path(text: &str) -> Option<String> {
    let mut chars = text.chars();
    if chars.next() != Some('/') || matches!(chars.next(), Some('/' | '\\')) {
        return None;
    }
    encode("", text)
}

/// `host[:port]`. No user part: it makes one shop look like another.
fn is_host(authority: &str) -> bool {
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    !host.is_empty()
        && host.len() <= 253
        && !host.starts_with(['-', '.'])
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
        && (1..=5).contains(&port.len())
        && port.bytes().all(|b| b.is_ascii_digit())
}

fn encode(head: &str, tail: &str) -> Option<String> {
    let mut out = head.to_owned();
    for c in tail.chars() {
        if c.is_control() {
            return None;
        }
        if c.is_ascii_alphanumeric() || "-._~:/?#@!$&()*+,;=%".contains(c) {
            out.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    (out.len() <= MAX).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_and_own_paths_pass() {
        let cases = [
            ("https://shop.example/a?b=c&d=%20#e", Some("https://shop.example/a?b=c&d=%20#e")),
            ("HTTPS://Shop.example", Some("https://Shop.example")),
            ("http://localhost:8787/r/x", Some("http://localhost:8787/r/x")),
            ("https://shop.example/ä b'\"<>", Some("https://shop.example/%C3%A4%20b%27%22%3C%3E")),
            ("/", Some("/")),
            ("/cart.html?x=1", Some("/cart.html?x=1")),
            ("/a\"b", Some("/a%22b")),
            ("/a\\b", Some("/a%5Cb")),
            ("//evil.example/x", None),
            ("/\\evil.example/x", None),
            ("/\t/evil.example", None),
            ("https://shop.example@evil.example/", None),
            ("https://evil.example\\@shop.example/", None),
            ("https:///path", None),
            ("https:shop.example", None),
            ("cart.html", None),
            ("javascript:alert(1)", None),
            ("JavaScript://shop.example/%0aalert(1)", None),
            ("\tjavascript:alert(1)", None),
            (" https://shop.example/", None),
            ("data:text/html,x", None),
            ("vbscript:x", None),
            ("https://shop.example/a\r\nb", None),
            ("", None),
        ];
        for (given, expect) in cases {
            assert_eq!(parse(given).as_deref(), expect, "{given:?}");
        }
        assert_eq!(parse(&format!("/{}", "a".repeat(MAX))), None);
        assert_eq!(path("https://shop.example/"), None);
        assert_eq!(path("/r/a.b-c_d").as_deref(), Some("/r/a.b-c_d"));
    }
}
