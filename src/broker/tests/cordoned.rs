//! `cordoned.log.dirs`: directories that keep what they have and get nothing new (KIP-1066).

use std::path::PathBuf;

use super::*;
use crate::{AlterConfig, ConfigResource};

struct TwoDirs {
    _root: tempfile::TempDir,
    dirs: [PathBuf; 2],
    broker: Broker,
}

/// `cordoned` is given the two directories.
fn start(cordoned: impl FnOnce(&[PathBuf; 2]) -> String) -> TwoDirs {
    let root = tempfile::tempdir().unwrap();
    let dirs = ["a", "b"].map(|name| root.path().join(name));
    let text = dirs.each_ref().map(|dir| dir.display().to_string()).join(",");
    let builder = Broker::builder().set("log.dirs", text).set("cordoned.log.dirs", cordoned(&dirs));
    let broker = builder.open().unwrap();
    TwoDirs { _root: root, dirs, broker }
}

impl TwoDirs {
    fn cordon(&self, dirs: &str) -> Result<()> {
        self.broker
            .admin()
            .alter_configs(&ConfigResource::Broker, [AlterConfig::set("cordoned.log.dirs", dirs)])
    }

    fn path(&self, dir: usize) -> String {
        self.dirs[dir].display().to_string()
    }

    /// How many partitions each directory has, and whether it is cordoned.
    fn described(&self) -> [(usize, bool); 2] {
        let described = self.broker.admin().describe_log_dirs().unwrap();
        self.dirs.each_ref().map(|dir| {
            let of = described.iter().find(|of| of.path == *dir).unwrap();
            (of.partitions.len(), of.is_cordoned)
        })
    }
}

#[test]
fn new_partitions_go_to_no_cordoned_directory() {
    let two = start(|dirs| dirs[0].display().to_string());
    create(&two.broker, "orders", 4);
    assert_eq!(two.described(), [(0, true), (4, false)]);
    two.cordon(&two.path(1)).unwrap();
    two.broker.admin().create_partitions("orders", 6).unwrap();
    assert_eq!(two.described(), [(2, false), (4, true)]);
    two.cordon("").unwrap();
    create(&two.broker, "more", 2);
    assert_eq!(two.described(), [(4, false), (4, false)], "to where there are fewest");
}

#[test]
fn nothing_new_is_made_where_all_directories_are_cordoned_and_what_is_there_goes_on() {
    let two = start(|_| String::new());
    create(&two.broker, "orders", 2);
    two.cordon("*").unwrap();
    assert_eq!(two.described().map(|(_, is_cordoned)| is_cordoned), [true, true]);
    let admin = two.broker.admin();
    let refused = admin.create_topic(NewTopic::new("more", 1)).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::InvalidReplicationFactor, "{refused}");
    let refused = admin.create_partitions("orders", 3).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::InvalidReplicationFactor, "{refused}");
    let by_hand = NewTopic {
        num_partitions: -1,
        assignments: vec![(0, vec![two.broker.node_id()])],
        ..NewTopic::new("more", 1)
    };
    let by_hand = NewTopic { replication_factor: -1, ..by_hand };
    let refused = two.broker.core.create_topics(&[by_hand], false).remove(0).unwrap_err();
    assert_eq!(refused.code(), ErrorCode::InvalidReplicaAssignment, "{refused}");
    two.broker.producer().send(ProducerRecord::new("orders").value("v")).unwrap().wait().unwrap();
    two.cordon(&two.path(0)).unwrap();
    create(&two.broker, "more", 1);
    assert_eq!(two.described(), [(1, true), (2, false)]);
}

#[test]
fn what_was_cordoned_while_a_broker_ran_is_so_when_it_is_opened_again() {
    let two = start(|_| String::new());
    two.cordon(&two.path(1)).unwrap();
    two.broker.close();
    let text = two.dirs.each_ref().map(|dir| dir.display().to_string()).join(",");
    let broker = Broker::builder().set("log.dirs", text).open().unwrap();
    let again = TwoDirs { broker, ..two };
    create(&again.broker, "orders", 3);
    assert_eq!(again.described(), [(3, false), (0, true)]);
}

#[test]
fn a_partition_does_not_move_to_a_cordoned_directory() {
    let two = start(|dirs| dirs[1].display().to_string());
    create(&two.broker, "orders", 1);
    let tp = TopicPartition::new("orders", 0);
    let move_to = |dir: usize| {
        two.broker.admin().alter_replica_log_dirs([(tp.clone(), &two.dirs[dir])]).unwrap().remove(0).1
    };
    assert_eq!(move_to(1).unwrap_err().code(), ErrorCode::InvalidReplicaAssignment);
    two.cordon(&two.path(0)).unwrap();
    move_to(1).unwrap();
    while two.described().map(|(partitions, _)| partitions) != [0, 1] {
        std::thread::yield_now();
    }
}

#[test]
fn a_directory_that_is_none_of_the_brokers_is_not_cordoned() {
    let two = start(|_| String::new());
    for wrong in ["/elsewhere", "*,/elsewhere"] {
        assert_eq!(two.cordon(wrong).unwrap_err().code(), ErrorCode::InvalidConfig, "{wrong}");
    }
    assert_eq!(two.described().map(|(_, is_cordoned)| is_cordoned), [false, false]);
}
