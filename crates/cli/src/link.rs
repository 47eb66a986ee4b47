//! `comeback link inspect`: what a link's token says of itself. Believes nothing: the signature, the
//! expiry and the revocations are the Worker's to check, with keys that this desk does not hold.

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use comeback_core::time::Timestamp;
use comeback_link::UnverifiedToken;
use serde_json::Value;

use crate::failure::Failure;
use crate::shown;

/// The token of a link, or the text itself.
fn token_of(text: &str) -> &str {
    let tail = ["/r/", "/u/", "comeback_restore="]
        .iter()
        .find_map(|mark| text.split_once(mark).map(|(_, tail)| tail))
        .unwrap_or(text);
    tail.split(['?', '#', '&']).next().unwrap_or_default().trim()
}

fn part(text: Option<&str>) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text?).ok()?).ok()
}

/// Prints header and claims, or why the text has not the form of our links.
pub(crate) fn inspect(text: &str, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let token = token_of(text);
    let form = UnverifiedToken::parse(token);
    let mut parts = token.split('.');
    let (header, claims) = (part(parts.next()), part(parts.next()));
    if json {
        let all = serde_json::json!({
            "verified": false,
            "form": match &form { Ok(_) => "ours".to_owned(), Err(e) => e.to_string() },
            "header": header, "claims": claims,
        });
        writeln!(out, "{all:#}")?;
    } else {
        writeln!(
            out,
            "NOT VERIFIED. Anybody can write such a text; only the deployment can say whether it signed it."
        )?;
        if let Ok(token) = &form {
            writeln!(out, "  names the key  {}", token.kid())?;
            writeln!(out, "  says it is for {}", token.unverified_purpose_guess().audience())?;
        }
        for (name, value) in claims.as_ref().and_then(Value::as_object).into_iter().flatten() {
            let told = match (name.as_str(), value.as_i64(), value.as_str()) {
                ("iat" | "exp", Some(s), _) => {
                    format!("{s} ({})", Timestamp::from_millis(s.saturating_mul(1_000)).to_rfc3339())
                }
                (_, _, Some(text)) => text.to_owned(),
                _ => value.to_string(),
            };
            writeln!(out, "  {:<14} {}", shown::line(name), shown::line(&told))?;
        }
    }
    match form {
        Ok(_) => Ok(()),
        Err(e) => Err(Failure::Found(format!("not a link of ours: {e}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str, json: bool) -> (String, Option<String>) {
        let mut out = vec![];
        let failure = inspect(text, json, &mut out).err().and_then(|f| f.text());
        (String::from_utf8(out).unwrap(), failure)
    }

    /// The first frozen resume token of tests/vectors/link.
    fn frozen() -> String {
        let all: Value =
            serde_json::from_str(include_str!("../../../tests/vectors/link/tokens.json")).unwrap();
        let mut stack = vec![&all];
        while let Some(value) = stack.pop() {
            match value {
                Value::String(s) if s.starts_with("eyJ") && s.matches('.').count() == 2 => return s.clone(),
                Value::Array(list) => stack.extend(list.iter().rev()),
                Value::Object(map) => stack.extend(map.values()),
                _ => {}
            }
        }
        panic!("no token among the vectors");
    }

    #[test]
    fn a_link_is_taken_apart_and_not_believed() {
        let token = frozen();
        for text in [
            token.clone(),
            format!("https://shop.example/r/{token}"),
            format!("https://shop.example/cart?comeback_restore={token}&a=b"),
        ] {
            let (told, failure) = said(&text, false);
            assert!(told.starts_with("NOT VERIFIED"), "{told}");
            assert!(told.contains("  exp ") && told.contains("names the key"), "{told}");
            assert_eq!(failure, None);
        }
        let (told, _) = said(&token, true);
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["verified"], false);
        assert!(told["claims"]["sub"].is_string());
    }

    #[test]
    fn what_is_no_link_is_said_to_be_none() {
        for text in ["", "hello", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
            assert!(said(text, false).1.is_some_and(|f| f.contains("not a link of ours")), "{text}");
        }
    }
}
