//! Requests and answers as the routes see them. Both cross the boundary to JavaScript as one text
//! each: every header that is read or set over there by itself costs more than parsing all of them here.

use comeback_core::jurisdiction::Place;
use comeback_core::time::Timestamp;
use serde::Serialize;
use wasm_bindgen::prelude::*;
use worker::{Env, Method};

use crate::cookies::{self, Cookies};
use crate::failure::{Failure, Outcome};

/// The headers of pages, which nearly every request is: entry.js sends their values in this order.
/// The others are asked for ([`Ask::rare_header`]).
const HEADERS: [&str; 4] = ["cookie", "origin", "user-agent", "cf-connecting-ip"];

#[wasm_bindgen]
extern "C" {
    /// A header of the request behind a call.
    #[wasm_bindgen(js_namespace = comebackHost, js_name = header)]
    fn header_of(call: u32, name: &str) -> Option<String>;

    /// Country and region of the request behind a call, a line each.
    #[wasm_bindgen(js_namespace = comebackHost, js_name = place)]
    fn place_of(call: u32) -> String;
}

/// The names, for entry.js.
pub(crate) fn header_names() -> String {
    HEADERS.join("\n")
}

/// Longest address that is looked at. Tokens take a few hundred characters.
const MAX_PATH: usize = 4096;

/// One request and all that its handler may need.
pub(crate) struct Ask {
    /// The call's number at entry.js.
    call: u32,
    pub(crate) env: Env,
    pub(crate) now: Timestamp,
    pub(crate) method: Method,
    /// `/v1/events`, as it was sent.
    pub(crate) path: String,
    /// What follows the question mark.
    query: String,
    /// `host[:port]` as the client named it.
    pub(crate) host: String,
    /// The connection is encrypted, so cookies may be `Secure`.
    pub(crate) secure: bool,
    pub(crate) cookies: Cookies,
    headers: Vec<Option<String>>,
    /// Empty if it was larger than its route reads: then its length says so.
    body: Vec<u8>,
    /// The origin of another host whose pages may read the answer, whatever it will be.
    pub(crate) reader: Option<String>,
}

impl Ask {
    /// From the lines of entry.js: method, address, then the values of [`HEADERS`]. A header that is
    /// absent is an empty line.
    pub(crate) fn parse(call: u32, env: Env, now: Timestamp, head: &str, body: Vec<u8>) -> Outcome<Self> {
        let mut lines = head.split('\n');
        let method = Method::from(lines.next().unwrap_or_default().to_owned());
        let address = lines.next().unwrap_or_default();
        let headers: Vec<Option<String>> =
            lines.map(|value| (!value.is_empty()).then(|| value.to_owned())).collect();
        // The platform hands over a serialised URL (WHATWG): scheme, authority and path are there.
        let (scheme, rest) = address.split_once("://").unwrap_or_default();
        let rest = rest.split('#').next().unwrap_or_default();
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (host, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
        if path.len() > MAX_PATH {
            return Err(Failure::problem(414, "/problems/too-long", "The address is too long", ""));
        }
        let cookies = headers.first().and_then(Option::as_deref).map(cookies::parse).unwrap_or_default();
        Ok(Self {
            call,
            env,
            now,
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            host: host.to_owned(),
            secure: scheme == "https",
            cookies,
            headers,
            body,
            reader: None,
        })
    }

    /// Where the client is, as the edge sees it. Asked only where it is needed: the platform makes an
    /// object of a few dozen fields for it.
    pub(crate) fn place(&self) -> Place {
        let told = place_of(self.call);
        let (country, region) = told.split_once('\n').unwrap_or((&told, ""));
        let code = |text: &str, lengths: core::ops::RangeInclusive<usize>| {
            let fine = lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());
            fine.then(|| text.to_ascii_uppercase())
        };
        // `T1` is the platform's code for Tor, `XX` for unknown.
        let country = code(country, 2..=2).filter(|c| c != "XX" && c != "T1");
        Place { region: country.as_ref().and_then(|_| code(region, 1..=3)), country }
    }

    /// Any request header.
    pub(crate) fn rare_header(&self, name: &str) -> Option<String> {
        header_of(self.call, name)
    }

    /// A request header, one of [`HEADERS`].
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let index = HEADERS.iter().position(|known| *known == name)?;
        self.headers.get(index)?.as_deref()
    }

    /// A parameter of the address whose values need no decoding.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find_map(|(k, v)| (k == name).then_some(v))
    }

    /// The same as text: bytes that were percent-encoded, as `encodeURIComponent` does it, are put back. `None`
    /// for what is no UTF-8.
    pub(crate) fn text_parameter(&self, name: &str) -> Option<String> {
        let mut bytes = vec![];
        let mut rest = self.parameter(name)?.bytes();
        while let Some(byte) = rest.next() {
            let digit = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16)).unwrap_or_default();
            bytes.push(match byte {
                b'%' => u8::try_from(digit(rest.next()) * 16 + digit(rest.next())).unwrap_or_default(),
                other => other,
            });
        }
        String::from_utf8(bytes).ok()
    }

    /// The body, refused above a size.
    pub(crate) fn body(&mut self, most: usize) -> Outcome<Vec<u8>> {
        let announced = || self.rare_header("content-length").and_then(|l| l.parse::<usize>().ok());
        // Of a body that is announced too large nothing was read.
        if self.body.len() > most || (self.body.is_empty() && announced().is_some_and(|l| l > 0)) {
            return Err(Failure::too_large(most));
        }
        Ok(std::mem::take(&mut self.body))
    }

    /// The body as JSON.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(&mut self, most: usize) -> Outcome<T> {
        let body = self.body(most)?;
        serde_json::from_slice(&body).map_err(|e| Failure::malformed(comeback_wire::capture::place(&e)))
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Reply {
    /// Without a body.
    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::with_capacity(8), body: String::new() }
    }

    /// A text of a type.
    pub(crate) fn text(status: u16, content_type: &str, body: String) -> Self {
        let mut reply = Self::empty(status);
        reply.body = body;
        reply.add("content-type", content_type);
        reply
    }

    /// JSON that no cache may keep.
    pub(crate) fn json<T: Serialize>(body: &T) -> Outcome<Self> {
        let mut reply = Self::text(200, "application/json", serde_json::to_string(body)?);
        reply.add("cache-control", "no-store");
        Ok(reply)
    }

    /// Adds a header. A line break, which would begin another header, ends the value.
    pub(crate) fn add(&mut self, name: &'static str, value: &str) {
        let value = value.split(['\r', '\n']).next().unwrap_or_default();
        self.headers.push((name, value.to_owned()));
    }

    /// Whether it has a header.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(held, _)| *held == name)
    }

    /// For entry.js: the status, a line per header, an empty line, the body.
    pub(crate) fn into_lines(self) -> String {
        let room: usize = self.headers.iter().map(|(name, value)| name.len() + value.len() + 3).sum();
        let mut lines = String::with_capacity(room + self.body.len() + 8);
        lines.push_str(&self.status.to_string());
        for (name, value) in &self.headers {
            lines.push('\n');
            lines.push_str(name);
            lines.push_str(": ");
            lines.push_str(value);
        }
        lines.push_str("\n\n");
        lines.push_str(&self.body);
        lines
    }
}
