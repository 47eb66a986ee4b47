//! Platform webhooks verified, parsed and normalised.
