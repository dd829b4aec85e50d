//! Whatever it is that cannot be synced: its log dir is offline at once, and nothing in it is synced again.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::fixture::*;
use crate::config::CleanupPolicy;
use crate::log::file_names::TEMPORARY;
use crate::log::{Log, LogManager, Move};
use crate::sys::OsFileSystem;
use crate::testkit::{FaultyFileSystem, FileOperation};

/// Which of all syncs fails, and what was seen.
#[derive(Default)]
struct Syncs {
    fails: usize,
    seen: Vec<PathBuf>,
}

impl Syncs {
    fn failed(&self) -> Option<&PathBuf> {
        self.seen.get(self.fails)
    }
}

struct Scene {
    fixture: Fixture,
    manager: Option<LogManager>,
    syncs: Arc<Mutex<Syncs>>,
}

impl Scene {
    /// Two log dirs on a disk whose sync number `fails` fails.
    fn new(fails: usize) -> Self {
        let mut fixture = Fixture::with_config(|config| {
            config.cleanup_policy = CleanupPolicy { compact: true, delete: true };
            config.delete_retention_ms = 1_000;
            config.index_interval_bytes = 0;
            config.file_delete_delay_ms = 0;
            config.flush_ms = 100;
        });
        fixture.log_dirs = 2;
        let fs = FaultyFileSystem::new(Arc::new(OsFileSystem::without_sync()));
        let syncs = Arc::new(Mutex::new(Syncs { fails, ..Syncs::default() }));
        let plan = Arc::clone(&syncs);
        fs.set_plan(move |operation, path| {
            if operation != FileOperation::Sync {
                return None;
            }
            let mut syncs = plan.lock();
            syncs.seen.push(path.to_owned());
            (syncs.seen.len() == fails + 1).then(|| io::Error::other("input/output error"))
        });
        fixture.fs = Arc::new(fs);
        Scene { fixture, manager: None, syncs }
    }

    fn manager(&self) -> &LogManager {
        self.manager.as_ref().unwrap()
    }

    fn log(&self) -> Arc<Log> {
        self.manager().log(&partition()).unwrap()
    }

    /// Some records, and a transaction that is aborted.
    fn append(&self, value: &str) {
        let log = self.log();
        let keys = ["a", "b"].map(|key| (key, Some(value)));
        let sequence = log.producer(9).map_or(0, |entry| entry.last_sequence() + 1);
        let txn = idempotent(9, 0, sequence, 1).transactional();
        let appended = [keyed_at(START_MS, &keys), txn.build(), marker(9, 0, false)];
        for records in appended {
            try_append(&log, records).unwrap();
        }
        log.maybe_update_high_watermark(log.log_end_offset()).unwrap();
    }

    fn other_dir(&self) -> PathBuf {
        let mut dirs = (0..2).map(|i| self.fixture.log_dir(i));
        dirs.find(|dir| dir != self.log().log_dir()).unwrap()
    }
}

/// What a broker does with its logs. A step ends with the first error.
type Step = (&'static str, fn(&mut Scene) -> Option<()>);

const STEPS: [Step; 16] = [
    ("open", |scene| {
        scene.manager = Some(scene.fixture.try_open().ok()?);
        Some(())
    }),
    ("make a log", |scene| scene.fixture.try_log_of(scene.manager()).ok().map(drop)),
    ("flush", |scene| {
        scene.append("first");
        scene.log().flush_to_end().ok()
    }),
    ("flush for those who wait", |scene| {
        scene.append("second");
        let log = scene.log();
        let _ = log.flush_then(log.log_end_offset(), |_| {});
        let _ = log.flush_for_waiting();
        Some(())
    }),
    ("flush by the clock", |scene| {
        scene.append("third");
        scene.fixture.clock.advance(Duration::from_millis(100));
        scene.manager().flush_dirty_logs();
        Some(())
    }),
    ("flush what was rolled", |scene| {
        scene.log().roll().ok()?;
        scene.append("fourth");
        scene.log().roll().ok()?;
        scene.manager().flush_rolled_logs();
        Some(())
    }),
    ("write the leader epochs", |scene| {
        scene.log().assign_epoch_start_offset(1, scene.log().log_end_offset());
        scene.append("of another term");
        scene.log().flush_to_end().ok()
    }),
    ("checkpoint", |scene| {
        scene.manager().checkpoint_recovery_offsets();
        scene.manager().checkpoint_high_watermarks();
        Some(())
    }),
    ("compact", |scene| scene.manager().clean_now(&scene.log()).map(drop)),
    ("delete records", |scene| {
        let log = scene.log();
        log.maybe_increment_log_start_offset(log.log_end_offset() - 1).ok()?;
        scene.manager().checkpoint_log_start_offsets();
        scene.manager().cleanup_logs();
        scene.fixture.clock.advance(Duration::from_secs(60));
        scene.manager().delete_logs();
        Some(())
    }),
    ("truncate", |scene| {
        let log = scene.log();
        let end = log.log_end_offset();
        scene.append("fifth");
        log.roll().ok()?;
        scene.append("sixth");
        log.truncate_to(end).ok().map(drop)
    }),
    ("start over", |scene| scene.log().truncate_fully_and_start_at(100).ok()),
    ("move", |scene| {
        scene.append("seventh");
        let log = scene.log();
        let Ok(Move::Begun(future)) = scene.manager().move_log(&log, &scene.other_dir()) else { return None };
        while log.copy_next_to(&future).ok()? > 0 {}
        scene.manager().finish_move(&log, &future).ok()?;
        scene.manager().delete_logs();
        Some(())
    }),
    ("open after a crash", |scene| {
        scene.append("eighth");
        scene.manager.take().unwrap().abandon();
        scene.manager = Some(scene.fixture.try_open().ok()?);
        let log = scene.manager().log(&partition())?;
        log.update_high_watermark(log.log_end_offset()).ok().map(drop)
    }),
    ("delete a topic", |scene| {
        scene.manager().delete(&partition()).ok()?;
        scene.manager().delete_logs();
        Some(())
    }),
    ("close", |scene| scene.manager().shutdown().ok()),
];

/// What a path is of.
fn kind(scene: &Scene, path: &Path) -> String {
    if path == scene.fixture.root.path() {
        return "what the log dirs are in".to_owned();
    }
    if (0..2).any(|i| path == scene.fixture.log_dir(i)) {
        return "a log dir".to_owned();
    }
    let name = path.file_name().unwrap().to_str().unwrap();
    let name = name.strip_suffix(TEMPORARY).unwrap_or(name);
    if name.starts_with(&partition().to_string()) {
        return "the directory of a partition".to_owned();
    }
    name.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned()
}

#[test]
fn whatever_cannot_be_synced_takes_its_log_dir_offline_at_once_and_nothing_there_is_synced_again() {
    let (mut kinds, mut steps) = (BTreeSet::new(), BTreeSet::new());
    for fails in 0.. {
        let mut scene = Scene::new(fails);
        let last = STEPS.iter().find(|(_, step)| {
            let done = step(&mut scene);
            let has_failed = scene.syncs.lock().failed().is_some();
            assert!(done.is_some() || has_failed, "sync {fails}");
            has_failed
        });
        let Some((step, _)) = last else { break };
        let path = scene.syncs.lock().failed().unwrap().clone();
        let story = format!("sync {fails}, of {} to {step}", path.display());
        let Some(manager) = scene.manager.as_ref() else {
            panic!("{story}: the other log dir is there to open");
        };
        let offline = manager.offline_log_dirs();
        if !path.starts_with(scene.fixture.root.path()) {
            // It was there before, and is the log dir's by no more than its place.
            assert!(offline.is_empty(), "{story}: {offline:?}");
            continue;
        }
        assert_eq!(offline.len(), 1, "{story}");
        let is_shared = path == scene.fixture.root.path();
        assert!(is_shared || path.starts_with(&offline[0]), "{story}: {offline:?}");
        let _ = manager.shutdown();
        let syncs = scene.syncs.lock();
        let again: Vec<_> =
            syncs.seen[fails + 1..].iter().filter(|path| path.starts_with(&offline[0])).collect();
        assert!(again.is_empty(), "{story}, and then {again:?}");
        kinds.insert(kind(&scene, &path));
        steps.insert(*step);
    }
    let expected = [
        ".index",
        ".kafka_cleanshutdown",
        ".log",
        ".log.cleaned",
        ".snapshot",
        ".timeindex",
        ".txnindex",
        "a log dir",
        "cleaner-offset-checkpoint",
        "leader-epoch-checkpoint",
        "log-start-offset-checkpoint",
        "meta.properties",
        "partition.metadata",
        "recovery-point-offset-checkpoint",
        "replication-offset-checkpoint",
        "the directory of a partition",
        "what the log dirs are in",
    ];
    let missing: Vec<_> = expected.into_iter().filter(|kind| !kinds.contains(*kind)).collect();
    assert!(missing.is_empty(), "{missing:?} not among {kinds:?}");
    assert_eq!(steps, STEPS.iter().map(|(name, _)| *name).collect());
}
