//! The Cloudflare Workers shell.
