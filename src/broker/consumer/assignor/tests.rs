use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::broker::consumer::protocol::NO_GENERATION;

fn member(id: &str, topics: &[&str]) -> GroupMember {
    GroupMember {
        id: id.into(),
        instance_id: None,
        subscription: Subscription {
            topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
            generation_id: NO_GENERATION,
            ..Subscription::default()
        },
    }
}

fn counts(topics: &[(&str, i32)]) -> PartitionCounts {
    topics.iter().map(|(topic, count)| ((*topic).to_owned(), *count)).collect()
}

fn shown(assigned: &Assignments) -> BTreeMap<String, String> {
    let show = |partitions: &Vec<TopicPartition>| {
        partitions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assigned.iter().map(|(id, partitions)| (id.to_string(), show(partitions))).collect()
}

fn expect(assigned: &Assignments, expected: &[(&str, &str)]) {
    let expected: BTreeMap<String, String> =
        expected.iter().map(|(id, partitions)| ((*id).to_owned(), (*partitions).to_owned())).collect();
    assert_eq!(shown(assigned), expected);
}

/// Takes an assignment over: what members say they have when they join the next time.
fn after(
    members: &[GroupMember],
    assigned: &Assignments,
    assignor: PartitionAssignor,
    generation: i32,
) -> Vec<GroupMember> {
    let mut members = members.to_vec();
    for member in &mut members {
        let owned = assigned.get(&member.id).cloned().unwrap_or_default();
        member.subscription.user_data = assignor.user_data(&owned, generation);
        member.subscription.owned_partitions = owned;
        member.subscription.generation_id = generation;
    }
    members
}

fn sizes(assigned: &Assignments) -> Vec<usize> {
    let mut sizes: Vec<usize> = assigned.values().map(Vec::len).collect();
    sizes.sort_unstable();
    sizes
}

fn moved(before: &Assignments, after: &Assignments) -> usize {
    let had = |id: &Arc<str>, tp: &TopicPartition| before.get(id).is_some_and(|had| had.contains(tp));
    after.iter().map(|(id, now)| now.iter().filter(|tp| !had(id, tp)).count()).sum()
}

/// (Kafka: the examples in the documentation of `RangeAssignor` and `RoundRobinAssignor`.)
#[test]
fn range_and_round_robin_do_as_apache_kafka_says() {
    let members = [member("C1", &["t0", "t1"]), member("C0", &["t0", "t1"])];
    let counts_of_three = counts(&[("t0", 3), ("t1", 3)]);
    expect(
        &PartitionAssignor::Range.assign(&members, &counts_of_three),
        &[("C0", "t0-0 t0-1 t1-0 t1-1"), ("C1", "t0-2 t1-2")],
    );
    expect(
        &PartitionAssignor::RoundRobin.assign(&members, &counts_of_three),
        &[("C0", "t0-0 t0-2 t1-1"), ("C1", "t0-1 t1-0 t1-2")],
    );
    let uneven = [member("C0", &["t0"]), member("C1", &["t0", "t1"]), member("C2", &["t0", "t1", "t2"])];
    let growing = counts(&[("t0", 1), ("t1", 2), ("t2", 3)]);
    expect(
        &PartitionAssignor::RoundRobin.assign(&uneven, &growing),
        &[("C0", "t0-0"), ("C1", "t1-0"), ("C2", "t1-1 t2-0 t2-1 t2-2")],
    );
}

#[test]
fn static_members_come_first_by_their_instance_ids() {
    let mut members = [member("a", &["t"]), member("b", &["t"]), member("c", &["t"])];
    members[2].instance_id = Some("1".into());
    members[1].instance_id = Some("2".into());
    let counts = counts(&[("t", 4)]);
    expect(
        &PartitionAssignor::Range.assign(&members, &counts),
        &[("c", "t-0 t-1"), ("b", "t-2"), ("a", "t-3")],
    );
    expect(
        &PartitionAssignor::RoundRobin.assign(&members, &counts),
        &[("c", "t-0 t-3"), ("b", "t-1"), ("a", "t-2")],
    );
}

#[test]
fn members_without_an_existing_topic_get_nothing_but_are_named() {
    for assignor in PartitionAssignor::ALL {
        let members = [member("a", &["gone"]), member("b", &["t"]), member("c", &[])];
        expect(&assignor.assign(&members, &counts(&[("t", 2)])), &[("a", ""), ("b", "t-0 t-1"), ("c", "")]);
        expect(&assignor.assign(&members, &counts(&[])), &[("a", ""), ("b", ""), ("c", "")]);
    }
}

#[test]
fn sticky_members_keep_what_they_have_when_one_comes_and_when_one_goes() {
    let topics = counts(&[("t", 9)]);
    let two = [member("a", &["t"]), member("b", &["t"])];
    let first = PartitionAssignor::Sticky.assign(&two, &topics);
    assert_eq!(sizes(&first), [4, 5]);

    let mut three = after(&two, &first, PartitionAssignor::Sticky, 1);
    three.push(member("c", &["t"]));
    let second = PartitionAssignor::Sticky.assign(&three, &topics);
    assert_eq!(sizes(&second), [3, 3, 3]);
    assert_eq!(moved(&first, &second), 3, "only what the new one gets: {:?}", shown(&second));

    let mut left = after(&three, &second, PartitionAssignor::Sticky, 2);
    left.remove(0);
    let third = PartitionAssignor::Sticky.assign(&left, &topics);
    assert_eq!(sizes(&third), [4, 5]);
    assert_eq!(moved(&second, &third), 3, "only what the old one had: {:?}", shown(&third));
}

#[test]
fn sticky_is_even_with_different_subscriptions_as_far_as_they_allow() {
    let members =
        [member("a", &["x"]), member("b", &["x", "y"]), member("c", &["y", "z"]), member("d", &["z"])];
    let topics = counts(&[("x", 6), ("y", 6), ("z", 6)]);
    let assigned = PartitionAssignor::Sticky.assign(&members, &topics);
    assert_eq!(sizes(&assigned), [4, 4, 5, 5]);
    let all: BTreeSet<_> = assigned.values().flatten().collect();
    assert_eq!(all.len(), 18);
    for member in &members {
        assert!(assigned[&member.id].iter().all(|tp| member.wants(tp.topic())));
    }
}

#[test]
fn of_two_that_claim_a_partition_the_later_generation_has_it() {
    let mut members = vec![member("a", &["t"]), member("b", &["t"])];
    let claim = |member: &mut GroupMember, partitions: &[i32], generation| {
        let owned: Vec<_> = partitions.iter().map(|number| TopicPartition::new("t", *number)).collect();
        member.subscription.user_data = PartitionAssignor::Sticky.user_data(&owned, generation);
    };
    claim(&mut members[0], &[0, 1], 3);
    claim(&mut members[1], &[0, 1], 4);
    let assigned = PartitionAssignor::Sticky.assign(&members, &counts(&[("t", 4)]));
    expect(&assigned, &[("a", "t-2 t-3"), ("b", "t-0 t-1")]);
}

#[test]
fn a_partition_changes_hands_cooperatively_in_two_rebalances() {
    let topics = counts(&[("t", 4)]);
    let assignor = PartitionAssignor::CooperativeSticky;
    let alone = [member("a", &["t"])];
    let first = assignor.assign(&alone, &topics);
    let mut both = after(&alone, &first, assignor, 1);
    both.push(member("b", &["t"]));

    let second = assignor.assign(&both, &topics);
    expect(&second, &[("a", "t-0 t-1"), ("b", "")]);
    let third = assignor.assign(&after(&both, &second, assignor, 2), &topics);
    expect(&third, &[("a", "t-0 t-1"), ("b", "t-2 t-3")]);
    // And then it is quiet.
    assert_eq!(assignor.assign(&after(&both, &third, assignor, 3), &topics), third);
}

#[test]
fn members_of_librdkafka_say_their_generation_in_the_user_data() {
    let assignor = PartitionAssignor::CooperativeSticky;
    let mut members = vec![member("a", &["t"]), member("b", &["t"])];
    let owned = vec![TopicPartition::new("t", 0)];
    for (member, generation) in members.iter_mut().zip([5, 6]) {
        member.subscription.owned_partitions = owned.clone();
        member.subscription.user_data = PartitionAssignor::Sticky.user_data(&owned, generation);
    }
    expect(&assignor.assign(&members, &counts(&[("t", 1)])), &[("a", ""), ("b", "t-0")]);
}

#[test]
fn large_groups_are_spread_evenly() {
    let members: Vec<_> = (0..50).map(|i| member(&format!("m{i:02}"), &["t", "u"])).collect();
    let topics = counts(&[("t", 333), ("u", 333)]);
    for assignor in
        [PartitionAssignor::RoundRobin, PartitionAssignor::Sticky, PartitionAssignor::CooperativeSticky]
    {
        let assigned = assignor.assign(&members, &topics);
        let sizes = sizes(&assigned);
        assert_eq!((sizes.first(), sizes.last()), (Some(&13), Some(&14)), "{assignor:?}");
        let all: BTreeSet<_> = assigned.values().flatten().collect();
        assert_eq!(all.len(), 666);
    }
}
