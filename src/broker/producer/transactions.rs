//! What a transactional producer knows of its transactions.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::broker::coordinator::transaction::{Joining, ProducerIdAndEpoch, TransactionVersion};
use crate::broker::core::BrokerCore;
use crate::error::{Error, Result};
use crate::model::{ErrorCode, TopicPartition};

/// Which of a producer's transactions; what is written outside of any has none.
pub(super) type TransactionNumber = u64;

/// How often a producer asks to take over an id whose transaction has to be aborted first. That is done by the first
/// time it asks, unless a disk refuses.
const MAX_INIT_TRIES: usize = 3;

/// A transactional producer's side of the transaction coordinator (Kafka: `TransactionManager`).
pub(super) struct Transactions {
    transactional_id: String,
    state: Mutex<State>,
}

struct State {
    producer: ProducerIdAndEpoch,
    number: TransactionNumber,
    phase: Phase,
    /// The coordinator knows of it: a partition is part of it.
    has_joined: bool,
    /// How many are about to write at the moment, of which the coordinator may come to know.
    joining: usize,
    /// It is over, and could not be aborted: what was sent within it would be part of the next one.
    is_unaborted: bool,
    /// The first record of this transaction that could not be appended.
    failure: Option<Arc<Error>>,
    /// Another producer has the id now.
    is_fenced: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    None,
    Open,
    /// What was sent is appended; nothing more is taken.
    Ending,
}

impl Transactions {
    /// Makes this producer the one of the id: one that had it before is fenced, and its open transaction aborted.
    pub(super) fn init(core: &BrokerCore, transactional_id: String, timeout_ms: i32) -> Result<Self> {
        core.ensure_open()?;
        core.ensure_transaction_topic()?;
        let mut tries = 1;
        let producer = loop {
            match core.transactions.init_producer_id(&transactional_id, timeout_ms, None) {
                Ok(producer) => break producer,
                Err(ErrorCode::ConcurrentTransactions) if tries < MAX_INIT_TRIES => tries += 1,
                Err(code) => return Err(explain(core, code, &transactional_id)),
            }
        };
        let state = State {
            producer,
            number: 0,
            phase: Phase::None,
            has_joined: false,
            joining: 0,
            is_unaborted: false,
            failure: None,
            is_fenced: false,
        };
        Ok(Transactions { transactional_id, state: Mutex::new(state) })
    }

    /// Begins a transaction, once the one before is aborted if that could not be done before.
    pub(super) fn begin(&self, core: &BrokerCore) -> Result<TransactionNumber> {
        let mut state = self.state.lock();
        if state.is_unaborted && !state.is_fenced && state.phase == Phase::None {
            // So that nobody else begins one meanwhile.
            state.phase = Phase::Ending;
            drop(state);
            let aborted = self.abort(core);
            state = self.state.lock();
            if let (Err(error), false) = (aborted, state.is_fenced) {
                return Err(error.context("the transaction before is not aborted yet"));
            }
        }
        if state.is_fenced {
            drop(state);
            return Err(self.explain(core, ErrorCode::ProducerFenced));
        }
        if state.phase != Phase::None {
            return Err(Error::new(
                ErrorCode::InvalidTxnState,
                "a transaction of this producer is open already",
            ));
        }
        state.number += 1;
        state.phase = Phase::Open;
        state.has_joined = false;
        state.failure = None;
        Ok(state.number)
    }

    /// The transaction that a record belongs to which is sent now.
    pub(super) fn current(&self) -> Result<TransactionNumber> {
        let state = self.state.lock();
        match state.phase {
            Phase::Open => Ok(state.number),
            Phase::None | Phase::Ending => Err(Error::new(
                ErrorCode::InvalidTxnState,
                "a transactional producer takes records only while a transaction is open: begin one",
            )),
        }
    }

    /// Calls `append` within the transaction, as its producer, with the partition being part of it.
    pub(super) fn append<R>(
        &self,
        core: &BrokerCore,
        number: TransactionNumber,
        partition: &TopicPartition,
        append: impl FnOnce(ProducerIdAndEpoch) -> R,
    ) -> Result<R> {
        let producer = {
            let mut state = self.state.lock();
            if state.phase == Phase::None || state.number != number {
                let message = "its transaction has ended before the record was appended";
                return Err(Error::new(ErrorCode::InvalidTxnState, message));
            }
            state.joining += 1;
            state.producer
        };
        let partitions = std::slice::from_ref(partition);
        let appended = core.transactions.in_transaction(
            &self.transactional_id,
            producer,
            partitions,
            Joining::Implicit,
            |_| append(producer),
        );
        let mut state = self.state.lock();
        state.joining -= 1;
        state.has_joined |= appended.is_ok() && state.number == number;
        drop(state);
        appended.map_err(|code| self.explain(core, code))
    }

    /// Something that was sent within the transaction is not in the log: it cannot be committed any more.
    pub(super) fn note_failure(&self, number: TransactionNumber, error: &Arc<Error>) {
        let mut state = self.state.lock();
        if state.number == number {
            state.failure.get_or_insert_with(|| Arc::clone(error));
        }
    }

    /// Takes no more records into the transaction. `false` if it has ended.
    pub(super) fn start_ending(&self, number: TransactionNumber) -> bool {
        let mut state = self.state.lock();
        if state.number != number || state.phase == Phase::None {
            return false;
        }
        state.phase = Phase::Ending;
        true
    }

    /// Why the transaction cannot be committed.
    pub(super) fn take_failure(&self) -> Option<Arc<Error>> {
        self.state.lock().failure.take()
    }

    /// Commits the transaction, everything of which is appended.
    ///
    /// # Errors
    /// It is not committed; [`abort`](Self::abort) has to follow.
    pub(super) fn commit(&self, core: &BrokerCore) -> Result<()> {
        self.end(core, true)
    }

    /// Aborts the transaction. It is over whatever comes of that: what could not be told to the coordinator, the next
    /// [`begin`](Self::begin) tells, or time.
    pub(super) fn abort(&self, core: &BrokerCore) -> Result<()> {
        let aborted = self.end(core, false);
        let mut state = self.state.lock();
        state.is_unaborted = aborted.is_err();
        state.phase = Phase::None;
        aborted
    }

    fn end(&self, core: &BrokerCore, is_commit: bool) -> Result<()> {
        let (producer, is_known) = {
            let state = self.state.lock();
            (state.producer, state.has_joined || state.joining > 0)
        };
        let ended = match is_known {
            // To end what the coordinator does not know, while it cannot complete what it does, would be taken for
            // another producer's attempt.
            false => Ok(producer),
            true => {
                let version = TransactionVersion::V2;
                core.transactions.end_txn(&self.transactional_id, producer, is_commit, version)
            }
        };
        let mut state = self.state.lock();
        match ended {
            Ok(producer) => {
                state.producer = producer;
                state.phase = Phase::None;
                Ok(())
            }
            Err(code) => {
                state.is_fenced |=
                    matches!(code, ErrorCode::ProducerFenced | ErrorCode::InvalidProducerIdMapping);
                drop(state);
                Err(self.explain(core, code))
            }
        }
    }

    fn explain(&self, core: &BrokerCore, code: ErrorCode) -> Error {
        explain(core, code, &self.transactional_id)
    }

    /// Whether a transaction is open, and which.
    pub(super) fn open(&self) -> Option<TransactionNumber> {
        let state = self.state.lock();
        (state.phase != Phase::None).then_some(state.number)
    }
}

fn explain(core: &BrokerCore, code: ErrorCode, transactional_id: &str) -> Error {
    if let Some(error) = core.transaction_store_failure(transactional_id, code) {
        return error.context(format_args!("transactional id '{transactional_id}'"));
    }
    let what = match code {
        ErrorCode::ProducerFenced | ErrorCode::InvalidProducerEpoch | ErrorCode::InvalidProducerIdMapping => {
            "another producer has this id now, or the transaction was open for longer than its timeout"
        }
        ErrorCode::InvalidTxnState => {
            "the transaction was aborted, as it was open for longer than its timeout"
        }
        ErrorCode::InvalidTransactionTimeout => {
            "the timeout must be at least 1 and at most the broker's transaction.max.timeout.ms"
        }
        ErrorCode::ConcurrentTransactions => "the transaction before it cannot be completed now",
        _ => return Error::from(code).context(format_args!("transactional id '{transactional_id}'")),
    };
    Error::new(code, format!("transactional id '{transactional_id}': {what}"))
}
