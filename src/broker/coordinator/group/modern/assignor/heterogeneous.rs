//! Kafka: `UniformHeterogeneousAssignmentBuilder`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::GroupSpec;
use crate::broker::coordinator::group::modern::assignment::Partitions;
use crate::model::Uuid;

/// How often the topics are gone through until no partition moves; a bound that is hardly ever met.
const MAX_ROUNDS: usize = 16;

pub(super) fn assign<'a>(spec: &GroupSpec<'a>) -> BTreeMap<&'a str, Partitions> {
    let mut builder = Builder::new(spec);
    if builder.topics.is_empty() {
        return BTreeMap::new();
    }
    builder.keep_assigned();
    builder.assign_remaining();
    builder.balance();
    builder.build()
}

struct Topic {
    /// The indexes of the members that read it.
    subscribers: Vec<usize>,
    /// Whose each partition is.
    owners: Vec<Option<usize>>,
}

struct Builder<'s, 'a> {
    spec: &'s GroupSpec<'a>,
    topics: BTreeMap<Uuid, Topic>,
    /// How many partitions each member has.
    sizes: Vec<usize>,
}

impl<'s, 'a> Builder<'s, 'a> {
    fn new(spec: &'s GroupSpec<'a>) -> Self {
        let mut topics: BTreeMap<Uuid, Topic> = BTreeMap::new();
        for (index, member) in spec.members.iter().enumerate() {
            for id in &member.topics {
                let topic = topics.entry(*id).or_insert_with(|| Topic {
                    subscribers: Vec::new(),
                    owners: vec![None; usize::try_from(spec.num_partitions(*id)).unwrap_or(0)],
                });
                topic.subscribers.push(index);
            }
        }
        Builder { spec, topics, sizes: vec![0; spec.members.len()] }
    }

    fn keep_assigned(&mut self) {
        for (index, member) in self.spec.members.iter().enumerate() {
            for (id, partitions) in member.assignment {
                let Some(topic) = self.topics.get_mut(id).filter(|topic| topic.subscribers.contains(&index))
                else {
                    continue;
                };
                for partition in partitions {
                    let slot = usize::try_from(*partition).ok().and_then(|at| topic.owners.get_mut(at));
                    if let Some(owner) = slot {
                        *owner = Some(index);
                        self.sizes[index] += 1;
                    }
                }
            }
        }
    }

    /// Topics with the most partitions for each member come first; of equal ones those with fewer members to choose
    /// from.
    fn sorted_topics(&self, is_wanted: impl Fn(&Topic) -> bool) -> Vec<Uuid> {
        let mut ids: Vec<Uuid> =
            self.topics.iter().filter(|(_, topic)| is_wanted(topic)).map(|(id, _)| *id).collect();
        let load = |topic: &Topic| topic.owners.len() as f64 / topic.subscribers.len() as f64;
        ids.sort_by(|a, b| {
            let (topic_a, topic_b) = (&self.topics[a], &self.topics[b]);
            load(topic_b)
                .total_cmp(&load(topic_a))
                .then(topic_a.subscribers.len().cmp(&topic_b.subscribers.len()))
                .then_with(|| in_java_order(*a, *b))
        });
        ids
    }

    fn assign_remaining(&mut self) {
        for id in self.sorted_topics(|topic| topic.owners.contains(&None)) {
            let topic = &self.topics[&id];
            let unassigned: Vec<usize> =
                (0..topic.owners.len()).filter(|partition| topic.owners[*partition].is_none()).collect();
            let (mut balancer, _) = Balancer::new(&topic.subscribers, &self.sizes);
            for partition in unassigned {
                let member = balancer.next_least_loaded(&self.sizes);
                self.give(id, partition, member);
            }
        }
    }

    fn give(&mut self, id: Uuid, partition: usize, member: usize) {
        let Some(topic) = self.topics.get_mut(&id) else { return };
        if let Some(before) = topic.owners[partition].replace(member) {
            self.sizes[before] -= 1;
        }
        self.sizes[member] += 1;
    }

    /// Moves partitions from members with many to members with few, until nothing is gained by it.
    fn balance(&mut self) {
        let ids = self.sorted_topics(|topic| topic.subscribers.len() >= 2);
        let mut last_changed = None;
        for _ in 0..MAX_ROUNDS {
            for (index, id) in ids.iter().enumerate() {
                // Once around without a move.
                if last_changed == Some(index) {
                    return;
                }
                if self.balance_topic(*id) > 0 || last_changed.is_none() {
                    last_changed = Some(index);
                }
            }
        }
    }

    fn balance_topic(&mut self, id: Uuid) -> usize {
        let topic = &self.topics[&id];
        let (mut balancer, imbalance) = Balancer::new(&topic.subscribers, &self.sizes);
        if imbalance <= 1 {
            return 0;
        }
        // What each member has to give away: its partitions, the last one first.
        let mut partitions: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (partition, owner) in topic.owners.iter().enumerate() {
            if let Some(owner) = owner {
                partitions.entry(*owner).or_default().push(partition);
            }
        }
        let mut moved = 0;
        while !balancer.is_balanced() {
            let partition = loop {
                let Some(most) = balancer.next_most_loaded(&self.sizes) else { return moved };
                match partitions.get_mut(&most).and_then(Vec::pop) {
                    Some(partition) => break partition,
                    None => balancer.exclude_most_loaded(),
                }
            };
            let least = balancer.next_least_loaded(&self.sizes);
            if balancer.is_balanced() {
                break;
            }
            self.give(id, partition, least);
            moved += 1;
        }
        moved
    }

    fn build(self) -> BTreeMap<&'a str, Partitions> {
        let mut assignment: BTreeMap<&str, Partitions> =
            self.spec.members.iter().map(|member| (member.id, Partitions::new())).collect();
        for (id, topic) in &self.topics {
            for (partition, owner) in (0..).zip(&topic.owners) {
                let member = owner.and_then(|index| self.spec.members.get(index));
                if let Some(partitions) = member.and_then(|member| assignment.get_mut(member.id)) {
                    partitions.entry(*id).or_default().insert(partition);
                }
            }
        }
        assignment
    }
}

/// Java compares the halves of an id as numbers with a sign.
fn in_java_order(a: Uuid, b: Uuid) -> Ordering {
    let halves = |id: Uuid| {
        let bits = u128::from_be_bytes(*id.as_bytes());
        ((bits >> 64) as i64, bits as i64)
    };
    halves(a).cmp(&halves(b))
}

/// Goes through the members of a topic from those with the fewest partitions up, and from those with the most down,
/// while partitions move from the latter to the former.
///
/// The members are sorted once. At either end there is a range of members that are level, and that grows by those that
/// the level reaches.
struct Balancer {
    members: Vec<usize>,
    least_end: usize,
    least_level: i64,
    next_least: usize,
    most_start: usize,
    most_end: usize,
    most_level: i64,
    /// One below the range when the next is to be looked for; -1 when all were gone through.
    next_most: i64,
}

impl Balancer {
    /// The balancer, and how far apart the members are.
    fn new(subscribers: &[usize], sizes: &[usize]) -> (Self, i64) {
        let mut members = subscribers.to_vec();
        members.sort_by_key(|member| (sizes[*member], *member));
        let size = |member: Option<&usize>| member.map_or(0, |member| sizes[*member] as i64);
        let (least, most) = (size(members.first()), size(members.last()));
        let len = members.len();
        let balancer = Balancer {
            members,
            least_end: 0,
            least_level: least - 1,
            next_least: 0,
            most_start: len,
            most_end: len,
            most_level: most + 1,
            next_most: len as i64 - 1,
        };
        (balancer, most - least)
    }

    fn size(&self, at: usize, sizes: &[usize]) -> i64 {
        sizes[self.members[at]] as i64
    }

    fn next_least_loaded(&mut self, sizes: &[usize]) -> usize {
        if self.next_least >= self.least_end {
            self.least_level += 1;
            while self.least_end < self.members.len() && self.size(self.least_end, sizes) == self.least_level
            {
                self.least_end += 1;
            }
            self.next_least = 0;
        }
        self.next_least += 1;
        self.members[self.next_least - 1]
    }

    fn next_most_loaded(&mut self, sizes: &[usize]) -> Option<usize> {
        if self.next_most < self.most_start as i64 {
            self.most_level = match self.most_start.checked_sub(1) {
                Some(below) if self.most_end <= self.most_start => self.size(below, sizes),
                _ => self.most_level - 1,
            };
            while self.most_start > 0 && self.size(self.most_start - 1, sizes) == self.most_level {
                self.most_start -= 1;
            }
            self.next_most = self.most_end as i64 - 1;
        }
        let at = usize::try_from(self.next_most).ok()?;
        self.next_most -= 1;
        self.members.get(at).copied()
    }

    /// The member that was named last has nothing of this topic to give.
    fn exclude_most_loaded(&mut self) {
        let at = usize::try_from(self.next_most + 1).unwrap_or(0);
        self.members.swap(at, self.most_end - 1);
        self.most_end -= 1;
    }

    fn is_balanced(&self) -> bool {
        self.most_level - self.least_level <= 1
    }
}
