use std::collections::BTreeMap;

use super::*;

/// What Kafka 4.4 answers: see `tests/interop/assignors`.
const KAFKA: &str = include_str!("kafka.txt");

struct Member<'a> {
    id: &'a str,
    instance_id: Option<&'a str>,
    topics: Vec<Uuid>,
    had: Partitions,
    gets: Partitions,
}

fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| *text != "-")
}

fn partitions(text: &str) -> Partitions {
    let topics = some(text).map(|text| text.split(';')).into_iter().flatten();
    let topic = |text: &str| {
        let (id, partitions) = text.split_once(':').unwrap();
        (id.parse().unwrap(), partitions.split(',').map(|partition| partition.parse().unwrap()).collect())
    };
    topics.map(topic).collect()
}

fn member(line: &str) -> Member<'_> {
    let fields: Vec<&str> = line.split(' ').collect();
    let [id, instance_id, topics, had, gets] = fields[..] else { panic!("{line}") };
    let topics = some(topics).map(|topics| topics.split(',')).into_iter().flatten();
    Member {
        id,
        instance_id: some(instance_id),
        topics: topics.map(|id| id.parse().unwrap()).collect(),
        had: partitions(had),
        gets: partitions(gets),
    }
}

#[test]
fn every_member_gets_what_kafka_gives_it() {
    let mut checked = 0;
    for (at, group) in KAFKA.split("group ").skip(1).enumerate() {
        let mut lines = group.lines();
        let (name, subscription_type) = lines.next().unwrap().split_once(' ').unwrap();
        let subscription_type = match subscription_type {
            "Homogeneous" | "HOMOGENEOUS" => SubscriptionType::Homogeneous,
            _ => SubscriptionType::Heterogeneous,
        };
        let (mut topics, mut members, mut assignable) = (BTreeMap::new(), Vec::new(), None);
        for line in lines {
            match line.split_once(' ').unwrap() {
                ("topic", rest) => {
                    let (id, count) = rest.split_once(' ').unwrap();
                    topics.insert(id.parse().unwrap(), count.parse().unwrap());
                }
                ("assignable", rest) => assignable = Some(partitions(rest)),
                (_, rest) => members.push(member(rest)),
            }
        }
        let specs = members.iter().map(|member| MemberSpec {
            id: member.id,
            instance_id: member.instance_id,
            topics: member.topics.clone(),
            assignment: &member.had,
        });
        let spec = GroupSpec::new(specs.collect(), subscription_type, &topics);
        let spec = match &assignable {
            Some(assignable) => spec.with_assignable(assignable),
            None => spec,
        };
        let mut assigned = Assignor::of_name(name).unwrap().assign(&spec);
        for member in &members {
            let gets = assigned.remove(member.id).unwrap_or_default();
            assert_eq!(gets, member.gets, "group {at} ({name}, {subscription_type:?}), member {}", member.id);
            checked += 1;
        }
    }
    assert!(checked > 600, "{checked}");
}
