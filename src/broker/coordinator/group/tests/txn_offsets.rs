use std::sync::Arc;
use std::thread::JoinHandle;

use bytes::Bytes;
use parking_lot::Mutex;

use super::fixture::*;
use super::loading::marker_of;
use crate::broker::coordinator::group::*;
use crate::broker::coordinator::transaction::ProducerIdAndEpoch;
use crate::broker::coordinator::{CoordinatorLog, MemoryLog};
use crate::model::{ErrorCode, LeaderEpoch, Offset, TopicPartition};
use crate::record::RecordBatchRef;

const PRODUCER: ProducerIdAndEpoch = ProducerIdAndEpoch { producer_id: 9, producer_epoch: 0 };

type Interposed = Box<dyn FnOnce() + Send>;

/// A log at which something happens right after the next append, or right after a partition is read.
#[derive(Default)]
struct Busy {
    after_append: Mutex<Option<Interposed>>,
    after_read: Mutex<Option<Interposed>>,
}

struct BusyLog {
    log: Arc<MemoryLog>,
    busy: Arc<Busy>,
}

impl std::fmt::Debug for BusyLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.log.fmt(f)
    }
}

impl CoordinatorLog for BusyLog {
    fn partition_count(&self) -> i32 {
        self.log.partition_count()
    }

    fn leader_epoch(&self, partition: i32) -> LeaderEpoch {
        self.log.leader_epoch(partition)
    }

    fn append(&self, partition: i32, batch: Bytes) -> Result<Offset, ErrorCode> {
        let appended = self.log.append(partition, batch);
        if let Some(happen) = self.busy.after_append.lock().take() {
            happen();
        }
        appended
    }

    fn read_all(&self, partition: i32, visit: &mut dyn FnMut(RecordBatchRef<'_>)) -> Result<(), ErrorCode> {
        let read = self.log.read_all(partition, visit);
        if let Some(happen) = self.busy.after_read.lock().take() {
            happen();
        }
        read
    }

    fn delete_records(&self, partition: i32, offset: Offset) -> Result<(), ErrorCode> {
        self.log.delete_records(partition, offset)
    }
}

/// A coordinator on such a log, and a transaction that has offsets to commit.
struct World {
    fixture: Fixture,
    busy: Arc<Busy>,
    partition: i32,
    ending: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl World {
    fn new() -> Self {
        let mut fixture = Fixture::new();
        let busy = Arc::new(Busy::default());
        let log = BusyLog { log: Arc::clone(&fixture.log), busy: Arc::clone(&busy) };
        fixture.coordinator = fixture.new_coordinator(Arc::new(log));
        let partition = fixture.partition();
        World { fixture, busy, partition, ending: Arc::default() }
    }

    /// An administrator ends the transaction, on a thread of its own. Whether its marker may come in just then is what
    /// this asserts first: left to the threads, the test would find that out only sometimes.
    fn end_by_administrator(&self) -> Interposed {
        let (coordinator, log) = (Arc::clone(&self.fixture.coordinator), Arc::clone(&self.fixture.log));
        let (partition, ending) = (self.partition, Arc::clone(&self.ending));
        let spawner = Arc::clone(&self.fixture.env.spawner);
        Box::new(move || {
            assert!(coordinator.transaction_ends(partition).try_write().is_none(), "its marker may come in");
            let end = move || {
                let append = || log.append(partition, marker_of(PRODUCER.producer_id, true)).map(drop);
                coordinator.end_transaction(partition, PRODUCER.producer_id, true, append).unwrap();
            };
            *ending.lock() = Some(spawner.spawn("administrator", Box::new(end)).unwrap());
        })
    }

    fn commit(&self) -> Vec<ErrorCode> {
        let params = CommitOffsetsParams {
            group_id: GROUP,
            generation_id: -1,
            offsets: vec![offset_of("events", 30)],
            ..CommitOffsetsParams::default()
        };
        self.fixture.coordinator.commit_transactional_offsets(PRODUCER, params)
    }

    #[track_caller]
    fn assert_committed(&self) {
        self.ending.lock().take().expect("somebody ended it").join().unwrap();
        let wanted = [TopicPartition::new("events", 0)];
        let fetched = self.fixture.coordinator.fetch_offsets(GROUP, Some(&wanted), true).unwrap();
        assert_eq!((fetched[0].offset, fetched[0].error), (30, ErrorCode::None));
    }
}

/// As in Kafka, where the group comes into being with the first commit, whatever becomes of it.
#[test]
fn a_group_for_which_transactions_were_aborted_alone_is_listed_until_it_is_cleaned_up() {
    let world = World::new();
    let coordinator = &world.fixture.coordinator;
    coordinator.load_all().unwrap();
    assert_eq!(world.commit(), [ErrorCode::None]);
    coordinator
        .end_transaction(world.partition, PRODUCER.producer_id, false, || {
            world.fixture.log.append(world.partition, marker_of(PRODUCER.producer_id, false)).map(drop)
        })
        .unwrap();
    let listed = || coordinator.list_groups(&[], &[]).1;
    let group = GroupListing {
        group_id: GROUP.into(),
        protocol_type: "".into(),
        state: GroupState::Empty,
        group_type: GroupType::Classic,
    };
    assert_eq!(listed(), [group]);
    assert_eq!(coordinator.expire_offsets(), 0);
    assert_eq!(listed(), []);
}

/// The marker is right behind the offsets in the log. Had it been found that the transaction has none in this group, which
/// knew of them a moment later, they would have been unstable for ever.
#[test]
fn an_end_that_comes_right_behind_the_offsets_finds_them() {
    let world = World::new();
    world.fixture.coordinator.load_all().unwrap();
    *world.busy.after_append.lock() = Some(world.end_by_administrator());
    assert_eq!(world.commit(), [ErrorCode::None]);
    world.assert_committed();
}

/// The marker is behind what was read of the partition, and the groups in there were not known yet.
#[test]
fn an_end_that_comes_while_the_partition_is_taken_over_is_not_missed() {
    let world = World::new();
    world.fixture.coordinator.load_all().unwrap();
    assert_eq!(world.commit(), [ErrorCode::None]);
    world.fixture.coordinator.unload_partition(world.partition);
    *world.busy.after_read.lock() = Some(world.end_by_administrator());
    world.fixture.coordinator.load_partition(world.partition).unwrap();
    world.assert_committed();
}
