//! Reading, writing and committing within transactions, by the members of one group that come through both doors: each
//! record is copied once, whoever has its partition when the group changes.

use std::sync::Arc;
use std::time::Duration;

use ottla::{
    AutoOffsetReset, Consumer, ErrorCode, GroupProtocol, IsolationLevel, ManualClock, NewTopic, Producer,
    ProducerRecord, TopicPartition, Transaction,
};

use super::copier::{Copier, PARTITIONS, take_out};
use super::fixture::Fixture;

/// By partition, the values of what was read and is to be copied.
type Read = Vec<(i32, Vec<u8>)>;

struct World {
    fixture: Fixture,
    protocol: GroupProtocol,
    native: Consumer,
    producer: Producer,
    /// How many records each partition of `in` has.
    rounds: i64,
}

impl World {
    /// A native member, alone in its group. Time stands still, so that nobody hears of anything unasked.
    fn new(protocol: GroupProtocol) -> Self {
        let clock = Arc::new(ManualClock::new(1_700_000_000_000));
        let fixture =
            Fixture::with(|builder| builder.clock(clock).set("group.initial.rebalance.delay.ms", "0"));
        for topic in ["in", "out"] {
            fixture.broker.admin().create_topic(NewTopic::new(topic, PARTITIONS)).unwrap();
        }
        let builder = fixture.broker.consumer_builder().group_id("g").group_protocol(protocol);
        let mut native = builder
            .auto_offset_reset(AutoOffsetReset::Earliest)
            .isolation_level(IsolationLevel::ReadCommitted)
            .enable_auto_commit(false)
            .build()
            .unwrap();
        native.subscribe(["in"]).unwrap();
        let producer = fixture.broker.producer_builder().transactional_id("native").build().unwrap();
        World { fixture, protocol, native, producer, rounds: 0 }
    }

    /// Two more records in each partition.
    fn produce(&mut self) {
        let producer = self.fixture.broker.producer();
        for _ in 0..2 {
            for partition in 0..PARTITIONS {
                let value = value(partition, self.rounds);
                let record = ProducerRecord::new("in").partition(partition).value(&value);
                producer.send(record).unwrap().wait().unwrap();
            }
            self.rounds += 1;
        }
    }

    /// Polls until so many records have come, by so many polls at most.
    fn read(&mut self, count: usize) -> Read {
        let mut read = Vec::new();
        for _ in 0..10_000 {
            let records = self.native.poll(Duration::ZERO).unwrap();
            let values = records.iter().map(|record| (record.partition(), record.value().unwrap().to_vec()));
            read.extend(values);
            if read.len() >= count {
                assert_eq!(read.len(), count, "{read:?}");
                return read;
            }
            std::thread::yield_now();
        }
        panic!("the native member has read only {read:?}, and owns {:?}", self.native.assignment());
    }

    /// Begins a transaction with copies.
    fn write(&self, read: &Read) -> Transaction {
        let transaction = self.producer.begin_transaction().unwrap();
        for (partition, value) in read {
            transaction.send(ProducerRecord::new("out").partition(*partition).value(value)).unwrap();
        }
        transaction
    }

    fn read_and_copy(&mut self, count: usize) {
        let read = self.read(count);
        let native = &self.native;
        let copied = self.producer.transaction(|transaction| -> Result<(), ottla::Error> {
            for (partition, value) in &read {
                transaction.send(ProducerRecord::new("out").partition(*partition).value(value))?;
            }
            transaction.send_offsets(native)
        });
        copied.unwrap();
    }

    /// Lets the remote member join while the native one polls, until each has half of the partitions.
    fn let_join(&mut self, remote: &mut Copier) {
        match self.protocol {
            // The answer comes when the other has joined again, too.
            GroupProtocol::Classic => std::thread::scope(|scope| {
                let joining = scope.spawn(|| remote.join());
                while !joining.is_finished() {
                    assert!(self.native.poll(Duration::ZERO).unwrap().is_empty());
                }
            }),
            _ => remote.join(),
        }
        self.settle(remote, PARTITIONS as usize / 2);
    }

    /// Polls and heartbeats until the remote member has so many partitions, and the native one the others.
    fn settle(&mut self, remote: &mut Copier, of_remote: usize) {
        for _ in 0..10_000 {
            assert!(self.native.poll(Duration::ZERO).unwrap().is_empty());
            remote.heartbeat();
            let of_native = self.native.assignment();
            let mut all: Vec<i32> = of_native.iter().map(TopicPartition::partition).collect();
            all.extend(remote.owned());
            all.sort_unstable();
            assert!(all.windows(2).all(|pair| pair[0] != pair[1]), "a partition has two owners: {all:?}");
            if remote.owned().len() == of_remote && all.len() == PARTITIONS as usize {
                return;
            }
        }
        panic!("native {:?}, remote {:?}", self.native.assignment(), remote.owned());
    }

    /// The native member's id, which it does not tell itself.
    fn native_id(&self, remote: &Copier) -> String {
        let group = self.fixture.broker.admin().describe_group("g").unwrap();
        let mut ids = group.members.into_iter().map(|member| member.member_id);
        ids.find(|id| id != remote.member_id()).unwrap()
    }

    /// What readers of committed records find is the input, and the group has committed that it was read.
    fn check(&self) {
        let broker = &self.fixture.broker;
        let committed = broker.admin().list_consumer_group_offsets("g").unwrap();
        for partition in 0..PARTITIONS {
            let reader = broker.topic("out").unwrap().partition(partition).unwrap().read_from(0);
            let reader = reader.isolation_level(IsolationLevel::ReadCommitted);
            let found: Vec<String> = reader
                .map(|record| String::from_utf8(record.unwrap().value().unwrap().to_vec()).unwrap())
                .collect();
            let expected: Vec<String> = (0..self.rounds).map(|number| value(partition, number)).collect();
            assert_eq!(found, expected, "partition {partition}");
            assert_eq!(committed[&TopicPartition::new("in", partition)].offset, self.rounds);
        }
    }
}

fn value(partition: i32, number: i64) -> String {
    format!("{partition}-{number}")
}

const PROTOCOLS: [GroupProtocol; 2] = [GroupProtocol::Classic, GroupProtocol::Consumer];

#[test]
fn who_gets_a_partition_waits_for_the_transaction_of_who_had_it() {
    for protocol in PROTOCOLS {
        let mut world = World::new(protocol);
        world.produce();
        let read = world.read(8);
        let open = world.write(&read);
        open.send_offsets(&world.native).unwrap();
        let mut remote = Copier::connect(&world.fixture, protocol);
        world.let_join(&mut remote);
        assert_eq!(remote.positions(), Err(ErrorCode::UnstableOffsetCommit), "{protocol:?}");
        open.commit().unwrap();
        let positions = remote.positions().unwrap();
        assert_eq!(positions.iter().map(|(_, offset)| *offset).collect::<Vec<_>>(), [2, 2]);
        world.check();

        // The same the other way: the remote member's transaction is open when it leaves.
        world.produce();
        assert_eq!(remote.copy(), 4);
        assert_eq!(remote.send_offsets(), ErrorCode::None);
        world.read_and_copy(4);
        take_out(&world.fixture, protocol, remote.member_id());
        for _ in 0..100 {
            assert!(world.native.poll(Duration::ZERO).unwrap().is_empty(), "of an undecided transaction");
        }
        assert_eq!(world.native.assignment().len(), PARTITIONS as usize);
        remote.end(true);
        world.check();
        world.produce();
        world.read_and_copy(8);
        world.check();
    }
}

#[test]
fn native_and_remote_members_copy_each_record_once_while_they_come_and_go() {
    for protocol in PROTOCOLS {
        let mut world = World::new(protocol);
        world.produce();
        world.read_and_copy(8);
        let mut remote = Copier::connect(&world.fixture, protocol);
        for _ in 0..3 {
            world.let_join(&mut remote);
            world.produce();
            // Two transactions of one group, one within the other.
            assert_eq!(remote.copy(), 4);
            world.read_and_copy(4);
            assert_eq!(remote.send_offsets(), ErrorCode::None);
            remote.end(true);
            world.check();
            take_out(&world.fixture, protocol, remote.member_id());
            world.produce();
            world.read_and_copy(8);
            world.check();
        }
    }
}

#[test]
fn a_remote_member_that_the_group_went_on_without_commits_nothing() {
    for protocol in PROTOCOLS {
        let mut world = World::new(protocol);
        world.produce();
        world.read_and_copy(8);
        let mut zombie = Copier::connect(&world.fixture, protocol);
        world.let_join(&mut zombie);
        world.produce();
        assert_eq!(zombie.copy(), 4);
        take_out(&world.fixture, protocol, zombie.member_id());
        world.read_and_copy(8);
        assert_eq!(zombie.send_offsets(), ErrorCode::UnknownMemberId, "{protocol:?}");
        zombie.end(false);
        world.check();
        // Under a new name it is as good as any.
        world.let_join(&mut zombie);
        world.produce();
        assert_eq!(zombie.copy(), 4);
        assert_eq!(zombie.send_offsets(), ErrorCode::None);
        zombie.end(true);
        world.read_and_copy(4);
        world.check();
    }
}

#[test]
fn a_native_member_that_the_group_went_on_without_commits_nothing() {
    for protocol in PROTOCOLS {
        let mut world = World::new(protocol);
        world.produce();
        world.read_and_copy(8);
        let mut remote = Copier::connect(&world.fixture, protocol);
        world.let_join(&mut remote);
        world.produce();
        let read = world.read(4);
        let zombie = world.write(&read);
        take_out(&world.fixture, protocol, &world.native_id(&remote));
        for _ in 0..100 {
            remote.heartbeat();
        }
        assert_eq!(remote.copy(), 8);
        assert_eq!(remote.send_offsets(), ErrorCode::None);
        let refused = zombie.send_offsets(&world.native).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::UnknownMemberId, "{protocol:?}");
        assert_eq!(zombie.commit().unwrap_err().code(), ErrorCode::UnknownMemberId);
        remote.end(true);
        world.check();
    }
}
