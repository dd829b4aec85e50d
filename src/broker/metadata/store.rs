use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

use super::checkpoint::{MetadataError, MetadataImage};
use super::producer_ids::PRODUCER_ID_BLOCK_SIZE;
use crate::log::LogDir;
use crate::model::ProducerId;
use crate::sys::FileSystem;

/// The image as it is on disk. Whoever holds it is the only one who changes topics or settings (Kafka: the
/// active controller's single thread).
#[derive(Debug)]
pub(crate) struct MetadataStore {
    image: Mutex<MetadataImage>,
}

impl MetadataStore {
    pub(crate) fn new(image: MetadataImage) -> Self {
        MetadataStore { image: Mutex::new(image) }
    }

    /// Waits for its turn to change something.
    pub(crate) fn lock(&self) -> MutexGuard<'_, MetadataImage> {
        self.image.lock()
    }

    /// Makes `change` durable, or leaves everything as it was.
    pub(crate) fn commit(
        image: &mut MetadataImage,
        fs: &dyn FileSystem,
        dirs: &[Arc<LogDir>],
        change: impl FnOnce(&mut MetadataImage),
    ) -> Result<(), MetadataError> {
        let mut changed = image.clone();
        change(&mut changed);
        changed.store(fs, dirs)?;
        *image = changed;
        Ok(())
    }

    /// Reserves a block of producer ids, and returns its first.
    pub(crate) fn reserve_producer_ids(
        &self,
        fs: &dyn FileSystem,
        dirs: &[Arc<LogDir>],
    ) -> Result<ProducerId, MetadataError> {
        let mut image = self.image.lock();
        let first = image.next_producer_id;
        Self::commit(&mut image, fs, dirs, |image| image.next_producer_id += PRODUCER_ID_BLOCK_SIZE)?;
        Ok(first)
    }
}
