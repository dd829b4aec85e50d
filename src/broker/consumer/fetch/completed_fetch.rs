use bytes::Bytes;

use crate::log::AbortedTxn;
use crate::model::Offset;
use crate::record::{BatchError, RecordBatch, RecordBatchRef};

/// The batches of one read, without those that the reader must not see: control batches, and what belongs to an
/// aborted transaction (Kafka: `CompletedFetch`).
#[derive(Debug, Default)]
pub(crate) struct CompletedFetch {
    rest: Bytes,
    aborted: Vec<AbortedTxn>,
    checks_crcs: bool,
    /// The offset after the last batch that was taken or passed over.
    next_offset: Offset,
}

impl CompletedFetch {
    /// What was read from `offset` on. `aborted` are the aborted transactions that touch it; none for a reader of
    /// uncommitted records.
    pub(crate) fn new(records: Bytes, offset: Offset, aborted: Vec<AbortedTxn>, checks_crcs: bool) -> Self {
        CompletedFetch { rest: records, aborted, checks_crcs, next_offset: offset }
    }

    /// Where to read on once [`CompletedFetch::next_batch`] gives nothing more.
    pub(crate) fn next_offset(&self) -> Offset {
        self.next_offset
    }

    /// How much was not taken yet.
    pub(crate) fn unread_bytes(&self) -> usize {
        self.rest.len()
    }

    /// The next batch that the reader may see. The first may start before the offset that was asked for.
    ///
    /// # Errors
    /// A batch that is not what was written; asked again, it is the same batch and the same error.
    pub(crate) fn next_batch(&mut self) -> Result<Option<RecordBatch>, BatchError> {
        loop {
            let (size, next_offset, is_visible) = match RecordBatchRef::parse(&self.rest)? {
                Some((batch, _)) => {
                    if self.checks_crcs {
                        batch.ensure_valid()?;
                    }
                    let is_visible = !batch.is_control()
                        && !self.is_aborted(batch)
                        && batch.last_offset() >= self.next_offset;
                    (batch.size_in_bytes(), batch.next_offset(), is_visible)
                }
                // The read was cut within it.
                None => return Ok(None),
            };
            let batch = self.rest.split_to(size);
            self.next_offset = self.next_offset.max(next_offset);
            if is_visible {
                return RecordBatch::parse(batch).map(Some);
            }
        }
    }

    fn is_aborted(&self, batch: RecordBatchRef<'_>) -> bool {
        batch.is_transactional()
            && self.aborted.iter().any(|txn| {
                txn.producer_id == batch.producer_id()
                    && (txn.first_offset..=txn.last_offset).contains(&batch.base_offset())
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{BatchOptions, EndTransactionMarker, MarkerParams, RecordBatchBuilder};

    fn batch(base_offset: Offset, count: i64, producer_id: Option<i64>) -> Bytes {
        let options = BatchOptions {
            base_offset,
            producer_id: producer_id.unwrap_or(-1),
            producer_epoch: 0,
            base_sequence: 0,
            transactional: producer_id.is_some(),
            ..BatchOptions::default()
        };
        let mut builder = RecordBatchBuilder::new(options);
        for _ in 0..count {
            builder.append(1, None, Some(b"v")).unwrap();
        }
        builder.build().unwrap()
    }

    fn marker(base_offset: Offset, producer_id: i64) -> Bytes {
        let mut builder = EndTransactionMarker::builder(MarkerParams {
            marker: EndTransactionMarker { is_commit: false, coordinator_epoch: 0 },
            producer_id,
            producer_epoch: 0,
            timestamp: 1,
            leader_epoch: 0,
        })
        .unwrap();
        let mut bytes = Vec::from(builder.build().unwrap());
        bytes.get_mut(..8).unwrap().copy_from_slice(&base_offset.to_be_bytes());
        bytes.into()
    }

    fn visible(fetch: &mut CompletedFetch) -> Vec<Offset> {
        std::iter::from_fn(|| fetch.next_batch().unwrap()).map(|batch| batch.view().base_offset()).collect()
    }

    #[test]
    fn an_aborted_transaction_is_left_out_and_the_one_after_it_by_the_same_producer_is_not() {
        let parts = [
            batch(0, 2, Some(7)),
            batch(2, 1, None),
            marker(3, 7),
            batch(4, 1, Some(7)),
            batch(5, 1, Some(8)),
        ];
        let records = Bytes::from(parts.concat());
        let aborted =
            vec![AbortedTxn { producer_id: 7, first_offset: 0, last_offset: 3, last_stable_offset: 0 }];
        let mut fetch = CompletedFetch::new(records.clone(), 0, aborted, true);
        assert_eq!(visible(&mut fetch), [2, 4, 5]);
        assert_eq!(fetch.next_offset(), 6);

        let mut uncommitted = CompletedFetch::new(records, 0, Vec::new(), true);
        assert_eq!(visible(&mut uncommitted), [0, 2, 4, 5]);
    }

    #[test]
    fn a_control_batch_at_the_end_moves_the_offset_past_it() {
        let mut fetch = CompletedFetch::new(marker(9, 7), 9, Vec::new(), true);
        assert_eq!(visible(&mut fetch), [0; 0]);
        assert_eq!(fetch.next_offset(), 10);
    }

    #[test]
    fn a_batch_with_a_wrong_checksum_is_an_error_every_time() {
        let mut bytes = Vec::from(batch(0, 1, None));
        *bytes.last_mut().unwrap() ^= 1;
        let mut fetch = CompletedFetch::new(bytes.clone().into(), 0, Vec::new(), true);
        assert!(matches!(fetch.next_batch(), Err(BatchError::CrcMismatch { .. })));
        assert!(matches!(fetch.next_batch(), Err(BatchError::CrcMismatch { .. })));
        assert_eq!(fetch.next_offset(), 0);
        assert!(CompletedFetch::new(bytes.into(), 0, Vec::new(), false).next_batch().unwrap().is_some());
    }

    #[test]
    fn a_batch_that_the_read_has_cut_is_not_given() {
        let bytes = [batch(0, 3, None), batch(3, 1, None)].concat();
        let cut = Bytes::from(bytes).split_to(batch(0, 3, None).len() + 20);
        let mut fetch = CompletedFetch::new(cut, 0, Vec::new(), true);
        assert_eq!(visible(&mut fetch), [0]);
        assert_eq!(fetch.next_offset(), 3);
    }
}
