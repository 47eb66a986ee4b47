//! The part of `GET /v1/config/{pk}` that steers the module. Copy for panels stays in JavaScript.

use comeback_core::money::Currency;
use comeback_core::onsite::ExitRules;
use wasm_bindgen::{JsValue, UnwrapThrowExt};

use crate::ga4;
use crate::reflect::{flag, get, number, text};

/// What the shop configured; careful values where it could not be asked.
pub(crate) struct Config {
    /// When a panel may show.
    pub(crate) exit: ExitRules,
    /// Whether there is an exit panel.
    pub(crate) exit_enabled: bool,
    /// The cart must be worth this, in minor units of its currency.
    pub(crate) min_cart_minor: i64,
    /// Whether there is copy for a declined card.
    pub(crate) helps_declined: bool,
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
        let panels = get(config, "panels");
        let exit = get(&panels, "exit");
        let rules = get(config, "exit");
        let usual = ExitRules::default();
        Self {
            exit: ExitRules {
                max_buy: number(&rules, "max_buy").unwrap_or(usual.max_buy),
                dwell_ms: number(&rules, "dwell_ms").map_or(usual.dwell_ms, ga4::whole),
                min_velocity_px_s: number(&rules, "min_velocity_px_s").unwrap_or(usual.min_velocity_px_s),
                cooldown_s: number(&rules, "cooldown_s").map_or(usual.cooldown_s, ga4::whole),
            },
            exit_enabled: flag(&exit, "enabled").unwrap_or(false),
            min_cart_minor: number(&exit, "min_cart_minor").map_or(0, ga4::whole),
            helps_declined: get(&panels, "declined").is_object(),
            currency: ga4::currency(&get(config, "shop"))
                .or_else(|| Currency::parse("XXX").ok())
                .unwrap_throw(),
            consent_required: text(&consent, "mode").as_deref() != Some("implied"),
            wording: text(&consent, "wording").unwrap_or_default(),
        }
    }
}
