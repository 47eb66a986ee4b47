//! The part of `GET /v1/config/{pk}` that steers the module. Copy for panels stays in JavaScript.

use comeback_core::money::Currency;
use comeback_core::onsite::ExitRules;
use wasm_bindgen::{JsValue, UnwrapThrowExt};

use crate::ga4;
use crate::reflect::{get, number, text};

/// What the shop configured; careful values where it could not be asked.
pub(crate) struct Config {
    /// The shop's id: part of what deals the arms of experiments.
    pub(crate) shop: String,
    /// Words, rules and experiment of each panel, by its name.
    pub(crate) panels: JsValue,
    /// Rules of the exit panel, as older edges tell them.
    pub(crate) exit: JsValue,
    /// A pointer that leaves more slowly does not leave, CSS pixels per second.
    pub(crate) min_velocity_px_s: f64,
    /// Value from which shipping is free, minor units of the shop's currency.
    pub(crate) free_from_minor: Option<i64>,
    /// For events that name no currency; `XXX` (ISO 4217: none) where the shop could not be asked.
    pub(crate) currency: Currency,
    /// Nothing before a yes.
    pub(crate) consent_required: bool,
    /// Version of the consent wording.
    pub(crate) wording: String,
}

impl Config {
    /// Reads what is there.
    pub(crate) fn read(config: &JsValue) -> Self {
        let consent = get(config, "consent");
        let shop = get(config, "shop");
        let exit = get(config, "exit");
        Self {
            panels: get(config, "panels"),
            min_velocity_px_s: number(&exit, "min_velocity_px_s")
                .unwrap_or_else(|| ExitRules::default().min_velocity_px_s),
            exit,
            free_from_minor: number(&get(config, "shipping"), "free_from_minor").map(ga4::whole),
            shop: text(&shop, "id").unwrap_or_default(),
            currency: ga4::currency(&shop).or_else(|| Currency::parse("XXX").ok()).unwrap_throw(),
            consent_required: text(&consent, "mode").as_deref() != Some("implied"),
            wording: text(&consent, "wording").unwrap_or_default(),
        }
    }
}
