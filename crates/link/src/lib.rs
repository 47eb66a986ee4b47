//! Signed links: compact JWS over Ed25519, keys per shop and epoch.
