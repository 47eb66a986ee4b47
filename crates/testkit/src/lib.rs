//! Virtual clock and an in-memory shell that can crash at any step.
