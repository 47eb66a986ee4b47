//! Where shoppers live: a zone, and the country and region whose law protects them.

/// A place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Home {
    /// IANA zone.
    pub zone: &'static str,
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// ISO 3166-2 without the country, empty where none is told.
    pub region: &'static str,
}

const fn home(zone: &'static str, country: &'static str, region: &'static str) -> Home {
    Home { zone, country, region }
}

/// Places all over the world: every jurisdiction with rules of its own, both hemispheres' clock changes, half
/// and quarter hours, zones that never change, and a change of half an hour (Lord Howe).
pub const HOMES: &[Home] = &[
    home("Europe/Berlin", "DE", ""),
    home("Europe/Paris", "FR", ""),
    home("Europe/London", "GB", ""),
    home("Europe/Madrid", "ES", ""),
    home("Europe/Warsaw", "PL", ""),
    home("Europe/Athens", "GR", ""),
    home("Europe/Lisbon", "PT", ""),
    home("America/New_York", "US", "NY"),
    home("America/New_York", "US", "FL"),
    home("America/Chicago", "US", "OK"),
    home("America/Chicago", "US", "TX"),
    home("America/Denver", "US", "CO"),
    home("America/Phoenix", "US", "AZ"),
    home("America/Los_Angeles", "US", "CA"),
    home("America/Los_Angeles", "US", "WA"),
    home("Pacific/Honolulu", "US", "HI"),
    home("America/Toronto", "CA", "ON"),
    home("America/St_Johns", "CA", "NL"),
    home("America/Sao_Paulo", "BR", ""),
    home("America/Santiago", "CL", ""),
    home("Africa/Cairo", "EG", ""),
    home("Africa/Lagos", "NG", ""),
    home("Asia/Kolkata", "IN", ""),
    home("Asia/Kathmandu", "NP", ""),
    home("Asia/Tokyo", "JP", ""),
    home("Asia/Jerusalem", "IL", ""),
    home("Australia/Sydney", "AU", "NSW"),
    home("Australia/Brisbane", "AU", "QLD"),
    home("Australia/Adelaide", "AU", "SA"),
    home("Australia/Lord_Howe", "AU", "NSW"),
    home("Pacific/Auckland", "NZ", ""),
    home("Pacific/Chatham", "NZ", ""),
    home("Pacific/Kiritimati", "KI", ""),
    home("Pacific/Pago_Pago", "AS", ""),
];
