//! The few pages that the edge serves itself.
