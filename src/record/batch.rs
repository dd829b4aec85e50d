use std::fmt;
use std::ops::Deref;

use bytes::Bytes;

use super::BatchError;
use super::crc::{crc32, crc32c};
use super::header::{ATTRIBUTES_OFFSET, BatchHeader, LOG_OVERHEAD, RECORD_BATCH_OVERHEAD};
use super::record_iter::{RecordIter, RecordRefIter};

/// A view of one entry of a log: a batch of magic 2, or a message (or a compressed set) of magic 0 or 1. The
/// fields in front are those of [`BatchHeader`], by dereference.
///
/// # Examples
/// ```
/// use ottla::{BatchOptions, RecordBatchBuilder, RecordBatchRef};
/// let mut builder = RecordBatchBuilder::new(BatchOptions { base_offset: 7, ..BatchOptions::default() });
/// for value in ["a", "bc", "def"] {
///     builder.append(1_000, None, Some(value.as_bytes()))?;
/// }
/// let bytes = builder.build()?;
/// let (batch, rest) = RecordBatchRef::parse(&bytes)?.expect("the batch is complete");
/// assert!(rest.is_empty());
/// assert_eq!((batch.base_offset(), batch.last_offset()), (7, 9));
///
/// // One buffer for all the batches that are read; not even that, if they are not compressed.
/// let mut scratch = Vec::new();
/// let mut size = 0;
/// for record in batch.records(&mut scratch, 1 << 20)? {
///     size += record?.value().map_or(0, <[u8]>::len);
/// }
/// assert_eq!(size, 6);
/// # Ok::<(), ottla::BatchError>(())
/// ```
#[derive(Clone, Copy)]
pub struct RecordBatchRef<'a> {
    header: BatchHeader<'a>,
    bytes: &'a [u8],
}

impl<'a> RecordBatchRef<'a> {
    /// Takes the entry at the start of `bytes`; gives it and what follows, `None` if `bytes` end within it.
    /// The checksum is not looked at.
    ///
    /// # Errors
    /// A size that cannot be true, and a magic that is not known.
    pub fn parse(bytes: &'a [u8]) -> Result<Option<(Self, &'a [u8])>, BatchError> {
        let Some(header) = BatchHeader::parse(bytes)? else { return Ok(None) };
        Ok(bytes
            .split_at_checked(header.size_in_bytes())
            .map(|(bytes, rest)| (RecordBatchRef { header, bytes }, rest)))
    }

    /// The header, for longer than this view lives.
    pub fn header(self) -> BatchHeader<'a> {
        self.header
    }

    /// The whole entry.
    pub fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// What follows the header of a batch of magic 2; nothing for other magics.
    pub(crate) fn body(self) -> &'a [u8] {
        match self.header.as_batch() {
            Some(_) => self.bytes.get(RECORD_BATCH_OVERHEAD..).unwrap_or_default(),
            None => &[],
        }
    }

    /// Computes the checksum and compares.
    ///
    /// # Errors
    /// [`BatchError::CrcMismatch`].
    pub fn ensure_valid(self) -> Result<(), BatchError> {
        let stored = self.header.crc();
        let computed = match self.header.as_batch() {
            Some(_) => crc32c(self.bytes.get(ATTRIBUTES_OFFSET..).unwrap_or_default()),
            None => crc32(self.bytes.get(LOG_OVERHEAD + 4..).unwrap_or_default()),
        };
        if stored == computed { Ok(()) } else { Err(BatchError::CrcMismatch { stored, computed }) }
    }

    /// The records, without an allocation each. Compressed ones are decompressed into `scratch` first, which is
    /// emptied before and can be used again; it never grows beyond `decompression_limit` bytes.
    ///
    /// # Errors
    /// Bytes that do not decompress, or into more than the limit.
    pub fn records<'s>(
        self,
        scratch: &'s mut Vec<u8>,
        decompression_limit: usize,
    ) -> Result<RecordRefIter<'s>, BatchError>
    where
        'a: 's,
    {
        RecordRefIter::of_batch(self, scratch, decompression_limit)
    }
}

impl<'a> Deref for RecordBatchRef<'a> {
    type Target = BatchHeader<'a>;

    fn deref(&self) -> &BatchHeader<'a> {
        &self.header
    }
}

impl fmt::Debug for RecordBatchRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordBatch")
            .field("magic", &self.magic())
            .field("offsets", &(self.base_offset()..=self.last_offset()))
            .field("size_in_bytes", &self.size_in_bytes())
            .field("attributes", &self.attributes())
            .field("records_count", &self.records_count())
            .field("producer_id", &self.producer_id())
            .finish_non_exhaustive()
    }
}

/// The entries of a buffer, one after the other. Stops at one that is not all there, which is how the answer to
/// a fetch ends that was cut at its size limit, and after the first error.
///
/// # Examples
/// ```
/// use ottla::{BatchOptions, Batches, RecordBatchBuilder};
/// let mut builder = RecordBatchBuilder::new(BatchOptions::default());
/// builder.append(1_000, None, Some(b"v"))?;
/// let one = builder.build()?;
/// let answer = [&one[..], &one[..], &one[..10]].concat();
///
/// let mut batches = Batches::new(&answer);
/// assert_eq!(batches.by_ref().filter(Result::is_ok).count(), 2);
/// assert_eq!(batches.remainder_len(), 10);
/// # Ok::<(), ottla::BatchError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    rest: &'a [u8],
    failed: bool,
}

impl<'a> Batches<'a> {
    /// The entries of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Batches { rest: bytes, failed: false }
    }

    /// The bytes that have not become entries: all that follow the entries given so far.
    pub fn remainder_len(&self) -> usize {
        self.rest.len()
    }
}

impl<'a> Iterator for Batches<'a> {
    type Item = Result<RecordBatchRef<'a>, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        match RecordBatchRef::parse(self.rest) {
            Ok(Some((batch, rest))) => {
                self.rest = rest;
                Some(Ok(batch))
            }
            Ok(None) => None,
            Err(error) => {
                self.failed = true;
                Some(Err(error))
            }
        }
    }
}

/// One batch of records, sharing the memory that it came in.
///
/// # Examples
/// ```
/// use ottla::{BatchOptions, RecordBatch, RecordBatchBuilder};
/// let mut builder = RecordBatchBuilder::new(BatchOptions::default());
/// builder.append(1_000, Some(b"key"), Some(b"value"))?;
/// builder.append(1_001, None, Some(b"second"))?;
///
/// let batch = RecordBatch::parse(builder.build()?)?;
/// assert_eq!(batch.view().records_count(), Some(2));
/// let values: Vec<_> = batch.records(1 << 20)?.map(|record| Ok(record?.value_bytes())).collect::<Result<_, ottla::BatchError>>()?;
/// assert_eq!(values, [Some("value".into()), Some("second".into())]);
/// # Ok::<(), ottla::BatchError>(())
/// ```
#[derive(Clone)]
pub struct RecordBatch {
    bytes: Bytes,
}

impl RecordBatch {
    /// The one entry that `bytes` are. Its checksum is not looked at: see [`RecordBatchRef::ensure_valid`].
    ///
    /// # Errors
    /// Bytes that are not exactly one entry of a known magic.
    pub fn parse(bytes: Bytes) -> Result<Self, BatchError> {
        match RecordBatchRef::parse(&bytes)? {
            Some((_, [])) => Ok(RecordBatch { bytes }),
            Some(_) => Err(BatchError::SeveralBatches),
            None => Err(BatchError::NoBatch),
        }
    }

    /// Takes the first entry off `bytes`; `None`, and `bytes` as they were, if they end within it.
    ///
    /// # Errors
    /// A size that cannot be true, and a magic that is not known.
    pub fn split_from(bytes: &mut Bytes) -> Result<Option<Self>, BatchError> {
        let size = match RecordBatchRef::parse(bytes)? {
            Some((batch, _)) => batch.size_in_bytes(),
            None => return Ok(None),
        };
        Ok(Some(RecordBatch { bytes: bytes.split_to(size) }))
    }

    /// The borrowed view, which has all the fields.
    pub fn view(&self) -> RecordBatchRef<'_> {
        match RecordBatchRef::parse(&self.bytes) {
            Ok(Some((batch, _))) => batch,
            // Both constructors have parsed these very bytes, which never change.
            Ok(None) | Err(_) => unreachable!("a RecordBatch holds one complete entry"),
        }
    }

    /// The whole entry.
    pub fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The records. Their keys and values are slices of this batch, or of one buffer with its decompressed
    /// content, of at most `decompression_limit` bytes.
    ///
    /// # Errors
    /// Bytes that do not decompress, or into more than the limit.
    pub fn records(&self, decompression_limit: usize) -> Result<RecordIter, BatchError> {
        RecordIter::of_batch(self, decompression_limit)
    }
}

impl fmt::Debug for RecordBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.view(), f)
    }
}
