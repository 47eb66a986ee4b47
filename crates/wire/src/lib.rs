//! Formats that cross a boundary.
