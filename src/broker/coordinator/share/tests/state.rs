use super::fixture::*;
use crate::broker::coordinator::REFUSED_APPENDS;
use crate::broker::coordinator::share::SharePartitionKey;
use crate::broker::coordinator::share::state_batch::combine;
use crate::model::{ErrorCode, Uuid};
use crate::record::{CompressionType, RecordBatch};

const SNAPSHOT: (u8, bool) = (0, false);
const UPDATE: (u8, bool) = (1, false);
const TOMBSTONE: (u8, bool) = (0, true);

#[test]
fn what_was_written_is_read_before_and_after_a_restart() {
    let mut fixture = Fixture::new();
    fixture.coordinator.initialize(&key(0), 0, -1).unwrap();
    assert_eq!(fixture.read(), (-1, vec![]));
    fixture.write(10, &[(10, 12, 2, 1), (13, 14, 0, 1)]);
    fixture.write(10, &[(13, 13, 2, 2)]);
    // The start moves over what is dealt with.
    fixture.write(14, &[]);
    let expected = (14, vec![(14, 14, 0, 1)]);
    assert_eq!(fixture.read(), expected);
    assert_eq!(fixture.kinds(), [SNAPSHOT, UPDATE, UPDATE, SNAPSHOT], "a snapshot after two updates");
    fixture.restart();
    assert_eq!(fixture.read(), expected);
    fixture.write(14, &[(14, 14, 2, 2)]);
    assert_eq!(fixture.kinds().last(), Some(&UPDATE), "the count of updates began again with the snapshot");
}

#[test]
fn every_codec_of_the_topic_can_be_loaded_again() {
    for codec in CompressionType::ALL.into_iter().filter(|codec| codec.is_supported()) {
        let mut fixture = Fixture::with_codec(codec);
        fixture.coordinator.initialize(&key(0), 0, -1).unwrap();
        fixture.write(10, &[(10, 12, 2, 1), (13, 14, 0, 1)]);
        let batches = fixture.log.batches(0).into_iter();
        let written =
            batches.map(|batch| RecordBatch::parse(batch).unwrap().view().compression_type().unwrap());
        assert_eq!(written.collect::<Vec<_>>(), [codec, codec]);
        let kept = fixture.read();
        fixture.restart();
        assert_eq!(fixture.read(), kept, "{codec:?}");
    }
}

#[test]
fn older_leaders_and_older_states_are_fenced() {
    let mut fixture = Fixture::new();
    fixture.coordinator.initialize(&key(0), 3, 0).unwrap();
    fixture.coordinator.read(&key(0), 5).unwrap();
    for _ in 0..2 {
        let code = |outcome: Result<(), super::super::ShareStateError>| outcome.unwrap_err().code;
        assert_eq!(code(fixture.coordinator.read(&key(0), 4).map(drop)), ErrorCode::FencedLeaderEpoch);
        let write = |state_epoch, leader_epoch| {
            code(fixture.coordinator.write(&key(0), &state(state_epoch, leader_epoch, 0, &[])))
        };
        assert_eq!(write(3, 4), ErrorCode::FencedLeaderEpoch);
        assert_eq!(write(2, 5), ErrorCode::FencedStateEpoch);
        assert_eq!(code(fixture.coordinator.initialize(&key(0), 2, 0)), ErrorCode::FencedStateEpoch);
        fixture.restart();
    }
    fixture.coordinator.write(&key(0), &state(3, 5, 7, &[])).unwrap();
    assert_eq!(fixture.coordinator.read_summary(&key(0)).unwrap().start_offset, 7);
    assert_eq!(fixture.coordinator.read_summary(&key(0)).unwrap().leader_epoch, 5);
}

#[test]
fn a_state_that_was_not_begun_is_neither_read_nor_written_but_summed_up() {
    let fixture = Fixture::new();
    assert_eq!(fixture.coordinator.read(&key(1), 0).unwrap_err().code, ErrorCode::InvalidRequest);
    let error = fixture.coordinator.write(&key(1), &state(0, 0, 0, &[])).unwrap_err();
    assert_eq!(error.to_string(), "Write operation on uninitialized share partition not allowed.");
    assert_eq!(fixture.coordinator.read_summary(&key(1)).unwrap().start_offset, -1);
    for missing in [key(2), SharePartitionKey::new("g", Uuid::from_bytes([6; 16]), 0)] {
        let error = fixture.coordinator.initialize(&missing, 0, 0).unwrap_err();
        assert_eq!(error.code, ErrorCode::UnknownTopicOrPartition);
    }
    assert_eq!(fixture.kinds(), []);
}

#[test]
fn what_is_deleted_is_gone_for_good_and_can_begin_again() {
    let mut fixture = Fixture::new();
    fixture.coordinator.initialize(&key(0), 7, 5).unwrap();
    fixture.coordinator.delete(&key(0)).unwrap();
    fixture.coordinator.delete(&key(0)).unwrap();
    assert_eq!(fixture.kinds(), [SNAPSHOT, TOMBSTONE], "the second time there was nothing to delete");
    fixture.restart();
    assert_eq!(fixture.coordinator.read(&key(0), 0).unwrap_err().code, ErrorCode::InvalidRequest);
    // Its epochs went with it.
    fixture.coordinator.initialize(&key(0), 0, 1).unwrap();
    assert_eq!(fixture.read(), (1, vec![]));
}

#[test]
fn the_state_of_a_deleted_topic_is_forgotten() {
    let fixture = Fixture::new();
    fixture.coordinator.initialize(&key(0), 0, 5).unwrap();
    fixture.coordinator.on_topics_deleted(&[Uuid::from_bytes([6; 16])]);
    assert_eq!(fixture.kinds(), [SNAPSHOT]);
    fixture.coordinator.on_topics_deleted(&[TOPIC]);
    assert_eq!(fixture.kinds(), [SNAPSHOT, TOMBSTONE]);
}

#[test]
fn a_state_that_rests_is_written_anew_so_that_what_stands_before_it_can_go() {
    let mut fixture = Fixture::new();
    fixture.coordinator.initialize(&key(0), 0, 5).unwrap();
    fixture.coordinator.initialize(&key(1), 0, 6).unwrap();
    fixture.write(5, &[(5, 5, 2, 1)]);
    fixture.coordinator.snapshot_cold_partitions();
    fixture.coordinator.prune();
    assert_eq!(fixture.kinds().len(), 3, "nothing is due, and nothing is redundant");
    fixture.advance_ms(1000);
    fixture.coordinator.snapshot_cold_partitions();
    fixture.coordinator.prune();
    assert_eq!(fixture.kinds(), [SNAPSHOT, SNAPSHOT]);
    fixture.advance_ms(1000);
    fixture.coordinator.snapshot_cold_partitions();
    assert_eq!(fixture.kinds(), [SNAPSHOT, SNAPSHOT], "once is enough");
    fixture.restart();
    assert_eq!(fixture.read(), (5, vec![(5, 5, 2, 1)]));
}

#[test]
fn what_cannot_be_written_has_not_happened() {
    let fixture = Fixture::new();
    fixture.coordinator.initialize(&key(0), 0, 5).unwrap();
    for (of_log, of_client) in REFUSED_APPENDS {
        fixture.log.fail_appends(Some(of_log));
        let refused = [
            fixture.coordinator.initialize(&key(1), 0, 9).unwrap_err(),
            fixture.coordinator.write(&key(0), &state(0, 0, 9, &[])).unwrap_err(),
            fixture.coordinator.read(&key(0), 1).unwrap_err(),
            fixture.coordinator.delete(&key(0)).unwrap_err(),
        ];
        assert_eq!(refused.map(|error| error.code), [of_client; 4], "{of_log}");
    }
    fixture.log.fail_appends(None);
    assert_eq!(fixture.read(), (5, vec![]));
    fixture.coordinator.unload_partition(0);
    assert_eq!(fixture.coordinator.read(&key(0), 0).unwrap_err().code, ErrorCode::NotCoordinator);
    fixture.coordinator.load_partition(0).unwrap();
    assert_eq!(fixture.read(), (5, vec![]));
}

#[test]
fn of_two_batches_about_an_offset_the_one_with_more_deliveries_counts() {
    let combined = |a: &[_], b: &[_], start| combine(&batches(a), &batches(b), start);
    assert_eq!(
        combined(&[(0, 9, 0, 1)], &[(3, 5, 2, 1), (6, 6, 0, 2)], -1),
        batches(&[(0, 2, 0, 1), (3, 5, 2, 1), (6, 6, 0, 2), (7, 9, 0, 1)])
    );
    assert_eq!(combined(&[(0, 4, 2, 1)], &[(5, 9, 2, 1)], 3), batches(&[(3, 9, 2, 1)]));
    assert_eq!(combined(&[(0, 4, 0, 3)], &[(2, 8, 2, 1)], 0), batches(&[(0, 4, 0, 3), (5, 8, 2, 1)]));
    assert_eq!(combined(&[(0, 4, 2, 1)], &[], 5), []);
}

#[test]
fn keys_in_words_are_read_from_the_end() {
    let key = SharePartitionKey::new("a:b", TOPIC, 3);
    assert_eq!(SharePartitionKey::parse(&key.to_string()), Some(key));
    for wrong in ["", "g", "g:1", ":BQUFBQUFBQUFBQUFBQUFBQ:1", "g:BQUFBQUFBQUFBQUFBQUFBQ:x", "g:?:1"] {
        assert_eq!(SharePartitionKey::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn a_batch_that_ends_before_it_begins_is_not_kept() {
    let fixture = Fixture::new();
    fixture.coordinator.initialize(&key(0), 3, 0).unwrap();
    let backwards = fixture.coordinator.write(&key(0), &state(3, 5, 0, &[(9, 8, 0, 1)]));
    assert_eq!(backwards.unwrap_err().code, ErrorCode::InvalidRequest);
    assert_eq!(fixture.kinds(), [SNAPSHOT]);
}
