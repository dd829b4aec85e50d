//! The listener: Kafka's protocol over TCP.

pub(crate) mod network;
