use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use parking_lot::Mutex;

use super::persister::MemoryPersister;
use super::topics::MemoryTopics;
use crate::broker::coordinator::group::*;
use crate::broker::coordinator::{CoordinatorLog, MemoryLog};
use crate::broker::purgatory::Timer;
use crate::config::BrokerConfig;
use crate::model::{ErrorCode, NO_LEADER_EPOCH, TopicPartition};
use crate::sys::{Env, ManualClock, SeededRng};

pub(super) const GROUP: &str = "readers";
pub(super) const START_MS: i64 = 1_700_000_000_000;
pub(super) const SESSION_MS: i32 = 10_000;
pub(super) const REBALANCE_MS: i32 = 60_000;
pub(super) const DELAY_MS: i32 = 3_000;

/// What a callback was told; a second call is a bug.
pub(super) struct Answer<T>(Arc<Mutex<Option<T>>>);

impl<T: Send + 'static> Answer<T> {
    pub(super) fn new() -> (Self, Box<dyn FnOnce(T) + Send>) {
        let slot = Arc::new(Mutex::new(None));
        let answer = Answer(Arc::clone(&slot));
        (answer, Box::new(move |value| assert!(slot.lock().replace(value).is_none())))
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.0.lock().is_none() && Arc::strong_count(&self.0) > 1
    }

    /// The answer, which must have come.
    #[track_caller]
    pub(super) fn get(self) -> T {
        self.0.lock().take().expect("the request was answered")
    }

    /// The answer if it came.
    pub(super) fn poll(&self) -> Option<T> {
        self.0.lock().take()
    }
}

/// A coordinator in a world that stands still.
pub(super) struct Fixture {
    pub(super) clock: Arc<ManualClock>,
    pub(super) timer: Arc<Timer>,
    pub(super) log: Arc<MemoryLog>,
    pub(super) topics: Arc<MemoryTopics>,
    pub(super) persister: Arc<MemoryPersister>,
    pub(super) config: GroupConfig,
    pub(super) env: Env,
    pub(super) coordinator: Arc<GroupCoordinator>,
}

impl Fixture {
    pub(super) fn new() -> Self {
        Self::with_config(|_| {})
    }

    /// The same without the wait for first members.
    pub(super) fn without_delay() -> Self {
        Self::with_config(|config| config.group_initial_rebalance_delay_ms = 0)
    }

    pub(super) fn with_config(change: impl FnOnce(&mut GroupConfig)) -> Self {
        let mut config = GroupConfig::from(&BrokerConfig::default());
        change(&mut config);
        let clock = Arc::new(ManualClock::new(START_MS));
        let mut env = Env::system();
        env.clock = clock.clone();
        env.rng = Arc::new(SeededRng::new(7));
        let timer = Timer::new(clock.clone());
        let log = Arc::new(MemoryLog::new(5));
        let topics = Arc::new(MemoryTopics::default());
        let persister = Arc::new(MemoryPersister::default());
        let coordinator = GroupCoordinator::new(
            &env,
            config.clone(),
            Arc::clone(&timer),
            log.clone(),
            topics.clone(),
            persister.clone(),
        );
        coordinator.load_all().unwrap();
        Fixture { clock, timer, log, topics, persister, config, env, coordinator }
    }

    /// A coordinator in the same world, with this log.
    pub(super) fn new_coordinator(&self, log: Arc<dyn CoordinatorLog>) -> Arc<GroupCoordinator> {
        let (config, timer) = (self.config.clone(), Arc::clone(&self.timer));
        GroupCoordinator::new(&self.env, config, timer, log, self.topics.clone(), self.persister.clone())
    }

    /// Another coordinator takes over, from the log alone.
    pub(super) fn fail_over(&mut self) {
        self.coordinator.shutdown();
        self.coordinator = self.new_coordinator(self.log.clone());
        self.coordinator.load_all().unwrap();
    }

    pub(super) fn advance_ms(&self, ms: i32) {
        self.clock.advance(Duration::from_millis(u64::try_from(ms).unwrap()));
        self.timer.run_due();
    }

    /// Lets the wait for first members end, which may have been prolonged for the sake of some.
    pub(super) fn end_initial_delay(&self) {
        self.advance_ms(self.config.group_initial_rebalance_delay_ms);
        self.advance_ms(self.config.group_initial_rebalance_delay_ms);
    }

    pub(super) fn join(&self, params: JoinGroupParams<'_>) -> Answer<JoinGroupResult> {
        let (answer, callback) = Answer::new();
        self.coordinator.join_group(params, callback);
        answer
    }

    pub(super) fn sync(&self, params: SyncGroupParams<'_>) -> Answer<SyncGroupResult> {
        let (answer, callback) = Answer::new();
        self.coordinator.sync_group(params, callback);
        answer
    }

    /// Joins as the member that got `joined`, with nothing changed.
    pub(super) fn rejoin(&self, joined: &JoinGroupResult) -> Answer<JoinGroupResult> {
        self.join(JoinGroupParams { member_id: &joined.member_id, ..consumer() })
    }

    /// Syncs as the member that got `joined`; the leader gives every member its own id for an assignment.
    pub(super) fn sync_as(&self, joined: &JoinGroupResult) -> Answer<SyncGroupResult> {
        let assign = |member: &'_ JoinGroupMember| Bytes::copy_from_slice(member.member_id.as_bytes());
        let assignments = joined.members.iter().map(|member| (&*member.member_id, assign(member))).collect();
        self.sync(SyncGroupParams { assignments, ..sync_of(joined) })
    }

    pub(super) fn heartbeat_as(&self, joined: &JoinGroupResult) -> ErrorCode {
        self.coordinator.heartbeat(HeartbeatParams {
            group_id: GROUP,
            member_id: &joined.member_id,
            group_instance_id: None,
            generation_id: joined.generation_id,
        })
    }

    pub(super) fn leave_as(&self, joined: &JoinGroupResult) -> LeaveGroupResult {
        let leaving = LeavingMember { member_id: &joined.member_id, ..LeavingMember::default() };
        self.coordinator.leave_group(GROUP, &[leaving])
    }

    pub(super) fn state(&self) -> GroupState {
        self.coordinator.describe_group(GROUP).map_or(GroupState::Dead, |group| group.state)
    }

    /// A stable group of `count` dynamic members; the leader comes first.
    pub(super) fn stable_group(&self, count: usize) -> Vec<JoinGroupResult> {
        self.stable_group_of(vec![consumer(); count])
    }

    pub(super) fn stable_group_of(&self, members: Vec<JoinGroupParams<'_>>) -> Vec<JoinGroupResult> {
        let delay_ms = self.config.group_initial_rebalance_delay_ms;
        let mut joining: Vec<_> = Vec::new();
        let mut joined: Vec<JoinGroupResult> = Vec::new();
        for params in members {
            joining.push(self.join(params));
        }
        if delay_ms > 0 {
            self.end_initial_delay();
        } else {
            // The first was alone for a generation.
            let first = joining.remove(0).get();
            joining.insert(0, self.rejoin(&first));
        }
        joined.extend(joining.into_iter().map(Answer::get));
        let syncs: Vec<_> = joined.iter().rev().map(|member| self.sync_as(member)).collect();
        for sync in syncs {
            assert_eq!(sync.get().error, ErrorCode::None);
        }
        assert_eq!(self.state(), GroupState::Stable);
        joined
    }

    /// Commits one offset of `topic-0`.
    pub(super) fn commit(&self, joined: Option<&JoinGroupResult>, topic: &str, offset: i64) -> ErrorCode {
        let params = CommitOffsetsParams {
            group_id: GROUP,
            member_id: joined.map_or("", |member| &*member.member_id),
            generation_id: joined.map_or(-1, |member| member.generation_id),
            offsets: vec![offset_of(topic, offset)],
            ..CommitOffsetsParams::default()
        };
        self.coordinator.commit_offsets(params)[0]
    }

    /// The committed offset of `topic-0`, -1 for none.
    pub(super) fn committed(&self, topic: &str) -> i64 {
        let partitions = [TopicPartition::new(topic, 0)];
        let fetched = self.coordinator.fetch_offsets(GROUP, Some(&partitions), false).unwrap();
        assert_eq!(fetched[0].error, ErrorCode::None);
        fetched[0].offset
    }

    /// The partition that `GROUP` is kept in.
    pub(super) fn partition(&self) -> i32 {
        self.coordinator.partition_for(GROUP).unwrap()
    }
}

/// A consumer of the topic "events", the way clients from 2.3 on join.
pub(super) fn consumer() -> JoinGroupParams<'static> {
    JoinGroupParams {
        group_id: GROUP,
        client_id: "app",
        client_host: "/127.0.0.1",
        rebalance_timeout_ms: REBALANCE_MS,
        session_timeout_ms: SESSION_MS,
        protocol_type: "consumer",
        protocols: vec![protocol("range", subscription(&["events"]))],
        ..JoinGroupParams::default()
    }
}

pub(super) fn static_consumer(instance_id: &str) -> JoinGroupParams<'_> {
    JoinGroupParams { group_instance_id: Some(instance_id), ..consumer() }
}

pub(super) fn protocol(name: &str, metadata: Bytes) -> JoinGroupProtocol {
    JoinGroupProtocol { name: Arc::from(name), metadata }
}

/// A consumer's subscription as version 1 of its protocol writes it.
pub(super) fn subscription(topics: &[&str]) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(1);
    bytes.put_i32(i32::try_from(topics.len()).unwrap());
    for topic in topics {
        bytes.put_i16(i16::try_from(topic.len()).unwrap());
        bytes.put_slice(topic.as_bytes());
    }
    // No user data, no owned partitions.
    bytes.put_i32(-1);
    bytes.put_i32(0);
    bytes.freeze()
}

pub(super) fn sync_of(joined: &JoinGroupResult) -> SyncGroupParams<'_> {
    SyncGroupParams {
        group_id: GROUP,
        generation_id: joined.generation_id,
        member_id: &joined.member_id,
        ..SyncGroupParams::default()
    }
}

pub(super) fn offset_of(topic: &str, offset: i64) -> OffsetCommit<'static> {
    OffsetCommit {
        topic_partition: TopicPartition::new(topic, 0),
        offset,
        leader_epoch: NO_LEADER_EPOCH,
        metadata: "",
        commit_timestamp: None,
    }
}
