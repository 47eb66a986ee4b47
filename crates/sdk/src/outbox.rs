//! Events on their way out: what goes into one flush, and when to try again. Sends nothing itself.

/// One captured event, as the text that will be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// Its id: what makes sending twice harmless.
    pub(crate) id: String,
    /// The cart it belongs to; none before the first item.
    pub(crate) cart: Option<String>,
    /// The event as JSON.
    pub(crate) json: String,
}

/// The edge refuses more than 16 KB; the envelope (page, consent) is counted with its real size.
const MAX_BODY: usize = 16 * 1024;
/// Oldest events are dropped beyond this: a shop's page makes a few dozen in a visit.
const MAX_EVENTS: usize = 200;
/// First wait after a failed flush; doubles up to [`MAX_WAIT_MS`].
const FIRST_WAIT_MS: u32 = 1_000;
const MAX_WAIT_MS: u32 = 60_000;

/// Events that were not acknowledged yet, oldest first.
#[derive(Default)]
pub(crate) struct Outbox {
    events: Vec<Event>,
    flying: usize,
    leaving: usize,
    failures: u32,
}

impl Outbox {
    /// Appends an event unless it is there; hands back the one that had to make room.
    pub(crate) fn push(&mut self, event: Event) -> Option<Event> {
        if self.events.iter().any(|e| e.id == event.id) {
            return None;
        }
        // What is under way stays, so that its acknowledgement removes the right events.
        let evicted =
            (self.events.len() >= MAX_EVENTS).then(|| self.events.remove(self.flying.min(MAX_EVENTS - 1)));
        self.events.push(event);
        evicted
    }

    /// Everything not acknowledged.
    pub(crate) fn events(&self) -> &[Event] {
        &self.events
    }

    /// Whether a flush is under way.
    pub(crate) fn is_flying(&self) -> bool {
        self.flying > 0
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The next flush: the longest run of events of one cart that fits beside an envelope of
    /// `envelope` bytes. Events from before the cart had an id travel with it. `None` when empty.
    pub(crate) fn take_off(&mut self, envelope: usize) -> Option<(Option<String>, String)> {
        let (cart, text, count) = self.batch(0, envelope)?;
        self.flying = count;
        Some((cart, text))
    }

    /// The next events that are not under way, for a page that is being left.
    pub(crate) fn take_queued(&mut self, envelope: usize) -> Option<(Option<String>, String)> {
        let (cart, text, count) = self.batch(self.flying, envelope)?;
        self.leaving = count;
        Some((cart, text))
    }

    /// What `take_queued` gave was taken over by the browser.
    pub(crate) fn beaconed(&mut self) -> Vec<Event> {
        let from = self.flying;
        self.events.drain(from..from + core::mem::take(&mut self.leaving)).collect()
    }

    /// Events of cart `from` belong to cart `to` instead; returns all, as they have to be kept.
    pub(crate) fn readdress(&mut self, from: Option<&String>, to: Option<&String>) -> &[Event] {
        for event in &mut self.events {
            if event.cart.as_ref() == from {
                event.cart = to.cloned();
            }
        }
        &self.events
    }

    fn batch(&self, from: usize, envelope: usize) -> Option<(Option<String>, String, usize)> {
        let mut count = 0;
        let mut cart: Option<String> = None;
        let mut text = String::new();
        for event in self.events.iter().skip(from) {
            let fits = text.is_empty() || envelope + text.len() + 1 + event.json.len() <= MAX_BODY;
            if !fits || (cart.is_some() && event.cart != cart) {
                break;
            }
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(&event.json);
            cart.clone_from(&event.cart);
            count += 1;
        }
        (count > 0).then_some((cart, text, count))
    }

    /// The flush under way was accepted, or refused for good: its events are done with.
    pub(crate) fn landed(&mut self) -> Vec<Event> {
        self.failures = 0;
        let flying = core::mem::take(&mut self.flying);
        self.events.drain(..flying).collect()
    }

    /// The flush under way failed; the same events go again after so many milliseconds.
    pub(crate) fn failed(&mut self) -> u32 {
        self.flying = 0;
        let wait = FIRST_WAIT_MS << self.failures.min(6);
        self.failures += 1;
        wait.min(MAX_WAIT_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, cart: Option<&str>, size: usize) -> Event {
        Event { id: id.to_owned(), cart: cart.map(str::to_owned), json: id.repeat(size) }
    }

    fn outbox(events: &[Event]) -> Outbox {
        let mut outbox = Outbox::default();
        for event in events {
            outbox.push(event.clone());
        }
        outbox
    }

    #[test]
    fn a_flush_keeps_within_the_limit_and_within_one_cart() {
        let mut out = outbox(&[
            event("a", None, 1),
            event("b", Some("x"), 1),
            event("c", Some("y"), 1),
            event("d", None, 1),
        ]);
        assert_eq!(out.take_off(100), Some((Some("x".to_owned()), "a,b".to_owned())));
        out.landed();
        assert_eq!(out.take_off(100), Some((Some("y".to_owned()), "c".to_owned())));
        out.landed();
        assert_eq!(out.take_off(100), Some((None, "d".to_owned())));
        out.landed();
        assert_eq!(out.take_off(100), None);

        let mut big = outbox(&[event("a", None, 10_000), event("b", None, 6_000), event("c", None, 6_000)]);
        let (_, text) = big.take_off(300).unwrap();
        assert_eq!(text.len(), 16_001);
        assert!(text.len() + 300 <= MAX_BODY);
    }

    #[test]
    fn leaving_takes_what_is_queued_behind_a_flush_and_nothing_under_way() {
        let mut out = outbox(&[event("a", Some("x"), 1)]);
        out.take_off(0);
        for (id, cart) in [("b", "x"), ("c", "y"), ("d", "y")] {
            out.push(event(id, Some(cart), 1));
        }
        assert_eq!(out.take_queued(0), Some((Some("x".to_owned()), "b".to_owned())));
        assert_eq!(out.beaconed(), [event("b", Some("x"), 1)]);
        assert_eq!(out.take_queued(0), Some((Some("y".to_owned()), "c,d".to_owned())));
        assert_eq!(out.beaconed().len(), 2);
        assert_eq!(out.take_queued(0), None);
        assert_eq!(out.landed(), [event("a", Some("x"), 1)]);
        assert!(out.events().is_empty());
    }

    #[test]
    fn a_failed_flush_goes_again_unchanged_and_ever_later() {
        let mut out = outbox(&[event("a", None, 1)]);
        let waits: Vec<u32> = (0..9)
            .map(|_| {
                assert_eq!(out.take_off(0), Some((None, "a".to_owned())));
                out.failed()
            })
            .collect();
        assert_eq!(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
    }

    #[test]
    fn events_that_come_during_a_flush_survive_its_end_even_when_the_outbox_is_full() {
        let mut out = outbox(&[event("first", None, 1)]);
        out.take_off(0);
        for n in 0..300 {
            out.push(event(&n.to_string(), None, 1));
        }
        assert_eq!(out.events().len(), MAX_EVENTS);
        assert_eq!(out.events()[0].id, "first");
        out.landed();
        assert_eq!(out.events().len(), MAX_EVENTS - 1);
        assert_eq!(out.events().last().map(|e| e.id.as_str()), Some("299"));
    }
}
