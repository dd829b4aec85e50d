//! What ShareFetch and ShareAcknowledge have in common: acknowledgements, and what is wrong with them.

use std::sync::Arc;

use super::placed;
use super::request::RequestContext;
use crate::broker::SharePartitionKey;
use crate::broker::share::{AcknowledgementBatch, MAX_ACKNOWLEDGE_TYPE, RENEW, ShareError, ShareSessionKey};
use crate::model::{BrokerId, ErrorCode, LeaderEpoch, Offset, Uuid};
use crate::protocol::StrBytes;
use crate::server::endpoints::Address;

/// The first version that knows the renewal of locks.
pub(super) const FIRST_RENEW: i16 = 2;
/// The longest id of a member: that of a UUID in words.
const MAX_MEMBER_ID_LEN: usize = 36;

/// What a request acknowledges in one partition.
pub(super) struct Acknowledgements {
    pub(super) topic_id: Uuid,
    pub(super) index: i32,
    pub(super) batches: Vec<AcknowledgementBatch>,
}

/// Who asks.
#[derive(Clone, Debug)]
pub(super) struct ShareMember {
    pub(super) group_id: Arc<str>,
    pub(super) member_id: Arc<str>,
}

impl ShareMember {
    /// The member, or what Kafka says to one without a name.
    pub(super) fn of(
        group_id: Option<&StrBytes>,
        member_id: Option<&StrBytes>,
    ) -> Result<Self, &'static str> {
        let group_id = group_id.ok_or("Invalid group id in the request.")?;
        let member_id = member_id
            .filter(|id| !id.is_empty() && id.len() <= MAX_MEMBER_ID_LEN)
            .ok_or("Invalid member id in the request.")?;
        Ok(ShareMember { group_id: Arc::from(&**group_id), member_id: Arc::from(&**member_id) })
    }

    /// Its session with the broker that it has connected to.
    pub(super) fn session_key(&self, context: &RequestContext) -> ShareSessionKey {
        let ShareMember { group_id, member_id } = self.clone();
        ShareSessionKey { group_id, member_id, node_id: context.node_id() }
    }

    pub(super) fn key(&self, topic_id: Uuid, index: i32) -> SharePartitionKey {
        SharePartitionKey::new(Arc::clone(&self.group_id), topic_id, index)
    }
}

/// Takes in what is said of one partition.
pub(super) fn acknowledge(
    context: &RequestContext,
    member: &ShareMember,
    said: &Acknowledgements,
    is_renew_ack: bool,
) -> Result<(), ShareError> {
    let topic = context.core.metadata.topic_by_id(said.topic_id).ok_or(plain(ErrorCode::UnknownTopicId))?;
    let supports_renew = context.version() >= FIRST_RENEW;
    if !are_well_formed(&said.batches, supports_renew, is_renew_ack) {
        return Err(plain(ErrorCode::InvalidRequest));
    }
    topic.partition(said.index).ok_or(plain(ErrorCode::UnknownTopicOrPartition))?;
    if let Some(code) = refusal(context, topic.name(), said.index) {
        return Err(ShareError::from(code));
    }
    if said.batches.is_empty() {
        return Ok(());
    }
    let key = member.key(said.topic_id, said.index);
    context.core.share_groups.acknowledge(&key, &member.member_id, &said.batches)
}

/// Why a partition is not to be had here although it is there: another broker leads it, or a test wants it so.
pub(super) fn refusal(context: &RequestContext, topic: &str, index: i32) -> Option<ErrorCode> {
    let elsewhere =
        || placed::is_led_elsewhere(context, topic, index).then_some(ErrorCode::NotLeaderOrFollower);
    context.fault_of(topic, index).or_else(elsewhere)
}

/// Who leads a partition that is led elsewhere, in which epoch and where (KIP-951).
pub(super) fn leader_of(
    context: &RequestContext,
    topic_id: Uuid,
    index: i32,
) -> Option<(BrokerId, LeaderEpoch, Option<Address>)> {
    let topic = context.core.metadata.topic_by_id(topic_id)?;
    let (leader, epoch) = placed::current_leader(context, topic.name(), index)?;
    Some((leader, epoch, context.address_of(leader)))
}

/// An error with Kafka's text for it.
fn plain(code: ErrorCode) -> ShareError {
    let message = match code {
        ErrorCode::UnknownTopicId => "This server does not host this topic ID.",
        ErrorCode::UnknownTopicOrPartition => "This server does not host this topic-partition.",
        _ => {
            "This most likely occurs because of a request being malformed by the client library or the message was \
             sent to an incompatible broker. See the broker logs for more details."
        }
    };
    ShareError { code, message: message.into() }
}

/// Kafka: `KafkaApis#validateAcknowledgementBatches`.
fn are_well_formed(batches: &[AcknowledgementBatch], supports_renew: bool, is_renew_ack: bool) -> bool {
    let max_type = if supports_renew { MAX_ACKNOWLEDGE_TYPE } else { MAX_ACKNOWLEDGE_TYPE - 1 };
    let is_well_formed = |batch: &AcknowledgementBatch| {
        let len = batch.last_offset.checked_sub(batch.first_offset).filter(|len| *len >= 0);
        let Some(len) = len else { return false };
        let count = i64::try_from(batch.types.len()).unwrap_or(i64::MAX);
        (count == 1 || (count > 1 && count - 1 == len))
            && batch.types.iter().all(|of| (0..=max_type).contains(of) && (*of != RENEW || is_renew_ack))
    };
    // Two may share an offset here: what comes of that is for the share partition to say.
    let mut so_far: Offset = -1;
    batches.iter().all(|batch| {
        let is_next = batch.first_offset >= so_far;
        so_far = batch.last_offset;
        is_next && is_well_formed(batch)
    })
}

/// How an error leaves.
pub(super) fn told(error: &ShareError) -> (i16, Option<StrBytes>) {
    (error.code.code(), Some(error.message.to_string().into()))
}
