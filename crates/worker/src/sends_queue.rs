//! The consumer of `sends`: for each job it asks the cart what there is to send, the shop whether
//! anything may be sent, the person whether this may be sent, and only then renders and hands over.
//!
//! A job may come twice, late, or never. Twice: the claim is held or already settled. Late: the
//! cart has moved on. Never: the cart offers the send again when its lease is over. So a message is
//! acknowledged whatever happened, unless an object could not be asked at all.

use comeback_core::consent::Channel;
use comeback_core::decision::{Clearance, Decision, DecisionRecord, Why};
use comeback_core::effect::SendJob;
use comeback_core::gate::ClaimRequest;
use comeback_core::money::Money;
use comeback_core::offer::Report;
use comeback_core::policy::{Field, OfferKind, Policy};
use comeback_core::recovery::{Outcome as SendOutcome, Prepared, Trigger};
use comeback_core::time::{MINUTE, Timestamp};
use comeback_message::{EmailTemplate, Gives, Offer, SmsTemplate, render_email, render_sms};
use comeback_wire::calls::{CartAnswer, CartCall, PersonAnswer, PersonCall, ShopCall, Standing};
use comeback_wire::cart_view::CartView;
use comeback_wire::shop::{Catalogue, Shop};
use wasm_bindgen::JsValue;
use worker::{Env, MessageBatch, MessageExt, console_error};

use crate::books::Books;
use crate::failure::{Failure, Outcome};
use crate::links::{self, Purpose};
use crate::providers::{Message, Providers, Refusal};
use crate::{clock, config, identity, objects, present, release};

/// A provider that is down is asked again after this long.
const PROVIDER_RETRY: i64 = 2 * MINUTE;

/// Consumes a batch, message by message.
pub(crate) async fn consume(batch: &MessageBatch<JsValue>, env: &Env) {
    for message in batch.raw_iter() {
        let Ok(job) = decode::<SendJob>(&message.body()) else {
            // Not a job of ours, and it will not become one.
            console_error!("{}", serde_json::json!({ "level": "error", "what": "sends: unreadable job" }));
            message.ack();
            continue;
        };
        match work(env, &job).await {
            Ok(()) => message.ack(),
            Err(failure) => {
                console_error!(
                    "{}",
                    serde_json::json!({ "level": "warn", "what": format!("sends: {failure:?}"), "send": job.key.as_str() })
                );
                message.retry();
            }
        }
    }
}

/// Reads a queue message.
pub(crate) fn decode<T: serde::de::DeserializeOwned>(body: &JsValue) -> Outcome<T> {
    let text = js_sys::JSON::stringify(body)?;
    Ok(serde_json::from_str(&String::from(text))?)
}

async fn work(env: &Env, job: &SendJob) -> Outcome<()> {
    let now = clock::now(env).await?;
    let standing = objects::shop(env, &job.shop, now, &ShopCall::Standing).await?;
    let Some(shop) = standing.shop.clone() else {
        return Err(Failure::internal("a send of a shop that is not provisioned"));
    };
    let prepared =
        match objects::cart(env, &job.shop, &job.cart, now, &CartCall::Prepare { key: job.key.clone() })
            .await?
        {
            CartAnswer::Prepared(prepared) => *prepared,
            // Ordered, returned, deleted, superseded, or settled by an earlier delivery.
            _ => return Ok(()),
        };
    // Everything that can fail is fetched before the claim: a claim whose holder dies blocks its send.
    let (version, policy, activation) = release::in_force(env, now, &standing, &shop, &prepared).await?;
    let catalogue = config::catalogue(env, &shop.catalogue_version).await?;
    let mut view = CartView {
        id: job.cart.clone(),
        version: 0,
        currency: prepared.currency.code().to_owned(),
        exponent: prepared.currency.exponent(),
        lines: vec![],
        total_minor: 0,
        closed: false,
    };
    // The report of what changed belongs to the landing page; a message shows what is so now.
    let _ = catalogue.present(shop.document.currency, &mut view, &prepared.lines);

    let providers = Providers::of(env);
    let mut request = ClaimRequest {
        activation,
        approved: standing.in_force.approved_of(&version),
        ..request(&prepared, &standing, &catalogue, &view, &providers, &shop)
    };
    let books = Books::open(env, job, now, &mut request, &policy).await?;
    // Before the claim, which changes what the person would answer.
    let shadowed = release::shadowed(env, job, now, &standing, &prepared, &request).await;
    let call =
        PersonCall::Claim { request: Box::new(request), policy: version, idempotent: providers.idempotent() };
    let PersonAnswer::Decided(record) = identity::call(env, &job.shop, &prepared.person, now, &call).await?
    else {
        return Err(Failure::internal("a person did not answer a claim"));
    };
    if !matches!(record.decision, Decision::Send(_) | Decision::Defer { why: Why::InFlight, .. }) {
        books.close(now, Report::refused(job.key.clone())).await;
    }
    let done = match &record.decision {
        Decision::Defer { why: Why::InFlight, .. } => return Ok(()),
        Decision::Send(clearance) => {
            let clearance = clearance.clone();
            let sender = Sender {
                env,
                job,
                shop: &shop,
                standing: &standing,
                policy: &policy,
                prepared: &prepared,
                view: &view,
                providers: &providers,
                books: &books,
            };
            sender.deliver(now, *record, &clearance).await
        }
        refusal => {
            let outcome =
                refusal.refusal().ok_or_else(|| Failure::internal("a refusal without an outcome"))?;
            settle(env, job, now, outcome, *record).await
        }
    };
    release::note(env, job, now, shadowed).await;
    done
}

fn request(
    prepared: &Prepared,
    standing: &Standing,
    catalogue: &Catalogue,
    view: &CartView,
    providers: &Providers<'_>,
    shop: &Shop,
) -> ClaimRequest {
    let home = shop.document.currency;
    let mut facts = prepared.facts.clone();
    facts.set_known(Field::CartMargin, catalogue.margin(home, view));
    ClaimRequest {
        facts,
        home: Some(home),
        value_minor: (view.currency == home.code()).then_some(view.total_minor),
        showable_lines: u32::try_from(view.lines.len()).unwrap_or(u32::MAX),
        stopped: standing.stopped,
        capable: providers.channels(),
        offers: shop.document.offer_codes.keys().cloned().collect(),
        ..ClaimRequest::from(prepared)
    }
}

async fn settle(
    env: &Env,
    job: &SendJob,
    now: Timestamp,
    outcome: SendOutcome,
    record: DecisionRecord,
) -> Outcome<()> {
    let call = CartCall::Settle { key: job.key.clone(), outcome, decision: Some(Box::new(record)) };
    objects::cart(env, &job.shop, &job.cart, now, &call).await?;
    Ok(())
}

/// All that one delivery needs.
struct Sender<'a> {
    env: &'a Env,
    job: &'a SendJob,
    shop: &'a Shop,
    standing: &'a Standing,
    policy: &'a Policy,
    prepared: &'a Prepared,
    view: &'a CartView,
    providers: &'a Providers<'a>,
    books: &'a Books<'a>,
}

impl Sender<'_> {
    async fn deliver(
        &self,
        now: Timestamp,
        mut record: DecisionRecord,
        clearance: &Clearance,
    ) -> Outcome<()> {
        let message = match self.compose(now, clearance).await? {
            Ok(message) => message,
            Err(what) => {
                console_error!(
                    "{}",
                    serde_json::json!({ "level": "error", "what": format!("render: {what}"), "send": self.job.key.as_str() })
                );
                return self.give_up(now, record, Why::RenderFailed).await;
            }
        };
        #[cfg(feature = "dev")]
        crate::dev_do::hold_while(self.env, "before_send").await?;
        match self.providers.send(clearance, &self.from(), &message, now).await {
            Ok(()) => {
                #[cfg(feature = "dev")]
                crate::dev_do::hold_while(self.env, "after_send").await?;
                // The person first: from here on the key counts as sent, whatever dies.
                self.ask(now, PersonCall::Sent { key: self.job.key.clone() }).await?;
                self.books.close(now, Report::sent(clearance)).await;
                settle(self.env, self.job, now, SendOutcome::Sent, record).await
            }
            Err(Refusal::Final(what)) => {
                console_error!(
                    "{}",
                    serde_json::json!({ "level": "warn", "what": format!("refused: {what}"), "send": self.job.key.as_str() })
                );
                self.give_up(now, record, Why::ProviderRefused).await
            }
            Err(Refusal::Temporary(_)) => {
                self.ask(now, PersonCall::Release { key: self.job.key.clone() }).await?;
                self.books.close(now, Report::refused(self.job.key.clone())).await;
                let until = now.plus(PROVIDER_RETRY);
                record.decision = Decision::Defer { until, why: Why::ProviderDown };
                settle(self.env, self.job, now, SendOutcome::Deferred { until }, record).await
            }
        }
    }

    async fn give_up(&self, now: Timestamp, mut record: DecisionRecord, why: Why) -> Outcome<()> {
        self.ask(now, PersonCall::Release { key: self.job.key.clone() }).await?;
        self.books.close(now, Report::refused(self.job.key.clone())).await;
        record.decision = Decision::Skip { why };
        settle(self.env, self.job, now, SendOutcome::Skipped { why }, record).await
    }

    async fn ask(&self, now: Timestamp, call: PersonCall) -> Outcome<()> {
        identity::call(self.env, &self.job.shop, &self.prepared.person, now, &call).await?;
        Ok(())
    }

    fn from(&self) -> String {
        let d = &self.shop.document;
        d.sender.clone().unwrap_or_else(|| d.support_email.clone())
    }

    /// Signs the links and renders. The inner error is the template's, and final.
    async fn compose(&self, now: Timestamp, clearance: &Clearance) -> Outcome<Result<Message, String>> {
        let policy = self.policy;
        let purpose = Purpose {
            shop: self.shop,
            epoch: self.standing.epoch,
            cart: &self.job.cart,
            person: &self.prepared.person,
            key: &self.job.key,
            channel: clearance.channel().as_str(),
            grant: clearance.grant(),
            ttl: policy.link_ttl_ms,
        };
        let links = links::make(self.env, &purpose, now).await?;
        // As the grant says it, which a later message of the same abandonment says again.
        let offer = clearance.grant().and_then(|grant| {
            let offer = policy.offer(&grant.offer)?;
            Some(Offer {
                code: self.shop.document.offer_codes.get(&grant.offer)?.clone(),
                gives: match offer.kind {
                    OfferKind::Percent => Gives::Percent(offer.percent),
                    OfferKind::Amount => {
                        let currency = self.shop.document.currency;
                        let minor = currency.minor_from_number(offer.amount)?;
                        Gives::Amount(Money { minor, currency }.to_string())
                    }
                    OfferKind::FreeShipping => Gives::FreeShipping,
                },
                valid_until: present::moment(grant.valid_until),
            })
        });
        let about = present::About {
            offer,
            prices_until: clearance.grant().and_then(|grant| grant.prices_until).map(present::moment),
            is_look: self.prepared.trigger == Trigger::Browse,
        };
        let model = present::message(self.shop, self.view, &links, about);
        let template = clearance.template();
        Ok(match clearance.channel() {
            Channel::Sms => SmsTemplate::from_name(template)
                .ok_or_else(|| format!("no SMS template {template}"))
                .and_then(|t| render_sms(t, &model, &links.short).map_err(|e| e.to_string()))
                .map(Message::Sms),
            Channel::Email => EmailTemplate::from_name(template)
                .ok_or_else(|| format!("no email template {template}"))
                .and_then(|t| render_email(t, &model, &self.job.key).map_err(|e| e.to_string()))
                .map(|e| Message::Email(Box::new(e))),
            Channel::Push => Err("push is not sent yet".to_owned()),
        })
    }
}
