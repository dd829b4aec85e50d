//! One offset for each partition of a log dir (Kafka: `OffsetCheckpointFile`).

use std::collections::HashMap;
use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use super::MAX_FILE_BYTES;
use crate::log::error::LogError;
use crate::model::{Offset, TopicPartition};
use crate::sys::FileSystem;

/// The text of the file.
pub(crate) fn format_offsets(offsets: impl IntoIterator<Item = (TopicPartition, Offset)>) -> Vec<u8> {
    let mut offsets: Vec<_> = offsets.into_iter().collect();
    offsets.sort();
    let mut text = format!("0\n{}\n", offsets.len());
    for (partition, offset) in &offsets {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} {} {offset}", partition.topic(), partition.partition());
    }
    text.into_bytes()
}

/// A text file: version `0`, the number of entries, then `topic partition offset` a line. It is replaced as a
/// whole, always with all partitions of the log dir.
#[derive(Debug)]
pub(crate) struct OffsetCheckpointFile {
    fs: Arc<dyn FileSystem>,
    path: PathBuf,
    /// What the file holds, so that an unchanged one is not written again; taken while it is written.
    written: Mutex<Option<Vec<u8>>>,
}

impl OffsetCheckpointFile {
    /// The file `name` of `log_dir`, which need not exist.
    pub(crate) fn new(fs: Arc<dyn FileSystem>, log_dir: &Path, name: &str) -> Self {
        OffsetCheckpointFile { fs, path: log_dir.join(name), written: Mutex::new(None) }
    }

    /// Replaces the file by `offsets`, which are sorted here so that equal offsets give equal files. They are asked
    /// for once nobody else writes the file any more: what a truncation lowers before it lowers the file, no
    /// file that comes later has as it was.
    pub(crate) fn write(
        &self,
        offsets: impl IntoIterator<Item = (TopicPartition, Offset)>,
    ) -> Result<(), LogError> {
        self.write_with(&mut self.written.lock(), offsets)
    }

    fn write_with(
        &self,
        written: &mut Option<Vec<u8>>,
        offsets: impl IntoIterator<Item = (TopicPartition, Offset)>,
    ) -> Result<(), LogError> {
        let content = format_offsets(offsets);
        if written.as_ref() == Some(&content) {
            return Ok(());
        }
        // A failed attempt leaves the content unknown.
        *written = None;
        self.fs.replace(&self.path, &content).map_err(LogError::storage("write", &self.path))?;
        *written = Some(content);
        Ok(())
    }

    /// Lowers what the file says of one partition, if that is more than `offset`.
    pub(crate) fn lower(&self, partition: &TopicPartition, offset: Offset) -> Result<(), LogError> {
        self.change(|offsets| match offsets.get_mut(partition) {
            Some(known) if *known > offset => *known = offset,
            Some(_) | None => {}
        })
    }

    /// Writes the offset of one partition down if the file has none of it; it is asked for once nobody else writes the
    /// file.
    pub(crate) fn add(
        &self,
        partition: &TopicPartition,
        offset: impl FnOnce() -> Offset,
    ) -> Result<(), LogError> {
        self.change(|offsets| {
            offsets.entry(partition.clone()).or_insert_with(offset);
        })
    }

    /// Writes the offset of one partition down, and leaves the others as they are.
    pub(crate) fn set(&self, partition: &TopicPartition, offset: Offset) -> Result<(), LogError> {
        self.change(|offsets| {
            offsets.insert(partition.clone(), offset);
        })
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<TopicPartition, Offset>)) -> Result<(), LogError> {
        let mut written = self.written.lock();
        let known = match self.read() {
            // Whoever opens the log believes none of it either.
            Err(LogError::Malformed { .. }) => return Ok(()),
            read => read?,
        };
        let mut changed = known.clone();
        change(&mut changed);
        if changed == known { Ok(()) } else { self.write_with(&mut written, changed) }
    }

    /// Whether somebody writes the file.
    #[cfg(test)]
    pub(crate) fn is_being_written(&self) -> bool {
        self.written.is_locked()
    }

    /// Reads the file; no file means no offsets.
    pub(crate) fn read(&self) -> Result<HashMap<TopicPartition, Offset>, LogError> {
        let content = match self.fs.read(&self.path, MAX_FILE_BYTES) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(HashMap::new()),
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => {
                return Err(LogError::Malformed { path: self.path.clone(), what: error.to_string() });
            }
            Err(error) => return Err(LogError::storage("read", &self.path)(error)),
        };
        let mut offsets = HashMap::new();
        let parsed = super::parse_lines(&content, |line| {
            let mut words = line.split_whitespace();
            let (topic, partition, offset) = (words.next()?, words.next()?, words.next()?);
            let (partition, offset) = (partition.parse().ok()?, offset.parse().ok()?);
            offsets.insert(TopicPartition::new(topic, partition), offset);
            words.next().is_none().then_some(())
        });
        match parsed {
            Ok(()) => Ok(offsets),
            Err(error) => Err(error.at(&self.path)),
        }
    }
}
