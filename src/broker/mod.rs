//! broker
mod purgatory;
