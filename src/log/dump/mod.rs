//! The files of a log in words, in those of Apache Kafka's own tool (Kafka: `DumpLogSegments`). Nothing is written, and
//! files are only opened to be read.

mod indexes;
mod records;

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::LogError;
use super::file_names::{self, LOG, OFFSET_INDEX, PRODUCER_SNAPSHOT, TIME_INDEX, TXN_INDEX};
use super::file_records::FileRecords;
use super::open_files::OpenFiles;
use super::partition_dir::{PartitionDir, SegmentFile};
use crate::model::Offset;
use crate::record::RecordRef;
use crate::sys::FileSystem;

/// What a tool decompresses a batch into at most; a larger one is damage.
pub(super) const DECOMPRESSION_LIMIT: usize = 1 << 30;

/// What is told, and how much of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DumpOptions {
    /// Each record, not only each batch.
    pub(crate) deep_iteration: bool,
    /// Keys and values, too.
    pub(crate) print_data_log: bool,
    /// Of each record nothing but key and value.
    pub(crate) skip_record_metadata: bool,
    /// Of indexes only what is wrong with them.
    pub(crate) verify_index_only: bool,
    /// Of indexes only whether they would be taken for sound when the log is opened.
    pub(crate) index_sanity_check: bool,
    /// An index that points at a larger batch than this is wrong.
    pub(crate) max_message_size: u64,
    /// No more bytes of a log than these.
    pub(crate) max_bytes: u64,
}

/// Key and value in words.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecordText {
    pub(crate) key: Option<String>,
    pub(crate) payload: Option<String>,
}

/// How keys and values become words.
pub(crate) type Decode<'a> = &'a dyn Fn(&RecordRef<'_>) -> RecordText;

/// Why a dump ended before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DumpError {
    #[error(transparent)]
    Log(#[from] LogError),
    /// The one who reads it has gone.
    #[error("cannot write: {0}")]
    Out(#[from] io::Error),
}

/// A dump of one file.
pub(crate) struct Dump<'a> {
    fs: &'a Arc<dyn FileSystem>,
    options: DumpOptions,
    decode: Decode<'a>,
    out: &'a mut dyn io::Write,
    /// What does not fit, told after the rest.
    problems: Vec<String>,
}

impl<'a> Dump<'a> {
    pub(crate) fn new(
        fs: &'a Arc<dyn FileSystem>,
        options: DumpOptions,
        decode: Decode<'a>,
        out: &'a mut dyn io::Write,
    ) -> Self {
        Dump { fs, options, decode, out, problems: Vec::new() }
    }

    /// Tells of one file, by the end of its name; answers what is wrong with it.
    pub(crate) fn file(mut self, path: &Path) -> Result<Vec<String>, DumpError> {
        writeln!(self.out, "Dumping {}", path.display())?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.fs.metadata(path).map_err(LogError::storage("read", path))?;
        if self.fs.read_dir(path).is_ok() {
            let source = io::Error::other("it is a directory: name the files in it");
            return Err(LogError::storage("read", path)(source).into());
        }
        let Some(base_offset) = file_names::offset_of(&name) else {
            return Ok(vec![format!("Ignoring unknown file {}", path.display())]);
        };
        let ends_with = |suffix: &str| name.ends_with(suffix);
        if ends_with(LOG) {
            self.log(path, base_offset)?;
        } else if ends_with(TIME_INDEX) {
            self.time_index(path, base_offset)?;
        } else if ends_with(TXN_INDEX) {
            self.txn_index(path)?;
        } else if ends_with(OFFSET_INDEX) {
            self.offset_index(path, base_offset)?;
        } else if ends_with(PRODUCER_SNAPSHOT) {
            self.producer_snapshot(path)?;
        } else {
            self.problems.push(format!("Ignoring unknown file {}", path.display()));
        }
        Ok(self.problems)
    }

    /// Tells later of what all is wrong in one way.
    fn problem_list(&mut self, heading: String, items: Vec<String>) {
        if !items.is_empty() {
            self.problems.push(format!("{heading}\n  {}", items.join("\n  ")));
        }
    }

    /// The records of the `.log` file at `path`.
    fn records(&self, path: &Path) -> Result<FileRecords, LogError> {
        let dir = path.parent().unwrap_or(Path::new(""));
        let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let dir = PartitionDir::new(Arc::clone(self.fs), dir.to_owned(), Arc::new(OpenFiles::default()));
        FileRecords::open_read_only(SegmentFile::new(Arc::new(dir), name))
    }

    /// The whole of an index or a snapshot.
    fn content(&self, path: &Path) -> Result<Vec<u8>, LogError> {
        // The largest index that the settings admit has as many bytes.
        self.fs.read(path, i32::MAX as usize).map_err(LogError::storage("read", path))
    }
}

/// The file beside `path` that belongs to the same segment.
fn sibling(path: &Path, base_offset: Offset, kind: &str) -> std::path::PathBuf {
    path.with_file_name(file_names::of_offset(base_offset, kind))
}
