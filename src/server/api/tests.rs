//! What cannot be said from outside: the table, and a disk that fails.

use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::versions;
use crate::broker::{AppendRecordsParams, Broker, NewTopic};
use crate::model::ErrorCode;
use crate::protocol::ApiKey;
use crate::record::{AppendOrigin, BatchOptions, RecordBatchBuilder};
use crate::sys::{Env, OsFileSystem};
use crate::testkit::{FaultyFileSystem, FileOperation};

#[test]
fn every_version_that_is_offered_is_one_that_the_protocol_speaks() {
    for key in ApiKey::ALL {
        let (min, max) = versions(*key);
        assert!(min <= max && key.supports(min) && key.supports(max), "{key:?}");
    }
}

fn batch() -> Bytes {
    let mut builder = RecordBatchBuilder::new(BatchOptions::default());
    builder.append(1000, Some(b"key"), Some(b"value")).unwrap();
    builder.build().unwrap()
}

/// What metadata tells of leaders rests on this.
#[test]
fn a_partition_whose_disk_has_failed_has_no_leader() {
    let dir = tempfile::tempdir().unwrap();
    let disk = Arc::new(FaultyFileSystem::new(Arc::new(OsFileSystem::without_sync())));
    let env = Env { fs: Arc::clone(&disk) as _, ..Env::system() };
    let broker = Broker::builder().log_dir(dir.path()).env(env).open().unwrap();
    for created in broker.core.create_topics(&[NewTopic::new("t", 1)], false) {
        created.unwrap();
    }
    let partition = broker.core.partition("t", 0).unwrap();
    assert!(super::metadata::is_led(&partition));
    let params = AppendRecordsParams { origin: AppendOrigin::Client, requires_batch_format: true };
    disk.set_plan(move |operation: FileOperation, _: &Path| {
        (operation == FileOperation::Write).then(|| io::Error::from(io::ErrorKind::StorageFull))
    });
    let error = partition.append_records_to_leader(&batch(), params).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KafkaStorageError);
    assert!(!super::metadata::is_led(&partition));
    disk.clear_plan();
    let error = partition.append_records_to_leader(&batch(), params).unwrap_err();
    assert_eq!(
        error.code(),
        ErrorCode::KafkaStorageError,
        "it stays offline until the broker is opened again"
    );
}
