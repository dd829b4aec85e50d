//! What comes back from the log.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::fixture::*;
use crate::broker::coordinator::group::record::{CoordinatorRecord, GroupMetadataMember, GroupMetadataValue};
use crate::broker::coordinator::group::*;
use crate::broker::coordinator::{CoordinatorLog, MemoryLog};
use crate::model::{ErrorCode, NO_LEADER_EPOCH, Offset, TopicPartition};
use crate::record::{BatchOptions, EndTransactionMarker, MarkerParams, RecordBatchBuilder, RecordBatchRef};

/// A group of one member "m1".
pub(super) fn stored_group() -> GroupMetadataValue {
    GroupMetadataValue {
        protocol_type: "consumer".into(),
        generation_id: 4,
        protocol_name: Some("range".into()),
        leader_id: Some("m1".into()),
        state_timestamp: START_MS,
        members: vec![GroupMetadataMember {
            member_id: "m1".into(),
            group_instance_id: None,
            client_id: "app".into(),
            client_host: "/10.0.0.1".into(),
            rebalance_timeout_ms: REBALANCE_MS,
            session_timeout_ms: SESSION_MS,
            subscription: subscription(&["events"]),
            assignment: Bytes::from_static(b"mine"),
        }],
    }
}

pub(super) fn append_group(fixture: &Fixture, value: &GroupMetadataValue) {
    append(fixture, BatchOptions::default(), &[CoordinatorRecord::group_metadata(GROUP, value).unwrap()]);
}

fn append(fixture: &Fixture, options: BatchOptions, records: &[CoordinatorRecord]) {
    let mut builder = RecordBatchBuilder::new(options);
    for record in records {
        builder.append(START_MS, Some(&record.key), record.value.as_deref()).unwrap();
    }
    fixture.log.append(fixture.partition(), builder.build().unwrap()).unwrap();
}

fn commit_record(topic: &str, offset: Offset) -> CoordinatorRecord {
    let commit = OffsetAndMetadata {
        offset,
        leader_epoch: NO_LEADER_EPOCH,
        metadata: "".into(),
        commit_timestamp: START_MS,
        expire_timestamp: None,
    };
    CoordinatorRecord::offset_commit(GROUP, &TopicPartition::new(topic, 0), &commit).unwrap()
}

fn transaction_of(producer_id: i64) -> BatchOptions {
    BatchOptions {
        producer_id,
        producer_epoch: 0,
        base_sequence: 0,
        transactional: true,
        ..BatchOptions::default()
    }
}

pub(super) fn end_transaction(fixture: &Fixture, producer_id: i64, is_commit: bool) {
    let append = || fixture.log.append(fixture.partition(), marker_of(producer_id, is_commit)).map(drop);
    fixture.coordinator.end_transaction(fixture.partition(), producer_id, is_commit, append).unwrap();
}

pub(super) fn marker_of(producer_id: i64, is_commit: bool) -> Bytes {
    let mut builder = EndTransactionMarker::builder(MarkerParams {
        marker: EndTransactionMarker { is_commit, coordinator_epoch: 0 },
        producer_id,
        producer_epoch: 0,
        timestamp: START_MS,
        leader_epoch: 0,
    })
    .unwrap();
    builder.build().unwrap()
}

#[test]
fn generation_members_assignments_and_offsets_survive_a_failover() {
    let mut fixture = Fixture::new();
    let members = fixture.stable_group_of(vec![consumer(), static_consumer("one"), consumer()]);
    fixture.commit(Some(&members[2]), "events", 77);
    let before = fixture.coordinator.describe_group(GROUP).unwrap();
    fixture.fail_over();
    let after = fixture.coordinator.describe_group(GROUP).unwrap();
    assert_eq!(after, DescribedGroup { last_rebalance_reason: None, ..before });
    assert_eq!(fixture.committed("events"), 77);
    for member in &members {
        assert_eq!(fixture.heartbeat_as(member), ErrorCode::None);
        assert_eq!(fixture.sync_as(member).get().assignment, member.member_id.as_bytes());
    }
}

#[test]
fn sessions_start_anew_after_a_failover() {
    let mut fixture = Fixture::new();
    let members = fixture.stable_group(2);
    fixture.advance_ms(SESSION_MS - 1);
    fixture.fail_over();
    fixture.advance_ms(SESSION_MS - 1);
    assert_eq!(fixture.heartbeat_as(&members[0]), ErrorCode::None);
    fixture.advance_ms(1);
    assert_eq!(fixture.heartbeat_as(&members[0]), ErrorCode::RebalanceInProgress);
    assert_eq!(fixture.heartbeat_as(&members[1]), ErrorCode::UnknownMemberId);
}

#[test]
fn an_empty_group_comes_back_empty_with_its_generation_and_since_when() {
    let mut fixture = Fixture::with_config(|config| config.offsets_retention_minutes = 60);
    let member = fixture.stable_group(1).remove(0);
    fixture.commit(Some(&member), "events", 1);
    fixture.leave_as(&member);
    fixture.advance_ms(30 * 60_000);
    fixture.fail_over();
    let group = fixture.coordinator.describe_group(GROUP).unwrap();
    assert_eq!((group.state, group.generation_id, &*group.protocol_type), (GroupState::Empty, 2, "consumer"));
    fixture.advance_ms(30 * 60_000 - 1);
    assert_eq!(fixture.coordinator.expire_offsets(), 0);
    fixture.advance_ms(1);
    assert_eq!(fixture.coordinator.expire_offsets(), 1);
}

#[test]
fn a_loaded_member_rejoins_with_what_it_said_before() {
    let mut fixture = Fixture::new();
    append_group(&fixture, &stored_group());
    fixture.fail_over();
    let joined = fixture.join(JoinGroupParams { member_id: "m1", ..consumer() }).get();
    assert_eq!((joined.generation_id, &*joined.leader_id), (5, "m1"));
}

#[test]
fn a_leader_that_the_record_does_not_have_as_a_member_is_replaced() {
    let mut fixture = Fixture::new();
    append_group(&fixture, &GroupMetadataValue { leader_id: Some("gone".into()), ..stored_group() });
    fixture.fail_over();
    assert_eq!(fixture.coordinator.describe_group(GROUP).unwrap().leader_id.as_deref(), Some("m1"));
}

#[test]
fn a_group_larger_than_now_allowed_rebalances_when_loaded() {
    let mut fixture = Fixture::new();
    let members = fixture.stable_group(3);
    fixture.config.group_max_size = 2;
    fixture.fail_over();
    assert_eq!(fixture.state(), GroupState::PreparingRebalance);
    assert_eq!(fixture.commit(Some(&members[2]), "events", 5), ErrorCode::None);
    let joins = [fixture.rejoin(&members[2]), fixture.rejoin(&members[1])];
    assert_eq!(fixture.rejoin(&members[0]).get().error, ErrorCode::GroupMaxSizeReached);
    let [second, first] = joins.map(Answer::get);
    assert_eq!((first.members.len(), second.leader_id), (2, first.member_id));
}

#[test]
fn offsets_alone_make_a_group_and_tombstones_take_them_away() {
    let mut fixture = Fixture::new();
    let gone = CoordinatorRecord { value: None, ..commit_record("gone", 2) };
    append(&fixture, BatchOptions::default(), &[commit_record("events", 1), commit_record("gone", 2), gone]);
    fixture.fail_over();
    assert_eq!((fixture.committed("events"), fixture.committed("gone")), (1, -1));
    let group = fixture.coordinator.describe_group(GROUP).unwrap();
    assert_eq!((group.state, group.generation_id, &*group.protocol_type), (GroupState::Empty, 0, ""));
}

#[test]
fn offsets_of_a_transaction_count_from_its_commit_on() {
    let mut fixture = Fixture::new();
    append(&fixture, transaction_of(7), &[commit_record("committed", 10)]);
    append(&fixture, transaction_of(8), &[commit_record("aborted", 20)]);
    append(&fixture, transaction_of(9), &[commit_record("open", 30)]);
    end_transaction(&fixture, 7, true);
    end_transaction(&fixture, 8, false);
    fixture.fail_over();
    assert_eq!(
        [fixture.committed("committed"), fixture.committed("aborted"), fixture.committed("open")],
        [10, -1, -1]
    );
    let open = [TopicPartition::new("open", 0)];
    let fetched = fixture.coordinator.fetch_offsets(GROUP, Some(&open), true).unwrap();
    assert_eq!((fetched[0].offset, fetched[0].error), (-1, ErrorCode::UnstableOffsetCommit));

    end_transaction(&fixture, 9, true);
    let fetched = fixture.coordinator.fetch_offsets(GROUP, Some(&open), true).unwrap();
    assert_eq!((fetched[0].offset, fetched[0].error), (30, ErrorCode::None));
}

#[test]
fn a_later_commit_is_not_overwritten_by_an_older_one_of_a_transaction() {
    let mut fixture = Fixture::new();
    append(&fixture, transaction_of(7), &[commit_record("events", 10)]);
    append(&fixture, BatchOptions::default(), &[commit_record("events", 11)]);
    end_transaction(&fixture, 7, true);
    fixture.fail_over();
    assert_eq!(fixture.committed("events"), 11);
}

#[test]
fn what_is_deleted_while_a_transaction_commits_it_does_not_come_back_with_another_coordinator() {
    let mut fixture = Fixture::new();
    append(&fixture, BatchOptions::default(), &[commit_record("events", 9), commit_record("kept", 1)]);
    append(&fixture, transaction_of(7), &[commit_record("events", 10), commit_record("pending", 11)]);
    fixture.fail_over();
    fixture.coordinator.on_topics_deleted(&["events", "pending"]);
    fixture.fail_over();
    end_transaction(&fixture, 7, true);
    assert_eq!([fixture.committed("events"), fixture.committed("pending")], [-1, -1]);
    assert_eq!(fixture.committed("kept"), 1);
}

#[test]
fn a_group_with_nothing_but_an_open_transaction_is_kept() {
    let mut fixture = Fixture::new();
    append(&fixture, transaction_of(9), &[commit_record("open", 30)]);
    fixture.fail_over();
    assert_eq!(fixture.coordinator.expire_offsets(), 0);
    end_transaction(&fixture, 9, true);
    assert_eq!(fixture.committed("open"), 30);
}

#[test]
fn records_that_cannot_be_read_and_those_of_other_groups_are_passed_over() {
    let mut fixture = Fixture::new();
    let record = |key: &[u8], value: Option<&[u8]>| CoordinatorRecord {
        key: key.to_vec(),
        value: value.map(<[u8]>::to_vec),
    };
    let good = CoordinatorRecord::group_metadata(GROUP, &stored_group()).unwrap();
    let mut strange: Vec<_> = (3..25_i16)
        .map(|kind| record(&[&kind.to_be_bytes()[..], b"\0\x01g"].concat(), Some(b"\0\0")))
        .collect();
    strange.push(record(b"", None));
    strange.push(record(b"\0\x02\x7f\xff", None));
    strange.push(record(&good.key, Some(b"\0\x09")));
    for cut in 0..good.value.as_ref().unwrap().len() {
        strange.push(record(&good.key, Some(&good.value.as_ref().unwrap()[..cut])));
    }
    append(&fixture, BatchOptions::default(), &[commit_record("events", 5), good]);
    append(&fixture, BatchOptions::default(), &strange);
    let mut builder = RecordBatchBuilder::new(BatchOptions::default());
    builder.append(START_MS, None, Some(b"no key")).unwrap();
    fixture.log.append(fixture.partition(), builder.build().unwrap()).unwrap();
    let stored = fixture.log.records(fixture.partition()).len();

    fixture.fail_over();
    assert_eq!(fixture.committed("events"), 5);
    let group = fixture.coordinator.describe_group(GROUP).unwrap();
    assert_eq!((group.generation_id, group.members[0].assignment.as_ref()), (4, &b"mine"[..]));
    assert_eq!(fixture.log.records(fixture.partition()).len(), stored);
}

#[test]
fn a_partition_that_cannot_be_read_is_not_taken_over() {
    let mut fixture = Fixture::new();
    fixture.log.append_raw(fixture.partition(), Bytes::from_static(&[0; 100]));
    fixture.coordinator.shutdown();
    fixture.coordinator = fixture.new_coordinator(fixture.log.clone());
    assert!(fixture.coordinator.load_all().is_err());
    assert_eq!(fixture.commit(None, "events", 1), ErrorCode::NotCoordinator);
    let owned = (0..5).find(|partition| *partition != fixture.partition()).unwrap();
    let elsewhere = (0..).map(|n| format!("g{n}"));
    let elsewhere =
        elsewhere.into_iter().find(|id| fixture.coordinator.partition_for(id) == Some(owned)).unwrap();
    assert!(fixture.coordinator.fetch_offsets(&elsewhere, None, false).is_ok());
}

/// Asks the coordinator what it says while it reads this log.
#[derive(Debug)]
struct AskedWhileLoading {
    log: MemoryLog,
    coordinator: Mutex<Option<Arc<GroupCoordinator>>>,
    asked: Mutex<usize>,
}

impl CoordinatorLog for AskedWhileLoading {
    fn partition_count(&self) -> i32 {
        self.log.partition_count()
    }

    fn leader_epoch(&self, partition: i32) -> i32 {
        self.log.leader_epoch(partition)
    }

    fn append(&self, partition: i32, batch: Bytes) -> Result<Offset, ErrorCode> {
        self.log.append(partition, batch)
    }

    fn delete_records(&self, partition: i32, offset: Offset) -> Result<(), ErrorCode> {
        self.log.delete_records(partition, offset)
    }

    fn read_all(&self, partition: i32, visit: &mut dyn FnMut(RecordBatchRef<'_>)) -> Result<(), ErrorCode> {
        let coordinator = self.coordinator.lock().clone().unwrap();
        if coordinator.partition_for(GROUP) == Some(partition) {
            *self.asked.lock() += 1;
            assert_loading(&coordinator);
        }
        self.log.read_all(partition, visit)
    }
}

fn assert_loading(coordinator: &GroupCoordinator) {
    assert!(coordinator.is_loading());
    // Members that know the group must not be scared away, and old ones do not know the code.
    let heartbeat = HeartbeatParams { group_id: GROUP, member_id: "m1", ..HeartbeatParams::default() };
    assert_eq!(coordinator.heartbeat(heartbeat), ErrorCode::None);
    let (synced, callback) = Answer::new();
    coordinator.sync_group(SyncGroupParams { group_id: GROUP, ..SyncGroupParams::default() }, callback);
    assert_eq!(synced.get().error, ErrorCode::RebalanceInProgress);
    let (joined, callback) = Answer::new();
    coordinator.join_group(consumer(), callback);
    assert_eq!(joined.get().error, ErrorCode::CoordinatorLoadInProgress);
    assert_eq!(coordinator.leave_group(GROUP, &[]).error, ErrorCode::CoordinatorLoadInProgress);
    assert_eq!(coordinator.fetch_offsets(GROUP, None, false), Err(ErrorCode::CoordinatorLoadInProgress));
    assert_eq!(coordinator.describe_group(GROUP), Err(ErrorCode::CoordinatorLoadInProgress));
    assert_eq!(coordinator.list_groups(&[], &[]).0, ErrorCode::CoordinatorLoadInProgress);
    assert_eq!(coordinator.delete_groups(&[GROUP]), [ErrorCode::CoordinatorLoadInProgress]);
}

#[test]
fn while_a_partition_is_loaded_requests_are_told_so() {
    let fixture = Fixture::new();
    let log = Arc::new(AskedWhileLoading {
        log: MemoryLog::new(5),
        coordinator: Mutex::default(),
        asked: Mutex::default(),
    });
    let coordinator = fixture.new_coordinator(log.clone());
    *log.coordinator.lock() = Some(coordinator.clone());
    coordinator.load_all().unwrap();
    // Loading again does nothing: what is in memory is newer than what a second reader would see.
    coordinator.load_all().unwrap();
    assert_eq!(*log.asked.lock(), 1);
    assert!(!coordinator.is_loading());
    assert_eq!(coordinator.describe_group(GROUP), Err(ErrorCode::GroupIdNotFound));
    *log.coordinator.lock() = None;
}

#[test]
fn what_waits_in_a_partition_that_moves_away_is_told_so() {
    let fixture = Fixture::new();
    let joins = [fixture.join(consumer()), fixture.join(consumer())];
    fixture.coordinator.unload_partition(fixture.partition());
    for join in joins {
        assert_eq!(join.get().error, ErrorCode::NotCoordinator);
    }
    assert_eq!(fixture.timer.len(), 0);
    fixture.coordinator.load_partition(fixture.partition()).unwrap();
    assert_eq!(fixture.state(), GroupState::Dead);
    fixture.stable_group(2);
}

#[test]
fn every_codec_of_the_offsets_topic_can_be_loaded_again() {
    for codec in crate::record::CompressionType::ALL.into_iter().filter(|codec| codec.is_supported()) {
        let mut fixture = Fixture::with_config(|config| config.offsets_topic_compression_codec = codec);
        let members = fixture.stable_group(2);
        fixture.commit(Some(&members[0]), "events", 12);
        fixture.fail_over();
        assert_eq!(fixture.committed("events"), 12);
        assert_eq!(fixture.heartbeat_as(&members[1]), ErrorCode::None);
    }
}
