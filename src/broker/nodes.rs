//! The brokers that one broker is to its clients, if it is to be several: which of them are up, what each leads.
//!
//! All of them are doors to the same topics, groups and transactions, so that there is nothing to replicate: every
//! replica that is up is in sync. What is decided here is what a controller decides in Kafka: where replicas are, who
//! leads, and that nobody does where all replicas are down.

use std::collections::{BTreeSet, HashMap};

use parking_lot::RwLock;

use super::coordinator::share::SharePartitionKey;
use super::core::BrokerCore;
use super::replica::Partition;
use crate::error::{Error, Result};
use crate::model::{
    BrokerId, CONSUMER_OFFSETS_TOPIC, ErrorCode, SHARE_GROUP_STATE_TOPIC, TRANSACTION_STATE_TOPIC, Uuid,
};

/// The brokers of a cluster that is one broker in truth.
#[derive(Debug)]
pub(crate) struct Nodes {
    ids: Vec<BrokerId>,
    state: RwLock<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    down: BTreeSet<BrokerId>,
    controller: Option<BrokerId>,
    partitions: HashMap<(Uuid, i32), Assigned>,
}

#[derive(Clone, Debug)]
struct Assigned {
    replicas: Vec<BrokerId>,
    leader: Option<BrokerId>,
}

/// Where a partition is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Placement {
    /// `None` if all replicas are down.
    pub(crate) leader: Option<BrokerId>,
    pub(crate) replicas: Vec<BrokerId>,
    pub(crate) in_sync: Vec<BrokerId>,
    pub(crate) offline: Vec<BrokerId>,
}

impl Placement {
    /// That of a partition whose broker is alone.
    fn alone(node: BrokerId) -> Self {
        Placement { leader: Some(node), replicas: vec![node], in_sync: vec![node], offline: Vec::new() }
    }

    /// The same for a partition whose log cannot be used: nobody leads it.
    pub(crate) fn without_disk(self) -> Self {
        Placement { leader: None, offline: self.replicas.clone(), ..self }
    }

    /// The leader as it is told: -1 is nobody.
    pub(crate) fn leader_id(&self) -> BrokerId {
        self.leader.unwrap_or(-1)
    }
}

impl State {
    fn is_up(&self, id: BrokerId) -> bool {
        !self.down.contains(&id)
    }
}

impl Nodes {
    /// So many brokers, whose ids count from `first`. The first is the controller.
    pub(crate) fn new(first: BrokerId, count: u16) -> Self {
        let ids: Vec<_> = (first..first.saturating_add(BrokerId::from(count))).collect();
        let state = State { controller: ids.first().copied(), ..State::default() };
        Nodes { ids, state: RwLock::new(state) }
    }

    /// The same brokers with the same replicas, all of them up.
    pub(crate) fn fork(&self) -> Self {
        let forked = Nodes { ids: self.ids.clone(), state: RwLock::new(self.state.read().clone()) };
        forked.bring_up();
        forked
    }

    /// Takes over what another cluster of as many brokers is like.
    pub(crate) fn copy_from(&self, other: &Nodes) {
        let state = other.state.read().clone();
        *self.state.write() = state;
        self.bring_up();
    }

    /// As they were in the beginning.
    pub(crate) fn reset(&self) {
        *self.state.write() = State { controller: self.ids.first().copied(), ..State::default() };
    }

    /// Brings all of them up.
    pub(crate) fn bring_up(&self) {
        let mut state = self.state.write();
        state.down.clear();
        for assigned in state.partitions.values_mut() {
            assigned.leader = assigned.leader.or_else(|| assigned.replicas.first().copied());
        }
        state.controller = state.controller.or_else(|| self.ids.first().copied());
    }

    /// All of them.
    pub(crate) fn ids(&self) -> &[BrokerId] {
        &self.ids
    }

    /// Those that are up.
    pub(crate) fn up(&self) -> Vec<BrokerId> {
        let state = self.state.read();
        self.ids.iter().copied().filter(|id| state.is_up(*id)).collect()
    }

    pub(crate) fn is_up(&self, id: BrokerId) -> bool {
        self.ids.contains(&id) && self.state.read().is_up(id)
    }

    /// The controller; `None` if all brokers are down.
    pub(crate) fn controller(&self) -> Option<BrokerId> {
        self.state.read().controller
    }

    /// Where a partition is. One that nobody has placed is spread over all brokers, the next one beginning with the
    /// next broker.
    pub(crate) fn placement(&self, topic: Uuid, partition: i32, replication_factor: i16) -> Placement {
        let describe = |state: &State, assigned: &Assigned| {
            let (in_sync, offline) = assigned.replicas.iter().copied().partition(|id| state.is_up(*id));
            Placement { leader: assigned.leader, replicas: assigned.replicas.clone(), in_sync, offline }
        };
        {
            let state = self.state.read();
            if let Some(assigned) = state.partitions.get(&(topic, partition)) {
                return describe(&state, assigned);
            }
        }
        self.assign(topic, partition, self.spread(topic, partition, replication_factor));
        let state = self.state.read();
        match state.partitions.get(&(topic, partition)) {
            Some(assigned) => describe(&state, assigned),
            // It was reset just now.
            None => Placement::alone(self.ids.first().copied().unwrap_or_default()),
        }
    }

    /// The replicas of a partition that the brokers choose themselves.
    fn spread(&self, topic: Uuid, partition: i32, replication_factor: i16) -> Vec<BrokerId> {
        let count = self.ids.len();
        let start = topic.as_bytes().iter().map(|byte| usize::from(*byte)).sum::<usize>();
        let start = start.wrapping_add(usize::try_from(partition).unwrap_or(0));
        let wanted = usize::try_from(replication_factor).unwrap_or(1).clamp(1, count.max(1));
        (0..wanted).filter_map(|step| self.ids.get((start + step) % count.max(1)).copied()).collect()
    }

    /// Places a partition that is new.
    fn assign(&self, topic: Uuid, partition: i32, replicas: Vec<BrokerId>) {
        let mut state = self.state.write();
        let leader = replicas.iter().copied().find(|id| state.is_up(*id));
        state.partitions.entry((topic, partition)).or_insert(Assigned { replicas, leader });
    }

    /// Places partitions that are new: as `assignments` says, or else so often.
    pub(super) fn assign_all(
        &self,
        topic: Uuid,
        partitions: std::ops::Range<i32>,
        assignments: &[(i32, Vec<BrokerId>)],
        replication_factor: i16,
    ) {
        for partition in partitions {
            let by_hand = assignments.iter().find(|(number, _)| *number == partition);
            let chosen = || self.spread(topic, partition, replication_factor);
            self.assign(topic, partition, by_hand.map_or_else(chosen, |(_, replicas)| replicas.clone()));
        }
    }

    /// The broker after `id` among those that are up.
    pub(crate) fn next_up(&self, id: Option<BrokerId>) -> Option<BrokerId> {
        let state = self.state.read();
        let at = id.and_then(|id| self.ids.iter().position(|own| *own == id)).map_or(0, |at| at + 1);
        let ahead = self.ids.iter().cycle().skip(at).take(self.ids.len());
        ahead.copied().find(|next| state.is_up(*next))
    }

    fn ensure_up(&self, id: BrokerId) -> Result<()> {
        if self.is_up(id) {
            return Ok(());
        }
        let message = match self.ids.contains(&id) {
            true => format!("broker {id} is down"),
            false => format!("there is no broker {id}: there are {:?}", self.ids),
        };
        Err(Error::new(ErrorCode::BrokerNotAvailable, message))
    }

    fn lead(&self, topic: Uuid, partition: i32, leader: Option<BrokerId>) {
        if let Some(assigned) = self.state.write().partitions.get_mut(&(topic, partition)) {
            if let Some(id) = leader
                && !assigned.replicas.contains(&id)
            {
                // As after a reassignment: the new leader has the old one's place.
                let old = assigned.leader;
                match assigned.replicas.iter_mut().find(|replica| Some(**replica) == old) {
                    Some(place) => *place = id,
                    None => assigned.replicas.push(id),
                }
            }
            assigned.leader = leader;
        }
    }
}

impl BrokerCore {
    /// The brokers that clients see, if they are to see several.
    pub(crate) fn nodes(&self) -> Option<&Nodes> {
        self.nodes.get().map(|nodes| &**nodes)
    }

    /// Where a partition is.
    pub(crate) fn placement(&self, partition: &Partition) -> Placement {
        let placement = match self.nodes() {
            None => Placement::alone(self.node_id),
            Some(nodes) => {
                let factor = self.default_replication_factor(partition.tp().topic());
                nodes.placement(partition.topic_id(), partition.tp().partition(), factor)
            }
        };
        match partition.existing_log().is_none_or(|log| log.is_online()) {
            true => placement,
            false => placement.without_disk(),
        }
    }

    /// The brokers that can have replicas of new partitions.
    pub(super) fn brokers_up(&self) -> Vec<BrokerId> {
        self.nodes().map_or_else(|| vec![self.node_id], Nodes::up)
    }

    /// How many replicas a partition has if nobody says.
    pub(super) fn default_replication_factor(&self, topic: &str) -> i16 {
        let Some(nodes) = self.nodes() else { return 1 };
        let config = self.config();
        let wanted = match topic {
            CONSUMER_OFFSETS_TOPIC => config.offsets_topic_replication_factor,
            TRANSACTION_STATE_TOPIC => config.transaction_state_log_replication_factor,
            _ => i16::try_from(config.default_replication_factor).unwrap_or(i16::MAX),
        };
        // Where a cluster is smaller than its settings want, an internal topic would never be made.
        wanted.min(i16::try_from(nodes.ids().len()).unwrap_or(i16::MAX))
    }

    /// Which broker coordinates the group, if any does.
    pub(crate) fn group_coordinator(&self, group_id: &str) -> Option<BrokerId> {
        self.coordinator(CONSUMER_OFFSETS_TOPIC, self.groups.partition_for(group_id))
    }

    /// Which broker coordinates the transactional id, if any does.
    pub(crate) fn transaction_coordinator(&self, transactional_id: &str) -> Option<BrokerId> {
        self.coordinator(TRANSACTION_STATE_TOPIC, self.transactions.partition_for(transactional_id))
    }

    /// Which broker keeps the state of a share group's partition, if any does.
    pub(crate) fn share_state_coordinator(&self, key: &str) -> Option<BrokerId> {
        match SharePartitionKey::parse(key) {
            Some(key) => self.coordinator_of_share_state(&key),
            None => self.coordinator(SHARE_GROUP_STATE_TOPIC, None),
        }
    }

    /// The same, by the key itself.
    pub(crate) fn coordinator_of_share_state(&self, key: &SharePartitionKey) -> Option<BrokerId> {
        self.coordinator(SHARE_GROUP_STATE_TOPIC, self.share_coordinator.partition_for(key))
    }

    /// A coordinator is the leader of a partition of its topic. Before there is one, any broker may be asked.
    fn coordinator(&self, topic: &str, partition: Option<i32>) -> Option<BrokerId> {
        let Some(partition) = partition.and_then(|number| self.metadata.partition(topic, number)) else {
            return Some(self.node_id);
        };
        self.placement(&partition).leader
    }

    fn several_nodes(&self) -> Result<&Nodes> {
        let message =
            "this broker is the only one: start it with several nodes(), or `ottla test` with --nodes";
        self.nodes().ok_or_else(|| Error::new(ErrorCode::InvalidRequest, message))
    }

    /// Has another broker lead a partition, as after an election: the one named, or the next one that is up. Returns
    /// which it is.
    pub(crate) fn move_leader(&self, topic: &str, partition: i32, to: Option<BrokerId>) -> Result<BrokerId> {
        let nodes = self.several_nodes()?;
        let found = self.partition(topic, partition).map_err(Error::from)?;
        let now = self.placement(&found);
        let to = match to {
            Some(to) => to,
            None => self.successor(nodes, &now)?,
        };
        nodes.ensure_up(to)?;
        if now.leader != Some(to) {
            self.elect(nodes, &found, Some(to));
        }
        Ok(to)
    }

    /// The next replica that is up, or else the next broker.
    fn successor(&self, nodes: &Nodes, now: &Placement) -> Result<BrokerId> {
        let after = now.in_sync.iter().position(|id| Some(*id) == now.leader).map_or(0, |at| at + 1);
        let others = now.in_sync.iter().cycle().skip(after).take(now.in_sync.len());
        let replica = others.copied().find(|id| Some(*id) != now.leader);
        replica
            .or_else(|| nodes.next_up(now.leader))
            .ok_or_else(|| Error::new(ErrorCode::BrokerNotAvailable, "all brokers are down"))
    }

    /// Has another broker coordinate a group, and all that are kept in the same partition of `__consumer_offsets`.
    pub(crate) fn move_group_coordinator(&self, group_id: &str, to: Option<BrokerId>) -> Result<BrokerId> {
        self.several_nodes()?;
        self.ensure_offsets_topic()?;
        let partition = self.groups.partition_for(group_id).unwrap_or(0);
        self.move_leader(CONSUMER_OFFSETS_TOPIC, partition, to)
    }

    /// The same for a transactional id and `__transaction_state`.
    pub(crate) fn move_transaction_coordinator(&self, id: &str, to: Option<BrokerId>) -> Result<BrokerId> {
        self.several_nodes()?;
        self.ensure_transaction_topic()?;
        let partition = self.transactions.partition_for(id).unwrap_or(0);
        self.move_leader(TRANSACTION_STATE_TOPIC, partition, to)
    }

    /// Has another broker be the controller: the one named, or the next one that is up.
    pub(crate) fn move_controller(&self, to: Option<BrokerId>) -> Result<BrokerId> {
        let nodes = self.several_nodes()?;
        let to = to.or_else(|| nodes.next_up(nodes.controller()));
        let to = to.ok_or_else(|| Error::new(ErrorCode::BrokerNotAvailable, "all brokers are down"))?;
        nodes.ensure_up(to)?;
        nodes.state.write().controller = Some(to);
        Ok(to)
    }

    /// A broker is gone: others lead what it has led, where they have replicas, and one of them is the controller.
    pub(crate) fn node_down(&self, id: BrokerId) -> Result<()> {
        let nodes = self.several_nodes()?;
        nodes.ensure_up(id)?;
        // Where each partition is has to be known before the broker is gone.
        self.for_each_partition(|partition| drop(self.placement(partition)));
        nodes.state.write().down.insert(id);
        if nodes.controller() == Some(id) {
            let next = nodes.next_up(Some(id));
            nodes.state.write().controller = next;
        }
        self.for_each_partition(|partition| {
            let now = self.placement(partition);
            if now.leader == Some(id) {
                self.elect(nodes, partition, now.in_sync.first().copied());
            }
        });
        Ok(())
    }

    /// A broker is there again. It leads what nobody could lead without it, and nothing else.
    pub(crate) fn node_up(&self, id: BrokerId) -> Result<()> {
        let nodes = self.several_nodes()?;
        if !nodes.ids.contains(&id) {
            return nodes.ensure_up(id);
        }
        let was_down = nodes.state.write().down.remove(&id);
        if !was_down {
            return Ok(());
        }
        nodes.state.write().controller.get_or_insert(id);
        self.for_each_partition(|partition| {
            let now = self.placement(partition);
            if now.leader.is_none() && now.in_sync.contains(&id) {
                self.elect(nodes, partition, Some(id));
            }
        });
        Ok(())
    }

    fn for_each_partition(&self, mut act: impl FnMut(&Partition)) {
        for topic in self.metadata.topics() {
            topic.partitions().iter().for_each(|partition| act(partition));
        }
    }

    /// Makes a broker the leader in a new epoch, or says that nobody is. Who waits at the old one is told.
    fn elect(&self, nodes: &Nodes, partition: &Partition, leader: Option<BrokerId>) {
        nodes.lead(partition.topic_id(), partition.tp().partition(), leader);
        partition.begin_leader_epoch();
        let number = partition.tp().partition();
        // What was acquired at the old leader is available at the new one.
        self.share_groups.on_leader_changed(partition.topic_id(), number);
        let failed = |error: ErrorCode| {
            tracing::error!(partition = %partition.tp(), %error, "its coordinator cannot take it over");
        };
        match partition.tp().topic() {
            CONSUMER_OFFSETS_TOPIC => {
                self.groups.unload_partition(number);
                if leader.is_some() {
                    self.groups.load_partition(number).unwrap_or_else(failed);
                }
            }
            TRANSACTION_STATE_TOPIC => {
                self.transactions.unload_partition(number);
                if leader.is_some() {
                    self.transactions.load_partition(number).unwrap_or_else(failed);
                }
            }
            _ => {}
        }
    }
}
