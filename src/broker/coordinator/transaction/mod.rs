//! Transactions: which producer an id stands for, what it writes to, and how that ends (Kafka:
//! `TransactionCoordinator`, `TransactionStateManager`, `TransactionMarkerChannelManager`).
//!
//! Every request takes one [`turn`](turn::TransactionTurn) at its transactional id: the lock is held while the state
//! changes and what it says is appended to `__transaction_state`. A transaction ends in the same turn: first the
//! decision, then a marker in each partition, then the completion. A marker that cannot be written leaves the
//! transaction decided but not complete; the next turn, or the next look at the clock, tries again, as does a broker
//! that finds it so when it starts.
//!
//! A producer's records are appended [within its transaction](TransactionCoordinator::in_transaction), under the same
//! lock: the transaction cannot end between the look at it and the append, which is what Kafka has its verification
//! guards for (KIP-890).
//!
//! * `init_producer_id`, `partitions`, `end_txn`, `admin`: one file per request,
//! * `expiration`: what time does,
//! * `load`: how state comes back from the log,
//! * `metadata`, `state`: the state itself,
//! * `record`: Kafka's record format of `__transaction_state`.
//!
//! Lock order: a transactional id, then a group, then a log. Never two ids at once.

mod admin;
mod config;
mod coordinator;
mod end_txn;
mod expiration;
mod init_producer_id;
mod load;
mod metadata;
mod participants;
mod partitions;
mod record;
#[cfg(feature = "cli")]
mod record_text;
mod state;
mod turn;

#[cfg(test)]
mod tests;

pub(crate) use admin::TransactionFilter;
pub(crate) use coordinator::TransactionCoordinator;
pub(crate) use metadata::{ProducerIdAndEpoch, TransactionVersion};
pub(crate) use participants::{TransactionMarker, TransactionParticipants};
pub(crate) use partitions::Joining;
#[cfg(feature = "cli")]
pub(crate) use record_text::transaction_record_text;
pub(crate) use state::TransactionState;
