//! Time: the system's, or one that a test drives.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

/// Something that waits and wants to look again when time jumps.
pub trait Wake: Send + Sync {
    /// Makes the waiting thread look at the clock again. Returns at once.
    fn wake(&self);
}

/// Where the broker takes its time from: wall time for timestamps, monotonic time for timers.
///
/// The two are separate since wall time may be set back; a timer must not care.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> i64;

    /// Time since an arbitrary origin; never goes back.
    fn monotonic(&self) -> Duration;

    /// How long a thread may block in real time before it must look at this clock again to see whether
    /// `deadline` (on [`Clock::monotonic`]) has come; `None` if only [`Wake::wake`] can tell.
    fn real_timeout(&self, deadline: Duration) -> Option<Duration>;

    /// Registers a waiter to be woken whenever the clock jumps. A clock that never jumps ignores it.
    fn register(&self, waiter: Weak<dyn Wake>);

    /// Lets `by` pass at once, for timestamps and timers alike, and wakes everybody who waits for the clock. Says
    /// whether it did: the machine's time passes by itself alone. Of what is more than [`Clock::left`], only that passes.
    fn skip(&self, by: Duration) -> bool {
        let _ = by;
        false
    }

    /// How much time it can skip until it has come to its end.
    fn left(&self) -> Duration {
        Duration::MAX
    }

    /// Another clock that shows the same time and from here on goes by itself; `None` if there can be only this one.
    fn fork(&self) -> Option<Arc<dyn Clock>> {
        None
    }
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    #[expect(clippy::disallowed_methods, reason = "this is the clock that others are handed")]
    pub fn new() -> Self {
        SystemClock { origin: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that others are handed")]
    fn now_ms(&self) -> i64 {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
    }

    fn monotonic(&self) -> Duration {
        self.origin.elapsed()
    }

    fn real_timeout(&self, deadline: Duration) -> Option<Duration> {
        Some(deadline.saturating_sub(self.monotonic()))
    }

    fn register(&self, _waiter: Weak<dyn Wake>) {}

    fn fork(&self) -> Option<Arc<dyn Clock>> {
        Some(Arc::new(SystemClock { origin: self.origin }))
    }
}

/// A clock that stands still until it is told to move.
///
/// # Examples
/// ```
/// use ottla::{Clock, ManualClock};
/// use std::time::Duration;
/// let clock = ManualClock::new(1_000);
/// clock.advance(Duration::from_secs(7));
/// assert_eq!(clock.now_ms(), 8_000);
/// ```
pub struct ManualClock {
    epoch_ms: AtomicI64,
    elapsed_ns: AtomicU64,
    waiters: Sleepers,
}

impl ManualClock {
    /// A clock that shows `now_ms` milliseconds since the Unix epoch.
    pub fn new(now_ms: i64) -> Self {
        ManualClock {
            epoch_ms: AtomicI64::new(now_ms),
            elapsed_ns: AtomicU64::new(0),
            waiters: Sleepers::default(),
        }
    }

    /// Moves both times forward and wakes everybody who waits for the clock. It can show 584 years; at their end it stands
    /// still for good ([`Clock::left`]).
    ///
    /// # Examples
    /// ```
    /// use ottla::{Clock, ManualClock};
    /// use std::time::Duration;
    /// let clock = ManualClock::new(1_000);
    /// clock.advance(Duration::MAX);
    /// let end = clock.now_ms();
    /// clock.advance(Duration::from_secs(7));
    /// assert_eq!((clock.now_ms(), clock.left()), (end, Duration::ZERO));
    /// ```
    pub fn advance(&self, by: Duration) {
        add(&self.elapsed_ns, by);
        self.waiters.wake_all();
    }

    /// Sets wall time alone, as an operator would; timers do not notice.
    pub fn set_now_ms(&self, now_ms: i64) {
        let elapsed_ms = i64::try_from(self.monotonic().as_millis()).unwrap_or(i64::MAX);
        self.epoch_ms.store(now_ms.saturating_sub(elapsed_ms), Ordering::SeqCst);
        self.waiters.wake_all();
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualClock").field("now_ms", &self.now_ms()).finish_non_exhaustive()
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        let elapsed_ms = i64::try_from(self.monotonic().as_millis()).unwrap_or(i64::MAX);
        self.epoch_ms.load(Ordering::SeqCst).saturating_add(elapsed_ms)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.elapsed_ns.load(Ordering::SeqCst))
    }

    fn real_timeout(&self, deadline: Duration) -> Option<Duration> {
        (deadline <= self.monotonic()).then_some(Duration::ZERO)
    }

    fn register(&self, waiter: Weak<dyn Wake>) {
        self.waiters.add(waiter);
    }

    fn skip(&self, by: Duration) -> bool {
        self.advance(by);
        true
    }

    fn left(&self) -> Duration {
        Duration::from_nanos(u64::MAX - self.elapsed_ns.load(Ordering::SeqCst))
    }

    fn fork(&self) -> Option<Arc<dyn Clock>> {
        Some(Arc::new(ManualClock {
            epoch_ms: AtomicI64::new(self.epoch_ms.load(Ordering::SeqCst)),
            elapsed_ns: AtomicU64::new(self.elapsed_ns.load(Ordering::SeqCst)),
            waiters: Sleepers::default(),
        }))
    }
}

/// The machine's time, quicker or slower, of which a test may skip some.
///
/// # Examples
/// ```
/// use ottla::{Clock, ScaledClock};
/// use std::time::Duration;
/// let clock = ScaledClock::new(60.0); // a minute a second
/// let before = clock.now_ms();
/// assert!(clock.skip(Duration::from_secs(7 * 24 * 3600)));
/// assert!(clock.now_ms() >= before + 7 * 24 * 3_600_000);
/// ```
pub struct ScaledClock {
    origin: Instant,
    rate: f64,
    epoch_ms: i64,
    skipped_ns: AtomicU64,
    waiters: Sleepers,
}

impl ScaledClock {
    /// A clock that shows the machine's time now, and from here on runs `rate` times as fast.
    ///
    /// # Panics
    /// If `rate` is not a positive number: for a clock that stands still there is [`ManualClock`].
    #[expect(clippy::disallowed_methods, reason = "this is the clock that others are handed")]
    pub fn new(rate: f64) -> Self {
        assert!(rate.is_finite() && rate > 0.0, "a clock cannot run at the rate {rate}");
        ScaledClock {
            origin: Instant::now(),
            rate,
            epoch_ms: SystemClock::new().now_ms(),
            skipped_ns: AtomicU64::new(0),
            waiters: Sleepers::default(),
        }
    }
}

impl fmt::Debug for ScaledClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ScaledClock { rate, .. } = self;
        f.debug_struct("ScaledClock")
            .field("rate", rate)
            .field("now_ms", &self.now_ms())
            .finish_non_exhaustive()
    }
}

impl Clock for ScaledClock {
    fn now_ms(&self) -> i64 {
        let elapsed_ms = i64::try_from(self.monotonic().as_millis()).unwrap_or(i64::MAX);
        self.epoch_ms.saturating_add(elapsed_ms)
    }

    fn monotonic(&self) -> Duration {
        let elapsed = self.origin.elapsed();
        // The usual rate costs no precision.
        let elapsed = if self.rate == 1.0 { elapsed } else { seconds(elapsed.as_secs_f64() * self.rate) };
        elapsed.saturating_add(Duration::from_nanos(self.skipped_ns.load(Ordering::SeqCst)))
    }

    fn real_timeout(&self, deadline: Duration) -> Option<Duration> {
        let left = deadline.saturating_sub(self.monotonic());
        Some(if self.rate == 1.0 { left } else { seconds(left.as_secs_f64() / self.rate) })
    }

    fn register(&self, waiter: Weak<dyn Wake>) {
        self.waiters.add(waiter);
    }

    fn skip(&self, by: Duration) -> bool {
        add(&self.skipped_ns, by);
        self.waiters.wake_all();
        true
    }

    fn left(&self) -> Duration {
        Duration::from_nanos(u64::MAX - self.skipped_ns.load(Ordering::SeqCst))
    }

    fn fork(&self) -> Option<Arc<dyn Clock>> {
        Some(Arc::new(ScaledClock {
            origin: self.origin,
            rate: self.rate,
            epoch_ms: self.epoch_ms,
            skipped_ns: AtomicU64::new(self.skipped_ns.load(Ordering::SeqCst)),
            waiters: Sleepers::default(),
        }))
    }
}

/// Adds to a count of nanoseconds, which stays at the greatest: time that began anew would go back.
fn add(count: &AtomicU64, by: Duration) {
    let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
    count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |ns| Some(ns.saturating_add(by))).ok();
}

/// So many seconds; of what is too many, the most that there are.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

/// Who wants to know that a clock has jumped.
#[derive(Default)]
struct Sleepers(Mutex<Vec<Weak<dyn Wake>>>);

impl Sleepers {
    fn add(&self, waiter: Weak<dyn Wake>) {
        let mut waiters = self.0.lock();
        if waiters.len() == waiters.capacity() {
            waiters.retain(|waiter| waiter.strong_count() > 0);
        }
        waiters.push(waiter);
    }

    fn wake_all(&self) {
        let mut woken = Vec::new();
        self.0.lock().retain(|waiter| match waiter.upgrade() {
            Some(waiter) => {
                woken.push(waiter);
                true
            }
            None => false,
        });
        // Outside the lock: waking may register another waiter.
        for waiter in woken {
            waiter.wake();
        }
    }
}
