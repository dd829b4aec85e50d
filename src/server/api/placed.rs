//! Where a broker is several to its clients: which of them has to be asked what, and what the others say.
//!
//! Records are with the leaders of their partitions, groups and transactional ids with their coordinators (leaders of
//! partitions, too), and topics are made by the controller. Kafka: `ReplicaManager#getPartitionOrError`,
//! `GroupCoordinatorService`, and for the controller the `KafkaApis` of brokers with ZooKeeper; those with KRaft send
//! such a request on.

use std::any::Any;

use super::request::RequestContext;
use super::rulable::{Place, Rulable, Selection, Taken, topic_name};
use super::{fetch, produce};
use crate::broker::{Placement, SharePartitionKey};
use crate::model::{BrokerId, ErrorCode, LeaderEpoch};
use crate::protocol::messages as m;
use crate::protocol::{ApiKey, StrBytes};
use crate::server::intercept::{Move, Scope};

/// Who can serve a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Server {
    Leader,
    /// Of the group, or of each of several.
    GroupCoordinator,
    TransactionCoordinator,
    /// Of the state of a share group's partition, or of each of several.
    ShareCoordinator,
    Controller,
    Any,
}

fn server_of(api: ApiKey) -> Server {
    use ApiKey as A;
    match api {
        A::Produce
        | A::Fetch
        | A::ListOffsets
        | A::OffsetForLeaderEpoch
        | A::DeleteRecords
        | A::DescribeProducers
        | A::WriteTxnMarkers => Server::Leader,
        A::OffsetCommit
        | A::OffsetFetch
        | A::JoinGroup
        | A::Heartbeat
        | A::LeaveGroup
        | A::SyncGroup
        | A::DescribeGroups
        | A::DeleteGroups
        | A::OffsetDelete
        | A::TxnOffsetCommit
        | A::ConsumerGroupHeartbeat
        | A::ConsumerGroupDescribe
        | A::ShareGroupHeartbeat
        | A::ShareGroupDescribe
        | A::DescribeShareGroupOffsets
        | A::AlterShareGroupOffsets
        | A::DeleteShareGroupOffsets => Server::GroupCoordinator,
        A::InitProducerId
        | A::AddPartitionsToTxn
        | A::AddOffsetsToTxn
        | A::EndTxn
        | A::DescribeTransactions => Server::TransactionCoordinator,
        A::InitializeShareGroupState
        | A::ReadShareGroupState
        | A::WriteShareGroupState
        | A::DeleteShareGroupState
        | A::ReadShareGroupStateSummary => Server::ShareCoordinator,
        A::CreateTopics
        | A::DeleteTopics
        | A::CreatePartitions
        | A::AlterPartitionReassignments
        | A::ListPartitionReassignments => Server::Controller,
        _ => Server::Any,
    }
}

/// What of a request this broker, one of several, cannot serve: the error, and the answer to it.
pub(super) enum Refused<R: Rulable> {
    Nothing,
    Part(R::Response),
    Whole(ErrorCode),
}

/// Takes out of a request what is for another broker than the one that the client has connected to.
pub(super) fn refuse<R: Rulable>(context: &RequestContext, request: &mut R, scope: &Scope) -> Refused<R> {
    let Some(here) = context.node() else { return Refused::Nothing };
    let core = &context.core;
    let is_elsewhere = |coordinator: Option<BrokerId>| coordinator != Some(here);
    match server_of(R::KEY) {
        Server::Any => Refused::Nothing,
        Server::Controller if core.nodes().and_then(|nodes| nodes.controller()) == Some(here) => {
            Refused::Nothing
        }
        Server::Controller => Refused::Whole(ErrorCode::NotController),
        Server::Leader => {
            let means = |place: Place<'_>| match place {
                Place::Partition(topic, number) => leader_elsewhere(context, here, topic, number).is_some(),
                _ => false,
            };
            take(
                context,
                request,
                ErrorCode::NotLeaderOrFollower,
                &Selection { is_of_topics: true, means: &means },
            )
        }
        Server::GroupCoordinator => {
            let means = |place: Place<'_>| match place {
                Place::Group(id) => is_elsewhere(core.group_coordinator(id)),
                _ => false,
            };
            let is_whole = scope.groups.iter().any(|id| is_elsewhere(core.group_coordinator(id)));
            refuse_ids(context, request, is_whole, &means)
        }
        Server::ShareCoordinator => {
            let group = scope.groups.first().map_or("", String::as_str);
            let means = |place: Place<'_>| match place {
                Place::Partition(topic, number) => {
                    let Some(topic) = core.metadata.topic(topic) else { return false };
                    let key = SharePartitionKey::new(group, topic.id(), number);
                    is_elsewhere(core.coordinator_of_share_state(&key))
                }
                _ => false,
            };
            take(
                context,
                request,
                ErrorCode::NotCoordinator,
                &Selection { is_of_topics: true, means: &means },
            )
        }
        Server::TransactionCoordinator => {
            let means = |place: Place<'_>| match place {
                Place::TransactionalId(id) => is_elsewhere(core.transaction_coordinator(id)),
                _ => false,
            };
            let is_whole =
                scope.transactional_ids.iter().any(|id| is_elsewhere(core.transaction_coordinator(id)));
            refuse_ids(context, request, is_whole, &means)
        }
    }
}

/// Requests about one group or transactional id are refused as a whole, those about several one by one.
fn refuse_ids<R: Rulable>(
    context: &RequestContext,
    request: &mut R,
    is_whole: bool,
    means: &dyn Fn(Place<'_>) -> bool,
) -> Refused<R> {
    let has_several = matches!(
        R::KEY,
        ApiKey::DescribeGroups
            | ApiKey::DeleteGroups
            | ApiKey::ConsumerGroupDescribe
            | ApiKey::ShareGroupDescribe
            | ApiKey::DescribeShareGroupOffsets
            | ApiKey::DescribeTransactions
            | ApiKey::OffsetFetch
    );
    match has_several {
        true => take(context, request, ErrorCode::NotCoordinator, &Selection { is_of_topics: false, means }),
        false => Refused::Nothing,
    }
    .or_whole(is_whole && !has_several)
}

impl<R: Rulable> Refused<R> {
    fn or_whole(self, is_whole: bool) -> Self {
        if is_whole { Refused::Whole(ErrorCode::NotCoordinator) } else { self }
    }
}

fn take<R: Rulable>(
    context: &RequestContext,
    request: &mut R,
    code: ErrorCode,
    selection: &Selection<'_>,
) -> Refused<R> {
    match request.take(context, selection) {
        Taken::Nothing => Refused::Nothing,
        Taken::Part(taken) => {
            let mut answer = taken.part_response(code, context.version(), selection);
            tell_leaders(context, &mut answer);
            Refused::Part(answer)
        }
        // The handler looks for itself.
        Taken::ByHandler => Refused::Nothing,
        // An old version with one group only.
        Taken::Whole => {
            let scope = request.scope(context);
            let mut groups = scope.groups.iter();
            match groups.any(|id| (selection.means)(Place::Group(id))) {
                true => Refused::Whole(code),
                false => Refused::Nothing,
            }
        }
    }
}

/// Where a partition is, if it exists and is led by another broker than `here`, or by nobody.
fn leader_elsewhere(
    context: &RequestContext,
    here: BrokerId,
    topic: &str,
    number: i32,
) -> Option<(Placement, LeaderEpoch)> {
    let partition = context.core.metadata.partition(topic, number)?;
    let placement = context.core.placement(&partition);
    // What a failed disk is answered with says more.
    let has_disk = partition.existing_log().is_none_or(|log| log.is_online());
    (has_disk && placement.leader != Some(here)).then(|| (placement, partition.leader_epoch()))
}

/// Tells who leads instead, and where that is, in the answers that have a place for it (KIP-951).
fn tell_leaders(context: &RequestContext, answer: &mut dyn Any) {
    if let Some(answer) = answer.downcast_mut::<m::ProduceResponse>() {
        for topic in &mut answer.responses {
            let name = topic_name(context, &topic.name, topic.topic_id);
            for partition in &mut topic.partition_responses {
                let Some((leader_id, leader_epoch)) = current_leader(context, &name, partition.index) else {
                    continue;
                };
                partition.current_leader = m::produce::LeaderIdAndEpoch { leader_id, leader_epoch };
                if answer.node_endpoints.iter().all(|known| known.node_id != leader_id) {
                    answer.node_endpoints.extend(produce::endpoint_of(context, leader_id));
                }
            }
        }
    }
    if let Some(answer) = answer.downcast_mut::<m::FetchResponse>() {
        for topic in &mut answer.responses {
            let name = topic_name(context, &topic.topic, topic.topic_id);
            for partition in &mut topic.partitions {
                let number = partition.partition_index;
                let Some((leader_id, leader_epoch)) = current_leader(context, &name, number) else {
                    continue;
                };
                partition.current_leader = m::fetch::LeaderIdAndEpoch { leader_id, leader_epoch };
                if answer.node_endpoints.iter().all(|known| known.node_id != leader_id) {
                    answer.node_endpoints.extend(fetch::endpoint_of(context, leader_id));
                }
            }
        }
    }
}

/// Whether the asked broker, one of several, does not lead a partition that exists.
pub(super) fn is_led_elsewhere(context: &RequestContext, topic: &str, number: i32) -> bool {
    context.node().is_some_and(|here| leader_elsewhere(context, here, topic, number).is_some())
}

/// Who leads a partition that the asked broker does not lead, and in which epoch.
pub(super) fn current_leader(
    context: &RequestContext,
    topic: &str,
    number: i32,
) -> Option<(BrokerId, LeaderEpoch)> {
    let (placement, epoch) = leader_elsewhere(context, context.node()?, topic, number)?;
    Some((placement.leader?, epoch))
}

/// What moves before a request is served, because a test wants it.
pub(super) fn apply(context: &RequestContext, moves: &[Move], scope: &Scope) {
    let core = &context.core;
    let told = |what: &dyn std::fmt::Display, moved: crate::error::Result<BrokerId>| match moved {
        Ok(to) => tracing::debug!("{context}: {what} moves to broker {to}"),
        Err(error) => tracing::warn!("{context}: {what} cannot move: {error}"),
    };
    for moved in moves {
        match moved {
            Move::Leaders { topic, partition, to } => {
                let named =
                    scope.topics.iter().filter(|one| topic.as_ref().is_none_or(|name| *name == one.name));
                for one in named {
                    let numbers =
                        one.partitions.iter().filter(|number| partition.is_none_or(|n| n == **number));
                    numbers.for_each(|number| {
                        let tp = StrBytes::from(format!("{}-{number}", one.name));
                        told(&tp, core.move_leader(&one.name, *number, *to));
                    });
                }
            }
            Move::Coordinators { to } => {
                for id in &scope.groups {
                    told(&format!("the coordinator of group {id}"), core.move_group_coordinator(id, *to));
                }
                for id in &scope.transactional_ids {
                    told(&format!("the coordinator of {id}"), core.move_transaction_coordinator(id, *to));
                }
            }
            Move::Controller { to } => told(&"the controller", core.move_controller(*to)),
        }
    }
}
