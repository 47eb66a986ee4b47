//! `GET /.well-known/jwks.json`: the public keys of the host's shop (RFC 7517, RFC 8037), so that
//! any JOSE library can check our links.

use comeback_wire::calls::ShopCall;

use crate::failure::{Failure, Outcome};
use crate::http::{Ask, Reply};
use crate::{config, links, objects};

pub(super) async fn get(ask: &Ask) -> Outcome<Reply> {
    let shop = config::shop_by_host(&ask.env, &ask.host).await?;
    let shop = shop.ok_or_else(|| Failure::not_found("no shop is served from this host"))?;
    let id = &shop.document.shop;
    let standing = objects::shop(&ask.env, id, ask.now, &ShopCall::Standing).await?;
    let keys = links::keys(&ask.env, id, &standing)?.jwks();
    let mut reply = Reply::text(200, "application/jwk-set+json", keys);
    reply.add("cache-control", "public, max-age=300");
    reply.add("access-control-allow-origin", "*");
    Ok(reply)
}
