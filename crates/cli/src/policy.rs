//! `comeback policy …`: what the policy crate says of a text, for people and for programs. Reads files;
//! what goes to an edge is `release`'s.

mod diff;
pub(crate) mod release;

use std::io::Write;

use comeback_core::id::ShopId;
use comeback_core::policy::Policy;
use comeback_policy::{Diagnostic, GoodsKnown, parse, parse_for, presets, to_canonical};
use comeback_wire::shop::Catalogue;
use serde::Serialize;

use crate::admin::Client;
use crate::failure::Failure;

/// What is known of one file.
#[derive(Serialize)]
struct Checked<'f> {
    file: &'f str,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// Why it could not be read at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

fn examine<'f>(file: &'f str, goods: &GoodsKnown<'_>) -> Checked<'f> {
    let blank = Checked {
        file,
        ok: false,
        name: None,
        version: None,
        unreadable: None,
        errors: vec![],
        warnings: vec![],
    };
    let text = match source_of(file) {
        Ok(text) => text,
        Err(why) => return Checked { unreadable: Some(why), ..blank },
    };
    match parse_for(file, &text, goods) {
        Ok((policy, warnings)) => {
            Checked { ok: true, name: Some(policy.name), version: Some(policy.version), warnings, ..blank }
        }
        Err(refused) => Checked { errors: refused.errors, warnings: refused.warnings, ..blank },
    }
}

/// The catalogue of a shop's document, as the shop is provisioned with it.
fn catalogue_of(file: &str) -> Result<Catalogue, Failure> {
    #[derive(serde::Deserialize)]
    struct Document {
        catalogue: Catalogue,
    }
    let document: Document =
        serde_json::from_str(&text_of(file)?).map_err(|e| Failure::Found(format!("{file}: {e}")))?;
    Ok(document.catalogue)
}

/// Checks policies, files or presets, for the goods of a shop's document if one is given. Warnings do not fail: the
/// policy stands.
pub(crate) fn check(
    files: &[String],
    document: Option<&str>,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let catalogue = document.map(catalogue_of).transpose()?;
    let classes = catalogue.as_ref().and_then(Catalogue::classes);
    let goods = GoodsKnown {
        unit_costs: catalogue.as_ref().and_then(Catalogue::has_unit_costs),
        classes: classes.as_deref(),
        ..GoodsKnown::default()
    };
    let checked: Vec<Checked<'_>> = files.iter().map(|f| examine(f, &goods)).collect();
    if json {
        let ok = checked.iter().all(|c| c.ok);
        writeln!(out, "{:#}", serde_json::json!({ "ok": ok, "files": checked }))?;
    } else {
        for one in &checked {
            tell(one, out)?;
        }
    }
    if checked.iter().all(|c| c.ok) { Ok(()) } else { Err(Failure::Told) }
}

fn tell(one: &Checked<'_>, out: &mut dyn Write) -> Result<(), Failure> {
    for diagnostic in one.errors.iter().chain(&one.warnings) {
        writeln!(out, "{diagnostic}\n")?;
    }
    let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let warnings = count(one.warnings.len(), "warning");
    match (&one.unreadable, &one.name, &one.version) {
        (Some(why), ..) => writeln!(out, "{}: cannot be read: {why}", one.file)?,
        (None, Some(name), Some(version)) => {
            writeln!(out, "{}: policy `{name}` is sound, version {version}, {warnings}", one.file)?;
        }
        _ => writeln!(out, "{}: refused, {}, {warnings}", one.file, count(one.errors.len(), "error"))?,
    }
    Ok(())
}

/// Prints a preset, or the names of all. As JSON: with version and canonical form.
pub(crate) fn show(name: Option<&str>, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let Some(name) = name else {
        let names: Vec<&str> = presets().iter().map(|(name, _)| *name).collect();
        match json {
            true => writeln!(out, "{}", serde_json::json!({ "presets": names }))?,
            false => writeln!(out, "{}", names.join("\n"))?,
        }
        return Ok(());
    };
    let Some((_, text)) = presets().iter().find(|(preset, _)| *preset == name) else {
        let names: Vec<&str> = presets().iter().map(|(name, _)| *name).collect();
        return Err(Failure::Usage(format!("no preset `{name}`; there are {}", names.join(", "))));
    };
    if !json {
        return Ok(write!(out, "{text}")?);
    }
    let refused = |e: &dyn std::fmt::Display| Failure::Found(e.to_string());
    let (policy, warnings) = parse(name, text).map_err(|e| refused(&e))?;
    let canonical = to_canonical(&policy).map_err(|e| refused(&e))?;
    let canonical: serde_json::Value = serde_json::from_str(&canonical).map_err(|e| refused(&e))?;
    let all = serde_json::json!({
        "name": policy.name, "version": policy.version, "canonical": canonical, "warnings": warnings, "toml": text,
    });
    Ok(writeln!(out, "{all:#}")?)
}

/// The text of a policy file.
pub(crate) fn text_of(file: &str) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|e| Failure::Found(format!("{file}: {e}")))
}

/// The text of a policy by what a person calls it: a file, else a preset. Says why there is none.
fn source_of(named: &str) -> Result<String, String> {
    match std::fs::read_to_string(named) {
        Ok(text) => Ok(text),
        Err(e) if std::path::Path::new(named).is_file() => Err(e.to_string()),
        Err(_) => {
            let preset = presets().iter().find(|(name, _)| *name == named);
            preset.map(|(_, text)| (*text).to_owned()).ok_or_else(|| {
                let names: Vec<&str> = presets().iter().map(|(name, _)| *name).collect();
                format!("neither a file nor a preset ({})", names.join(", "))
            })
        }
    }
}

/// A policy by what a person calls it.
pub(crate) fn load(named: &str) -> Result<Policy, Failure> {
    let text = source_of(named).map_err(|why| Failure::Found(format!("{named}: {why}")))?;
    parse(named, &text).map(|(policy, _)| policy).map_err(|e| Failure::Found(e.to_string()))
}

/// A policy that a shop's edge keeps.
fn kept(client: &Client, shop: &ShopId, version: &str) -> Result<Policy, Failure> {
    #[derive(serde::Deserialize)]
    struct Kept {
        version: String,
        canonical: serde_json::Value,
    }
    // What may stand in an address; anything else is no version.
    if !version.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(Failure::Usage(format!("no version: {version}")));
    }
    let kept: Kept = client.understood(&client.get(shop, &format!("policies/{version}"))?)?;
    let mut whole = kept.canonical;
    if let Some(members) = whole.as_object_mut() {
        members.insert("version".to_owned(), kept.version.into());
    }
    serde_json::from_value(whole)
        .map_err(|e| Failure::Found(format!("{version}: this `comeback` cannot read it: {e}")))
}

/// Says what differs between two policies.
pub(crate) fn diff(
    a: &str,
    b: &str,
    edge: Option<(&Client, &ShopId)>,
    json: bool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let find = |named: &str| match edge {
        Some((client, shop)) if named.starts_with("pol_") => kept(client, shop, named),
        None if named.starts_with("pol_") => {
            Err(Failure::Usage(format!("{named}: a version needs --shop, whose it is")))
        }
        _ => load(named),
    };
    let (a, b) = (find(a)?, find(b)?);
    diff::print(&a, &b, json, out)
}
