//! How far a check is.

/// Who waits hears of it each time so many bytes were read.
const STEP_BYTES: u64 = 16 << 20;

/// How far a check of a log dir is: [`VerifyLogDir`](crate::VerifyLogDir), [`RepairLogDir`](crate::RepairLogDir).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct VerifyProgress {
    /// The name of the partition's directory that is looked at.
    pub partition: String,
    /// How many partitions have been looked at.
    pub verified_partitions: usize,
    /// How many there are.
    pub partitions: usize,
    /// How many bytes of records have been read.
    pub verified_bytes: u64,
    /// How many there are.
    pub bytes: u64,
}

/// Tells at the start of each partition and, within a large one, from time to time.
pub(super) struct Progress<'a> {
    tell: &'a mut dyn FnMut(&VerifyProgress),
    so_far: VerifyProgress,
    /// Of the segments before the present one.
    read_bytes: u64,
    told_bytes: u64,
}

impl<'a> Progress<'a> {
    pub(super) fn new(tell: &'a mut dyn FnMut(&VerifyProgress), partitions: usize, bytes: u64) -> Self {
        let so_far = VerifyProgress { partitions, bytes, ..VerifyProgress::default() };
        Progress { tell, so_far, read_bytes: 0, told_bytes: 0 }
    }

    pub(super) fn begin(&mut self, partition: &str, verified_partitions: usize) {
        partition.clone_into(&mut self.so_far.partition);
        self.so_far.verified_partitions = verified_partitions;
        self.tell();
    }

    /// The present segment was read up to there.
    pub(super) fn reached(&mut self, position: u64) {
        // A file may be longer than it was when the bytes were counted.
        self.so_far.verified_bytes = (self.read_bytes + position).min(self.so_far.bytes);
        if self.so_far.verified_bytes - self.told_bytes >= STEP_BYTES {
            self.tell();
        }
    }

    /// The present segment, of this size, has been read.
    pub(super) fn segment_done(&mut self, size: u64) {
        self.reached(size);
        self.read_bytes += size;
    }

    fn tell(&mut self) {
        self.told_bytes = self.so_far.verified_bytes;
        (self.tell)(&self.so_far);
    }
}
