//! Commits: who may, what comes back, what a fetch shows.

use super::fixture::*;
use crate::broker::coordinator::group::*;
use crate::model::{ErrorCode, TopicPartition};

fn params(member_id: &str, generation_id: i32) -> CommitOffsetsParams<'_> {
    CommitOffsetsParams {
        group_id: GROUP,
        member_id,
        generation_id,
        offsets: vec![offset_of("events", 5)],
        ..CommitOffsetsParams::default()
    }
}

#[test]
fn who_assigns_itself_may_commit_for_a_group_without_members() {
    let fixture = Fixture::new();
    assert_eq!(fixture.commit(None, "events", 5), ErrorCode::None);
    assert_eq!(fixture.committed("events"), 5);
    assert_eq!(fixture.state(), GroupState::Empty);

    let member = fixture.stable_group(1).remove(0);
    assert_eq!(fixture.commit(None, "events", 6), ErrorCode::UnknownMemberId);
    fixture.leave_as(&member);
    assert_eq!(fixture.commit(None, "events", 7), ErrorCode::None);
    assert_eq!(fixture.committed("events"), 7);
}

#[test]
fn a_generation_of_a_group_that_does_not_exist_is_refused() {
    let fixture = Fixture::new();
    assert_eq!(fixture.coordinator.commit_offsets(params("m", 3)), [ErrorCode::IllegalGeneration]);
    assert!(fixture.coordinator.describe_group(GROUP).is_err());
}

#[test]
fn only_the_current_generation_of_a_member_commits() {
    let fixture = Fixture::new();
    let member = fixture.stable_group(1).remove(0);
    let commit = |params| fixture.coordinator.commit_offsets(params)[0];
    assert_eq!(commit(params(&member.member_id, 1)), ErrorCode::None);
    assert_eq!(commit(params(&member.member_id, 2)), ErrorCode::IllegalGeneration);
    assert_eq!(commit(params(&member.member_id, -1)), ErrorCode::IllegalGeneration);
    assert_eq!(commit(params("stranger", 1)), ErrorCode::UnknownMemberId);
    let unknown_instance =
        CommitOffsetsParams { group_instance_id: Some("x"), ..params(&member.member_id, 1) };
    assert_eq!(commit(unknown_instance), ErrorCode::UnknownMemberId);
}

#[test]
fn members_commit_during_a_rebalance_until_the_next_generation_is_there() {
    let fixture = Fixture::new();
    let members = fixture.stable_group(2);
    let leader = fixture.rejoin(&members[0]);
    assert_eq!(fixture.commit(Some(&members[1]), "events", 9), ErrorCode::None);
    let follower = fixture.rejoin(&members[1]).get();
    assert_eq!(fixture.commit(Some(&members[1]), "events", 10), ErrorCode::IllegalGeneration);
    assert_eq!(fixture.commit(Some(&follower), "events", 10), ErrorCode::RebalanceInProgress);
    fixture.sync_as(&leader.get()).get();
    assert_eq!(fixture.commit(Some(&follower), "events", 10), ErrorCode::None);
    assert_eq!(fixture.committed("events"), 10);
}

#[test]
fn metadata_that_is_too_long_fails_alone_and_is_measured_in_utf_16() {
    let fixture = Fixture::with_config(|config| config.offset_metadata_max_bytes = 4);
    let with = |topic: &str, metadata: &'static str| OffsetCommit { metadata, ..offset_of(topic, 1) };
    let commit = CommitOffsetsParams {
        offsets: vec![with("a", "1234"), with("b", "12345"), with("c", "äöüß"), with("d", "👍👍👍")],
        ..params("", -1)
    };
    assert_eq!(
        fixture.coordinator.commit_offsets(commit),
        [
            ErrorCode::None,
            ErrorCode::OffsetMetadataTooLarge,
            ErrorCode::None,
            ErrorCode::OffsetMetadataTooLarge
        ]
    );
    assert_eq!(fixture.committed("a"), 1);
    assert_eq!(fixture.committed("b"), -1);
    let fetched = fixture.coordinator.fetch_offsets(GROUP, None, false).unwrap();
    let metadata: Vec<_> = fetched.iter().map(|offset| &*offset.metadata).collect();
    assert_eq!(metadata, ["1234", "äöüß"]);
}

#[test]
fn nothing_is_written_if_nothing_may_be_committed() {
    let fixture = Fixture::with_config(|config| config.offset_metadata_max_bytes = 0);
    let too_long = OffsetCommit { metadata: "x", ..offset_of("events", 1) };
    let commit = CommitOffsetsParams { offsets: vec![too_long], ..params("", -1) };
    assert_eq!(fixture.coordinator.commit_offsets(commit), [ErrorCode::OffsetMetadataTooLarge]);
    let commit = CommitOffsetsParams { offsets: Vec::new(), ..params("", -1) };
    assert!(fixture.coordinator.commit_offsets(commit).is_empty());
    assert!(fixture.log.batches(fixture.partition()).is_empty());
}

#[test]
fn a_commit_that_cannot_be_written_is_not_there() {
    let cases = [
        (ErrorCode::NotEnoughReplicas, ErrorCode::CoordinatorNotAvailable),
        (ErrorCode::RequestTimedOut, ErrorCode::CoordinatorNotAvailable),
        (ErrorCode::NotLeaderOrFollower, ErrorCode::NotCoordinator),
        (ErrorCode::KafkaStorageError, ErrorCode::NotCoordinator),
        (ErrorCode::MessageTooLarge, ErrorCode::InvalidCommitOffsetSize),
        (ErrorCode::CorruptMessage, ErrorCode::CorruptMessage),
    ];
    let fixture = Fixture::new();
    fixture.commit(None, "events", 1);
    for (of_log, of_client) in cases {
        fixture.log.fail_appends(Some(of_log));
        assert_eq!(fixture.commit(None, "events", 2), of_client);
        assert_eq!(fixture.committed("events"), 1);
    }
}

#[test]
fn a_metadata_string_that_does_not_fit_a_record_is_refused() {
    let fixture = Fixture::with_config(|config| config.offset_metadata_max_bytes = i32::MAX);
    let metadata = "x".repeat(40_000);
    let too_long = OffsetCommit { metadata: &metadata, ..offset_of("events", 1) };
    let commit = CommitOffsetsParams { offsets: vec![too_long, offset_of("other", 2)], ..params("", -1) };
    assert_eq!(
        fixture.coordinator.commit_offsets(commit),
        [ErrorCode::InvalidCommitOffsetSize, ErrorCode::None]
    );
}

#[test]
fn a_fetch_names_every_partition_asked_for_in_order() {
    let fixture = Fixture::new();
    let commit = CommitOffsetsParams {
        offsets: vec![
            OffsetCommit { leader_epoch: 4, metadata: "note", ..offset_of("b", 11) },
            offset_of("a", 10),
        ],
        ..params("", -1)
    };
    fixture.coordinator.commit_offsets(commit);
    let partitions = [TopicPartition::new("b", 0), TopicPartition::new("b", 1), TopicPartition::new("a", 0)];
    let fetched = fixture.coordinator.fetch_offsets(GROUP, Some(&partitions), true).unwrap();
    let seen: Vec<_> = fetched
        .iter()
        .map(|f| (f.topic_partition.to_string(), f.offset, f.leader_epoch, &*f.metadata, f.error))
        .collect();
    assert_eq!(
        seen,
        [
            ("b-0".to_owned(), 11, 4, "note", ErrorCode::None),
            ("b-1".to_owned(), -1, -1, "", ErrorCode::None),
            ("a-0".to_owned(), 10, -1, "", ErrorCode::None),
        ]
    );
    let all = fixture.coordinator.fetch_offsets(GROUP, None, false).unwrap();
    let all: Vec<_> = all.iter().map(|f| f.topic_partition.to_string()).collect();
    assert_eq!(all, ["a-0", "b-0"]);
}

#[test]
fn a_group_that_does_not_exist_has_no_offsets_and_comes_not_into_being_by_a_fetch() {
    let fixture = Fixture::new();
    let partitions = [TopicPartition::new("events", 0)];
    let fetched = fixture.coordinator.fetch_offsets("nobody", Some(&partitions), true).unwrap();
    assert_eq!((fetched[0].offset, fetched[0].leader_epoch, fetched[0].error), (-1, -1, ErrorCode::None));
    assert!(fixture.coordinator.fetch_offsets("nobody", None, true).unwrap().is_empty());
    assert!(fixture.coordinator.list_groups(&[], &[]).1.is_empty());
}

#[test]
fn the_group_without_a_name_may_commit_and_fetch() {
    let fixture = Fixture::new();
    let commit = CommitOffsetsParams { group_id: "", ..params("", -1) };
    assert_eq!(fixture.coordinator.commit_offsets(commit), [ErrorCode::None]);
    assert_eq!(fixture.coordinator.fetch_offsets("", None, false).unwrap()[0].offset, 5);
    assert_eq!(fixture.coordinator.describe_group("").unwrap().state, GroupState::Empty);
    assert_eq!(fixture.coordinator.delete_groups(&[""]), [ErrorCode::None]);
}

#[test]
fn groups_that_are_not_coordinated_here_are_refused() {
    let fixture = Fixture::new();
    let member = fixture.stable_group(1).remove(0);
    fixture.coordinator.unload_partition(fixture.partition());
    assert_eq!(fixture.commit(None, "events", 1), ErrorCode::NotCoordinator);
    assert_eq!(fixture.heartbeat_as(&member), ErrorCode::NotCoordinator);
    assert_eq!(fixture.join(consumer()).get().error, ErrorCode::NotCoordinator);
    assert_eq!(fixture.sync_as(&member).get().error, ErrorCode::NotCoordinator);
    assert_eq!(fixture.leave_as(&member).error, ErrorCode::NotCoordinator);
    assert_eq!(fixture.coordinator.fetch_offsets(GROUP, None, false), Err(ErrorCode::NotCoordinator));
    assert_eq!(fixture.coordinator.describe_group(GROUP), Err(ErrorCode::NotCoordinator));
    assert_eq!(fixture.coordinator.delete_groups(&[GROUP]), [ErrorCode::NotCoordinator]);
    assert_eq!(fixture.coordinator.delete_offsets(GROUP, &[]), Err(ErrorCode::NotCoordinator));
}
