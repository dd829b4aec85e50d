use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::broker::coordinator::MemoryLog;
use crate::broker::coordinator::transaction::admin::DescribedTransaction;
use crate::broker::coordinator::transaction::config::TransactionConfig;
use crate::broker::coordinator::transaction::metadata::TransactionMetadata;
use crate::broker::coordinator::transaction::*;
use crate::config::BrokerConfig;
use crate::model::{ErrorCode, ProducerEpoch, ProducerId, TopicPartition};
use crate::sys::{Env, ManualClock};

pub(super) const ID: &str = "payments";
pub(super) const START_MS: i64 = 1_700_000_000_000;
pub(super) const TIMEOUT_MS: i32 = 60_000;
/// Kafka's default of `transactional.id.expiration.ms`.
pub(super) const EXPIRATION_MS: i32 = 7 * 24 * 3_600_000;

/// Partitions that remember their markers, and the epochs of those who write to them; markers fail when told to.
#[derive(Debug, Default)]
pub(super) struct Partitions {
    next_producer_id: AtomicI64,
    pub(super) markers: Mutex<Vec<(TopicPartition, TransactionMarker)>>,
    pub(super) failures: Mutex<HashMap<TopicPartition, ErrorCode>>,
    pub(super) woken: Mutex<BTreeSet<TopicPartition>>,
    epochs: Mutex<HashMap<(TopicPartition, ProducerId), ProducerEpoch>>,
}

impl Partitions {
    /// Whether the partition takes what a producer writes: nobody has written there with a higher epoch.
    pub(super) fn accepts(&self, partition: &TopicPartition, producer: ProducerIdAndEpoch) -> bool {
        let mut epochs = self.epochs.lock();
        let known = epochs.entry((partition.clone(), producer.producer_id)).or_default();
        let accepts = *known <= producer.producer_epoch;
        *known = producer.producer_epoch.max(*known);
        accepts
    }
}

impl TransactionParticipants for Partitions {
    fn append_marker(&self, partition: &TopicPartition, marker: &TransactionMarker) -> Result<(), ErrorCode> {
        if let Some(error) = self.failures.lock().get(partition) {
            return Err(*error);
        }
        if !self.accepts(partition, marker.producer) {
            return Err(ErrorCode::InvalidProducerEpoch);
        }
        self.markers.lock().push((partition.clone(), *marker));
        Ok(())
    }

    fn wake_readers(&self, partition: &TopicPartition) {
        self.woken.lock().insert(partition.clone());
    }

    fn generate_producer_id(&self) -> Result<ProducerId, ErrorCode> {
        Ok(self.next_producer_id.fetch_add(1, Ordering::Relaxed))
    }
}

/// A coordinator in a world that stands still.
pub(super) struct Fixture {
    pub(super) clock: Arc<ManualClock>,
    pub(super) log: Arc<MemoryLog>,
    pub(super) partitions: Arc<Partitions>,
    config: TransactionConfig,
    env: Env,
    pub(super) coordinator: TransactionCoordinator,
}

impl Fixture {
    pub(super) fn new() -> Self {
        let config = TransactionConfig::from(&BrokerConfig::default());
        let clock = Arc::new(ManualClock::new(START_MS));
        let mut env = Env::system();
        env.clock = clock.clone();
        let log = Arc::new(MemoryLog::new(5));
        let partitions = Arc::new(Partitions::default());
        let coordinator =
            TransactionCoordinator::new(&env, config.clone(), log.clone(), Arc::clone(&partitions) as _);
        coordinator.load_all().unwrap();
        Fixture { clock, log, partitions, config, env, coordinator }
    }

    /// Another coordinator takes over, from the log alone, as when a broker starts again.
    pub(super) fn restart(&mut self) {
        self.coordinator.shutdown();
        self.log.start_next_term();
        self.coordinator = TransactionCoordinator::new(
            &self.env,
            self.config.clone(),
            self.log.clone(),
            Arc::clone(&self.partitions) as _,
        );
        self.coordinator.load_all().unwrap();
        self.coordinator.abort_timed_out();
    }

    pub(super) fn advance_ms(&self, ms: i32) {
        self.clock.advance(Duration::from_millis(u64::try_from(ms).unwrap()));
    }

    pub(super) fn init(&self) -> ProducerIdAndEpoch {
        self.try_init(None).unwrap()
    }

    pub(super) fn try_init(
        &self,
        expected: Option<ProducerIdAndEpoch>,
    ) -> Result<ProducerIdAndEpoch, ErrorCode> {
        self.coordinator.init_producer_id(ID, TIMEOUT_MS, expected)
    }

    pub(super) fn add(&self, producer: ProducerIdAndEpoch, topics: &[&str]) -> Result<(), ErrorCode> {
        self.add_in(TransactionVersion::V0, producer, topics)
    }

    pub(super) fn add_in(
        &self,
        version: TransactionVersion,
        producer: ProducerIdAndEpoch,
        topics: &[&str],
    ) -> Result<(), ErrorCode> {
        let partitions: Vec<_> = topics.iter().map(|topic| tp(topic)).collect();
        self.coordinator.add_partitions(ID, producer, &partitions, version)
    }

    /// Ends a transaction of the first generation.
    pub(super) fn end(&self, producer: ProducerIdAndEpoch, is_commit: bool) -> Result<(), ErrorCode> {
        self.coordinator.end_txn(ID, producer, is_commit, TransactionVersion::V0).map(|_| ())
    }

    /// Ends a transaction of the second generation.
    pub(super) fn bump(
        &self,
        producer: ProducerIdAndEpoch,
        is_commit: bool,
    ) -> Result<ProducerIdAndEpoch, ErrorCode> {
        self.coordinator.end_txn(ID, producer, is_commit, TransactionVersion::V2)
    }

    pub(super) fn describe(&self) -> DescribedTransaction {
        self.coordinator.describe(ID).unwrap()
    }

    pub(super) fn state(&self) -> TransactionState {
        self.describe().state
    }

    /// The topics that got markers since the last call, in order, each with the epoch and whether it committed.
    pub(super) fn take_markers(&self) -> Vec<(String, i16, bool)> {
        let markers = std::mem::take(&mut *self.partitions.markers.lock());
        let told = |(tp, marker): (TopicPartition, TransactionMarker)| {
            (tp.topic().to_owned(), marker.producer.producer_epoch, marker.is_commit)
        };
        markers.into_iter().map(told).collect()
    }

    pub(super) fn fail(&self, topic: &str, error: ErrorCode) {
        self.partitions.failures.lock().insert(tp(topic), error);
    }

    pub(super) fn heal(&self) {
        self.partitions.failures.lock().clear();
    }

    /// Lets the id have this epoch, and be stored so. Returns who had it before; `None` if it cannot be now, since a
    /// transaction is open, nothing can be stored, or nobody has the id.
    pub(super) fn age(&self, epoch: ProducerEpoch) -> Option<ProducerIdAndEpoch> {
        let id = self.coordinator.find(ID).unwrap()?;
        let aged = self.coordinator.turn_at(&id, |turn| {
            let before = turn.metadata.clone();
            // The id may be known without ever having been stored.
            if !before.state.is_expiration_allowed() || !(0..epoch).contains(&before.producer_epoch) {
                return None;
            }
            let aged = TransactionMetadata { producer_epoch: epoch, ..before.clone() };
            turn.store(aged).ok().map(|()| before.producer())
        });
        aged?
    }

    /// A producer with the last epoch that may be handed out.
    pub(super) fn exhausted(&self) -> ProducerIdAndEpoch {
        let mut producer = self.init();
        while producer.producer_epoch < i16::MAX - 1 {
            producer = self.init();
        }
        producer
    }
}

pub(super) fn tp(topic: &str) -> TopicPartition {
    TopicPartition::new(topic, 0)
}

pub(super) fn marker(topic: &str, epoch: i16, is_commit: bool) -> (String, i16, bool) {
    (topic.to_owned(), epoch, is_commit)
}
