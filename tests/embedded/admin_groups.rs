//! Looking after groups: who is in them, and how far they have read.

use std::time::Duration;

use ottla::{
    Broker, Consumer, ErrorCode, GroupState, GroupType, ListGroupsOptions, MemberToRemove, NewTopic,
    OffsetAndMetadata, ProducerRecord,
};

use crate::support::*;

/// A member that has its partitions.
fn member(broker: &Broker, group_id: &str, instance_id: Option<&str>) -> Consumer {
    let mut builder = earliest(broker).group_id(group_id);
    if let Some(id) = instance_id {
        builder = builder.group_instance_id(id);
    }
    let mut consumer = builder.build().unwrap();
    consumer.subscribe(["orders"]).unwrap();
    eventually("the group is stable", || {
        consumer.poll(Duration::ZERO).unwrap();
        !consumer.assignment().is_empty()
    });
    consumer
}

fn codes(results: Vec<ottla::Result<()>>) -> Vec<Option<ErrorCode>> {
    results.into_iter().map(|result| result.err().map(|error| error.code())).collect()
}

fn listed(broker: &Broker, options: ListGroupsOptions) -> Vec<String> {
    broker.admin().list_groups(&options).unwrap().into_iter().map(|group| group.group_id).collect()
}

#[test]
fn groups_are_listed_by_state_and_type_and_protocol() {
    let broker = broker_with("orders", 1);
    assert!(listed(&broker, ListGroupsOptions::new()).is_empty());
    let member = member(&broker, "with-members", None);
    broker.admin().alter_consumer_group_offsets("by-hand", [(tp("orders", 0), 0)]).unwrap();

    let all = ListGroupsOptions::new;
    assert_eq!(listed(&broker, all()), ["by-hand", "with-members"]);
    assert_eq!(listed(&broker, all().in_group_states([GroupState::Stable])), ["with-members"]);
    assert_eq!(listed(&broker, all().in_group_states([GroupState::Empty])), ["by-hand"]);
    assert_eq!(listed(&broker, all().with_protocol_types(["consumer"])), ["with-members"]);
    assert_eq!(listed(&broker, all().with_protocol_types([""])), ["by-hand"]);
    assert_eq!(listed(&broker, all().with_protocol_types(["connect"])).len(), 0);
    assert_eq!(listed(&broker, all().with_types([GroupType::Classic])).len(), 2);

    drop(member);
    assert_eq!(listed(&broker, all().in_group_states([GroupState::Empty])), ["by-hand", "with-members"]);
    broker.close();
    let error = broker.admin().list_groups(&all()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::BrokerNotAvailable);
}

#[test]
fn a_group_is_described_with_what_its_members_read() {
    let broker = broker_with("orders", 3);
    let admin = broker.admin();
    assert_eq!(admin.describe_group("g").unwrap_err().code(), ErrorCode::GroupIdNotFound);
    let member = member(&broker, "g", Some("machine-3"));
    let group = admin.describe_group("g").unwrap();
    assert_eq!((group.group_id.as_str(), group.protocol_type.as_str()), ("g", "consumer"));
    assert_eq!((group.state, group.group_type), (GroupState::Stable, GroupType::Classic));
    assert_eq!((group.generation_id, group.coordinator), (1, broker.node_id()));
    assert!(!group.partition_assignor.is_empty());
    assert_eq!(group.members.len(), 1);
    assert_eq!(group.members[0].group_instance_id.as_deref(), Some("machine-3"));
    assert_eq!(group.members[0].assignment, member.assignment());
    let described = admin.describe_groups(["g", "zzz"]);
    assert_eq!(described[0].as_ref().unwrap(), &group);
    let error = described[1].as_ref().unwrap_err();
    assert_eq!(error.code(), ErrorCode::GroupIdNotFound);
    assert!(error.to_string().contains("'zzz'"), "{error}");
}

#[test]
fn groups_without_members_are_deleted_with_their_offsets() {
    let broker = broker_with("orders", 1);
    let admin = broker.admin();
    assert_eq!(codes(admin.delete_groups(["a"])), [Some(ErrorCode::GroupIdNotFound)]);
    let _member = member(&broker, "busy", None);
    admin.alter_consumer_group_offsets("idle", [(tp("orders", 0), 5)]).unwrap();
    assert_eq!(
        codes(admin.delete_groups(["idle", "busy", "zzz"])),
        [None, Some(ErrorCode::NonEmptyGroup), Some(ErrorCode::GroupIdNotFound)]
    );
    assert!(admin.list_consumer_group_offsets("idle").unwrap().is_empty());
    assert_eq!(listed(&broker, ListGroupsOptions::new()), ["busy"]);
}

#[test]
fn offsets_are_altered_while_nobody_reads_and_survive_opening_again() {
    let dir = tempfile::tempdir().unwrap();
    let broker = Broker::builder()
        .log_dir(dir.path())
        .set("offsets.topic.num.partitions", "2")
        .set("group.initial.rebalance.delay.ms", "0")
        .open()
        .unwrap();
    broker.admin().create_topic(NewTopic::new("orders", 2)).unwrap();
    for value in ["a", "b", "c"] {
        broker.producer().send(ProducerRecord::new("orders").partition(0).value(value)).unwrap();
    }
    assert!(broker.admin().list_consumer_group_offsets("g").unwrap().is_empty());
    let offsets = [
        (tp("orders", 0), OffsetAndMetadata::new(1).with_metadata("again")),
        (tp("orders", 1), OffsetAndMetadata::new(0)),
    ];
    broker.admin().alter_consumer_group_offsets("g", offsets.clone()).unwrap();
    drop(broker);

    let broker =
        Broker::builder().log_dir(dir.path()).set("group.initial.rebalance.delay.ms", "0").open().unwrap();
    let admin = broker.admin();
    let found: Vec<_> = admin.list_consumer_group_offsets("g").unwrap().into_iter().collect();
    assert_eq!(found, offsets);

    let mut consumer = earliest(&broker).group_id("g").build().unwrap();
    consumer.subscribe(["orders"]).unwrap();
    assert_eq!(poll_values(&mut consumer, 2), ["b", "c"]);
    let error = admin.alter_consumer_group_offsets("g", [(tp("orders", 0), 0)]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnknownMemberId);
}

#[test]
fn an_offset_of_a_partition_that_does_not_exist_is_refused_and_changes_nothing() {
    let broker = broker_with("orders", 1);
    let admin = broker.admin();
    let error =
        admin.alter_consumer_group_offsets("g", [(tp("orders", 0), 1), (tp("orders", 7), 1)]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnknownTopicOrPartition);
    assert!(admin.list_consumer_group_offsets("g").unwrap().is_empty());
    let long = OffsetAndMetadata::new(1).with_metadata("x".repeat(5000));
    let error = admin.alter_consumer_group_offsets("g", [(tp("orders", 0), long)]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::OffsetMetadataTooLarge);
    assert!(error.to_string().contains("orders-0") && error.to_string().contains("'g'"), "{error}");
}

#[test]
fn offsets_are_deleted_unless_a_member_reads_the_topic() {
    let broker = broker_with("orders", 2);
    broker.admin().create_topic(NewTopic::new("old", 1)).unwrap();
    let admin = broker.admin();
    let (read, old) = (tp("orders", 1), tp("old", 0));
    let error = admin.delete_consumer_group_offsets("g", std::slice::from_ref(&read)).unwrap_err();
    assert_eq!(error.code(), ErrorCode::GroupIdNotFound);
    admin.alter_consumer_group_offsets("g", [(read.clone(), 0), (old.clone(), 3)]).unwrap();

    let member = member(&broker, "g", None);
    let error = admin.delete_consumer_group_offsets("g", &[read.clone(), old.clone()]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::GroupSubscribedToTopic);
    let left: Vec<_> = admin.list_consumer_group_offsets("g").unwrap().into_keys().collect();
    assert_eq!(left, std::slice::from_ref(&read), "the other one is gone");

    drop(member);
    admin.delete_consumer_group_offsets("g", &[read]).unwrap();
    let left = admin.list_consumer_group_offsets("g").unwrap();
    assert!(left.keys().all(|tp| tp.partition() == 0), "{left:?}");
}

#[test]
fn members_are_removed_by_either_name_and_one_that_lives_joins_again() {
    let broker = broker_with("orders", 2);
    let admin = broker.admin();
    let error = admin.remove_all_members_from_group("g").unwrap_err();
    assert_eq!(error.code(), ErrorCode::GroupIdNotFound);
    let mut consumer = member(&broker, "g", None);
    let id = admin.describe_group("g").unwrap().members.swap_remove(0).member_id;
    let removed = [MemberToRemove::member_id(&id), MemberToRemove::group_instance_id("nobody")];
    let results = admin.remove_members_from_group("g", removed).unwrap();
    assert_eq!(codes(results), [None, Some(ErrorCode::UnknownMemberId)]);
    assert_eq!(admin.describe_group("g").unwrap().state, GroupState::Empty);

    eventually("it has joined again", || {
        consumer.poll(Duration::ZERO).unwrap();
        admin.describe_group("g").unwrap().state == GroupState::Stable
    });
    assert_ne!(admin.describe_group("g").unwrap().members[0].member_id, id);
    admin.remove_all_members_from_group("g").unwrap();
    assert!(admin.describe_group("g").unwrap().members.is_empty());
}
