use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::group_offsets::GroupOffsets;
use super::group_state::{GroupState, GroupType};
use super::join::{JoinCallback, JoinGroupMember, JoinGroupProtocol, JoinGroupResult};
use super::member::Member;
use super::members::Members;
use super::modern::{ConsumerGroup, ModernGroupState, ShareGroup};
use super::record::subscribed_topics;
use crate::broker::purgatory::TimerHandle;
use crate::model::{ErrorCode, Timestamp};

/// The protocol type of consumers, whose subscriptions the broker can read.
pub(in crate::broker::coordinator::group) const CONSUMER_PROTOCOL_TYPE: &str = "consumer";

/// The protocol type of share groups.
const SHARE_PROTOCOL_TYPE: &str = "share";

/// How long the joins of a rebalance are waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct JoinDeadline {
    pub(super) at: Duration,
    /// Set while the first members of an empty group gather: nothing but time ends this wait.
    pub(super) initial: Option<InitialDelay>,
}

/// The wait for the first members (Kafka: `InitialDelayedJoin`).
#[derive(Clone, Copy, Debug)]
pub(super) struct InitialDelay {
    pub(super) delay: Duration,
    pub(super) remaining: Duration,
}

/// Everything known of one group (Kafka: `GroupMetadata`). Changes by its own rules only; when, and what to
/// tell whom, is decided by [`GroupTurn`](super::turn::GroupTurn).
#[derive(Debug)]
pub(super) struct GroupMetadata {
    state: GroupState,
    /// When the state was entered; unknown for groups from records of the oldest versions.
    pub(super) state_timestamp: Option<Timestamp>,
    pub(super) generation_id: i32,
    pub(super) protocol_type: Option<Arc<str>>,
    pub(super) protocol_name: Option<Arc<str>>,
    pub(super) leader_id: Option<Arc<str>>,
    members: Members,
    /// From instance id to member id.
    static_members: HashMap<Arc<str>, Arc<str>>,
    /// Ids handed out with MEMBER_ID_REQUIRED, and until when they may be used.
    pub(super) pending_members: BTreeMap<Arc<str>, Duration>,
    /// How many members know a protocol.
    supported_protocols: HashMap<Arc<str>, usize>,
    members_awaiting_join: usize,
    /// Members of this generation that have not asked for their assignment.
    pub(super) pending_sync: BTreeSet<Arc<str>>,
    /// A first member was not the only one: the initial wait goes on.
    pub(super) new_member_added: bool,
    /// What the members of a consumer group read; `None` if that cannot be known.
    subscribed_topics: Option<BTreeSet<Arc<str>>>,
    pub(super) rebalance_reason: Option<String>,
    pub(super) join_deadline: Option<JoinDeadline>,
    pub(super) sync_deadline: Option<Duration>,
    /// The group's one entry in the timer, and when it is due.
    pub(super) armed: Option<(Duration, TimerHandle)>,
    pub(super) offsets: GroupOffsets,
    /// The members, if the broker assigns partitions to them. What there is of a classic group is blank then.
    consumer: Option<Box<ConsumerGroup>>,
    /// The same, if they share them.
    share: Option<Box<ShareGroup>>,
}

impl GroupMetadata {
    pub(super) fn new(now_ms: Timestamp) -> Self {
        GroupMetadata {
            state: GroupState::Empty,
            state_timestamp: Some(now_ms),
            generation_id: 0,
            protocol_type: None,
            protocol_name: None,
            leader_id: None,
            members: Members::default(),
            static_members: HashMap::new(),
            pending_members: BTreeMap::new(),
            supported_protocols: HashMap::new(),
            members_awaiting_join: 0,
            pending_sync: BTreeSet::new(),
            new_member_added: false,
            subscribed_topics: None,
            rebalance_reason: None,
            join_deadline: None,
            sync_deadline: None,
            armed: None,
            offsets: GroupOffsets::default(),
            consumer: None,
            share: None,
        }
    }

    /// A group as a record of the log has it: stable if it has members.
    pub(super) fn load(loaded: LoadedGroup, members: Vec<Member>) -> Self {
        let state = if members.is_empty() { GroupState::Empty } else { GroupState::Stable };
        let mut group = GroupMetadata {
            state,
            state_timestamp: loaded.state_timestamp,
            generation_id: loaded.generation_id,
            protocol_type: Some(loaded.protocol_type).filter(|name| !name.is_empty()),
            protocol_name: loaded.protocol_name,
            ..GroupMetadata::new(0)
        };
        for member in members {
            group.insert(member);
        }
        if let Some(leader) = loaded.leader_id.filter(|id| group.has(id)) {
            group.leader_id = Some(leader);
        }
        group.refresh_subscribed_topics();
        group
    }

    /// The group of the consumer protocol that this one is, if it is one.
    pub(super) fn consumer(&self) -> Option<&ConsumerGroup> {
        self.consumer.as_deref()
    }

    pub(super) fn consumer_mut(&mut self) -> Option<&mut ConsumerGroup> {
        self.consumer.as_deref_mut()
    }

    /// The share group that this one is, if it is one.
    pub(super) fn share(&self) -> Option<&ShareGroup> {
        self.share.as_deref()
    }

    pub(super) fn share_mut(&mut self) -> Option<&mut ShareGroup> {
        self.share.as_deref_mut()
    }

    /// A group that was nothing yet is a share group from now on.
    pub(super) fn become_share(&mut self, group: ShareGroup, now_ms: Timestamp) {
        let armed = self.armed.take();
        *self = GroupMetadata { armed, share: Some(Box::new(group)), ..GroupMetadata::new(now_ms) };
    }

    /// From now on the broker assigns partitions. What waits of a classic group must have been answered.
    pub(super) fn become_consumer(&mut self, group: ConsumerGroup, now_ms: Timestamp) {
        let blank = GroupMetadata::new(now_ms);
        let classic = std::mem::replace(self, blank);
        self.offsets = classic.offsets;
        self.armed = classic.armed;
        self.consumer = Some(Box::new(group));
    }

    /// Members join and sync again, if there are any.
    pub(super) fn become_classic(&mut self, classic: GroupMetadata) {
        let consumer = std::mem::replace(self, classic);
        self.offsets = consumer.offsets;
        self.armed = consumer.armed;
    }

    pub(super) fn group_type(&self) -> GroupType {
        match (&self.consumer, &self.share) {
            (Some(_), _) => GroupType::Consumer,
            (None, Some(_)) => GroupType::Share,
            (None, None) => GroupType::Classic,
        }
    }

    /// The state of a group of any type.
    pub(super) fn any_state(&self) -> GroupState {
        if let Some(share) = self.share.as_deref().filter(|_| self.state != GroupState::Dead) {
            return share.state();
        }
        match &self.consumer {
            Some(consumer) if self.state != GroupState::Dead => match consumer.modern.state() {
                ModernGroupState::Empty => GroupState::Empty,
                ModernGroupState::Assigning => GroupState::Assigning,
                ModernGroupState::Reconciling => GroupState::Reconciling,
                ModernGroupState::Stable => GroupState::Stable,
            },
            Some(_) | None => self.state,
        }
    }

    pub(super) fn any_protocol_type(&self) -> Arc<str> {
        match self.group_type() {
            GroupType::Consumer => Arc::from(CONSUMER_PROTOCOL_TYPE),
            GroupType::Share => Arc::from(SHARE_PROTOCOL_TYPE),
            GroupType::Classic => self.protocol_type.clone().unwrap_or_default(),
        }
    }

    /// The state of a classic group; one without members also for one that is not classic.
    pub(super) fn state(&self) -> GroupState {
        self.state
    }

    pub(super) fn is(&self, state: GroupState) -> bool {
        self.state == state
    }

    pub(super) fn transition_to(&mut self, next: GroupState, now_ms: Timestamp) {
        debug_assert!(self.state.may_become(next), "a group never goes from {} to {next}", self.state);
        self.state = next;
        self.state_timestamp = Some(now_ms);
    }

    pub(super) fn can_rebalance(&self) -> bool {
        self.state.may_become(GroupState::PreparingRebalance)
    }

    pub(super) fn members(&self) -> &Members {
        &self.members
    }

    pub(super) fn has(&self, member_id: &str) -> bool {
        self.members.contains(member_id)
    }

    /// A member, to change what no rule of the group depends on.
    pub(super) fn member_mut(&mut self, member_id: &str) -> Option<&mut Member> {
        self.members.get_mut(member_id)
    }

    pub(super) fn members_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        self.members.iter_mut()
    }

    pub(super) fn is_leader(&self, member_id: &str) -> bool {
        self.leader_id.as_deref() == Some(member_id)
    }

    pub(super) fn static_member_id(&self, instance_id: &str) -> Option<&Arc<str>> {
        self.static_members.get(instance_id)
    }

    pub(super) fn static_members_count(&self) -> usize {
        self.static_members.len()
    }

    pub(super) fn members_awaiting_join(&self) -> usize {
        self.members_awaiting_join
    }

    pub(super) fn have_all_members_joined(&self) -> bool {
        self.members_awaiting_join == self.members.len() && self.pending_members.is_empty()
    }

    /// The largest of the members' rebalance timeouts.
    pub(super) fn rebalance_timeout(&self) -> Duration {
        self.members.iter().map(Member::rebalance_timeout).max().unwrap_or_default()
    }

    /// Adds a member. The first one decides the protocol type, and leads.
    pub(super) fn insert(&mut self, member: Member) {
        if let Some(instance_id) = &member.group_instance_id {
            self.static_members.insert(Arc::clone(instance_id), Arc::clone(&member.id));
        }
        self.leader_id.get_or_insert_with(|| Arc::clone(&member.id));
        self.members_awaiting_join += usize::from(member.awaiting_join.is_some());
        self.pending_members.remove(&member.id);
        self.count_protocols(member.protocols(), true);
        self.members.insert(member);
    }

    /// Removes a member, or an id that was only handed out. The oldest of the others leads, if it led.
    pub(super) fn remove(&mut self, member_id: &str) -> Option<Member> {
        self.pending_members.remove(member_id);
        self.pending_sync.remove(member_id);
        let member = self.members.remove(member_id)?;
        self.members_awaiting_join -= usize::from(member.awaiting_join.is_some());
        self.count_protocols(member.protocols(), false);
        if let Some(instance_id) = &member.group_instance_id {
            self.static_members.remove(instance_id);
        }
        if self.is_leader(member_id) {
            self.leader_id = self.members.iter().next().map(|member| Arc::clone(&member.id));
        }
        Some(member)
    }

    /// Gives a static member a new id; everything else of it stays.
    pub(super) fn replace_static_member(&mut self, instance_id: &str, old_id: &str, new_id: &Arc<str>) {
        if self.members.rename(old_id, new_id).is_none() {
            return;
        }
        if self.is_leader(old_id) {
            self.leader_id = Some(Arc::clone(new_id));
        }
        if self.pending_sync.remove(old_id) {
            self.pending_sync.insert(Arc::clone(new_id));
        }
        if let Some(member_id) = self.static_members.get_mut(instance_id) {
            *member_id = Arc::clone(new_id);
        }
    }

    /// Takes over what a member says when it joins again; returns what it said before.
    pub(super) fn update_member(&mut self, member_id: &str, update: MemberUpdate) -> Option<MemberUpdate> {
        if !self.has(member_id) {
            return None;
        }
        self.count_protocols(&update.protocols, true);
        let member = self.members.get_mut(member_id)?;
        let before = MemberUpdate {
            session_timeout_ms: std::mem::replace(&mut member.session_timeout_ms, update.session_timeout_ms),
            rebalance_timeout_ms: std::mem::replace(
                &mut member.rebalance_timeout_ms,
                update.rebalance_timeout_ms,
            ),
            protocols: member.set_protocols(update.protocols),
        };
        self.count_protocols(&before.protocols, false);
        Some(before)
    }

    fn count_protocols(&mut self, protocols: &[JoinGroupProtocol], add: bool) {
        for protocol in protocols {
            let count = self.supported_protocols.entry(Arc::clone(&protocol.name)).or_default();
            *count = if add { *count + 1 } else { count.saturating_sub(1) };
            if *count == 0 {
                self.supported_protocols.remove(&protocol.name);
            }
        }
    }

    /// Parks a member's join; returns the one that was parked before.
    pub(super) fn park_join(&mut self, member_id: &str, callback: JoinCallback) -> Option<JoinCallback> {
        let member = self.members.get_mut(member_id)?;
        let replaced = member.awaiting_join.replace(callback);
        self.members_awaiting_join += usize::from(replaced.is_none());
        replaced
    }

    /// Takes out a member's parked join, to be answered.
    pub(super) fn take_join(&mut self, member_id: &str) -> Option<JoinCallback> {
        let callback = self.members.get_mut(member_id)?.awaiting_join.take()?;
        self.members_awaiting_join -= 1;
        Some(callback)
    }

    /// Whether a member with these protocols may join.
    pub(super) fn supports_protocols(&self, protocol_type: &str, protocols: &[JoinGroupProtocol]) -> bool {
        if self.is(GroupState::Empty) {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        let known_by_all =
            |name: &Arc<str>| self.supported_protocols.get(name).copied().unwrap_or(0) == self.members.len();
        self.protocol_type.as_deref() == Some(protocol_type)
            && protocols.iter().any(|protocol| known_by_all(&protocol.name))
    }

    /// The protocol that most members prefer among those that all know; of two with as many votes, the one
    /// that was named first. `None` if the group has no members.
    pub(super) fn select_protocol(&self) -> Option<Arc<str>> {
        let known_by_all = self.supported_protocols.iter().filter(|(_, count)| **count == self.members.len());
        let candidates: HashSet<_> = known_by_all.map(|(name, _)| Arc::clone(name)).collect();
        let mut votes: Vec<(Arc<str>, usize)> = Vec::new();
        for vote in self.members.iter().filter_map(|member| member.vote(&candidates)) {
            match votes.iter_mut().find(|(name, _)| *name == vote) {
                Some((_, count)) => *count += 1,
                None => votes.push((vote, 1)),
            }
        }
        votes.into_iter().rev().max_by_key(|(_, count)| *count).map(|(name, _)| name)
    }

    /// Whether the leader, or another member in its place, has joined; `false` if nobody has.
    pub(super) fn elect_joined_leader(&mut self) -> bool {
        let has_joined = |member: &Member| member.awaiting_join.is_some();
        let leader = self.leader_id.as_deref().and_then(|id| self.members.get(id));
        if leader.is_some_and(has_joined) {
            return true;
        }
        let Some(joined) = self.members.iter().find(|member| has_joined(member)) else { return false };
        self.leader_id = Some(Arc::clone(&joined.id));
        true
    }

    /// Starts the next generation: empty, or completing with the protocol that the members voted for.
    pub(super) fn init_next_generation(&mut self, now_ms: Timestamp) {
        // A negative generation means "not a member" and 0 "never rebalanced": after the last comes the first.
        self.generation_id = self.generation_id.checked_add(1).unwrap_or(1);
        self.protocol_name = self.select_protocol();
        self.refresh_subscribed_topics();
        self.pending_sync.clear();
        self.new_member_added = false;
        let next = if self.members.is_empty() { GroupState::Empty } else { GroupState::CompletingRebalance };
        self.transition_to(next, now_ms);
    }

    /// Looks again at what the members read, after one of them has changed.
    pub(super) fn refresh_subscribed_topics(&mut self) {
        self.subscribed_topics = self.compute_subscribed_topics();
    }

    /// What the members of a consumer group read. `None` for other groups, and if a subscription cannot be
    /// read.
    fn compute_subscribed_topics(&self) -> Option<BTreeSet<Arc<str>>> {
        if self.protocol_type.as_deref() != Some(CONSUMER_PROTOCOL_TYPE) {
            return None;
        }
        if self.members.is_empty() {
            return Some(BTreeSet::new());
        }
        let protocol_name = self.protocol_name.as_deref()?;
        let mut topics = BTreeSet::new();
        for member in self.members.iter() {
            topics.extend(subscribed_topics(&member.metadata(protocol_name)).ok()?);
        }
        Some(topics)
    }

    pub(super) fn knows_subscribed_topics(&self) -> bool {
        self.subscribed_topics.is_some()
    }

    /// Whether members may be reading the topic: also if that cannot be known.
    pub(super) fn is_subscribed_to(&self, topic: &str) -> bool {
        self.subscribed_topics.as_ref().is_none_or(|topics| topics.contains(topic))
    }

    /// The answer to a join of this generation; the leader's names all members.
    pub(super) fn join_result(&self, member_id: &Arc<str>) -> JoinGroupResult {
        JoinGroupResult {
            error: ErrorCode::None,
            members: if self.is_leader(member_id) { self.joined_members() } else { Vec::new() },
            member_id: Arc::clone(member_id),
            generation_id: self.generation_id,
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol_name.clone(),
            leader_id: self.leader_id.clone().unwrap_or_default(),
            skip_assignment: false,
        }
    }

    fn joined_members(&self) -> Vec<JoinGroupMember> {
        let protocol_name = self.protocol_name.as_deref().unwrap_or_default();
        let member = |member: &Member| JoinGroupMember {
            member_id: Arc::clone(&member.id),
            group_instance_id: member.group_instance_id.clone(),
            metadata: member.metadata(protocol_name),
        };
        self.members.iter().map(member).collect()
    }
}

/// What a member may change about itself by joining again.
#[derive(Debug)]
pub(super) struct MemberUpdate {
    pub(super) session_timeout_ms: i32,
    pub(super) rebalance_timeout_ms: i32,
    pub(super) protocols: Vec<JoinGroupProtocol>,
}

/// The part of a group's record that is not about its members.
#[derive(Debug)]
pub(super) struct LoadedGroup {
    pub(super) protocol_type: Arc<str>,
    pub(super) generation_id: i32,
    pub(super) protocol_name: Option<Arc<str>>,
    pub(super) leader_id: Option<Arc<str>>,
    pub(super) state_timestamp: Option<Timestamp>,
}
