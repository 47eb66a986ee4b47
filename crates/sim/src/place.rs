//! Where shoppers live: a zone, and the country and region whose law protects them.

use crate::checker::Spot;

/// A place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Home {
    /// IANA zone.
    pub zone: &'static str,
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// ISO 3166-2 without the country, empty where none is told.
    pub region: &'static str,
    /// How numbers begin there, after the `+`.
    pub dial: &'static str,
}

impl Home {
    /// The same, to the checker.
    #[must_use]
    pub const fn spot(self) -> Spot {
        Spot { zone: self.zone, country: self.country, region: self.region }
    }
}

/// Where somebody lives of whom nothing is known.
pub const NOWHERE: Home = home("UTC", "GB", "", "44");

const fn home(zone: &'static str, country: &'static str, region: &'static str, dial: &'static str) -> Home {
    Home { zone, country, region, dial }
}

/// Places all over the world: every jurisdiction with rules of its own, both hemispheres' clock changes, half
/// and quarter hours, zones that never change, and a change of half an hour (Lord Howe).
pub const HOMES: &[Home] = &[
    home("Europe/Berlin", "DE", "", "49"),
    home("Europe/Paris", "FR", "", "33"),
    home("Europe/London", "GB", "", "44"),
    home("Europe/Madrid", "ES", "", "34"),
    home("Europe/Warsaw", "PL", "", "48"),
    home("Europe/Athens", "GR", "", "30"),
    home("Europe/Lisbon", "PT", "", "351"),
    home("America/New_York", "US", "NY", "1212"),
    home("America/New_York", "US", "FL", "1305"),
    home("America/Chicago", "US", "OK", "1405"),
    home("America/Chicago", "US", "TX", "1512"),
    home("America/Denver", "US", "CO", "1303"),
    home("America/Phoenix", "US", "AZ", "1602"),
    home("America/Los_Angeles", "US", "CA", "1415"),
    home("America/Los_Angeles", "US", "WA", "1206"),
    home("Pacific/Honolulu", "US", "HI", "1808"),
    home("America/Toronto", "CA", "ON", "1416"),
    home("America/St_Johns", "CA", "NL", "1709"),
    home("America/Sao_Paulo", "BR", "", "55"),
    home("America/Santiago", "CL", "", "56"),
    home("Africa/Cairo", "EG", "", "20"),
    home("Africa/Lagos", "NG", "", "234"),
    home("Asia/Kolkata", "IN", "", "91"),
    home("Asia/Kathmandu", "NP", "", "977"),
    home("Asia/Tokyo", "JP", "", "81"),
    home("Asia/Jerusalem", "IL", "", "972"),
    home("Australia/Sydney", "AU", "NSW", "61"),
    home("Australia/Brisbane", "AU", "QLD", "61"),
    home("Australia/Adelaide", "AU", "SA", "61"),
    home("Australia/Lord_Howe", "AU", "NSW", "61"),
    home("Pacific/Auckland", "NZ", "", "64"),
    home("Pacific/Chatham", "NZ", "", "64"),
    home("Pacific/Kiritimati", "KI", "", "686"),
    home("Pacific/Pago_Pago", "AS", "", "1684"),
];
