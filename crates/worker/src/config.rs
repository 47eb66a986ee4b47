//! Shops, policies and catalogues as KV holds them. Policies and catalogues are stored under their
//! hash and never change, so an isolate keeps them; a shop's record may be stale for a moment, and
//! therefore nothing here may ever stop a send: that is asked of the shop's object.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use comeback_core::id::ShopId;
use comeback_core::policy::Policy;
use comeback_core::time::{Millis, SECOND, Timestamp};
use comeback_wire::classes::Classes;
use comeback_wire::shop::{Catalogue, Shop};
use sha2::{Digest, Sha256};
use worker::Env;

use crate::failure::{Failure, Outcome};
use crate::platform::CONFIG;

/// How long an isolate believes a shop's record. KV itself may lag by a minute. A local run
/// re-reads at once, for there a change is waited for.
const SHOP_TTL: Millis = if cfg!(feature = "dev") { 0 } else { 30 * SECOND };
/// Immutable documents an isolate keeps before it starts over.
const MOST_KEPT: usize = 64;

thread_local! {
    static SHOPS: RefCell<BTreeMap<String, (Timestamp, Rc<Shop>)>> = const { RefCell::new(BTreeMap::new()) };
    static POLICIES: RefCell<BTreeMap<String, Rc<Policy>>> = const { RefCell::new(BTreeMap::new()) };
    static CLASSES: RefCell<BTreeMap<String, Rc<Classes>>> = const { RefCell::new(BTreeMap::new()) };
    static PUSH_KEYS: RefCell<BTreeMap<String, String>> = const { RefCell::new(BTreeMap::new()) };
    static CATALOGUES: RefCell<BTreeMap<String, Rc<Catalogue>>> = const { RefCell::new(BTreeMap::new()) };
}

/// A shop by its id.
pub(crate) async fn shop(env: &Env, id: &ShopId) -> Outcome<Option<Rc<Shop>>> {
    shop_under(env, &format!("shop:{id}")).await
}

/// A shop by the public key of its pages.
pub(crate) async fn shop_by_pk(env: &Env, pk: &str) -> Outcome<Rc<Shop>> {
    let well_formed =
        pk.starts_with("pk_") && pk.len() <= 64 && pk.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !well_formed {
        return Err(Failure::malformed("pk: expected a public key, pk_…"));
    }
    shop_under(env, &format!("pk:{pk}"))
        .await?
        .ok_or_else(|| Failure::not_found("no shop has this public key"))
}

/// A shop by the host it is served from.
pub(crate) async fn shop_by_host(env: &Env, host: &str) -> Outcome<Option<Rc<Shop>>> {
    if host.is_empty() || host.len() > 255 {
        return Ok(None);
    }
    shop_under(env, &format!("host:{host}")).await
}

async fn shop_under(env: &Env, key: &str) -> Outcome<Option<Rc<Shop>>> {
    let now = crate::clock::platform_now();
    let held = SHOPS.with_borrow(|s| {
        s.get(key).filter(|(at, _)| now.since(*at) < SHOP_TTL).map(|(_, shop)| shop.clone())
    });
    if held.is_some() {
        return Ok(held);
    }
    let Some(text) = env.kv(CONFIG)?.get(key).text().await? else { return Ok(None) };
    let shop = Rc::new(serde_json::from_str::<Shop>(&text)?);
    SHOPS.with_borrow_mut(|s| {
        if s.len() >= MOST_KEPT {
            s.clear();
        }
        s.insert(key.to_owned(), (now, shop.clone()));
    });
    Ok(Some(shop))
}

/// A policy by its version.
pub(crate) async fn policy(env: &Env, version: &str) -> Outcome<Rc<Policy>> {
    if let Some(held) = POLICIES.with_borrow(|p| p.get(version).cloned()) {
        return Ok(held);
    }
    let text = env
        .kv(CONFIG)?
        .get(&format!("policy:{version}"))
        .text()
        .await?
        .ok_or_else(|| Failure::internal(format!("policy {version} is not stored")))?;
    let policy = Rc::new(
        comeback_policy::from_canonical(version, &text).map_err(|e| Failure::internal(e.to_string()))?,
    );
    POLICIES.with_borrow_mut(|p| {
        if p.len() >= MOST_KEPT {
            p.clear();
        }
        p.insert(version.to_owned(), policy.clone());
    });
    Ok(policy)
}

/// The policy that a cart follows: the one it was left under (`left_under`) while its episode runs,
/// otherwise the one in force, which during a rollout is another for those whom it has not reached.
/// `unit` is the person behind the cart, or the cart where nobody is known.
pub(crate) async fn policy_of(
    env: &Env,
    shop: &ShopId,
    left_under: Option<&str>,
    unit: &str,
) -> Outcome<Rc<Policy>> {
    let record = record_of(env, shop).await?;
    let version = match (left_under, &record.trial) {
        (Some(version), _) => version,
        (None, Some(trial)) if !trial.reaches(shop.as_str(), &record.policy_version, unit) => &trial.before,
        _ => &record.policy_version,
    };
    policy(env, version).await
}

/// The policy whose panels the pages of a shop show.
pub(crate) async fn page_policy(env: &Env, shop: &ShopId) -> Outcome<Rc<Policy>> {
    policy(env, record_of(env, shop).await?.page_policy()).await
}

/// The policy that runs in shadow for a shop, if one does. A shadow that cannot be read is no reason
/// for anything else to stop.
pub(crate) async fn shadow_of(env: &Env, shop: &ShopId) -> Option<Rc<Policy>> {
    let version = record_of(env, shop).await.ok()?.shadow_version.clone()?;
    policy(env, &version).await.ok()
}

async fn record_of(env: &Env, shop: &ShopId) -> Outcome<Rc<Shop>> {
    self::shop(env, shop).await?.ok_or_else(|| Failure::internal("the cart's shop is not provisioned"))
}

/// A catalogue by its hash.
pub(crate) async fn catalogue(env: &Env, version: &str) -> Outcome<Rc<Catalogue>> {
    if let Some(held) = CATALOGUES.with_borrow(|c| c.get(version).cloned()) {
        return Ok(held);
    }
    let text = env.kv(CONFIG)?.get(&format!("catalogue:{version}")).text().await?;
    let text = text.ok_or_else(|| Failure::internal(format!("catalogue {version} is not stored")))?;
    let catalogue = Rc::new(serde_json::from_str::<Catalogue>(&text)?);
    CATALOGUES.with_borrow_mut(|c| {
        if c.len() >= MOST_KEPT {
            c.clear();
        }
        c.insert(version.to_owned(), catalogue.clone());
    });
    Ok(catalogue)
}

/// The product classes of a shop's catalogue; `None` where it has none. Asked with every batch: nothing
/// is awaited once this isolate has them. Without them a cart idles like any other, so a catalogue
/// that cannot be read keeps no event out.
pub(crate) async fn classes(env: &Env, shop: &Shop) -> Option<Rc<Classes>> {
    if !shop.has_classes {
        return None;
    }
    let version = &shop.catalogue_version;
    if let Some(held) = CLASSES.with_borrow(|c| c.get(version).cloned()) {
        return Some(held);
    }
    let classes = Rc::new(Classes::from(&*catalogue(env, version).await.ok()?));
    CLASSES.with_borrow_mut(|c| {
        if c.len() >= MOST_KEPT {
            c.clear();
        }
        c.insert(version.clone(), classes.clone());
    });
    Some(classes)
}

/// The public key that push subscriptions of a shop are made with. Multiplying on the curve for every page
/// that opens would be dear, and the key never changes.
pub(crate) fn push_key(env: &Env, shop: &ShopId) -> Outcome<String> {
    if let Some(held) = PUSH_KEYS.with_borrow(|keys| keys.get(shop.as_str()).cloned()) {
        return Ok(held);
    }
    let key = crate::platform::master_key(env)?
        .derive_push_key(shop.as_str())
        .map_err(|e| Failure::internal(e.to_string()))?
        .public_key_base64url();
    PUSH_KEYS.with_borrow_mut(|keys| {
        if keys.len() >= MOST_KEPT {
            keys.clear();
        }
        keys.insert(shop.as_str().to_owned(), key.clone());
    });
    Ok(key)
}

fn keys_of(shop: &Shop) -> Vec<String> {
    let id = &shop.document.shop;
    [format!("shop:{id}"), format!("pk:{}", shop.document.pk)]
        .into_iter()
        .chain(shop.document.hosts.iter().map(|h| format!("host:{h}")))
        .collect()
}

/// Stores a policy under its version. What is stored so never changes.
pub(crate) async fn store_policy(env: &Env, policy: &Policy) -> Outcome<()> {
    let canonical = comeback_policy::to_canonical(policy).map_err(|e| Failure::internal(e.to_string()))?;
    env.kv(CONFIG)?.put(&format!("policy:{}", policy.version), canonical)?.execute().await?;
    Ok(())
}

/// Stores a catalogue under its version.
pub(crate) async fn store_catalogue(env: &Env, version: &str, catalogue: &Catalogue) -> Outcome<()> {
    let text = serde_json::to_string(catalogue)?;
    env.kv(CONFIG)?.put(&format!("catalogue:{version}"), text)?.execute().await?;
    Ok(())
}

/// Lets pages and carts find a shop as it is now; what it names must be stored already. A public key
/// or host that it does not name any more stops answering.
pub(crate) async fn publish(env: &Env, shop: &Shop, former: Option<&Shop>) -> Outcome<()> {
    let kv = env.kv(CONFIG)?;
    let record = serde_json::to_string(shop)?;
    let named = keys_of(shop);
    for key in &named {
        SHOPS.with_borrow_mut(|s| s.remove(key));
        kv.put(key, record.as_str())?.execute().await?;
    }
    for gone in former.map(keys_of).unwrap_or_default().iter().filter(|k| !named.contains(k)) {
        SHOPS.with_borrow_mut(|s| s.remove(gone));
        kv.delete(gone).await?;
    }
    Ok(())
}

/// The hash under which a catalogue is stored.
pub(crate) fn catalogue_version(catalogue: &Catalogue) -> Outcome<String> {
    let digest = Sha256::digest(serde_json::to_vec(catalogue)?);
    Ok(digest.iter().take(16).map(|b| format!("{b:02x}")).collect())
}
