//! broker
mod metadata;
mod purgatory;
