//! Loops for a stopwatch outside: the core's stories and decisions, and the floor beside them. Times
//! nothing itself, for wasm has no clock.

use comeback_core::id::EventId;
use comeback_core::signal::{Signal, SignalKind};
use comeback_core::time::Timestamp;
use wasm_bindgen::prelude::wasm_bindgen;

/// Core events with the policy evaluation included; how many were handled.
#[wasm_bindgen]
#[must_use]
pub fn events(n: u32) -> u32 {
    u32::try_from(comeback_sim::bench::events(u64::from(n))).unwrap_or(0)
}

/// Decisions of the gate that let a send through; how many did.
#[wasm_bindgen]
#[must_use]
pub fn decisions(n: u32) -> u32 {
    u32::try_from(comeback_sim::bench::decisions(u64::from(n))).unwrap_or(0)
}

/// The floor of an event: what any engine does that is told of one and must know it again. It copies
/// the signal and looks its id up among the last 256.
#[wasm_bindgen]
#[must_use]
pub fn floor(n: u32) -> u32 {
    let signals: Vec<Signal> = (0..512_u32)
        .map(|i| Signal {
            id: EventId::derive(&["floor", &i.to_string()]),
            at: Timestamp::from_millis(i64::from(i)),
            kind: SignalKind::PageView,
        })
        .collect();
    let mut seen: std::collections::VecDeque<Signal> = std::collections::VecDeque::with_capacity(256);
    let mut fresh = 0_u32;
    for signal in signals.iter().cycle().take(usize::try_from(n).unwrap_or(0)) {
        if seen.iter().any(|held| held.id == signal.id) {
            continue;
        }
        if seen.len() == 256 {
            seen.pop_front();
        }
        seen.push_back(signal.clone());
        fresh += 1;
    }
    fresh
}
