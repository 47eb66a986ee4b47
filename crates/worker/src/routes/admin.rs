//! `/v1/admin/…`: the merchant's side, behind a bearer token. Provisioning, the stop switch,
//! revocations, and the whole story of a cart.

use comeback_core::id::{CartId, SendKey, ShopId};
use comeback_core::policy::Policy;
use comeback_policy::GoodsKnown;
use comeback_wire::calls::{CartAnswer, CartCall, ShopCall};
use comeback_wire::shop::{Catalogue, Shop, ShopDocument};
use serde::Deserialize;
use subtle::ConstantTimeEq;
use worker::Method;

use super::admin_policies;
use crate::failure::{Failure, Outcome};
use crate::http::{Ask, Reply};
use crate::{config, objects, platform};

/// Largest shop document: a few thousand products.
const MAX_DOCUMENT: usize = 2 * 1024 * 1024;
const MAX_BODY: usize = 16 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    #[serde(default)]
    jti: Option<String>,
    #[serde(default)]
    kid: Option<String>,
}

pub(super) async fn answer(ask: &mut Ask, rest: &[&str]) -> Outcome<Reply> {
    authorise(ask)?;
    let ["shops", shop, rest @ ..] = rest else { return Err(Failure::not_found("no such route")) };
    let shop = ShopId::parse(shop).map_err(|e| Failure::malformed(format!("shop: {e}")))?;
    match (ask.method.clone(), rest) {
        (Method::Put, []) => put(ask, &shop).await,
        (Method::Get, []) => {
            let standing = objects::shop(&ask.env, &shop, ask.now, &ShopCall::Standing).await?;
            Reply::json(&standing)
        }
        (Method::Post, ["stop"]) => stop(ask, &shop, true).await,
        (Method::Post, ["resume"]) => stop(ask, &shop, false).await,
        (Method::Post, ["revocations"]) => revoke(ask, &shop).await,
        (_, ["policies", rest @ ..]) => admin_policies::answer(ask, &shop, rest).await,
        (Method::Get, ["sends", key]) => find_send(ask, &shop, key).await,
        (Method::Get, ["carts", cart]) => explain(ask, &shop, cart).await,
        _ => Err(Failure::not_found("no such route")),
    }
}

fn authorise(ask: &Ask) -> Outcome<()> {
    let expected = platform::admin_token(&ask.env)?;
    // A deployment without a token has no administrators, not everybody.
    if expected.len() < 16 {
        return Err(Failure::unauthorized("no administrator's token of at least 16 characters is set"));
    }
    let given = ask.rare_header("authorization").unwrap_or_default();
    let given = given.strip_prefix("Bearer ").unwrap_or_default();
    if bool::from(given.as_bytes().ct_eq(expected.as_bytes())) {
        return Ok(());
    }
    Err(Failure::unauthorized("a bearer token is needed"))
}

async fn put(ask: &mut Ask, id: &ShopId) -> Outcome<Reply> {
    let mut document: ShopDocument = {
        let body = ask.body(MAX_DOCUMENT)?;
        serde_json::from_slice(&body).map_err(|e| Failure::malformed(format!("{e}")))?
    };
    if document.shop != *id {
        return Err(Failure::malformed("shop: differs from the one in the address"));
    }
    check(ask, &document).await?;
    let catalogue = Catalogue(std::mem::take(&mut document.catalogue));
    let (policy, warnings) = policy(&document, &catalogue)?;
    document.policy_toml = None;
    let shop = Shop {
        policy_version: policy.version.clone(),
        catalogue_version: config::catalogue_version(&catalogue)?,
        has_classes: catalogue.0.iter().any(|p| p.class.is_some()),
        document,
        shadow_version: None,
        trial: None,
    };
    let former = objects::shop(&ask.env, id, ask.now, &ShopCall::Standing).await?.shop;
    // First what is named by hash, then who names it: the send path must not hear of a policy that is
    // not stored yet. The object says which version is in force; what pages and carts find follows it.
    config::store_policy(&ask.env, &policy).await?;
    config::store_catalogue(&ask.env, &shop.catalogue_version, &catalogue).await?;
    let call = ShopCall::Put {
        shop: Box::new(shop.clone()),
        policy_name: policy.name.clone(),
        who: "the shop's document".to_owned(),
    };
    let shop = objects::shop(&ask.env, id, ask.now, &call).await?.shop.map_or(shop, |kept| *kept);
    config::publish(&ask.env, &shop, former.as_deref()).await?;
    Reply::json(&serde_json::json!({
        "shop": id, "policy": shop.policy_version, "catalogue": shop.catalogue_version, "warnings": warnings,
    }))
}

/// What makes two shops one, or nobody's.
async fn check(ask: &Ask, document: &ShopDocument) -> Outcome<()> {
    let pk = &document.pk;
    let well_formed = pk.starts_with("pk_")
        && (6..=64).contains(&pk.len())
        && pk.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !well_formed {
        return Err(Failure::malformed("pk: expected pk_ and 3 to 61 letters, digits or _"));
    }
    if document.hosts.is_empty() {
        return Err(Failure::malformed("hosts: at least one"));
    }
    let other = |owner: Option<&Shop>| owner.is_some_and(|o| o.document.shop != document.shop);
    if let Ok(owner) = config::shop_by_pk(&ask.env, pk).await
        && other(Some(&owner))
    {
        return Err(Failure::malformed("pk: belongs to another shop"));
    }
    for host in &document.hosts {
        let fine = !host.is_empty()
            && host.len() <= 255
            && host
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b':'));
        if !fine {
            return Err(Failure::malformed("hosts: expected host or host:port in lower case"));
        }
        if other(config::shop_by_host(&ask.env, host).await?.as_deref()) {
            return Err(Failure::malformed("hosts: one of them belongs to another shop"));
        }
    }
    let shared = |domain: &String| {
        domain.contains('.') && document.hosts.iter().all(|host| document.cookie_domain_at(host).is_some())
    };
    if document.cookie_domain.as_ref().is_some_and(|domain| !shared(domain)) {
        return Err(Failure::malformed("cookie_domain: expected the domain that all of `hosts` are below"));
    }
    Ok(())
}

fn policy(document: &ShopDocument, catalogue: &Catalogue) -> Outcome<(Policy, Vec<String>)> {
    let (name, text) = match (&document.policy, &document.policy_toml) {
        (None, Some(text)) => ("policy.toml", text.as_str()),
        (Some(name), None) => comeback_policy::presets()
            .iter()
            .find(|(preset, _)| preset == name)
            .copied()
            .ok_or_else(|| Failure::malformed("policy: no such preset"))?,
        _ => return Err(Failure::malformed("policy or policy_toml: exactly one of them")),
    };
    compile(name, text, catalogue).map_err(|e| Failure::malformed(e.to_string()))
}

/// Compiles a policy for what the shop is known to sell: a rule about margins of goods without unit
/// costs is refused here, not withheld for ever.
pub(super) fn compile(
    name: &str,
    text: &str,
    catalogue: &Catalogue,
) -> Result<(Policy, Vec<String>), comeback_policy::PolicyErrors> {
    let classes = catalogue.classes();
    let goods = GoodsKnown {
        unit_costs: catalogue.has_unit_costs(),
        classes: classes.as_deref(),
        ..GoodsKnown::default()
    };
    let (policy, warnings) = comeback_policy::parse_for(name, text, &goods)?;
    Ok((policy, warnings.iter().map(ToString::to_string).collect()))
}

async fn stop(ask: &Ask, shop: &ShopId, stopped: bool) -> Outcome<Reply> {
    let standing = objects::shop(&ask.env, shop, ask.now, &ShopCall::Stop { stopped }).await?;
    Reply::json(&serde_json::json!({ "shop": shop, "stopped": standing.stopped }))
}

async fn revoke(ask: &mut Ask, shop: &ShopId) -> Outcome<Reply> {
    let wanted: Revocation = ask.json(MAX_BODY)?;
    let epoch = match wanted.kid.as_deref() {
        None => None,
        Some(kid) => {
            let epoch = kid
                .strip_prefix(shop.as_str())
                .and_then(|k| k.strip_prefix('.'))
                .and_then(|e| e.parse::<u32>().ok());
            Some(epoch.ok_or_else(|| Failure::malformed("kid: expected <shop>.<epoch> of this shop"))?)
        }
    };
    if wanted.jti.is_none() && epoch.is_none() {
        return Err(Failure::malformed("jti or kid: one of them is needed"));
    }
    let standing =
        objects::shop(&ask.env, shop, ask.now, &ShopCall::Revoke { jti: wanted.jti, epoch }).await?;
    Reply::json(&serde_json::json!({
        "shop": shop, "epoch": standing.epoch, "revoked_epochs": standing.revoked_epochs, "revoked": standing.revoked.len(),
    }))
}

async fn explain(ask: &Ask, shop: &ShopId, cart: &str) -> Outcome<Reply> {
    let cart = CartId::parse(cart).map_err(|e| Failure::malformed(format!("cart: {e}")))?;
    match objects::cart(&ask.env, shop, &cart, ask.now, &CartCall::Explain).await? {
        CartAnswer::Story { state, log } => {
            // What follows from the rest is not stored; a reader wants to see it all the same.
            let lines = serde_json::to_value(state.cart.lines())?;
            let mut state = serde_json::to_value(&state)?;
            if let Some(cart) = state.get_mut("cart").and_then(serde_json::Value::as_object_mut) {
                cart.insert("lines".to_owned(), lines);
            }
            Reply::json(&serde_json::json!({ "state": state, "log": log }))
        }
        _ => Err(Failure::not_found("no such cart")),
    }
}

/// Which cart a message was about. From the ledger, which lags the cart's own log by a moment.
async fn find_send(ask: &Ask, shop: &ShopId, key: &str) -> Outcome<Reply> {
    #[derive(Deserialize)]
    struct Row {
        cart: CartId,
    }
    let key = SendKey::parse(key).map_err(|e| Failure::malformed(format!("send: {e}")))?;
    let found: Option<Row> = ask
        .env
        .d1(platform::LEDGER)?
        .prepare(
            "SELECT cart FROM entries WHERE shop = ?1 AND kind = 'offered' AND json_extract(what, '$.key') = ?2 LIMIT 1",
        )
        .bind(&[shop.as_str().into(), key.as_str().into()])?
        .first(None)
        .await?;
    match found {
        Some(Row { cart }) => Reply::json(&serde_json::json!({ "send": key, "cart": cart })),
        None => Err(Failure::not_found("the ledger has no such send")),
    }
}
