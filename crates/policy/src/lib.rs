//! Policy text (TOML) checked and compiled into what the core holds.
