//! Where a person is, and what time it is there. Never guesses finer than it knows: what is unknown
//! is decided the strict way.
//!
//! **Place**, for the law: the profile's ([`Person::place`], from a signed source), else where the last
//! session was as the edge saw it ([`ClaimRequest::place`]), else the country of their number, else the
//! policy's `default_country`. A profile that names no region takes the session's, where both name the
//! same country. For a text message the number's country applies *in addition*: the stricter of both.
//! Where nothing at all is known, every pack of the policy applies.
//!
//! **Zone**, for the time of day: the profile's, else the last session's, else that of the country; a
//! country of several zones must be awake in all of them, and so must both countries of a text message;
//! else the policy's `default_zone`.

use core::fmt;

use super::ClaimRequest;
use crate::consent::Channel;
use crate::jurisdiction::Place;
use crate::person::Person;
use crate::policy::Policy;
use crate::time::Zone;

mod numbers;
mod zones;

/// The place that a number in E.164 form names, if its prefix is known.
pub(crate) fn of_number(number: &str) -> Option<Place> {
    numbers::place_of(number)
}

/// `US-FL`, `DE`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.country, &self.region) {
            (Some(country), Some(region)) => write!(f, "{country}-{region}"),
            (Some(country), None) => f.write_str(country),
            (None, _) => f.write_str("unknown"),
        }
    }
}

/// What is known of where a person is.
pub(super) struct Whereabouts {
    /// Without a country if nothing is known.
    pub(super) place: Place,
    /// Who says so.
    pub(super) origin: &'static str,
    /// The zone, if a profile or a session told it, and which of them.
    zone: Option<(Zone, &'static str)>,
}

/// The zones in which a message must be allowed, never none.
pub(super) struct Zones {
    /// Them.
    pub(super) all: Vec<Zone>,
    /// By what they were found.
    pub(super) origin: &'static str,
}

fn upper(place: &Place) -> Option<Place> {
    let country = place.country.as_ref().filter(|c| !c.is_empty())?.to_ascii_uppercase();
    let region = place.region.as_ref().filter(|r| !r.is_empty()).map(|r| r.to_ascii_uppercase());
    Some(Place { country: Some(country), region })
}

/// Finds place and zone by the rules above.
pub(super) fn find(person: &Person, request: &ClaimRequest, policy: &Policy) -> Whereabouts {
    let session = upper(&request.place);
    let profile = upper(&person.place).map(|mut place| {
        if let Some(session) = &session
            && place.region.is_none()
            && place.country == session.country
        {
            place.region.clone_from(&session.region);
        }
        place
    });
    let default = || {
        let country = policy.default_country.clone();
        upper(&Place { country, region: None }).map(|place| (place, "the policy's default"))
    };
    let (place, origin) = profile
        .map(|place| (place, "their profile"))
        .or_else(|| session.map(|place| (place, "their last session")))
        .or_else(|| person.number_place().map(|place| (place, "their number")))
        .or_else(default)
        .unwrap_or_else(|| (Place::default(), "nothing"));
    let named = |name: &Option<String>| name.as_deref().and_then(Zone::parse);
    let zone = named(&person.zone)
        .map(|zone| (zone, "the person's"))
        .or_else(|| named(&request.zone).map(|zone| (zone, "the last session's")));
    Whereabouts { place, origin, zone }
}

impl Whereabouts {
    /// The places whose law applies to a message to this address; empty if none is known.
    pub(super) fn places(&self, channel: Channel, address: &str) -> Vec<Place> {
        let mut places = vec![];
        if self.place.country.is_some() {
            places.push(self.place.clone());
        }
        if channel == Channel::Sms
            && let Some(number) = of_number(address)
        {
            // Of the same country it adds something only if it names another region of it.
            let adds = number.country != self.place.country
                || (number.region.is_some()
                    && self.place.region.is_some()
                    && number.region != self.place.region);
            if adds {
                places.push(number);
            }
        }
        places
    }

    /// The zones in which a message that falls under the law of these places must be allowed.
    pub(super) fn zones(&self, places: &[Place], policy: &Policy) -> Zones {
        if let Some((zone, origin)) = &self.zone {
            return Zones { all: vec![zone.clone()], origin };
        }
        let names = places.iter().filter_map(|p| p.country.as_deref()).flat_map(zones::of_country);
        let all: Vec<Zone> = names.filter_map(Zone::parse).collect();
        match all.len() {
            0 => {}
            1 => return Zones { all, origin: "their country's" },
            _ => return Zones { all, origin: "every possible" },
        }
        match Zone::parse(&policy.default_zone) {
            Some(zone) => Zones { all: vec![zone], origin: "the shop's" },
            None => Zones { all: vec![Zone::utc()], origin: "none known, so UTC's" },
        }
    }
}
