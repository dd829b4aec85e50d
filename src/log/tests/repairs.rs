use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::fixture::*;
use crate::log::file_names::{
    CUT, LEADER_EPOCH_CHECKPOINT, LOG, LOG_START_OFFSET_CHECKPOINT, OFFSET_INDEX, PRODUCER_SNAPSHOT,
    RECOVERY_POINT_CHECKPOINT, TIME_INDEX, of_offset,
};
use crate::log::repair::Repaired;
use crate::log::verify::{Finding, Verified};
use crate::log::{LogError, VerifyParams, VerifyProgress, repair_log_dir, verify_log_dir};
use crate::record::Batches;
use crate::sys::{FileSystem, OpenOptions, Rng, SeededRng};
use crate::testkit::{FaultyFileSystem, FileOperation};

/// Two segments of three batches each, the last ones of an idempotent producer, and an empty one.
fn written(clean: bool) -> Fixture {
    let fixture = Fixture::with_config(|config| config.index_interval_bytes = 0);
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    log.assign_epoch_start_offset(0, 0);
    for segment in 0..2 {
        append(&log, records_at(&["a", "b"], START_MS));
        append(&log, records_at(&["c"], START_MS + 1));
        append(&log, idempotent(9, 0, segment, 1).build());
        log.roll().unwrap();
    }
    if clean {
        manager.shutdown().unwrap();
    } else {
        manager.abandon();
    }
    fixture
}

const VALUES: [&str; 8] = ["a", "b", "c", "v", "a", "b", "c", "v"];

fn verify(fixture: &Fixture) -> Verified {
    let dir = fixture.log_dir(0);
    let mut params = VerifyParams { log_dir: &dir, files: &[], progress: &mut |_| {} };
    verify_log_dir(&fixture.fs, &mut params).unwrap()
}

fn try_repair(fixture: &Fixture, fs: &Arc<dyn FileSystem>) -> Result<Repaired, LogError> {
    let dir = fixture.log_dir(0);
    let mut params = VerifyParams { log_dir: &dir, files: &[], progress: &mut |_| {} };
    repair_log_dir(fs, &mut params, true)
}

fn repair(fixture: &Fixture) -> Repaired {
    try_repair(fixture, &fixture.fs).unwrap()
}

fn file_of(fixture: &Fixture, base_offset: i64, kind: &str) -> PathBuf {
    fixture.partition_dir().join(of_offset(base_offset, kind))
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut content = read_file(path);
    let before = content.clone();
    change(&mut content);
    write_file(path, &content);
    before
}

/// Positions of the batches of a file.
fn positions(content: &[u8]) -> Vec<usize> {
    let sizes = Batches::new(content).map(|batch| batch.unwrap().size_in_bytes());
    sizes.scan(0, |at, size| Some(std::mem::replace(at, *at + size))).collect()
}

/// The log's records after opening it, which must succeed.
fn opened(fixture: &Fixture) -> Vec<(i64, Vec<u8>)> {
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    log.maybe_update_high_watermark(log.log_end_offset()).unwrap();
    let found = read_all(&log, log.log_start_offset());
    manager.shutdown().unwrap();
    found
}

fn without(offsets: &[i64]) -> Vec<(i64, Vec<u8>)> {
    let mut all = numbered(0, &VALUES);
    all.retain(|(offset, _)| !offsets.contains(offset));
    all
}

#[test]
fn a_log_dir_that_is_sound_is_left_alone() {
    for clean in [true, false] {
        let fixture = written(clean);
        let files = fixture.files();
        let done = repair(&fixture);
        assert!(done.steps.is_empty() && done.kept.is_empty() && done.left.is_empty(), "{done:?}");
        assert_eq!(fixture.files(), files);
        assert_eq!(fixture.log_dir(0).join(".kafka_cleanshutdown").exists(), clean);
        assert_eq!(opened(&fixture), without(&[]));
    }
}

#[test]
fn a_torn_end_behind_the_recovery_point_is_what_the_next_start_cuts_and_no_problem() {
    let fixture = written(false);
    let log = file_of(&fixture, 4, LOG);
    let whole = change(&log, |content| {
        content.pop();
    });
    let last = *positions(&whole).last().unwrap();
    let found = verify(&fixture).findings;
    let [torn, behind] = found.as_slice() else { panic!("{found:?}") };
    assert!(torn.is_pending && behind.is_pending);
    let what = format!("byte {last}, offset 7: the last batch is cut; the next start cuts the ");
    assert!(torn.what.starts_with(&what), "{torn}");
    assert_eq!(behind.path, file_of(&fixture, 8, LOG));

    let done = repair(&fixture);
    let kept = done.kept.iter().find(|path| path.to_str().unwrap().contains("4.log.")).unwrap();
    assert_eq!(read_file(kept), whole[last..whole.len() - 1]);
    assert!(verify(&fixture).findings.is_empty());
    assert_eq!(opened(&fixture), without(&[7]));
}

#[test]
fn what_the_next_start_would_cut_is_what_a_repair_cuts() {
    for at in 0..4 {
        let logs: Vec<_> = [false, true]
            .into_iter()
            .map(|is_repaired| {
                let fixture = written(false);
                let path = file_of(&fixture, if at < 3 { 0 } else { 4 }, LOG);
                let position = positions(&read_file(&path))[at % 3];
                change(&path, |content| content[position + 40] ^= 1);
                if is_repaired {
                    assert!(repair(&fixture).verified.findings.iter().all(|finding| finding.is_pending));
                }
                opened(&fixture)
            })
            .collect();
        assert_eq!(logs[0], logs[1], "damage in batch {at}");
        assert_eq!(logs[0], without(&(at as i64 + i64::from(at > 0)..8).collect::<Vec<_>>()), "{at}");
    }
}

#[test]
fn a_bad_batch_of_a_log_that_was_closed_in_order_goes_alone() {
    for (batch, lost) in [(0, vec![0, 1]), (1, vec![2]), (2, vec![3])] {
        let fixture = written(true);
        let path = file_of(&fixture, 0, LOG);
        let whole = read_file(&path);
        let start = positions(&whole)[batch];
        let end = positions(&whole).get(batch + 1).copied().unwrap_or(whole.len());
        change(&path, |content| content[end - 1] ^= 1);
        let damaged = read_file(&path);
        let found = verify(&fixture).findings;
        assert!(found.len() == 1 && !found[0].is_pending, "{found:?}");

        let done = repair(&fixture);
        let cut = path.with_file_name(format!("00000000000000000000.log.{start}-{end}{CUT}"));
        assert!(done.kept.contains(&cut), "{done:?}");
        assert_eq!(read_file(&cut), damaged[start..end]);
        assert!(verify(&fixture).findings.is_empty());
        assert_eq!(opened(&fixture), without(&lost));
        assert!(verify(&fixture).findings.is_empty(), "after a broker was at work");
    }
}

#[test]
fn a_batch_whose_size_is_wrong_goes_up_to_the_next_good_one() {
    for size in [0_i32, 7, 1_000_000, -1] {
        let fixture = written(true);
        let path = file_of(&fixture, 0, LOG);
        let at = positions(&read_file(&path))[1];
        change(&path, |content| content[at + 8..at + 12].copy_from_slice(&size.to_be_bytes()));
        repair(&fixture);
        assert!(verify(&fixture).findings.is_empty(), "size {size}");
        assert_eq!(opened(&fixture), without(&[2]), "size {size}");
    }
}

#[test]
fn a_segment_without_one_good_batch_is_put_aside_with_its_indexes() {
    let fixture = written(true);
    let path = file_of(&fixture, 0, LOG);
    change(&path, |content| content.fill(0xff));
    let done = repair(&fixture);
    assert!(!path.exists() && !file_of(&fixture, 0, OFFSET_INDEX).exists(), "{done:?}");
    assert_eq!(opened(&fixture), without(&[0, 1, 2, 3]));
}

#[test]
fn batches_that_two_segments_have_stay_in_the_first() {
    let fixture = written(true);
    let (first, second) = (file_of(&fixture, 0, LOG), file_of(&fixture, 4, LOG));
    let again = read_file(&second);
    change(&first, |content| content.extend_from_slice(&again));
    repair(&fixture);
    assert!(verify(&fixture).findings.is_empty());
    assert_eq!(opened(&fixture), without(&[]));
}

#[test]
fn what_was_kept_is_never_overwritten() {
    let fixture = written(true);
    let path = file_of(&fixture, 0, LOG);
    let end = *positions(&read_file(&path)).last().unwrap();
    let mut kept = Vec::new();
    for round in 1..4_u8 {
        change(&path, |content| {
            content.truncate(end);
            content.extend_from_slice(&[round; 20]);
        });
        kept.extend(
            repair(&fixture).kept.into_iter().filter(|path| path.to_string_lossy().contains(".log.")),
        );
    }
    let contents: Vec<Vec<u8>> = kept.iter().map(|path| read_file(path)).collect();
    assert_eq!(contents, [[1; 20], [2; 20], [3; 20]]);
}

#[test]
fn what_can_be_made_anew_is_put_aside() {
    let in_dir = ["recovery-point-offset-checkpoint", "replication-offset-checkpoint", "meta.properties"];
    let in_partition = [
        of_offset(0, OFFSET_INDEX),
        of_offset(0, TIME_INDEX),
        of_offset(4, PRODUCER_SNAPSHOT),
        "partition.metadata".to_owned(),
        "leader-epoch-checkpoint".to_owned(),
    ];
    let fixture = written(true);
    let (dir, partition) = (fixture.log_dir(0), fixture.partition_dir());
    let paths = in_dir.iter().map(|name| dir.join(name));
    let paths: Vec<_> = paths.chain(in_partition.iter().map(|name| partition.join(name))).collect();
    for path in &paths {
        write_file(path, b"no good at all.");
    }
    write_file(&partition.join("leader-epoch-checkpoint.tmp"), b"half");
    let found = verify(&fixture).findings;
    for path in &paths {
        assert!(
            found.iter().any(|finding| finding.path == *path && !finding.is_pending),
            "{path:?}: {found:?}"
        );
    }
    repair(&fixture);
    assert!(verify(&fixture).findings.is_empty(), "{:?}", verify(&fixture).findings);
    for path in &paths {
        let kept = format!("{}{CUT}", path.display());
        assert_eq!(read_file(kept.as_ref()), b"no good at all.");
    }
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    assert_eq!(log.latest_epoch(), Some(0), "read from the batches again");
    assert_eq!(log.producer(9).unwrap().last_sequence(), 1);
    log.maybe_update_high_watermark(8).unwrap();
    assert_eq!(read_all(&log, 0), without(&[]));
    assert_eq!(log.fetch_offset_by_timestamp(START_MS + 1).unwrap().unwrap().offset, 2);
}

#[test]
fn files_of_an_interrupted_compaction_are_left_to_the_next_start() {
    let fixture = written(true);
    let swap = file_of(&fixture, 0, LOG).with_extension("log.swap");
    write_file(&swap, &read_file(&file_of(&fixture, 0, LOG)));
    let found = verify(&fixture).findings;
    assert!(found.len() == 1 && found[0].is_pending && found[0].path == swap, "{found:?}");
    assert!(repair(&fixture).steps.is_empty());
    assert_eq!(opened(&fixture), without(&[]));
}

#[test]
fn records_of_a_newer_format_are_named_and_left() {
    let fixture = written(true);
    let path = file_of(&fixture, 0, LOG);
    let at = positions(&read_file(&path))[1];
    change(&path, |content| content[at + 16] = 3);
    let done = repair(&fixture);
    assert_eq!((done.steps.len(), done.left.len()), (0, 1), "{done:?}");
    assert!(done.left[0].contains("has magic 3: use the version that wrote it"), "{done:?}");
    assert_eq!(read_file(&path)[at + 16], 3);
}

#[test]
fn a_repair_that_is_cut_short_anywhere_can_be_run_again() {
    let damage = |fixture: &Fixture| {
        let path = file_of(fixture, 0, LOG);
        let at = positions(&read_file(&path));
        change(&path, |content| {
            content[at[0] + 40] ^= 1;
            content[at[2] + 40] ^= 1;
        });
        write_file(&fixture.partition_dir().join("leader-epoch-checkpoint"), b"nonsense");
        write_file(&fixture.log_dir(0).join("recovery-point-offset-checkpoint"), b"nonsense");
    };
    for failing in 0.. {
        let fixture = written(true);
        damage(&fixture);
        let fs = Arc::new(FaultyFileSystem::new(Arc::new(DISK())));
        let done = AtomicUsize::new(0);
        fs.set_plan(move |operation: FileOperation, _: &Path| {
            let is_over = operation.is_change() && done.fetch_add(1, Ordering::Relaxed) >= failing;
            is_over.then(|| std::io::Error::other("the power is gone"))
        });
        let fs: Arc<dyn FileSystem> = fs;
        let is_complete = try_repair(&fixture, &fs).is_ok();
        repair(&fixture);
        assert!(verify(&fixture).findings.is_empty(), "cut short at {failing}");
        assert_eq!(opened(&fixture), without(&[0, 1, 3]), "cut short at {failing}");
        if is_complete {
            assert!(failing > 10, "{failing}");
            break;
        }
    }
}

#[test]
fn whatever_bits_are_changed_a_repair_leaves_nothing_wrong_and_the_log_opens() {
    for seed in 0..150 {
        let rng = SeededRng::new(seed);
        let random = |bound: usize| usize::try_from(rng.next_u64() % bound as u64).unwrap();
        let fixture = written(random(2) == 0);
        let mut files: Vec<PathBuf> =
            fixture.files().into_iter().map(|name| fixture.partition_dir().join(name)).collect();
        let dir = fixture.log_dir(0);
        let entries = DISK().read_dir(&dir).unwrap().into_iter().filter(|entry| !entry.is_dir);
        files.extend(entries.map(|entry| dir.join(entry.name)));
        for _ in 0..=random(3) {
            let path = &files[random(files.len())];
            let len = usize::try_from(DISK().metadata(path).unwrap().len).unwrap();
            if len == 0 {
                continue;
            }
            let file = DISK().open(path, OpenOptions::WRITE).unwrap();
            let (at, mut byte) = (random(len) as u64, [0]);
            file.read_exact_at(&mut byte, at).unwrap();
            file.write_all_at(&[byte[0] ^ (1 << random(8))], at).unwrap();
        }
        let done = repair(&fixture);
        let found = verify(&fixture).findings;
        assert_eq!(found.len(), done.left.len(), "seed {seed}: {done:?}, then {found:?}");
        match fixture.try_open() {
            Ok(manager) => {
                let log = manager.log(&partition()).unwrap();
                log.maybe_update_high_watermark(log.log_end_offset()).unwrap();
                // The offset of a batch is not covered by its checksum, its records are.
                let read =
                    if done.left.is_empty() { read_all(&log, log.log_start_offset()) } else { Vec::new() };
                let is_known = |value: &Vec<u8>| VALUES.iter().any(|known| known.as_bytes() == value);
                assert!(read.iter().all(|(_, value)| is_known(value)), "seed {seed}: {read:?}");
            }
            Err(error @ (LogError::NewerFormat { .. } | LogError::MetaPropertiesMismatch { .. })) => {
                let is_mismatch = matches!(error, LogError::MetaPropertiesMismatch { .. });
                assert!(is_mismatch || !done.left.is_empty(), "seed {seed}: {error}");
            }
            Err(error) => panic!("seed {seed}: {error}"),
        }
    }
}

/// Waiting for one partition of many gigabytes is waiting too.
#[test]
fn a_check_of_one_large_partition_tells_how_far_it_is() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    for _ in 0..40 {
        append(&log, records(&[vec![7; 1_000_000]]));
    }
    manager.shutdown().unwrap();
    let mut told = Vec::new();
    let dir = fixture.log_dir(0);
    let mut progress = |so_far: &VerifyProgress| told.push((so_far.verified_bytes, so_far.bytes));
    let mut params = VerifyParams { log_dir: &dir, files: &[], progress: &mut progress };
    let bytes = verify_log_dir(&fixture.fs, &mut params).unwrap().bytes;
    let parts: Vec<u64> = told.iter().map(|(read, _)| read / (16 << 20)).collect();
    assert_eq!(parts, [0, 1, 2], "{told:?}");
    assert!(told.iter().all(|(read, all)| *all == bytes && read <= all), "{told:?}");
}

/// The only thing that a check finds, with whether the next start mends it.
fn only_finding(fixture: &Fixture) -> (String, bool) {
    let findings = verify(fixture).findings;
    assert_eq!(findings.len(), 1, "{findings:?}");
    (findings[0].what.clone(), findings[0].is_pending)
}

#[test]
fn a_start_beyond_the_end_is_told_of_before_the_next_start_empties_the_log() {
    let fixture = written(false);
    let path = fixture.log_dir(0).join(LOG_START_OFFSET_CHECKPOINT);
    write_file(&path, b"0\n1\norders-eu 3 9\n");
    let what = "orders-eu-3 starts at offset 9 and ends at 8; the next start has it begin there, empty";
    assert_eq!(only_finding(&fixture), (what.to_owned(), true));
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    assert_eq!((log.log_start_offset(), log.log_end_offset(), log.size()), (9, 9, 0));
    manager.abandon();
}

/// The checksum does not cover it, no batch follows, and so nothing else was wrong with the log.
#[test]
fn an_offset_beyond_the_start_of_the_next_segment_is_told_of() {
    let fixture = written(false);
    change(&file_of(&fixture, 4, LOG), |content| {
        let last = *positions(content).last().unwrap();
        content[last + 7] += 64;
    });
    let what = "it begins at offset 8, and the segment before it ends at 72; both are left";
    assert_eq!(only_finding(&fixture), (what.to_owned(), false));
}

#[test]
fn a_leader_epoch_of_which_a_flush_must_have_told_the_checkpoint_is_told_of_after_an_unclean_stop() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    append(&log, records(&["a"]));
    append(&log, records(&["b"]));
    log.flush_to_end().unwrap();
    manager.checkpoint_recovery_offsets();
    manager.abandon();
    drop((manager, log));
    change(&file_of(&fixture, 0, LOG), |content| {
        let last = *positions(content).last().unwrap();
        content[last + 15] = 1;
    });
    let what = "it does not have leader epoch 1 at offset 1";
    assert_eq!(only_finding(&fixture), (what.to_owned(), false));
}

/// Segments below it are not read again, whatever a power loss has left of their indexes.
#[test]
fn a_recovery_point_beyond_the_end_is_told_of_and_a_repair_has_the_log_read_from_its_start() {
    let fixture = written(false);
    write_file(&fixture.log_dir(0).join(RECOVERY_POINT_CHECKPOINT), b"0\n1\norders-eu 3 5000\n");
    let what = "it has offset 5000 for orders-eu-3, which ends at 8";
    let is_told = |findings: &[Finding]| findings.iter().any(|found| found.what == what && !found.is_pending);
    assert!(is_told(&verify(&fixture).findings));
    change(&file_of(&fixture, 0, TIME_INDEX), |content| content.fill(0));
    repair(&fixture);
    let manager = fixture.open();
    let found = fixture.log_of(&manager).fetch_offset_by_timestamp(START_MS + 1).unwrap();
    assert_eq!(found.map(|found| found.offset), Some(2));
    manager.abandon();
}

/// The repair was refused, since there was nothing to keep a copy of.
#[test]
fn a_checkpoint_of_leader_epochs_that_is_missing_is_made_anew() {
    let fixture = written(true);
    let path = fixture.partition_dir().join(LEADER_EPOCH_CHECKPOINT);
    let whole = read_file(&path);
    DISK().remove_file(&path).unwrap();
    assert_eq!(only_finding(&fixture), ("it does not have leader epoch 0 at offset 0".to_owned(), false));
    assert_eq!(repair(&fixture).kept, [""; 0].map(PathBuf::from));
    assert_eq!(read_file(&path), whole);
}
