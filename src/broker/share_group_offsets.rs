//! From where on share groups read, and how much they have left.

use super::coordinator::group::{GroupError, ShareGroupOffset};
use super::core::BrokerCore;
use crate::model::{Offset, TopicPartition};

/// Where a share group stands in a partition, and what is left for it.
pub(crate) struct ShareGroupOffsetAndLag {
    pub(crate) offset: ShareGroupOffset,
    /// How many records are left; `None` if that is not known.
    pub(crate) lag: Option<i64>,
}

impl ShareGroupOffsetAndLag {
    /// -1 if nothing is known.
    pub(crate) fn start_offset(&self) -> Offset {
        self.offset.summary.as_ref().map_or(-1, |summary| summary.start_offset)
    }
}

impl BrokerCore {
    /// Where a share group stands in these partitions, or in all that it has a state of.
    pub(crate) fn share_group_offsets(
        &self,
        group_id: &str,
        partitions: Option<Vec<TopicPartition>>,
    ) -> Result<Vec<ShareGroupOffsetAndLag>, GroupError> {
        let offsets = match partitions {
            Some(partitions) => self.groups.share_group_offsets(group_id, partitions)?,
            None => self.groups.all_share_group_offsets(group_id)?,
        };
        let with_lag = |offset: ShareGroupOffset| {
            let lag = self.share_group_lag(&offset);
            ShareGroupOffsetAndLag { offset, lag }
        };
        Ok(offsets.into_iter().map(with_lag).collect())
    }

    fn share_group_lag(&self, offset: &ShareGroupOffset) -> Option<i64> {
        let summary = offset.summary.as_ref()?;
        if summary.start_offset == -1 || summary.delivery_complete_count == -1 {
            return None;
        }
        let partition =
            self.partition(offset.topic_partition.topic(), offset.topic_partition.partition()).ok()?;
        let end = partition.log().ok()?.high_watermark();
        Some(end - summary.start_offset - i64::from(summary.delivery_complete_count))
    }
}
