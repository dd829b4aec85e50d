use std::sync::Arc;
use std::time::Duration;

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
fn vectored_writes_land_one_after_the_other_and_a_map_sees_them() {
    let dir = tempfile::tempdir().unwrap();
    let fs = OsFileSystem::durable();
    let file = fs.open(&dir.path().join("f"), OpenOptions::CREATE).unwrap();
    let parts: Vec<Vec<u8>> = (0..3000u32).map(|i| i.to_be_bytes().to_vec()).collect();
    let mut slices: Vec<_> = parts.iter().map(|part| std::io::IoSlice::new(part)).collect();
    file.write_all_vectored_at(&mut slices, 8).unwrap();
    assert_eq!(file.len().unwrap(), 8 + 12_000);
    let map = file.map(12_008).unwrap();
    let mut word = [0; 4];
    map.read(8 + 4 * 2999, &mut word);
    assert_eq!(u32::from_be_bytes(word), 2999);
    map.write(0, b"ottla");
    let mut head = [0; 5];
    file.read_exact_at(&mut head, 0).unwrap();
    assert_eq!(&head, b"ottla");
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
