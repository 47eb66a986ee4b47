//! `/v1/admin/shops/{shop}/policies…`: versions of a shop's policy, pushed, tried in shadow, put in
//! force and rolled back. A text is checked here again, whatever checked it before: an edge that is
//! older than the desk refuses what it does not know, and what is in force stays so.

use comeback_core::id::ShopId;
use comeback_core::release::{ReleaseError, Releases};
use comeback_wire::calls::{ReleaseChange, ShopAnswer, ShopCall};
use comeback_wire::shop::Shop;
use serde::Deserialize;
use worker::Method;

use super::admin::compile;
use crate::failure::{Failure, Outcome};
use crate::http::{Ask, Reply};
use crate::{config, objects};

/// A policy text and what JSON adds to it.
const MAX_POLICY: usize = 2 * comeback_policy::MAX_TEXT;
const MAX_BODY: usize = 4 * 1024;
/// Longest name that whoever makes a change may give themselves.
const MAX_WHO: usize = 80;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pushed {
    toml: String,
    /// Names the text in messages.
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    who: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shadow {
    version: Option<String>,
    #[serde(default)]
    who: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Activate {
    version: String,
    #[serde(default = "everybody")]
    percent: u8,
    #[serde(default)]
    per_hour: Option<u32>,
    #[serde(default)]
    who: Option<String>,
}

const fn everybody() -> u8 {
    100
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Approve {
    version: String,
    offers: Vec<String>,
    #[serde(default)]
    who: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RollBack {
    #[serde(default)]
    who: Option<String>,
}

pub(super) async fn answer(ask: &mut Ask, shop: &ShopId, rest: &[&str]) -> Outcome<Reply> {
    match (ask.method.clone(), rest) {
        (Method::Get, []) => told(&ask_about(ask, shop).await?.0),
        (Method::Post, []) => push(ask, shop).await,
        (Method::Post, ["shadow"]) => {
            let wanted: Shadow = ask.json(MAX_BODY)?;
            let change = ReleaseChange::Shadow { version: wanted.version };
            told(&make(ask, shop, change, wanted.who).await?)
        }
        (Method::Post, ["activate"]) => {
            let wanted: Activate = ask.json(MAX_BODY)?;
            let Activate { version, percent, per_hour, who } = wanted;
            told(&make(ask, shop, ReleaseChange::Activate { version, percent, per_hour }, who).await?)
        }
        (Method::Post, ["rollback"]) => {
            let wanted: RollBack = ask.json(MAX_BODY)?;
            told(&make(ask, shop, ReleaseChange::RollBack, wanted.who).await?)
        }
        (Method::Post, ["approve"]) => approve(ask, shop).await,
        (Method::Get, [version]) => show(ask, shop, version).await,
        _ => Err(Failure::not_found("no such route")),
    }
}

fn told(releases: &Releases) -> Outcome<Reply> {
    Reply::json(releases)
}

/// Checked, stored, registered; nothing is in force by it.
async fn push(ask: &mut Ask, shop: &ShopId) -> Outcome<Reply> {
    let pushed: Pushed = ask.json(MAX_POLICY)?;
    // Before anything is stored for a shop that does not exist.
    let (former, _) = ask_about(ask, shop).await?;
    let file = pushed.file.as_deref().unwrap_or("policy.toml");
    let standing = objects::shop(&ask.env, shop, ask.now, &ShopCall::Standing).await?;
    let catalogue = match &standing.shop {
        Some(shop) => config::catalogue(&ask.env, &shop.catalogue_version).await?,
        None => std::rc::Rc::default(),
    };
    let (policy, warnings) = compile(file, &pushed.toml, &catalogue).map_err(|refused| {
        Failure::problem(
            422,
            "/problems/policy",
            "The policy is refused; nothing has changed",
            refused.to_string(),
        )
    })?;
    config::store_policy(&ask.env, &policy).await?;
    let is_new = former.find(&policy.version).is_err();
    let change = ReleaseChange::Push { version: policy.version.clone(), name: policy.name.clone() };
    make(ask, shop, change, pushed.who).await?;
    Reply::json(&serde_json::json!({
        "version": policy.version, "name": policy.name, "new": is_new, "warnings": warnings,
    }))
}

async fn approve(ask: &mut Ask, shop: &ShopId) -> Outcome<Reply> {
    let Approve { version, offers, who } = ask.json(MAX_BODY)?;
    let found = ask_about(ask, shop).await?.0.find(&version).map_err(|e| refusal(&e))?.version.clone();
    let policy = config::policy(&ask.env, &found).await?;
    if let Some(missing) = offers.iter().find(|o| policy.offer(o).is_none()) {
        let missing: String = missing.chars().take(40).collect();
        return Err(Failure::malformed(format!("offers: this version has no offer `{missing}`")));
    }
    told(&make(ask, shop, ReleaseChange::Approve { version: found, offers }, who).await?)
}

async fn show(ask: &Ask, shop: &ShopId, version: &str) -> Outcome<Reply> {
    let (releases, _) = ask_about(ask, shop).await?;
    let version = releases.find(version).map_err(|e| refusal(&e))?;
    let policy = config::policy(&ask.env, &version.version).await?;
    let canonical = comeback_policy::to_canonical(&policy).map_err(|e| Failure::internal(e.to_string()))?;
    let canonical: serde_json::Value = serde_json::from_str(&canonical)?;
    Reply::json(&serde_json::json!({
        "version": version.version, "name": version.name, "canonical": canonical,
    }))
}

async fn ask_about(ask: &Ask, shop: &ShopId) -> Outcome<(Releases, Box<Shop>)> {
    take(objects::shop_answer(&ask.env, shop, ask.now, &ShopCall::Releases).await?)
}

/// Makes a change, and lets pages and carts find what is in force by it. Making it again after a
/// failure half-way changes nothing but what they find.
async fn make(ask: &Ask, shop: &ShopId, change: ReleaseChange, who: Option<String>) -> Outcome<Releases> {
    let who = who.unwrap_or_else(|| "an administrator".to_owned());
    if who.is_empty() || who.len() > MAX_WHO || who.chars().any(char::is_control) {
        return Err(Failure::malformed(format!("who: 1 to {MAX_WHO} printable characters")));
    }
    let pushed_only = matches!(change, ReleaseChange::Push { .. } | ReleaseChange::Approve { .. });
    let call = ShopCall::Release { change, who };
    let (releases, record) = take(objects::shop_answer(&ask.env, shop, ask.now, &call).await?)?;
    if !pushed_only {
        config::publish(&ask.env, &record, None).await?;
    }
    Ok(releases)
}

fn take(answer: ShopAnswer) -> Outcome<(Releases, Box<Shop>)> {
    match answer {
        ShopAnswer::Releases { releases, shop: Some(shop) } => Ok((*releases, shop)),
        ShopAnswer::Releases { shop: None, .. } => Err(Failure::not_found("no such shop")),
        ShopAnswer::Refused(error) => Err(refusal(&error)),
        ShopAnswer::Standing(_) | ShopAnswer::Reserved(_) | ShopAnswer::Noted => {
            Err(Failure::internal("a shop answered something else than was asked"))
        }
    }
}

fn refusal(error: &ReleaseError) -> Failure {
    match error {
        ReleaseError::Unknown(_) => Failure::not_found(error.to_string()),
        ReleaseError::Percent | ReleaseError::PerHour => Failure::malformed(error.to_string()),
        ReleaseError::Ambiguous(_)
        | ReleaseError::InForce
        | ReleaseError::NothingBefore
        | ReleaseError::NobodyElse => {
            Failure::problem(409, "/problems/policy-state", "Not as the versions stand", error.to_string())
        }
    }
}
