//! `comeback keys new`: a fresh master key, as the Worker's secret `COMEBACK_MASTER_KEY` wants it.
//! Keeps no copy, derives nothing, sends nothing.

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use comeback_link::MasterKey;

use crate::failure::Failure;

/// Prints a new key and nothing else, so that it can be piped into `wrangler secret put`.
pub(crate) fn new(json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)
        .map_err(|e| Failure::Found(format!("the system's random source failed: {e}")))?;
    let key = URL_SAFE_NO_PAD.encode(bytes);
    // Judged by the crate that will read it.
    MasterKey::from_base64url(&key).map_err(|e| Failure::Found(e.to_string()))?;
    match json {
        true => writeln!(out, "{}", serde_json::json!({ "master_key": key }))?,
        false => writeln!(out, "{key}")?,
    }
    Ok(())
}
