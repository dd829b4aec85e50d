//! The requests of share groups, as rules need to know them.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::server::api::share_acknowledgements::ShareMember;

/// The requests about the state of a share group, which all have the same shape.
macro_rules! share_state {
    ($($request:ident => $response:ident, $module:ident::$result:ident;)*) => {$(
        impl Rulable for m::$request {
            fn error_response(&self, code: ErrorCode, _: i16) -> m::$response {
                use m::$module::{PartitionResult, $result};
                let results = self.topics.iter().map(|topic| $result {
                    topic_id: topic.topic_id,
                    partitions: topic
                        .partitions
                        .iter()
                        .map(|asked| PartitionResult {
                            partition: asked.partition,
                            error_code: code.code(),
                            ..Default::default()
                        })
                        .collect(),
                });
                m::$response { results: results.collect() }
            }

            fn scope(&self, context: &RequestContext) -> Scope {
                let none = StrBytes::new();
                let found = self.topics.iter().map(|asked| {
                    topic(context, &none, asked.topic_id, asked.partitions.iter().map(|p| p.partition))
                });
                Scope { groups: vec![self.group_id.to_string()], ..topics(found) }
            }

            by_partition! {
                topics.partitions: |t, p| (&StrBytes::new(), t.topic_id, p.partition),
                results.partitions: |a, b| a.topic_id == b.topic_id
            }
        }
    )*};
}

share_state! {
    InitializeShareGroupStateRequest => InitializeShareGroupStateResponse,
        initialize_share_group_state::InitializeStateResult;
    ReadShareGroupStateRequest => ReadShareGroupStateResponse, read_share_group_state::ReadStateResult;
    WriteShareGroupStateRequest => WriteShareGroupStateResponse, write_share_group_state::WriteStateResult;
    DeleteShareGroupStateRequest => DeleteShareGroupStateResponse, delete_share_group_state::DeleteStateResult;
    ReadShareGroupStateSummaryRequest => ReadShareGroupStateSummaryResponse,
        read_share_group_state_summary::ReadStateSummaryResult;
}

impl Rulable for m::ShareGroupHeartbeatRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::ShareGroupHeartbeatResponse {
        m::ShareGroupHeartbeatResponse { error_code: code.code(), ..Default::default() }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        let wanted = self.subscribed_topic_names.iter().flatten().map(whole_topic);
        Scope { groups: vec![self.group_id.to_string()], ..topics(wanted) }
    }
}

impl Rulable for m::AlterShareGroupOffsetsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::AlterShareGroupOffsetsResponse {
        m::AlterShareGroupOffsetsResponse { error_code: code.code(), ..Default::default() }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        let asked = self.topics.iter();
        let asked =
            asked.map(|t| partitions_of(&t.topic_name, t.partitions.iter().map(|p| p.partition_index)));
        Scope { groups: vec![self.group_id.to_string()], ..topics(asked) }
    }

    fn take(&mut self, _: &RequestContext, selection: &Selection<'_>) -> Taken<Self> {
        if !selection.is_of_topics {
            return Taken::Whole;
        }
        let wrong = take_partitions(
            &mut self.topics,
            |t| &mut t.partitions,
            |t, p| (selection.means)(Place::Partition(&t.topic_name, p.partition_index)),
        );
        match wrong.is_empty() {
            true => Taken::Nothing,
            false => Taken::Part(m::AlterShareGroupOffsetsRequest { topics: wrong, ..self.clone() }),
        }
    }

    fn is_spent(&self) -> bool {
        self.topics.is_empty()
    }

    fn part_response(&self, code: ErrorCode, _: i16, _: &Selection<'_>) -> m::AlterShareGroupOffsetsResponse {
        use m::alter_share_group_offsets::*;
        let partition = |asked: &AlterShareGroupOffsetsRequestPartition| {
            let partition_index = asked.partition_index;
            AlterShareGroupOffsetsResponsePartition {
                partition_index,
                error_code: code.code(),
                error_message: None,
            }
        };
        let responses = self.topics.iter().map(|topic| AlterShareGroupOffsetsResponseTopic {
            topic_name: topic.topic_name.clone(),
            partitions: topic.partitions.iter().map(partition).collect(),
            ..Default::default()
        });
        m::AlterShareGroupOffsetsResponse { responses: responses.collect(), ..Default::default() }
    }

    fn merge(response: &mut m::AlterShareGroupOffsetsResponse, wrong: &m::AlterShareGroupOffsetsResponse) {
        let (known, added) = (&mut response.responses, &wrong.responses);
        merge_partitions(known, added, |t| &mut t.partitions, |a, b| a.topic_name == b.topic_name);
    }
}

impl Rulable for m::DeleteShareGroupOffsetsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::DeleteShareGroupOffsetsResponse {
        m::DeleteShareGroupOffsetsResponse { error_code: code.code(), ..Default::default() }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        let asked = self.topics.iter().map(|topic| whole_topic(&topic.topic_name));
        Scope { groups: vec![self.group_id.to_string()], ..topics(asked) }
    }

    fn take(&mut self, _: &RequestContext, selection: &Selection<'_>) -> Taken<Self> {
        if !selection.is_of_topics {
            return Taken::Whole;
        }
        let wrong = take_some(&mut self.topics, |one| (selection.means)(Place::Topic(&one.topic_name)));
        match wrong.is_empty() {
            true => Taken::Nothing,
            false => Taken::Part(m::DeleteShareGroupOffsetsRequest { topics: wrong, ..self.clone() }),
        }
    }

    fn is_spent(&self) -> bool {
        self.topics.is_empty()
    }

    fn part_response(
        &self,
        code: ErrorCode,
        _: i16,
        _: &Selection<'_>,
    ) -> m::DeleteShareGroupOffsetsResponse {
        use m::delete_share_group_offsets::DeleteShareGroupOffsetsResponseTopic;
        let responses = self.topics.iter().map(|topic| DeleteShareGroupOffsetsResponseTopic {
            topic_name: topic.topic_name.clone(),
            error_code: code.code(),
            ..Default::default()
        });
        m::DeleteShareGroupOffsetsResponse { responses: responses.collect(), ..Default::default() }
    }

    fn merge(response: &mut m::DeleteShareGroupOffsetsResponse, wrong: &m::DeleteShareGroupOffsetsResponse) {
        response.responses.extend_from_slice(&wrong.responses);
    }
}

impl Rulable for m::ShareGroupDescribeRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::ShareGroupDescribeResponse {
        let groups = self.group_ids.iter().map(|id| m::share_group_describe::DescribedGroup {
            error_code: code.code(),
            group_id: id.clone(),
            ..Default::default()
        });
        m::ShareGroupDescribeResponse { groups: groups.collect(), ..Default::default() }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        Scope { groups: self.group_ids.iter().map(|id| id.to_string()).collect(), ..Scope::default() }
    }

    one_by_one! { group_ids: |one| Place::Group(one), groups }
}

impl Rulable for m::DescribeShareGroupOffsetsRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::DescribeShareGroupOffsetsResponse {
        let of_group = |asked: &m::describe_share_group_offsets::DescribeShareGroupOffsetsRequestGroup| {
            m::describe_share_group_offsets::DescribeShareGroupOffsetsResponseGroup {
                group_id: asked.group_id.clone(),
                error_code: code.code(),
                ..Default::default()
            }
        };
        let groups = self.groups.iter().map(of_group).collect();
        m::DescribeShareGroupOffsetsResponse { groups, ..Default::default() }
    }

    fn scope(&self, _: &RequestContext) -> Scope {
        let asked = self.groups.iter().flat_map(|of| of.topics.iter().flatten());
        let asked = asked.map(|t| partitions_of(&t.topic_name, t.partitions.iter().copied()));
        Scope { groups: self.groups.iter().map(|of| of.group_id.to_string()).collect(), ..topics(asked) }
    }

    fn take(&mut self, _: &RequestContext, selection: &Selection<'_>) -> Taken<Self> {
        let means = |name: &str, number| (selection.means)(Place::Partition(name, number));
        let mut taken = self.clone();
        if selection.is_of_topics {
            for (group, taken) in self.groups.iter_mut().zip(&mut taken.groups) {
                taken.topics = group.topics.as_mut().map(|topics| {
                    take_partitions(topics, |t| &mut t.partitions, |t, number| means(&t.topic_name, *number))
                });
            }
            taken.groups.retain(|group| group.topics.as_ref().is_some_and(|topics| !topics.is_empty()));
        } else {
            taken.groups = take_some(&mut self.groups, |one| (selection.means)(Place::Group(&one.group_id)));
        }
        if taken.groups.is_empty() { Taken::Nothing } else { Taken::Part(taken) }
    }

    fn is_spent(&self) -> bool {
        self.groups.is_empty()
    }

    fn part_response(
        &self,
        code: ErrorCode,
        version: i16,
        selection: &Selection<'_>,
    ) -> m::DescribeShareGroupOffsetsResponse {
        use m::describe_share_group_offsets::*;
        if !selection.is_of_topics {
            return self.error_response(code, version);
        }
        let partition = |partition_index: &i32| DescribeShareGroupOffsetsResponsePartition {
            partition_index: *partition_index,
            start_offset: -1,
            error_code: code.code(),
            ..Default::default()
        };
        let topic = |topic: &DescribeShareGroupOffsetsRequestTopic| DescribeShareGroupOffsetsResponseTopic {
            topic_name: topic.topic_name.clone(),
            partitions: topic.partitions.iter().map(partition).collect(),
            ..Default::default()
        };
        let groups = self.groups.iter().map(|group| DescribeShareGroupOffsetsResponseGroup {
            group_id: group.group_id.clone(),
            topics: group.topics.iter().flatten().map(topic).collect(),
            ..Default::default()
        });
        m::DescribeShareGroupOffsetsResponse { groups: groups.collect(), ..Default::default() }
    }

    fn merge(
        response: &mut m::DescribeShareGroupOffsetsResponse,
        wrong: &m::DescribeShareGroupOffsetsResponse,
    ) {
        for group in &wrong.groups {
            match response.groups.iter_mut().find(|known| known.group_id == group.group_id) {
                Some(known) => merge_partitions(
                    &mut known.topics,
                    &group.topics,
                    |t| &mut t.partitions,
                    |a, b| a.topic_name == b.topic_name,
                ),
                None => response.groups.push(group.clone()),
            }
        }
    }
}

impl Rulable for m::ShareFetchRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::ShareFetchResponse {
        m::ShareFetchResponse { error_code: code.code(), ..Default::default() }
    }

    /// Also about what was named in an earlier request of the session.
    fn scope(&self, context: &RequestContext) -> Scope {
        let none = StrBytes::new();
        let mut partitions: BTreeMap<Uuid, BTreeSet<i32>> = BTreeMap::new();
        let named =
            self.topics.iter().flat_map(|topic| topic.partitions.iter().map(move |p| (topic.topic_id, p)));
        let named = named.map(|(id, partition)| (id, partition.partition_index));
        let known = ShareMember::of(self.group_id.as_ref(), self.member_id.as_ref())
            .map(|member| context.core.share_groups.session_partitions(&member.session_key(context)))
            .unwrap_or_default();
        let forgotten = self.forgotten_topics_data.iter();
        let forgotten = forgotten.flat_map(|topic| topic.partitions.iter().map(|p| (topic.topic_id, *p)));
        for (id, number) in named.chain(known).chain(forgotten) {
            partitions.entry(id).or_default().insert(number);
        }
        let found =
            partitions.into_iter().map(|(id, numbers)| topic(context, &none, id, numbers.into_iter()));
        Scope { groups: self.group_id.iter().map(|id| id.to_string()).collect(), ..topics(found) }
    }

    /// What is taken out would not be part of the session.
    fn take(&mut self, _: &RequestContext, selection: &Selection<'_>) -> Taken<Self> {
        if selection.is_of_topics { Taken::ByHandler } else { Taken::Whole }
    }
}

impl Rulable for m::ShareAcknowledgeRequest {
    fn error_response(&self, code: ErrorCode, _: i16) -> m::ShareAcknowledgeResponse {
        m::ShareAcknowledgeResponse { error_code: code.code(), ..Default::default() }
    }

    fn scope(&self, context: &RequestContext) -> Scope {
        let none = StrBytes::new();
        let found = self.topics.iter().map(|asked| {
            topic(context, &none, asked.topic_id, asked.partitions.iter().map(|p| p.partition_index))
        });
        Scope { groups: self.group_id.iter().map(|id| id.to_string()).collect(), ..topics(found) }
    }

    fn take(&mut self, _: &RequestContext, selection: &Selection<'_>) -> Taken<Self> {
        if selection.is_of_topics { Taken::ByHandler } else { Taken::Whole }
    }
}
