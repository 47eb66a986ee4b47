//! Reads fields out of parsed JSON and knows where it is, so that an error can say where. Knows no
//! platform.

use comeback_core::money::Currency;
use comeback_core::time::Timestamp;
use serde_json::Value;

use crate::error::IntakeError;

/// Longest identifier or token kept. Shopify's have up to 60 characters.
const MAX_ID: usize = 128;

/// A place in a body. A field that is absent and one that is null are the same.
pub(crate) struct Node<'a> {
    value: &'a Value,
    at: String,
}

impl<'a> Node<'a> {
    pub(crate) fn root(value: &'a Value) -> Self {
        Self { value, at: String::new() }
    }

    pub(crate) fn get(&self, key: &str) -> Node<'a> {
        let at = if self.at.is_empty() { key.to_owned() } else { format!("{}.{key}", self.at) };
        Node { value: self.value.get(key).unwrap_or(&Value::Null), at }
    }

    /// The elements of a list; none where it is absent.
    pub(crate) fn elements(&self) -> Result<impl Iterator<Item = Node<'a>>, IntakeError> {
        let list = match self.value {
            Value::Null => [].as_slice(),
            Value::Array(list) => list.as_slice(),
            _ => return Err(self.malformed("expected a list")),
        };
        let at = self.at.clone();
        Ok(list.iter().enumerate().map(move |(i, value)| Node { value, at: format!("{at}[{i}]") }))
    }

    pub(crate) fn is_absent(&self) -> bool {
        self.value.is_null()
    }

    pub(crate) fn is_object(&self) -> bool {
        self.value.is_object()
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.value.get(key).is_some()
    }

    pub(crate) fn malformed(&self, what: &'static str) -> IntakeError {
        IntakeError::Malformed { what, at: self.at.clone() }
    }

    pub(crate) fn text(&self) -> Result<Option<&'a str>, IntakeError> {
        match self.value {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.trim()).filter(|t| !t.is_empty())),
            _ => Err(self.malformed("expected text")),
        }
    }

    pub(crate) fn flag(&self) -> Result<Option<bool>, IntakeError> {
        match self.value {
            Value::Null => Ok(None),
            Value::Bool(flag) => Ok(Some(*flag)),
            _ => Err(self.malformed("expected true or false")),
        }
    }

    /// An identifier: a whole number or text, kept as text.
    pub(crate) fn id(&self) -> Result<Option<String>, IntakeError> {
        let id = match self.value {
            Value::Number(number) if number.is_u64() => Some(number.to_string()),
            Value::Null | Value::String(_) => self.text()?.map(str::to_owned),
            _ => return Err(self.malformed("expected an id")),
        };
        if id.as_ref().is_some_and(|i| i.len() > MAX_ID || i.contains(char::is_control)) {
            return Err(self.malformed("expected a short id"));
        }
        Ok(id)
    }

    pub(crate) fn count(&self) -> Result<u32, IntakeError> {
        let count = self.value.as_u64().ok_or_else(|| self.malformed("expected a whole number"))?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// An amount as decimal text or number, exactly.
    pub(crate) fn minor(&self, currency: Currency) -> Result<i64, IntakeError> {
        let text = match self.value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return Err(self.malformed("expected an amount")),
        };
        currency.minor_from_decimal(&text).ok_or_else(|| self.malformed("expected an amount of the currency"))
    }

    pub(crate) fn currency(&self) -> Result<Currency, IntakeError> {
        let code = self.text()?.ok_or_else(|| self.malformed("is missing"))?;
        Currency::parse(code).map_err(|_| self.malformed("expected an ISO 4217 code"))
    }

    pub(crate) fn time(&self) -> Result<Option<Timestamp>, IntakeError> {
        let read =
            |text| Timestamp::parse_rfc3339(text).ok_or_else(|| self.malformed("expected an RFC 3339 time"));
        self.text()?.map(read).transpose()
    }
}
