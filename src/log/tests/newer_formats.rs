//! Files of a later version: refused, with their names, and left as they are.

use std::path::{Path, PathBuf};

use super::fixture::*;
use crate::log::LogError;
use crate::log::file_names::{LOG, PRODUCER_SNAPSHOT, TXN_INDEX, of_offset};
use crate::record::Batches;

/// A log with an idempotent producer's record, closed in order.
fn closed() -> Fixture {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["first"]));
    append(&log, idempotent(9, 0, 0, 1).build());
    manager.shutdown().unwrap();
    fixture
}

/// Opening is refused because of `path`, which says `what`, and changes nothing of it.
fn is_refused_because_of(fixture: &Fixture, path: &Path, what: &str) {
    let before = read_file(path);
    let error = fixture.try_open().unwrap_err();
    assert!(matches!(error, LogError::NewerFormat { .. }), "{error}");
    let text = error.to_string();
    assert!(text.starts_with(&format!("{} is of a newer format: {what}", path.display())), "{text}");
    assert!(text.ends_with("open the directory with the version that wrote it, the file is left as it is"));
    assert_eq!(read_file(path), before);
}

#[test]
fn small_files_of_a_newer_version_are_refused_by_name_and_left_as_they_are() {
    let in_dir = |fixture: &Fixture, name: &str| fixture.log_dir(0).join(name);
    let in_partition = |fixture: &Fixture, name: &str| fixture.partition_dir().join(name);
    type Place<'a> = &'a dyn Fn(&Fixture, &str) -> PathBuf;
    let cases: [(Place<'_>, &str, &str, &str); 7] = [
        (&in_dir, "meta.properties", "version=2\nnode.id=1\ncluster.id=abc\n", "version 2 "),
        (&in_dir, "recovery-point-offset-checkpoint", "1\n0\n", "version 1 "),
        (&in_dir, "replication-offset-checkpoint", "1\n0\n", "version 1 "),
        (&in_dir, "log-start-offset-checkpoint", "3\n0\n", "version 3 "),
        (&in_dir, "cleaner-offset-checkpoint", "1\n0\n", "version 1 "),
        (&in_partition, "leader-epoch-checkpoint", "1\n1\n0 0 x\n", "version 1 "),
        (&in_partition, "partition.metadata", "version: 1\ntopic_id: BwcHBwcHBwcHBwcHBwcHBw\n", "version 1 "),
    ];
    for (place, name, content, what) in cases {
        let fixture = closed();
        let path = place(&fixture, name);
        write_file(&path, content.as_bytes());
        is_refused_because_of(&fixture, &path, what);
    }
}

#[test]
fn a_producer_snapshot_of_a_newer_version_is_refused() {
    let fixture = closed();
    let path = fixture.partition_dir().join(of_offset(2, PRODUCER_SNAPSHOT));
    let mut content = read_file(&path);
    content[1] = 2;
    content.extend_from_slice(b"and more than version 1 has");
    write_file(&path, &content);
    is_refused_because_of(&fixture, &path, "version 2 ");
}

#[test]
fn a_producer_snapshot_with_a_changed_bit_in_its_version_is_damage_and_read_from_the_log_again() {
    let fixture = closed();
    let path = fixture.partition_dir().join(of_offset(2, PRODUCER_SNAPSHOT));
    let mut content = read_file(&path);
    content[1] = 3;
    write_file(&path, &content);
    let manager = fixture.open();
    assert_eq!(fixture.log_of(&manager).producer(9).unwrap().last_sequence(), 0);
}

/// The log's file with a batch behind its end that a later version may have written.
fn with_a_batch_of_magic_3(fixture: &Fixture) -> PathBuf {
    let path = fixture.partition_dir().join(of_offset(0, LOG));
    let mut content = read_file(&path);
    let first = Batches::new(&content).next().unwrap().unwrap().size_in_bytes();
    let mut newer = content[..first].to_vec();
    newer[..8].copy_from_slice(&2_i64.to_be_bytes());
    newer[16] = 3;
    newer[30] ^= 1;
    content.extend_from_slice(&newer);
    write_file(&path, &content);
    path
}

#[test]
fn records_of_a_newer_format_are_not_taken_for_a_torn_end() {
    for clean in [true, false] {
        let fixture = closed();
        if !clean {
            fixture.open().abandon();
        }
        let path = with_a_batch_of_magic_3(&fixture);
        is_refused_because_of(&fixture, &path, "the record batch at byte ");
    }
}

#[test]
fn bytes_that_only_have_a_newer_magic_are_a_torn_end() {
    let fixture = closed();
    let path = with_a_batch_of_magic_3(&fixture);
    let mut content = read_file(&path);
    content.pop();
    write_file(&path, &content);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    log.maybe_update_high_watermark(2).unwrap();
    assert_eq!((log.log_end_offset(), read_all(&log, 0).len()), (2, 2));
}

#[test]
fn an_aborted_transaction_of_a_newer_version_is_named_instead_of_left_out() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, idempotent(9, 0, 0, 1).transactional().build());
    append(&log, marker(9, 0, false));
    append(&log, records(&["later"]));
    manager.shutdown().unwrap();
    drop((manager, log));
    let path = fixture.partition_dir().join(of_offset(0, TXN_INDEX));
    let mut content = read_file(&path);
    content[1] = 1;
    write_file(&path, &content);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    log.maybe_update_high_watermark(log.log_end_offset()).unwrap();
    let params =
        crate::log::ReadParams { isolation: crate::log::FetchIsolation::TxnCommitted, ..read_params(0) };
    let error = log.read(&params).unwrap_err();
    assert!(matches!(error, LogError::NewerFormat { .. }), "{error}");
    assert!(error.to_string().starts_with(&format!("{} is of a newer format", path.display())), "{error}");
    assert_eq!(read_file(&path), content);
}
