//! What the broker does with each request: one file an API, and one table that says which there are.
//!
//! A frame becomes a header, a request and, on the same thread, a call of the API's `handle`. What may block answers
//! from an I/O thread, what waits from whoever ends the wait; either keeps its place in the order of answers.

mod add_offsets_to_txn;
mod add_partitions_to_txn;
mod alter_configs;
mod alter_partition_reassignments;
mod alter_replica_log_dirs;
mod alter_share_group_offsets;
mod api_versions;
mod authorized_operations;
mod config_resource;
mod consumer_group_describe;
mod consumer_group_heartbeat;
mod create_partitions;
mod create_topics;
mod delete_groups;
mod delete_records;
mod delete_share_group_offsets;
mod delete_share_group_state;
mod delete_topics;
mod describe_cluster;
mod describe_configs;
mod describe_groups;
mod describe_log_dirs;
mod describe_producers;
mod describe_share_group_offsets;
mod describe_topic_partitions;
mod describe_transactions;
mod end_txn;
mod fetch;
mod find_coordinator;
mod heartbeat;
mod incremental_alter_configs;
mod init_producer_id;
mod initialize_share_group_state;
mod join_group;
mod leave_group;
mod list_config_resources;
mod list_groups;
mod list_offsets;
mod list_partition_reassignments;
mod list_transactions;
mod metadata;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offset_for_leader_epoch;
mod placed;
mod produce;
mod read_share_group_state;
mod read_share_group_state_summary;
mod request;
mod rulable;
mod share_acknowledge;
mod share_acknowledgements;
mod share_fetch;
mod share_group_describe;
mod share_group_heartbeat;
mod share_state;
mod sync_group;
mod tap;
mod transactional;
mod txn_offset_commit;
mod write_share_group_state;
mod write_txn_markers;

#[cfg(all(test, feature = "testkit"))]
mod tests;

use std::ops::RangeInclusive;
use std::sync::{Arc, Weak};

use bytes::Bytes;

use super::endpoints::Endpoints;
use super::intercept::{Body, Interceptor, Refusal, RefusedRequest};
use super::network::{ConnectionContext, Outcome, RequestHandler, Slot};
use crate::broker::BrokerCore;
use crate::model::IsolationLevel;
use crate::protocol::{ApiKey, CodecError, Reader, RequestHeader};
use request::{Call, RequestContext};
use rulable::Rulable;

macro_rules! apis {
    ($($key:ident $min:literal - $max:literal => $handle:path,)*) => {
        /// The versions of an API that clients may use.
        pub(super) const fn versions(key: ApiKey) -> (i16, i16) {
            match key { $(ApiKey::$key => ($min, $max),)* }
        }

        fn dispatch(
            call: Call<'_>,
            body: &mut Reader<'_>,
            interceptor: Option<&Arc<dyn Interceptor>>,
        ) -> Result<Outcome, CodecError> {
            match call.context.header.api_key {
                $(ApiKey::$key => decode_and_handle(call, body, interceptor, $handle),)*
            }
        }
    };
}

apis! {
    Produce                 0-13 => produce::handle,
    Fetch                   0-18 => fetch::handle,
    ListOffsets             0-11 => list_offsets::handle,
    Metadata                0-13 => metadata::handle,
    OffsetCommit            0-10 => offset_commit::handle,
    OffsetFetch             0-10 => offset_fetch::handle,
    FindCoordinator         0-6  => find_coordinator::handle,
    JoinGroup               0-9  => join_group::handle,
    Heartbeat               0-4  => heartbeat::handle,
    LeaveGroup              0-5  => leave_group::handle,
    SyncGroup               0-5  => sync_group::handle,
    DescribeGroups          0-6  => describe_groups::handle,
    ListGroups              0-5  => list_groups::handle,
    ApiVersions             0-4  => api_versions::handle,
    CreateTopics            0-7  => create_topics::handle,
    DeleteTopics            0-6  => delete_topics::handle,
    DeleteRecords           0-2  => delete_records::handle,
    InitProducerId          0-5  => init_producer_id::handle,
    OffsetForLeaderEpoch    0-4  => offset_for_leader_epoch::handle,
    AddPartitionsToTxn      0-5  => add_partitions_to_txn::handle,
    AddOffsetsToTxn         0-4  => add_offsets_to_txn::handle,
    EndTxn                  0-5  => end_txn::handle,
    WriteTxnMarkers         0-2  => write_txn_markers::handle,
    TxnOffsetCommit         0-5  => txn_offset_commit::handle,
    DescribeConfigs         0-4  => describe_configs::handle,
    AlterConfigs            0-2  => alter_configs::handle,
    AlterReplicaLogDirs     0-2  => alter_replica_log_dirs::handle,
    DescribeLogDirs         0-5  => describe_log_dirs::handle,
    CreatePartitions        0-3  => create_partitions::handle,
    DeleteGroups            0-2  => delete_groups::handle,
    IncrementalAlterConfigs 0-1  => incremental_alter_configs::handle,
    AlterPartitionReassignments 0-1 => alter_partition_reassignments::handle,
    ListPartitionReassignments 0-0 => list_partition_reassignments::handle,
    OffsetDelete            0-0  => offset_delete::handle,
    DescribeCluster         0-2  => describe_cluster::handle,
    DescribeProducers       0-0  => describe_producers::handle,
    DescribeTransactions    0-0  => describe_transactions::handle,
    ListTransactions        0-2  => list_transactions::handle,
    ConsumerGroupHeartbeat  0-1  => consumer_group_heartbeat::handle,
    ConsumerGroupDescribe   0-1  => consumer_group_describe::handle,
    ListConfigResources     0-1  => list_config_resources::handle,
    DescribeTopicPartitions 0-0  => describe_topic_partitions::handle,
    ShareGroupHeartbeat     1-1  => share_group_heartbeat::handle,
    ShareGroupDescribe      1-1  => share_group_describe::handle,
    ShareFetch              1-2  => share_fetch::handle,
    ShareAcknowledge        1-2  => share_acknowledge::handle,
    InitializeShareGroupState 0-0 => initialize_share_group_state::handle,
    ReadShareGroupState     0-0  => read_share_group_state::handle,
    WriteShareGroupState    0-1  => write_share_group_state::handle,
    DeleteShareGroupState   0-0  => delete_share_group_state::handle,
    ReadShareGroupStateSummary 0-1 => read_share_group_state_summary::handle,
    DescribeShareGroupOffsets 0-1 => describe_share_group_offsets::handle,
    AlterShareGroupOffsets  0-0  => alter_share_group_offsets::handle,
    DeleteShareGroupOffsets 0-0  => delete_share_group_offsets::handle,
}

/// The level that a request names; a number that Kafka does not have is the default one.
fn isolation_level(number: i8) -> IsolationLevel {
    match number {
        1 => IsolationLevel::ReadCommitted,
        _ => IsolationLevel::ReadUncommitted,
    }
}

/// The versions of an API that this broker offers; `None` if it does not offer the API.
fn offered(endpoints: &Endpoints, key: ApiKey) -> Option<(i16, i16)> {
    match endpoints.versions() {
        None => Some(versions(key)),
        Some(ranges) => ranges.of(key).map(RangeInclusive::into_inner),
    }
}

/// Whether clients may use this version of the API.
fn is_offered(endpoints: &Endpoints, key: ApiKey, version: i16) -> bool {
    offered(endpoints, key).is_some_and(|(min, max)| min <= version && version <= max)
}

/// Bytes after the end of the message are let go, as Kafka does.
fn decode_and_handle<R: Rulable>(
    call: Call<'_>,
    body: &mut Reader<'_>,
    interceptor: Option<&Arc<dyn Interceptor>>,
    handle: fn(Call<'_>, R) -> Outcome,
) -> Result<Outcome, CodecError> {
    let mut request = R::decode(body, call.version())?;
    if let Some(namespace) = &call.context.namespace {
        namespace.map_request(&mut request, &call.context.core);
    }
    let may_flush =
        writes_coordinator_state(call.context.header.api_key) && call.context.core.coordinators_may_flush();
    let handle = move |call: Call<'_>, request: R| match may_flush {
        true => call.handle_on_io_thread(request, handle),
        false => handle(call, request),
    };
    Ok(match interceptor {
        None => handle(call, request),
        Some(interceptor) => tap::handle(call, request, interceptor, handle),
    })
}

/// Whether what the request changes is written to a coordinator's topic, or it may have to wait for such a write of
/// another.
fn writes_coordinator_state(key: ApiKey) -> bool {
    matches!(
        key,
        ApiKey::OffsetCommit
            | ApiKey::OffsetFetch
            | ApiKey::JoinGroup
            | ApiKey::Heartbeat
            | ApiKey::LeaveGroup
            | ApiKey::SyncGroup
            | ApiKey::DescribeGroups
            | ApiKey::ListGroups
            | ApiKey::DeleteGroups
            | ApiKey::OffsetDelete
            | ApiKey::TxnOffsetCommit
            | ApiKey::AddPartitionsToTxn
            | ApiKey::AddOffsetsToTxn
            | ApiKey::ShareFetch
            | ApiKey::ShareAcknowledge
            | ApiKey::InitializeShareGroupState
            | ApiKey::ReadShareGroupState
            | ApiKey::WriteShareGroupState
            | ApiKey::DeleteShareGroupState
            | ApiKey::ReadShareGroupStateSummary
            | ApiKey::ShareGroupHeartbeat
            | ApiKey::ShareGroupDescribe
            | ApiKey::DescribeShareGroupOffsets
            | ApiKey::AlterShareGroupOffsets
            | ApiKey::DeleteShareGroupOffsets
    )
}

/// Answers the requests of all listeners (Kafka: `KafkaApis`).
pub(super) struct Apis {
    /// Weak, since the broker holds its listeners.
    core: Weak<BrokerCore>,
    endpoints: Arc<Endpoints>,
    interceptor: Option<Arc<dyn Interceptor>>,
}

impl Apis {
    pub(super) fn new(
        core: Weak<BrokerCore>,
        endpoints: Arc<Endpoints>,
        interceptor: Option<Arc<dyn Interceptor>>,
    ) -> Self {
        Apis { core, endpoints, interceptor }
    }

    /// The version is not offered: only ApiVersions is answered then.
    fn refuse_version(&self, context: RequestContext, slot: Slot<'_>) -> Outcome {
        let key = context.header.api_key;
        let why = Refusal::Version(offered(&context.endpoints, key));
        if key == ApiKey::ApiVersions {
            let response = api_versions::unsupported(&context.endpoints);
            self.refused(&context, why, Some(&response));
            return api_versions::respond_unsupported(context, slot, &response);
        }
        tracing::warn!("{context}: this version is not supported; the connection is closed");
        self.refused(&context, why, None);
        Outcome::Close
    }

    /// A test hears of a request that nobody rules.
    fn refused(&self, context: &RequestContext, why: Refusal<'_>, answer: Option<&dyn Body>) {
        if let Some(interceptor) = &self.interceptor {
            let RequestContext { connection, header, .. } = context;
            interceptor.on_refusal(&RefusedRequest { connection, header, why, answer });
        }
    }
}

impl RequestHandler for Apis {
    type Session = ();

    fn admits(&self, connection: &ConnectionContext) -> bool {
        self.interceptor.as_ref().is_none_or(|interceptor| interceptor.on_connection(connection))
    }

    fn connection_opened(&self, _: &Arc<ConnectionContext>) {}

    fn handle(
        &self,
        connection: &Arc<ConnectionContext>,
        (): &mut (),
        frame: Bytes,
        slot: Slot<'_>,
    ) -> Outcome {
        let mut reader = Reader::new(&frame);
        let header = match RequestHeader::decode(&mut reader) {
            Ok(header) => header,
            Err(error) => {
                tracing::warn!(peer = %connection.peer, %error, "no request header; the connection is closed");
                return Outcome::Close;
            }
        };
        let Some(core) = self.core.upgrade().filter(|core| !core.is_closed()) else { return Outcome::Close };
        let (key, version) = (header.api_key, header.api_version);
        let namespace = self.endpoints.namespace(connection);
        let context = RequestContext {
            core,
            endpoints: Arc::clone(&self.endpoints),
            connection: Arc::clone(connection),
            header,
            tap: None,
            namespace,
        };
        if !is_offered(&context.endpoints, key, version) {
            return self.refuse_version(context, slot);
        }
        // The line is rarely needed and costs a copy of the context, which is four counters.
        let request = context.clone();
        dispatch(Call::new(context, slot), &mut reader, self.interceptor.as_ref()).unwrap_or_else(|error| {
            tracing::warn!("{request}: {error}; the connection is closed");
            self.refused(&request, Refusal::Undecodable(&error), None);
            Outcome::Close
        })
    }

    fn connection_closed(&self, connection: &Arc<ConnectionContext>, (): ()) {
        if let Some(interceptor) = &self.interceptor {
            interceptor.on_disconnect(connection);
        }
        let Some(core) = self.core.upgrade().filter(|core| !core.is_closed()) else { return };
        let id = connection.id;
        if core.share_groups.session_count() > 0 {
            // What is given back is written down.
            let io_threads = Arc::clone(&core.io_threads);
            io_threads.run(move || core.share_groups.on_disconnect(id));
        }
    }
}
