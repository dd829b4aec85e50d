use std::sync::{Arc, Barrier};
use std::thread;

use super::fixture::Fixture;
use crate::broker::coordinator::share::SharePartitionKey;
use crate::broker::replica::Partition;
use crate::broker::share::SharePartitionManager;
use crate::broker::share::error::ShareError;
use crate::broker::{Broker, NewTopic};
use crate::model::{ErrorCode, Uuid};

/// A manager, and a partition of a broker whose share partitions it keeps.
struct World {
    _broker: Broker,
    partition: Arc<Partition>,
    key: SharePartitionKey,
    manager: SharePartitionManager,
}

fn world() -> World {
    let fixture = Fixture::new();
    let broker = Broker::temporary().unwrap();
    broker.admin().create_topic(NewTopic::new("orders", 1)).unwrap();
    let partition = broker.core.partition("orders", 0).unwrap();
    let (persister, settings) = (Arc::clone(&fixture.kept) as _, Arc::clone(&fixture.settings) as _);
    World {
        _broker: broker,
        key: SharePartitionKey::new("g", partition.topic_id(), 0),
        partition,
        manager: SharePartitionManager::new(persister, Arc::clone(&fixture.timer), settings, 10),
    }
}

/// It begins with what is kept, and whoever is at work on the one before may be about to keep something.
#[test]
fn another_share_partition_takes_the_place_of_one_only_when_nobody_is_at_work_on_it_any_more() {
    let World { _broker, partition, key, manager } = world();
    let first = manager.get_or_begin(&key, &partition).unwrap();
    let (at_work, is_meant) = (first.lock(), Barrier::new(2));
    thread::scope(|scope| {
        let forgetting = scope.spawn(|| {
            manager.forget_if(|_| {
                is_meant.wait();
                true
            });
        });
        is_meant.wait();
        assert!(manager.find(&key).is_some_and(|known| Arc::ptr_eq(&known, &first)));
        drop(at_work);
        forgetting.join().unwrap();
    });
    assert!(first.is_fenced() && manager.find(&key).is_none());
    assert!(!manager.get_or_begin(&key, &partition).unwrap().is_fenced());
}

#[test]
fn who_comes_while_a_share_partition_is_let_go_of_begins_another() {
    let World { _broker, partition, key, manager } = world();
    let first = manager.get_or_begin(&key, &partition).unwrap();
    first.mark_fenced();
    let next = manager.get_or_begin(&key, &partition).unwrap();
    assert!(!Arc::ptr_eq(&next, &first) && !next.is_fenced());
}

/// A member that was late with its acknowledgement would have taken from all others what they have acquired since.
#[test]
fn who_is_refused_by_a_fenced_share_partition_leaves_the_next_alone() {
    let World { _broker, partition, key, manager } = world();
    let first = manager.get_or_begin(&key, &partition).unwrap();
    manager.on_topic_deleted(Uuid::from_bytes([9; 16]));
    assert!(!first.is_fenced(), "another topic");
    manager.on_topic_deleted(key.topic_id);
    let next = manager.get_or_begin(&key, &partition).unwrap();
    let refused = first.acknowledge("late", &[]).unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotLeaderOrFollower);
    manager.on_error(&first, &refused);
    assert!(!next.is_fenced());
    manager.on_error(&next, &ShareError::from(ErrorCode::InvalidRequest));
    assert!(!next.is_fenced(), "it can go on");
    manager.on_error(&next, &ShareError::from(ErrorCode::NotLeaderOrFollower));
    assert!(next.is_fenced() && manager.find(&key).is_none());
}
