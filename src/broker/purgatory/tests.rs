use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::*;
use crate::sys::ManualClock;

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn tasks_run_in_the_order_of_their_deadlines_and_only_when_due() {
    let clock = Arc::new(ManualClock::new(0));
    let timer = Timer::new(clock.clone());
    let ran = Arc::new(Mutex::new(Vec::new()));
    for delay in [3, 1, 2] {
        let ran = Arc::clone(&ran);
        timer.schedule(secs(delay), move || ran.lock().push(delay));
    }
    assert_eq!(timer.run_due(), 0);
    clock.advance(secs(2));
    assert_eq!(timer.run_due(), 2);
    assert_eq!(*ran.lock(), [1, 2]);
}

#[test]
fn a_cancelled_task_never_runs_and_leaves_no_trace() {
    let clock = Arc::new(ManualClock::new(0));
    let timer = Timer::new(clock.clone());
    let handle = timer.schedule(secs(1), || panic!("was cancelled"));
    assert!(timer.cancel(handle));
    assert!(!timer.cancel(handle));
    assert_eq!(timer.len(), 0);
    clock.advance(secs(5));
    assert_eq!(timer.run_due(), 0);
}

#[test]
fn a_task_may_schedule_another_that_is_due_at_once() {
    let clock = Arc::new(ManualClock::new(0));
    let timer = Timer::new(clock.clone());
    let again = Arc::clone(&timer);
    timer.schedule(secs(1), move || {
        again.schedule(Duration::ZERO, || {});
    });
    clock.advance(secs(1));
    assert_eq!(timer.run_due(), 2);
}

#[test]
fn closing_ends_the_timer_thread() {
    let timer = Timer::new(Arc::new(ManualClock::new(0)));
    let running = Arc::clone(&timer);
    let thread =
        crate::sys::Env::system().spawner.spawn("timer", Box::new(move || while running.run_once() {}));
    timer.close();
    thread.unwrap().join().unwrap();
}

#[derive(Default)]
struct WaitsForFlag {
    flag: AtomicBool,
    tries: AtomicUsize,
}

impl DelayedOperation for WaitsForFlag {
    fn try_complete(&self) -> bool {
        self.tries.fetch_add(1, Ordering::SeqCst);
        self.flag.load(Ordering::SeqCst)
    }
}

#[test]
fn an_operation_is_tried_until_it_completes_and_not_after() {
    let watchers = WatcherList::default();
    let operation = Arc::new(WaitsForFlag::default());
    watchers.watch(operation.clone());
    watchers.check();
    operation.flag.store(true, Ordering::SeqCst);
    watchers.check();
    watchers.check();
    assert_eq!(operation.tries.load(Ordering::SeqCst), 2);
    assert_eq!(watchers.len(), 0);
}

#[test]
fn housekeeping_that_is_put_off_holds_up_nothing_else_and_is_made_up_for_once() {
    let clock = Arc::new(ManualClock::new(0));
    let timer = Timer::new(Arc::clone(&clock) as _);
    let ran = Arc::new(Mutex::new(Vec::new()));
    let note = |what: &'static str| {
        let ran = Arc::clone(&ran);
        move || ran.lock().push(what)
    };
    timer.schedule_housekeeping(secs(1), note("before"));
    timer.put_off_housekeeping(true);
    timer.schedule_housekeeping(secs(1), note("housekeeping"));
    timer.schedule_repetition_at(secs(2), note("heartbeat"));
    timer.schedule(secs(3), note("session"));
    assert_eq!(timer.next_event(), Some(secs(1)), "what was there before is not put off");
    clock.advance(secs(1));
    assert_eq!(timer.run_due(), 1);
    assert_eq!(timer.next_event(), Some(secs(3)));
    clock.advance(secs(2));
    assert_eq!(timer.run_due(), 2);
    assert!(!timer.settle(), "nothing is due that is not put off");
    timer.put_off_housekeeping(false);
    assert_eq!(timer.run_due(), 1);
    assert_eq!(*ran.lock(), ["before", "heartbeat", "session", "housekeeping"]);
}
