use std::sync::Arc;
use std::time::Duration;

use super::os_fs::OsFileLock;
use super::temporary::Home;
use super::*;

#[test]
fn a_waiter_on_a_manual_clock_wakes_when_the_clock_reaches_its_deadline() {
    let clock = Arc::new(ManualClock::new(0));
    let waiter = Waiter::new(clock.clone());
    let seen = waiter.generation();
    let handle = {
        let waiter = Arc::clone(&waiter);
        ThreadSpawner.spawn(
            "wait",
            Box::new(move || {
                assert_eq!(waiter.wait(seen, Some(Duration::from_secs(5))), WaitOutcome::TimedOut);
            }),
        )
    };
    clock.advance(Duration::from_secs(2));
    clock.advance(Duration::from_secs(3));
    handle.unwrap().join().unwrap();
}

#[test]
fn a_notification_between_look_and_wait_is_not_lost() {
    let waiter = Waiter::new(Arc::new(ManualClock::new(0)));
    let seen = waiter.generation();
    waiter.notify();
    assert_eq!(waiter.wait(seen, None), WaitOutcome::Notified);
}

#[test]
fn vectored_writes_land_one_after_the_other() {
    let dir = tempfile::tempdir().unwrap();
    let fs = OsFileSystem::durable();
    let file = fs.open(&dir.path().join("f"), OpenOptions::CREATE).unwrap();
    let parts: Vec<Vec<u8>> = (0..3000u32).map(|i| i.to_be_bytes().to_vec()).collect();
    let mut slices: Vec<_> = parts.iter().map(|part| std::io::IoSlice::new(part)).collect();
    file.write_all_vectored_at(&mut slices, 8).unwrap();
    assert_eq!(file.len().unwrap(), 8 + 12_000);
    let mut word = [0; 4];
    file.read_exact_at(&mut word, 8 + 4 * 2999).unwrap();
    assert_eq!(u32::from_be_bytes(word), 2999);
}

#[test]
fn a_lock_is_refused_while_another_holds_it() {
    let dir = tempfile::tempdir().unwrap();
    let fs = OsFileSystem::durable();
    let path = dir.path().join(".lock");
    let held = fs.try_lock(&path).unwrap();
    assert!(held.is_some());
    assert!(fs.try_lock(&path).unwrap().is_none());
    drop(held);
    assert!(fs.try_lock(&path).unwrap().is_some());
}

/// A child process has copies of all descriptors from the fork to the start of its program. A broker that was closed and
/// opened again in between was refused as in use by another.
#[test]
fn a_lock_is_let_go_although_a_child_that_starts_has_a_copy_of_its_descriptor() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(".lock");
    let held = OsFileLock::try_new(&path).unwrap().unwrap();
    let copy = held.file.try_clone().unwrap();
    drop(held);
    assert!(OsFileSystem::durable().try_lock(&path).unwrap().is_some());
    drop(copy);
}

#[test]
fn replacing_a_file_leaves_no_temporary_behind() {
    let dir = tempfile::tempdir().unwrap();
    let fs = OsFileSystem::durable();
    let path = dir.path().join("checkpoint");
    fs.replace(&path, b"one").unwrap();
    fs.replace(&path, b"two").unwrap();
    assert_eq!(fs.read(&path, 100).unwrap(), b"two");
    assert!(fs.read(&path, 2).is_err());
    assert_eq!(fs.read_dir(dir.path()).unwrap().len(), 1);
}

#[test]
fn the_same_seed_gives_the_same_numbers() {
    let (a, b) = (SeededRng::new(7), SeededRng::new(7));
    assert_eq!((a.next_u64(), a.next_u64()), (b.next_u64(), b.next_u64()));
    assert_ne!(a.next_u64(), SeededRng::new(8).next_u64());
}

#[test]
fn a_home_goes_with_the_next_look_once_nobody_holds_its_lock_and_no_sooner() {
    let parent = tempfile::tempdir().unwrap();
    let (held, gone) = (Home::take(parent.path()).unwrap(), Home::take(parent.path()).unwrap());
    let (left, foreign) = (gone.dir().to_owned(), parent.path().join("without-a-lock"));
    OsFileSystem::durable().create_dir_all(&left.join("orders-0")).unwrap();
    OsFileSystem::durable().create_dir_all(&foreign).unwrap();
    gone.lose();
    assert!(left.exists());
    temporary::sweep(parent.path(), None);
    assert!(!left.exists() && !left.with_extension("lock").exists());
    assert!(held.dir().exists() && foreign.exists());
    let dir = held.dir().to_owned();
    drop(held);
    assert!(!dir.exists());
}

#[test]
fn nobody_takes_a_home_that_is_just_being_made_for_one_that_is_left() {
    let root = tempfile::tempdir().unwrap();
    let parent = root.path().join("homes");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..50 {
                    let home = Home::take(&parent).unwrap();
                    temporary::sweep(&parent, Some(&home));
                    assert!(home.dir().exists());
                    if round % 2 == 0 {
                        home.lose();
                    }
                }
            });
        }
    });
    temporary::sweep(&parent, None);
    assert!(!parent.exists() || OsFileSystem::durable().read_dir(&parent).unwrap().is_empty());
}

/// They went back, to begin anew.
#[test]
fn clocks_stand_still_at_the_end_of_their_time() {
    let clocks: [Arc<dyn Clock>; 2] = [Arc::new(ManualClock::new(1_000)), Arc::new(ScaledClock::new(1.0))];
    let years = |count: u64| Duration::from_secs(count * 365 * 24 * 3600);
    for clock in clocks {
        let before = clock.now_ms();
        assert!(clock.skip(years(400)));
        assert!(clock.now_ms() >= before + 400 * 365 * 24 * 3_600_000);
        assert!(clock.left() > years(100) && clock.left() < years(200), "{:?}", clock.left());
        let late = clock.now_ms();
        assert!(clock.skip(years(400)));
        assert!(clock.now_ms() > late + 100 * 365 * 24 * 3_600_000);
        assert_eq!(clock.left(), Duration::ZERO);
        let (end, monotonic) = (clock.now_ms(), clock.monotonic());
        assert!(clock.skip(Duration::MAX));
        assert!(clock.now_ms() >= end && clock.monotonic() >= monotonic);
    }
}

#[test]
fn no_rate_is_too_high_or_too_low_for_a_clock() {
    let fast = ScaledClock::new(f64::MAX);
    assert!(fast.now_ms() > 0);
    let slow = ScaledClock::new(f64::MIN_POSITIVE);
    assert_eq!(slow.real_timeout(Duration::from_secs(1)), Some(Duration::MAX));
}
