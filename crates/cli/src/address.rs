//! The address of a deployment, checked before a token is sent there: encrypted, or on this machine.

use std::fmt;

use crate::failure::Failure;

/// An origin, `https://shop.example`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    origin: String,
    local: bool,
}

impl Address {
    /// Where `cargo xtask demo` runs.
    pub(crate) fn demo() -> Self {
        Self { origin: "http://localhost:8787".to_owned(), local: true }
    }

    /// Reads an origin; one slash at its end is forgiven.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = || Failure::Usage("--url: expected an origin such as https://shop.example".to_owned());
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let host = rest.strip_suffix('/').unwrap_or(rest);
        let fine = !host.is_empty()
            && host
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'));
        if !fine || !matches!(scheme, "http" | "https") {
            return Err(wrong());
        }
        let name = match host.strip_prefix('[') {
            Some(six) => six.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        let local = matches!(name, "localhost" | "127.0.0.1" | "::1");
        if scheme == "http" && !local {
            return Err(Failure::Usage(
                "--url: http only to this machine; a token does not travel unencrypted".to_owned(),
            ));
        }
        Ok(Self { origin: format!("{scheme}://{host}"), local })
    }

    /// Whether it is this machine.
    pub(crate) const fn is_local(&self) -> bool {
        self.local
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_only_where_it_is_safe() {
        let cases = [
            ("http://localhost:8787", Some(("http://localhost:8787", true))),
            ("http://127.0.0.1:9/", Some(("http://127.0.0.1:9", true))),
            ("http://[::1]:8787", Some(("http://[::1]:8787", true))),
            ("https://shop.example", Some(("https://shop.example", false))),
            ("http://shop.example", None),
            ("http://localhost.evil.example", None),
            ("http://localhost@evil.example", None),
            ("https://shop.example/path", None),
            ("https://", None),
            ("ftp://localhost", None),
            ("localhost:8787", None),
        ];
        for (text, expect) in cases {
            let read = Address::parse(text).ok().map(|a| (a.to_string(), a.is_local()));
            assert_eq!(read, expect.map(|(o, l)| (o.to_owned(), l)), "{text}");
        }
    }
}
