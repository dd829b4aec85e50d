use std::path::Path;
use std::sync::Arc;

use super::{CrashFileSystem, Loss};
use crate::sys::{FileSystem, ManualClock, OpenOptions};

fn file_system() -> CrashFileSystem {
    let fs = CrashFileSystem::new(Arc::new(ManualClock::new(1_000)));
    fs.create_dir_all(Path::new("/d")).unwrap();
    fs.sync_dir(Path::new("/")).unwrap();
    fs
}

fn write(fs: &CrashFileSystem, name: &str, content: &[u8], is_synced: bool) {
    let file = fs.open(&Path::new("/d").join(name), OpenOptions::CREATE).unwrap();
    file.write_all_at(content, file.len().unwrap()).unwrap();
    if is_synced {
        file.sync_data().unwrap();
    }
}

/// The names with what is in the files.
fn content(fs: &CrashFileSystem) -> Vec<(String, Vec<u8>)> {
    let dir = Path::new("/d");
    let names = fs.read_dir(dir).unwrap().into_iter().map(|entry| entry.name);
    names.map(|name| (name.clone(), fs.read(&dir.join(name), 1 << 20).unwrap())).collect()
}

fn after(fs: &CrashFileSystem, loss: Loss) -> Vec<(String, Vec<u8>)> {
    fs.crash(loss);
    content(fs)
}

#[test]
fn a_file_survives_with_what_was_synced_once_its_directory_was_synced_too() {
    let fs = file_system();
    write(&fs, "a", b"bytes", true);
    assert_eq!(after(&fs, Loss::Everything), []);
    write(&fs, "a", b"bytes", true);
    fs.sync_dir(Path::new("/d")).unwrap();
    write(&fs, "a", b" and more", false);
    assert_eq!(content(&fs), [("a".to_owned(), b"bytes and more".to_vec())]);
    assert_eq!(after(&fs, Loss::Everything), [("a".to_owned(), b"bytes".to_vec())]);
}

#[test]
fn a_size_may_be_there_without_the_bytes_and_bytes_without_the_name() {
    let fs = file_system();
    write(&fs, "a", b"12", true);
    write(&fs, "a", b"345", false);
    assert_eq!(after(&fs, Loss::Content), [("a".to_owned(), b"12\0\0\0".to_vec())]);
    fs.rename(Path::new("/d/a"), Path::new("/d/b")).unwrap();
    write(&fs, "b", b"6", false);
    assert_eq!(after(&fs, Loss::Names), [("a".to_owned(), b"12\0\0\x006".to_vec())]);
}

#[test]
fn a_write_is_torn_between_sectors_and_nowhere_else() {
    let mut lengths = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let fs = file_system();
        fs.sync_dir(Path::new("/d")).unwrap();
        write(&fs, "a", &[1; 100], true);
        fs.sync_dir(Path::new("/d")).unwrap();
        write(&fs, "a", &[2; 1_000], false);
        let found = after(&fs, Loss::Chance(seed));
        let (_, bytes) = &found[0];
        lengths.insert(bytes.len());
        assert!(bytes.starts_with(&[1; 100]));
        for part in bytes[100..].chunk_by(|a, b| a == b) {
            assert!([412, 512, 76, 924, 588, 1_000].contains(&part.len()), "{} equal bytes", part.len());
        }
    }
    assert_eq!(lengths.into_iter().collect::<Vec<_>>(), [100, 512, 1_024, 1_100]);
}

#[test]
fn names_are_lost_from_the_last_change_on_or_where_nothing_shows_it() {
    let names = |loss| {
        let fs = file_system();
        for name in ["a", "b", "c"] {
            write(&fs, name, b"", true);
        }
        fs.rename(Path::new("/d/a"), Path::new("/d/a2")).unwrap();
        after(&fs, loss).into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(" ")
    };
    let found = |loss: fn(u64) -> Loss| {
        let all: std::collections::BTreeSet<String> = (0..200).map(|seed| names(loss(seed))).collect();
        all.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(found(Loss::Chance), ["", "a", "a b", "a b c", "a2 b c"]);
    let reordered = found(Loss::Reordered);
    assert!(reordered.iter().any(|names| names == "a2 c"), "{reordered:?}");
    assert!(!reordered.iter().any(|names| names.contains("a a2")), "{reordered:?}");
}

#[test]
fn what_was_open_fails_after_a_crash_and_locks_are_gone() {
    let fs = file_system();
    let lock = fs.try_lock(Path::new("/d/lock")).unwrap();
    assert!(lock.is_some() && fs.try_lock(Path::new("/d/lock")).unwrap().is_none());
    let file = fs.open(Path::new("/d/a"), OpenOptions::CREATE).unwrap();
    fs.crash(Loss::Nothing);
    assert!(file.write_all_at(b"late", 0).is_err());
    assert_eq!(fs.metadata(Path::new("/d/a")).unwrap().len, 0);
    let again = fs.try_lock(Path::new("/d/lock")).unwrap();
    drop(lock);
    assert!(again.is_some() && fs.try_lock(Path::new("/d/lock")).unwrap().is_none());
}

#[test]
fn a_crash_can_be_had_after_each_step_of_a_record() {
    let fs = CrashFileSystem::recording(Arc::new(ManualClock::new(1_000)));
    fs.create_dir_all(Path::new("/d")).unwrap();
    let made = fs.steps();
    fs.replace(Path::new("/d/a"), b"old").unwrap();
    let first = fs.steps();
    fs.replace(Path::new("/d/a"), b"new").unwrap();
    for steps in made..=fs.steps() {
        for loss in [Loss::Nothing, Loss::Everything, Loss::Names] {
            let found = fs.crashed_at(steps, loss);
            let old_or_new = found.read(Path::new("/d/a"), 10).ok();
            let is_fine = old_or_new
                .as_ref()
                .is_none_or(|content| [b"old", b"new"].contains(&&content[..].try_into().unwrap()));
            assert!(is_fine, "after {steps} steps: {old_or_new:?}");
            // The directory itself was never synced.
            assert!(loss == Loss::Nothing || old_or_new.is_none());
            assert!(loss != Loss::Nothing || steps < first || old_or_new.is_some(), "after {steps} steps");
        }
    }
}

#[test]
fn a_directory_that_is_planted_elsewhere_is_synced_there_and_gone_here() {
    let fs = file_system();
    write(&fs, "a", b"bytes", false);
    fs.create_dir_all(Path::new("/d/e")).unwrap();
    fs.hard_link(Path::new("/d/a"), Path::new("/d/e/b")).unwrap();
    let tree = fs.take_tree(Path::new("/d/e")).unwrap();
    assert_eq!(content(&fs), [("a".to_owned(), b"bytes".to_vec())]);
    let other = CrashFileSystem::new(Arc::new(ManualClock::new(1_000)));
    other.plant(Path::new("/x/d"), &tree).unwrap();
    other.crash(Loss::Everything);
    assert_eq!(other.read(Path::new("/x/d/b"), 10).unwrap()[..], *b"bytes");
    write(&fs, "a", b" of the first", false);
    assert_eq!(other.read(Path::new("/x/d/b"), 100).unwrap()[..], *b"bytes");
    assert_eq!(after(&fs, Loss::Everything), []);
}
