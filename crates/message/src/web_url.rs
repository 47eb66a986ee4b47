//! Checks the links that go into a message and writes them so that no client can read them
//! otherwise. Not a URL parser: what is not plainly a web address is refused.

/// Longest link of a message: token links have some 300 to 500 bytes.
pub(crate) const MAX_LINK: usize = 1024;
/// Longest address of a picture or product page. Bounds the size of the HTML, see `render.rs`.
pub(crate) const MAX_ITEM: usize = 512;

/// The address with everything but URL characters percent-encoded, or `None` unless it is an
/// absolute https address (or http to this machine) of at most `max` bytes.
pub(crate) fn parse(text: &str, max: usize) -> Option<String> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at_checked(end)?;
    let host = host_of(authority)?;
    let local = matches!(host, "localhost" | "127.0.0.1");
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "https" => "https",
        "http" if local => "http",
        _ => return None,
    };
    let mut out = format!("{scheme}://{authority}");
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
    (out.len() <= max).then_some(out)
}

/// The host of an authority `host[:port]`. No user part: it makes one shop look like another.
fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let host_ok = !host.is_empty()
        && host.len() <= 253
        && !host.starts_with(['-', '.'])
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    let port_ok = (1..=5).contains(&port.len()) && port.bytes().all(|b| b.is_ascii_digit());
    (host_ok && port_ok).then_some(host)
}

/// The host of an address that [`parse`] let through.
pub(crate) fn host(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    host_of(rest.split(['/', '?', '#']).next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_web_addresses_pass() {
        let cases = [
            ("https://shop.example/a?b=c&d=%20#e", Some("https://shop.example/a?b=c&d=%20#e")),
            ("HTTPS://Shop.example", Some("https://Shop.example")),
            ("http://localhost:8787/r/x", Some("http://localhost:8787/r/x")),
            ("http://127.0.0.1:1/", Some("http://127.0.0.1:1/")),
            (
                "https://shop.example/ä b'\"<>{{x}}",
                Some("https://shop.example/%C3%A4%20b%27%22%3C%3E%7B%7Bx%7D%7D"),
            ),
            ("http://shop.example/", None),
            ("http://localhost.evil.example/", None),
            ("https://shop.example@evil.example/", None),
            ("https:///path", None),
            ("https://", None),
            ("//shop.example/x", None),
            ("/x.png", None),
            ("javascript:alert(1)", None),
            ("javascript://shop.example/%0aalert(1)", None),
            ("data:text/html,x", None),
            ("https://shop.example/a\r\nBcc: x", None),
            ("https://shop .example/", None),
            ("https://shop.example:99999999/", None),
            ("", None),
        ];
        for (given, expect) in cases {
            assert_eq!(parse(given, MAX_LINK).as_deref(), expect, "{given:?}");
        }
        assert!(parse(&format!("https://shop.example/{}", "a".repeat(MAX_LINK)), MAX_LINK).is_none());
    }
}
