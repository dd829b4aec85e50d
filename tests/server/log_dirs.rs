//! AlterReplicaLogDirs, and what DescribeLogDirs tells of it.

use std::path::PathBuf;

use kafka_protocol_015::messages as old;
use kafka_protocol_018::messages::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use kafka_protocol_018::messages::alter_replica_log_dirs_request::{
    AlterReplicaLogDir, AlterReplicaLogDirTopic,
};
use kafka_protocol_018::messages::{
    AlterPartitionReassignmentsRequest, AlterReplicaLogDirsRequest, BrokerId, DescribeLogDirsRequest,
    ListPartitionReassignmentsRequest,
};
use ottla::{Broker, ErrorCode, Listener, NewTopic, ProducerRecord};

use super::client::Client;
use super::fixture::{Fixture, code, text, topic_name};

struct TwoDirs {
    _root: tempfile::TempDir,
    dirs: [PathBuf; 2],
    broker: Broker,
    listener: Listener,
}

fn start() -> TwoDirs {
    let root = tempfile::tempdir().unwrap();
    let dirs = ["a", "b"].map(|name| root.path().join(name));
    let log_dirs = dirs.each_ref().map(|dir| dir.display().to_string()).join(",");
    let builder = Broker::builder().set("log.dirs", log_dirs);
    // So slow that a move of more than its first step is never over.
    let builder = builder.set("replica.alter.log.dirs.io.max.bytes.per.second", "1");
    let broker = builder.open().unwrap();
    let listener = broker.listen("127.0.0.1:0").unwrap();
    TwoDirs { _root: root, dirs, broker, listener }
}

impl TwoDirs {
    /// The log dir of a partition, and the one that it is on its way to with how much it lacks.
    fn places(&self, client: &mut Client, topic: &str) -> (usize, Option<(usize, i64)>) {
        let response = client.call(4, &DescribeLogDirsRequest::default().with_topics(None));
        let (mut present, mut future) = (None, None);
        for result in &response.results {
            let dir = self.dirs.iter().position(|dir| dir.to_str() == Some(result.log_dir.as_str())).unwrap();
            let found = result.topics.iter().filter(|found| found.name.as_str() == topic);
            for partition in found.flat_map(|found| &found.partitions) {
                match partition.is_future_key {
                    true => future = Some((dir, partition.offset_lag)),
                    false => present = Some(dir),
                }
            }
        }
        (present.unwrap(), future)
    }
}

fn request(dirs: &[(&str, &[(&str, i32)])]) -> AlterReplicaLogDirsRequest {
    let topic = |(name, partition): &(&str, i32)| {
        AlterReplicaLogDirTopic::default().with_name(topic_name(name)).with_partitions(vec![*partition])
    };
    let dir = |(path, topics): &(&str, &[(&str, i32)])| {
        AlterReplicaLogDir::default().with_path(text(path)).with_topics(topics.iter().map(topic).collect())
    };
    AlterReplicaLogDirsRequest::default().with_dirs(dirs.iter().map(dir).collect())
}

#[test]
fn every_version_moves_partitions_and_tells_what_cannot_be_moved() {
    for version in 0..=2 {
        let two = start();
        two.broker.admin().create_topic(NewTopic::new("t", 1)).unwrap();
        let mut client = Client::connect(two.listener.local_addr());
        let (home, _) = two.places(&mut client, "t");
        let away = two.dirs[1 - home].to_str().unwrap().to_owned();
        let asked: [(&str, &[(&str, i32)]); 2] =
            [("/no/such/dir", &[("t", 5), ("u", 0)]), (&away, &[("t", 0), ("t", 1)])];
        let told: Vec<(String, i32, ErrorCode)> = if version == 0 {
            let response = client.call_old(0, &request_old(&asked));
            let partitions = response.results.iter().flat_map(|topic| {
                let name = topic.topic_name.to_string();
                topic.partitions.iter().map(move |of| (name.clone(), of.partition_index, code(of.error_code)))
            });
            partitions.collect()
        } else {
            let response = client.call(version, &request(&asked));
            let partitions = response.results.iter().flat_map(|topic| {
                let name = topic.topic_name.to_string();
                topic.partitions.iter().map(move |of| (name.clone(), of.partition_index, code(of.error_code)))
            });
            partitions.collect()
        };
        let expected = [
            ("t", 0, ErrorCode::None),
            ("t", 1, ErrorCode::UnknownTopicOrPartition),
            ("t", 5, ErrorCode::LogDirNotFound),
            ("u", 0, ErrorCode::LogDirNotFound),
        ];
        assert_eq!(told, expected.map(|(name, index, code)| (name.to_owned(), index, code)), "{version}");
        while two.places(&mut client, "t") != (1 - home, None) {
            std::thread::yield_now();
        }
    }
}

fn request_old(dirs: &[(&str, &[(&str, i32)])]) -> old::AlterReplicaLogDirsRequest {
    use kafka_protocol_015::protocol::StrBytes;
    use old::alter_replica_log_dirs_request::{AlterReplicaLogDir, AlterReplicaLogDirTopic};
    let topic = |(name, partition): &(&str, i32)| {
        AlterReplicaLogDirTopic::default()
            .with_name(old::TopicName(StrBytes::from_string((*name).to_owned())))
            .with_partitions(vec![*partition])
    };
    let dir = |(path, topics): &(&str, &[(&str, i32)])| {
        AlterReplicaLogDir::default()
            .with_path(StrBytes::from_string((*path).to_owned()))
            .with_topics(topics.iter().map(topic).collect())
    };
    old::AlterReplicaLogDirsRequest::default().with_dirs(dirs.iter().map(dir).collect())
}

#[test]
fn a_move_that_is_under_way_is_described_with_what_it_lacks_and_ends_where_it_is_called_back() {
    let two = start();
    two.broker.admin().create_topic(NewTopic::new("t", 1)).unwrap();
    let producer = two.broker.producer();
    let value = "x".repeat(100_000);
    for _ in 0..30 {
        producer.send(ProducerRecord::new("t").value(&value)).unwrap().wait().unwrap();
    }
    let mut client = Client::connect(two.listener.local_addr());
    let (home, _) = two.places(&mut client, "t");
    let [here, away] = [home, 1 - home].map(|dir| two.dirs[dir].to_str().unwrap().to_owned());
    let begun = client.call(2, &request(&[(&away, &[("t", 0)])]));
    assert_eq!(code(begun.results[0].partitions[0].error_code), ErrorCode::None);
    let (present, future) = two.places(&mut client, "t");
    let (to, lag) = future.unwrap();
    assert!((present, to) == (home, 1 - home) && (1..=30).contains(&lag), "{lag}");
    let ended = client.call(2, &request(&[(&here, &[("t", 0)])]));
    assert_eq!(code(ended.results[0].partitions[0].error_code), ErrorCode::None);
    assert_eq!(two.places(&mut client, "t"), (home, None));
}

/// What Kafka's tool asks for before it moves a partition to another directory.
#[test]
fn a_partition_may_be_reassigned_to_the_broker_that_has_it_and_to_no_other() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let node = fixture.broker.node_id();
    let mut reassign = |partition: i32, replicas: Option<&[i32]>| {
        let partition = ReassignablePartition::default()
            .with_partition_index(partition)
            .with_replicas(replicas.map(|ids| ids.iter().map(|id| BrokerId(*id)).collect()));
        let topic = ReassignableTopic::default().with_name(topic_name("t")).with_partitions(vec![partition]);
        let request = AlterPartitionReassignmentsRequest::default().with_topics(vec![topic]);
        code(client.call(0, &request).responses[0].partitions[0].error_code)
    };
    assert_eq!(reassign(0, Some(&[node])), ErrorCode::None);
    for replicas in [&[][..], &[node + 7], &[node, node + 7], &[node, node]] {
        assert_eq!(reassign(0, Some(replicas)), ErrorCode::InvalidReplicaAssignment, "{replicas:?}");
    }
    assert_eq!(reassign(0, None), ErrorCode::NoReassignmentInProgress);
    assert_eq!(reassign(1, Some(&[node])), ErrorCode::UnknownTopicOrPartition);
    let ongoing = client.call(0, &ListPartitionReassignmentsRequest::default());
    assert_eq!((code(ongoing.error_code), ongoing.topics.len()), (ErrorCode::None, 0));
}
