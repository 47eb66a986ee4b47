//! The one JSON shape a token may hold: a flat object of strings and integers.
//!
//! It exists because what a derived `Deserialize` lets through is wider than what we sign: a struct
//! also reads from an array, `null` passes for an absent option, and a refused member cannot be told
//! from a misspelt one. Here every member is seen once, by name, or the text is refused. It does not
//! keep nested values; they only count as "not allowed".

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::error::LinkError;

/// A member's value.
enum Scalar {
    Text(String),
    Integer(i64),
    /// null, bool, fraction, array, object, or an integer outside `i64`.
    Other,
}

/// The members of a flat JSON object, taken out one at a time.
pub(crate) struct Members {
    what: &'static str,
    members: BTreeMap<String, Scalar>,
}

impl Members {
    /// Reads the whole of `json`. `what` names the part in errors.
    pub(crate) fn parse(json: &[u8], what: &'static str) -> Result<Self, LinkError> {
        match serde_json::from_slice::<Object>(json) {
            Ok(Object { members, duplicate: false }) => Ok(Self { what, members }),
            Ok(_) => Err(LinkError::Malformed { what: "duplicate member" }),
            Err(_) => Err(LinkError::Malformed { what }),
        }
    }

    /// Whether a member of this name is there and not taken yet, whatever its value.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Takes a text member that must be there; `what` names it in errors.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<String, LinkError> {
        match self.members.remove(name) {
            Some(Scalar::Text(text)) => Ok(text),
            _ => Err(LinkError::Malformed { what: name }),
        }
    }

    /// Takes a text member that may be absent. A `null` is not absence.
    pub(crate) fn optional_text(&mut self, name: &'static str) -> Result<Option<String>, LinkError> {
        if self.has(name) { self.text(name).map(Some) } else { Ok(None) }
    }

    /// Takes an integer member that must be there.
    pub(crate) fn integer(&mut self, name: &'static str) -> Result<i64, LinkError> {
        match self.members.remove(name) {
            Some(Scalar::Integer(integer)) => Ok(integer),
            _ => Err(LinkError::Malformed { what: name }),
        }
    }

    /// Takes an integer member if it is there.
    pub(crate) fn optional_integer(&mut self, name: &'static str) -> Result<Option<i64>, LinkError> {
        if self.members.contains_key(name) { self.integer(name).map(Some) } else { Ok(None) }
    }

    /// Whether every member was taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Refuses what nobody asked for.
    pub(crate) fn finish(self) -> Result<(), LinkError> {
        if self.is_empty() { Ok(()) } else { Err(LinkError::Malformed { what: self.what }) }
    }
}

struct Object {
    members: BTreeMap<String, Scalar>,
    duplicate: bool,
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a flat object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut object = Object { members: BTreeMap::new(), duplicate: false };
        while let Some((name, value)) = map.next_entry::<String, Scalar>()? {
            // Names are compared after unescaping: "\u0069ss" is "iss" again.
            object.duplicate |= object.members.insert(name, value).is_some();
        }
        Ok(object)
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Scalar, E> {
        Ok(Scalar::Text(text))
    }

    fn visit_i64<E>(self, integer: i64) -> Result<Scalar, E> {
        Ok(Scalar::Integer(integer))
    }

    fn visit_u64<E>(self, integer: u64) -> Result<Scalar, E> {
        Ok(i64::try_from(integer).map_or(Scalar::Other, Scalar::Integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_unit<E>(self) -> Result<Scalar, E> {
        Ok(Scalar::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(json: &str) -> Option<LinkError> {
        Members::parse(json.as_bytes(), "object").err()
    }

    #[test]
    fn only_one_flat_object_with_distinct_names_is_read() {
        let object = Some(LinkError::Malformed { what: "object" });
        let duplicate = Some(LinkError::Malformed { what: "duplicate member" });
        for (json, expected) in [
            (r#"{"a":"x","b":1}"#, None),
            (r#" { "a" : [1,{"b":null}] } "#, None),
            (r#"{"a":1,"a":1}"#, duplicate),
            (r#"{"a":1,"\u0061":2}"#, duplicate),
            (r#"{"a":{},"a":[]}"#, duplicate),
            (r#"["a","b"]"#, object),
            (r#""a""#, object),
            ("null", object),
            ("", object),
            (r#"{"a":1}{}"#, object),
            (r#"{"a":1,}"#, object),
            (r#"{"a":"\ud800"}"#, object),
            (r#"{"a":NaN}"#, object),
            ("\u{feff}{}", object),
        ] {
            assert_eq!(refusal(json), expected, "{json}");
        }
        assert!(Members::parse(b"{\"a\":\"\xff\"}", "object").is_err());
    }

    #[test]
    fn a_member_has_the_kind_asked_for_or_is_refused() {
        let parse = |json: &str| Members::parse(json.as_bytes(), "object").unwrap();
        for json in [r#"{"a":null}"#, r#"{"a":1}"#, r#"{"a":true}"#, r#"{"a":["x"]}"#, r#"{"a":{"x":"y"}}"#] {
            assert!(parse(json).text("a").is_err(), "{json}");
            assert!(parse(json).optional_text("a").is_err(), "{json}");
        }
        for json in [
            r#"{"a":null}"#,
            r#"{"a":"1"}"#,
            r#"{"a":1.0}"#,
            r#"{"a":1e3}"#,
            r#"{"a":9223372036854775808}"#,
            r#"{"b":1}"#,
        ] {
            assert!(parse(json).integer("a").is_err(), "{json}");
        }
        assert!(parse(r#"{"a":"1"}"#).optional_integer("a").is_err());
        assert_eq!(parse("{}").optional_integer("a"), Ok(None));
        assert_eq!(parse(r#"{"a":-7}"#).integer("a"), Ok(-7));
        assert_eq!(parse("{}").optional_text("a"), Ok(None));
        assert!(parse(r#"{"a":1}"#).finish().is_err());
        assert!(parse("{}").finish().is_ok());
    }
}
