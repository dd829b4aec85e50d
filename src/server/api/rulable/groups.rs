//! Requests about groups, and where coordinators are.

use super::*;

impl Rulable for m::OffsetCommitRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::OffsetCommitResponse {
        use m::offset_commit::{OffsetCommitResponsePartition, OffsetCommitResponseTopic};
        let partition =
            |partition_index| OffsetCommitResponsePartition { partition_index, error_code: code.code() };
        let topics = self.topics.iter().map(|topic| OffsetCommitResponseTopic {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            partitions: topic.partitions.iter().map(|asked| partition(asked.partition_index)).collect(),
        });
        m::OffsetCommitResponse { topics: topics.collect(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        let found = self
            .topics
            .iter()
            .map(|t| topic(context, &t.name, t.topic_id, t.partitions.iter().map(|p| p.partition_index)));
        Scope { groups: vec![self.group_id.to_string()], ..topics(found) }
    }

    by_partition! {
        topics.partitions: |t, p| (&t.name, t.topic_id, p.partition_index),
        topics.partitions: |a, b| (&a.name, a.topic_id) == (&b.name, b.topic_id)
    }
}

impl Rulable for m::OffsetFetchRequest {
    fn error_response(&self, code: ErrorCode, version: i16) -> m::OffsetFetchResponse {
        use m::offset_fetch::{
            OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponseTopic,
        };
        let groups = self.groups.iter().map(|group| OffsetFetchResponseGroup {
            group_id: group.group_id.clone(),
            error_code: code.code(),
            ..Default::default()
        });
        let mut response = m::OffsetFetchResponse {
            error_code: code.code(),
            groups: groups.collect(),
            ..Default::default()
        };
        if version < 2 {
            let partition = |partition_index: &i32| OffsetFetchResponsePartition {
                partition_index: *partition_index,
                committed_offset: -1,
                error_code: code.code(),
                ..Default::default()
            };
            let topics = self.topics.iter().flatten().map(|topic| OffsetFetchResponseTopic {
                name: topic.name.clone(),
                partitions: topic.partition_indexes.iter().map(partition).collect(),
            });
            response.topics = topics.collect();
        }
        response
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        let old = self.topics.iter().flatten();
        let old = old.map(|t| topic(context, &t.name, Uuid::ZERO, t.partition_indexes.iter().copied()));
        let new = self.groups.iter().flat_map(|group| group.topics.iter().flatten());
        let new = new.map(|t| topic(context, &t.name, t.topic_id, t.partition_indexes.iter().copied()));
        let mut groups: Vec<_> = self.groups.iter().map(|group| group.group_id.to_string()).collect();
        if groups.is_empty() {
            groups.push(self.group_id.to_string());
        }
        Scope { groups, ..topics(old.chain(new)) }
    }

    fn take(&mut self, context: &RequestContext, selection: &Selection<'_>) -> Taken<Self> {
        if self.groups.is_empty() && !selection.is_of_topics {
            return Taken::Whole;
        }
        let mut taken = self.clone();
        if !selection.is_of_topics {
            taken.groups = take_some(&mut self.groups, |one| (selection.means)(Place::Group(&one.group_id)));
            return if taken.groups.is_empty() { Taken::Nothing } else { Taken::Part(taken) };
        }
        let means = |name: &str, number| (selection.means)(Place::Partition(name, number));
        taken.topics = self.topics.as_mut().map(|topics| {
            take_partitions(topics, |t| &mut t.partition_indexes, |t, number| means(&t.name, *number))
        });
        for (group, taken) in self.groups.iter_mut().zip(&mut taken.groups) {
            taken.topics = group.topics.as_mut().map(|topics| {
                let of = |t: &m::offset_fetch::OffsetFetchRequestTopics, number: &i32| {
                    means(&topic_name(context, &t.name, t.topic_id), *number)
                };
                take_partitions(topics, |t| &mut t.partition_indexes, of)
            });
        }
        taken.groups.retain(|group| group.topics.as_ref().is_some_and(|topics| !topics.is_empty()));
        let is_empty = taken.groups.is_empty() && taken.topics.as_ref().is_none_or(Vec::is_empty);
        if is_empty { Taken::Nothing } else { Taken::Part(taken) }
    }

    fn part_response(
        &self,
        code: ErrorCode,
        version: i16,
        selection: &Selection<'_>,
    ) -> m::OffsetFetchResponse {
        use m::offset_fetch::*;
        if !selection.is_of_topics {
            return self.error_response(code, version);
        }
        let old = self.topics.iter().flatten().map(|topic| OffsetFetchResponseTopic {
            name: topic.name.clone(),
            partitions: topic
                .partition_indexes
                .iter()
                .map(|partition_index| OffsetFetchResponsePartition {
                    partition_index: *partition_index,
                    committed_offset: -1,
                    error_code: code.code(),
                    ..Default::default()
                })
                .collect(),
        });
        let group = |group: &OffsetFetchRequestGroup| {
            let topics = group.topics.iter().flatten().map(|topic| OffsetFetchResponseTopics {
                name: topic.name.clone(),
                topic_id: topic.topic_id,
                partitions: topic
                    .partition_indexes
                    .iter()
                    .map(|partition_index| OffsetFetchResponsePartitions {
                        partition_index: *partition_index,
                        committed_offset: -1,
                        error_code: code.code(),
                        ..Default::default()
                    })
                    .collect(),
            });
            OffsetFetchResponseGroup {
                group_id: group.group_id.clone(),
                topics: topics.collect(),
                error_code: 0,
            }
        };
        m::OffsetFetchResponse {
            topics: old.collect(),
            groups: self.groups.iter().map(group).collect(),
            ..Default::default()
        }
    }

    fn merge(response: &mut m::OffsetFetchResponse, wrong: &m::OffsetFetchResponse) {
        merge_partitions(&mut response.topics, &wrong.topics, |t| &mut t.partitions, |a, b| a.name == b.name);
        for group in &wrong.groups {
            match response.groups.iter_mut().find(|known| known.group_id == group.group_id) {
                Some(known) => {
                    let is_same = |a: &m::offset_fetch::OffsetFetchResponseTopics, b: &_| {
                        let m::offset_fetch::OffsetFetchResponseTopics { name, topic_id, .. } = b;
                        (&a.name, &a.topic_id) == (name, topic_id)
                    };
                    merge_partitions(&mut known.topics, &group.topics, |t| &mut t.partitions, is_same);
                }
                None => response.groups.push(group.clone()),
            }
        }
    }
}

impl Rulable for m::ConsumerGroupHeartbeatRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::ConsumerGroupHeartbeatResponse {
        m::ConsumerGroupHeartbeatResponse { error_code: code.code(), ..Default::default() }
    }

    /// Topics that are wanted, and those of which it tells what it has.
    fn scope(&self, context: &RequestContext) -> Scope {
        let none = StrBytes::new();
        let wanted = self.subscribed_topic_names.iter().flatten().map(whole_topic);
        let owned = self.topic_partitions.iter().flatten();
        let owned = owned.map(|t| topic(context, &none, t.topic_id, t.partitions.iter().copied()));
        Scope { groups: vec![self.group_id.to_string()], ..topics(wanted.chain(owned)) }
    }
}

impl Rulable for m::OffsetDeleteRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::OffsetDeleteResponse {
        m::OffsetDeleteResponse { error_code: code.code(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        let partitions = |t: &m::offset_delete::OffsetDeleteRequestTopic| {
            t.partitions.iter().map(|p| p.partition_index).collect()
        };
        let _ = context;
        Scope {
            topics: self
                .topics
                .iter()
                .map(|t| TopicScope { name: t.name.to_string(), partitions: partitions(t) })
                .collect(),
            ..group(&self.group_id)
        }
    }

    by_partition! {
        topics.partitions: |t, p| (&t.name, Uuid::ZERO, p.partition_index),
        topics.partitions: |a, b| a.name == b.name
    }
}

impl Rulable for m::FindCoordinatorRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::FindCoordinatorResponse {
        let coordinators = self.coordinator_keys.iter().map(|key| m::find_coordinator::Coordinator {
            key: key.clone(),
            node_id: -1,
            port: -1,
            error_code: code.code(),
            ..Default::default()
        });
        m::FindCoordinatorResponse {
            error_code: code.code(),
            node_id: -1,
            port: -1,
            coordinators: coordinators.collect(),
            ..Default::default()
        }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        let old = Some(&self.key).filter(|_| self.coordinator_keys.is_empty());
        let keys = self.coordinator_keys.iter().chain(old);
        match self.key_type {
            0 => Scope { groups: keys.map(|key| key.to_string()).collect(), ..Scope::default() },
            1 => Scope { transactional_ids: keys.map(|key| key.to_string()).collect(), ..Scope::default() },
            _ => Scope::default(),
        }
    }

    fn take(&mut self, _: &RequestContext, selection: &Selection<'_>) -> Taken<Self> {
        if self.coordinator_keys.is_empty() {
            return Taken::Whole;
        }
        let key_type = self.key_type;
        let wrong = take_some(&mut self.coordinator_keys, |key| match key_type {
            0 => (selection.means)(Place::Group(key)),
            1 => (selection.means)(Place::TransactionalId(key)),
            _ => false,
        });
        match wrong.is_empty() {
            true => Taken::Nothing,
            false => Taken::Part(m::FindCoordinatorRequest { coordinator_keys: wrong, ..self.clone() }),
        }
    }

    fn is_spent(&self) -> bool {
        self.coordinator_keys.is_empty()
    }

    fn merge(response: &mut m::FindCoordinatorResponse, wrong: &m::FindCoordinatorResponse) {
        response.coordinators.extend_from_slice(&wrong.coordinators);
    }
}

impl Rulable for m::DescribeGroupsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::DescribeGroupsResponse {
        let groups = self.groups.iter().map(|group_id| m::describe_groups::DescribedGroup {
            error_code: code.code(),
            group_id: group_id.clone(),
            ..Default::default()
        });
        m::DescribeGroupsResponse { groups: groups.collect(), ..Default::default() }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        Scope { groups: self.groups.iter().map(|id| id.to_string()).collect(), ..Scope::default() }
    }

    one_by_one! { groups: |one| Place::Group(one), groups }
}

impl Rulable for m::ConsumerGroupDescribeRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::ConsumerGroupDescribeResponse {
        let groups = self.group_ids.iter().map(|id| m::consumer_group_describe::DescribedGroup {
            error_code: code.code(),
            group_id: id.clone(),
            ..Default::default()
        });
        m::ConsumerGroupDescribeResponse { groups: groups.collect(), ..Default::default() }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        Scope { groups: self.group_ids.iter().map(|id| id.to_string()).collect(), ..Scope::default() }
    }

    one_by_one! { group_ids: |one| Place::Group(one), groups }
}

impl Rulable for m::DeleteGroupsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::DeleteGroupsResponse {
        let results = self.groups_names.iter().map(|group_id| m::delete_groups::DeletableGroupResult {
            group_id: group_id.clone(),
            error_code: code.code(),
        });
        m::DeleteGroupsResponse { results: results.collect(), ..Default::default() }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        Scope { groups: self.groups_names.iter().map(|id| id.to_string()).collect(), ..Scope::default() }
    }

    one_by_one! { groups_names: |one| Place::Group(one), results }
}
