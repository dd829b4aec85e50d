//! Logs at work on a disk that will lose power, and their models beside them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::fixture::*;
use super::expect::{AfterCrash, check};
use super::model::Model;
use crate::config::CleanupPolicy;
use crate::log::file_names::{CLEANED, SWAP};
use crate::log::verify::Finding;
use crate::log::{FetchIsolation, Log, LogError, LogManager, VerifyParams, verify_log_dir};
use crate::model::{Offset, ProducerId, TopicPartition};
use crate::sys::{Env, FileSystem, Rng, SeededRng};
use crate::testkit::{CrashFileSystem, Loss};

/// Those that write without transactions, and those with.
pub(super) const IDEMPOTENT: [ProducerId; 2] = [1, 2];
pub(super) const TRANSACTIONAL: [ProducerId; 2] = [3, 4];

pub(super) struct Dice(SeededRng);

impl Dice {
    pub(super) fn below(&self, limit: usize) -> usize {
        usize::try_from(self.0.next_u64() % limit as u64).unwrap()
    }

    pub(super) fn one_in(&self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(super) fn pick<T: Copy>(&self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// What has happened, told if the test fails.
struct Story {
    seed: u64,
    lines: Vec<String>,
    /// The disk that lost power last, and when.
    crashed: Option<(CrashFileSystem, usize)>,
}

impl Drop for Story {
    fn drop(&mut self) {
        if std::thread::panicking() {
            if let Some((fs, steps)) = &self.crashed {
                let journal = fs.journal();
                let last = &journal[steps.saturating_sub(60)..*steps];
                eprintln!("the last steps of the disk:\n{}\nand all operations:", last.join("\n"));
            }
            let seed = self.seed;
            eprintln!("{}\nOTTLA_CRASH_SEEDS={seed}..{} does it again", self.lines.join("\n"), seed + 1);
        }
    }
}

/// One of the partitions.
pub(super) struct Part {
    pub(super) partition: TopicPartition,
    pub(super) model: Model,
    pub(super) leader_epoch: i32,
    pub(super) producer_epochs: [i16; 5],
}

pub(super) struct World {
    pub(super) dice: Dice,
    pub(super) fixture: Fixture,
    pub(super) fs: CrashFileSystem,
    pub(super) manager: Option<LogManager>,
    pub(super) parts: Vec<Part>,
    /// The one of them that something is done to.
    pub(super) at: usize,
    /// The models after each operation, with the steps that the disk had taken then.
    history: Vec<(usize, Vec<Model>)>,
    pub(super) values: usize,
    story: Story,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        Self::with_log_dirs(1, seed)
    }

    /// One whose log moves between two log dirs.
    pub(super) fn with_moves(seed: u64) -> Self {
        Self::with_log_dirs(2, seed)
    }

    fn with_log_dirs(log_dirs: usize, seed: u64) -> Self {
        let dice = Dice(SeededRng::new(seed));
        let mut fixture = Fixture::with_config(|config| {
            config.cleanup_policy = match dice.below(5) {
                0 | 1 => CleanupPolicy::COMPACT,
                2 => CleanupPolicy { compact: true, delete: true },
                _ => CleanupPolicy::DELETE,
            };
            config.segment_bytes = dice.pick(&[600, 900, 2_000]);
            config.index_interval_bytes = dice.pick(&[0, 100, 400]);
            config.segment_index_bytes = 240;
            config.preallocate = dice.one_in(4);
            config.retention_bytes = 2_500;
            config.retention_ms = 20_000;
            config.delete_retention_ms = 1_000;
            config.file_delete_delay_ms = dice.pick(&[0, 10]);
            config.flush_messages = dice.pick(&[1, 4, i64::MAX, i64::MAX]);
            config.flush_ms = dice.pick(&[i64::MAX, 2_000]);
        });
        fixture.log_dirs = log_dirs;
        fixture.cleaner.dedupe_buffer_size = 1 << 16;
        let fs = CrashFileSystem::recording(fixture.clock.clone());
        fixture.fs = Arc::new(fs.clone());
        let names = [partition(), TopicPartition::new("orders-eu", 4), TopicPartition::new("views", 0)];
        let part =
            |partition| Part { partition, model: Model::default(), leader_epoch: 0, producer_epochs: [0; 5] };
        let count = 1 + dice.below(names.len());
        let mut world = World {
            dice,
            fixture,
            fs,
            manager: None,
            parts: names.into_iter().take(count).map(part).collect(),
            at: 0,
            history: vec![(0, vec![Model::default(); count])],
            values: 0,
            story: Story { seed, lines: Vec::new(), crashed: None },
        };
        let config = &world.fixture.config;
        let settings = (config.segment_bytes, config.index_interval_bytes, config.preallocate);
        let flush = (config.flush_messages, config.flush_ms);
        world.tell(format!(
            "{count} partitions, {:?}, segments, index interval, preallocate: {settings:?}, flush: {flush:?}",
            config.cleanup_policy
        ));
        world.open();
        world
    }

    pub(super) fn tell(&mut self, line: String) {
        let line = match self.parts.len() {
            1 => line,
            _ => format!("{}: {line}", self.parts[self.at].partition),
        };
        self.story.lines.push(line);
    }

    pub(super) fn is_compacted(&self) -> bool {
        self.fixture.config.cleanup_policy.compact
    }

    pub(super) fn manager(&self) -> &LogManager {
        self.manager.as_ref().unwrap()
    }

    pub(super) fn log(&self) -> Arc<Log> {
        self.log_of(self.at)
    }

    pub(super) fn log_of(&self, i: usize) -> Arc<Log> {
        self.fixture.log_at(self.manager(), &self.parts[i].partition)
    }

    fn models(&self) -> Vec<Model> {
        self.parts.iter().map(|part| part.model.clone()).collect()
    }

    /// Checks all logs.
    pub(super) fn check(&self) {
        for (i, part) in self.parts.iter().enumerate() {
            check(&self.log_of(i), &part.model, self.is_compacted());
        }
    }

    pub(super) fn steps(&self) -> usize {
        self.fs.steps()
    }

    fn open(&mut self) {
        self.manager = Some(open(&self.fixture, &self.parts, &self.fs));
        self.note();
    }

    pub(super) fn note(&mut self) {
        self.history.push((self.fs.steps(), self.models()));
    }

    /// Does so many random operations.
    pub(super) fn work(&mut self, operations: usize) {
        for _ in 0..operations {
            self.operate();
            self.note();
        }
        self.check();
    }

    /// The moments between which the disk had taken so many steps.
    fn around(&self, steps: usize) -> (&[Model], &[Model]) {
        let later = self.history.iter().position(|(taken, _)| *taken > steps);
        let later = later.unwrap_or(self.history.len() - 1);
        (&self.history[later.saturating_sub(1)].1, &self.history[later].1)
    }

    /// What is left after a crash, once it is opened again.
    fn check_after_crash(&self, steps: usize, manager: &LogManager, is_killed: bool) -> Vec<Model> {
        let (before, after) = self.around(steps);
        let models = self.parts.iter().zip(before.iter().zip(after));
        models
            .map(|(part, (before, after))| {
                let log = self.fixture.log_at(manager, &part.partition);
                self.check_log_after_crash(before, after, &log, is_killed)
            })
            .collect()
    }

    fn check_log_after_crash(&self, before: &Model, after: &Model, log: &Log, is_killed: bool) -> Model {
        let is_compacted = self.is_compacted();
        if before.deletions != after.deletions {
            // The deletion counts, or it does not.
            let is_deleted = (log.log_start_offset(), log.log_end_offset()) == (0, 0);
            let only = if is_deleted { after } else { before };
            return AfterCrash { before: only, after: only, is_compacted, is_killed }.check(log);
        }
        if before.restarts != after.restarts {
            let is_done =
                (log.log_start_offset(), log.log_end_offset(), log.size()) == (after.end, after.end, 0);
            let mut only = if is_done { after.clone() } else { before.clone() };
            if !is_done {
                // Nobody needs what is left, which may begin with any of the segments.
                only.flushed = 0;
                only.start = only.start.max(after.start).max(log.log_start_offset()).min(only.end);
                only.checkpointed_start = only.checkpointed_start.min(after.start);
            }
            return AfterCrash { before: &only, after: &only, is_compacted, is_killed }.check(log);
        }
        AfterCrash { before, after, is_compacted, is_killed }.check(log)
    }

    /// Opens what a crash would have left, and looks whether that is whole.
    pub(super) fn look_after_crash(&mut self, steps: usize, loss: Loss) {
        self.tell(format!("look after {steps} steps, {loss:?}"));
        self.story.crashed = Some((self.fs.clone(), steps));
        let fs = self.fs.crashed_at(steps, loss);
        let models = self.look_at(&fs, steps, false);
        self.look_again(&fs, &models);
        self.story.lines.pop();
    }

    /// Has the next process after a kill close in order what it finds, and looks at what a power loss leaves of that.
    pub(super) fn look_after_kill(&mut self, steps: usize, losses: &[Loss]) {
        if !self.is_all_or_nothing(steps) {
            return;
        }
        self.tell(format!("look after a kill after {steps} steps"));
        self.story.crashed = Some((self.fs.clone(), steps));
        let fs = self.fs.killed_at(steps);
        let models = self.look_at(&fs, steps, true);
        for &loss in losses {
            self.tell(format!("power loss after the end of the next process, {loss:?}"));
            self.story.crashed = Some((fs.clone(), fs.steps()));
            self.look_again(&fs.crashed_at(fs.steps(), loss), &models);
            self.story.lines.pop();
        }
        self.story.lines.pop();
    }

    /// Looks whether what a crash after so many steps has left is whole, and closes it in order.
    fn look_at(&self, fs: &CrashFileSystem, steps: usize, is_killed: bool) -> Vec<Model> {
        let manager = open(&self.fixture, &self.parts, fs);
        let models = self.check_after_crash(steps, &manager, is_killed);
        self.finish_moves(&manager);
        close(manager, &self.fixture, fs);
        models
    }

    /// Looks whether what was closed in order is as it was.
    fn look_again(&self, fs: &CrashFileSystem, models: &[Model]) {
        let manager = open(&self.fixture, &self.parts, fs);
        for (part, model) in self.parts.iter().zip(models) {
            let log = self.fixture.log_at(&manager, &part.partition);
            assert!(log.had_clean_shutdown());
            check(&log, model, self.is_compacted());
        }
        manager.abandon();
    }

    fn finish_moves(&self, manager: &LogManager) {
        for part in &self.parts {
            if let Some(future) = manager.future_log(&part.partition) {
                let log = self.fixture.log_at(manager, &part.partition);
                assert!(manager.finish_move(&log, &future).unwrap());
            }
        }
    }

    /// Whether all that was dropped as a whole was so before these steps, or after them.
    fn is_all_or_nothing(&self, steps: usize) -> bool {
        let (before, after) = self.around(steps);
        let dropped = |model: &Model| (model.deletions, model.restarts);
        before.iter().map(dropped).eq(after.iter().map(dropped))
    }

    /// Kills the process after one of the steps so far, or loses power there, and goes on with what is left.
    pub(super) fn crash_somewhere(&mut self) {
        let steps = self.some_step();
        if self.dice.one_in(3) && self.is_all_or_nothing(steps) {
            self.tell(format!("kill after {steps} of {} steps", self.fs.steps()));
            self.go_on_with(self.fs.killed_at(steps), steps, true);
            if self.dice.one_in(2) {
                let operations = self.dice.below(4);
                self.work(operations);
                self.lose_power_once_closed();
            }
            return;
        }
        let loss = self.some_loss();
        self.tell(format!("crash after {steps} of {} steps, {loss:?}", self.fs.steps()));
        self.go_on_with(self.fs.crashed_at(steps, loss), steps, false);
    }

    /// Any of the steps so far, and half of the time one of the last operation's, after which nothing has synced what that
    /// did.
    fn some_step(&self) -> usize {
        let last = self.history.len().saturating_sub(2);
        let from = if self.dice.one_in(2) { 0 } else { self.history[last].0 };
        from + self.dice.below(self.fs.steps() - from + 1)
    }

    fn some_loss(&self) -> Loss {
        match self.dice.below(10) {
            0 => Loss::Nothing,
            1 => Loss::Everything,
            2 => Loss::Content,
            3 => Loss::Names,
            4..=6 => Loss::Chance(self.dice.0.next_u64()),
            _ => Loss::Reordered(self.dice.0.next_u64()),
        }
    }

    /// Closes the logs in order, loses power, and finds all as it was.
    fn lose_power_once_closed(&mut self) {
        self.shut_down();
        let (steps, loss) = (self.fs.steps(), self.some_loss());
        self.tell(format!("closed in order; crash after {steps} steps, {loss:?}"));
        self.story.crashed = Some((self.fs.clone(), steps));
        self.fs = self.fs.crashed_at(steps, loss);
        self.fixture.fs = Arc::new(self.fs.clone());
        self.manager = Some(open(&self.fixture, &self.parts, &self.fs));
        self.check();
        self.history = vec![(0, self.models())];
        self.note();
    }

    /// Closes the logs in order, and with that all in them is safe.
    pub(super) fn shut_down(&mut self) {
        let manager = self.manager.take().unwrap();
        manager.shutdown().unwrap();
        for Part { model, .. } in &mut self.parts {
            (model.flushed, model.checkpointed_start) = (model.end, model.start);
        }
    }

    /// Opens what is left after so many steps.
    fn go_on_with(&mut self, fs: CrashFileSystem, steps: usize, is_killed: bool) {
        let manager = self.manager.take().unwrap();
        manager.abandon();
        drop(manager);
        self.story.crashed = Some((self.fs.clone(), steps));
        let manager = open(&self.fixture, &self.parts, &fs);
        let models = self.check_after_crash(steps, &manager, is_killed);
        self.manager = Some(manager);
        for model in &models {
            self.tell(format!("there is {}..{}, flushed {}", model.start, model.end, model.flushed));
        }
        self.fs = fs;
        self.fixture.fs = Arc::new(self.fs.clone());
        for (part, model) in self.parts.iter_mut().zip(&models) {
            part.model = model.clone();
        }
        // A crash that comes before the logs are open again leaves them as they are now.
        self.history = vec![(0, models)];
        self.note();
    }

    /// Closes the log in order, and gives away what it has left.
    pub(super) fn into_files(mut self) -> (Fixture, CrashFileSystem, Dice) {
        close(self.manager.take().unwrap(), &self.fixture, &self.fs);
        self.fs.crash(Loss::Nothing);
        (self.fixture, self.fs, self.dice)
    }

    /// Up to where each log was flushed.
    pub(super) fn flushed(&self) -> BTreeMap<TopicPartition, Offset> {
        self.parts.iter().map(|part| (part.partition.clone(), part.model.flushed)).collect()
    }

    /// Ends with the power, and gives away what that has left.
    pub(super) fn into_files_after_power_loss(mut self) -> (Fixture, CrashFileSystem, Dice) {
        self.manager.take().unwrap().abandon();
        self.fs.crash(Loss::Chance(self.dice.0.next_u64()));
        (self.fixture, self.fs, self.dice)
    }

    /// Closes the log in order; all files are as they should be then.
    pub(super) fn finish(mut self) {
        self.check();
        close(self.manager.take().unwrap(), &self.fixture, &self.fs);
    }
}

pub(super) fn open(fixture: &Fixture, parts: &[Part], fs: &CrashFileSystem) -> LogManager {
    let env = Env { fs: Arc::new(fs.clone()), ..fixture.env() };
    let manager = fixture.open_with(env).unwrap();
    for part in parts {
        let log = fixture.log_at(&manager, &part.partition);
        log.update_high_watermark(log.log_end_offset()).unwrap();
        assert!(log.is_online());
    }
    manager
}

fn close(manager: LogManager, fixture: &Fixture, fs: &CrashFileSystem) {
    let dirs: Vec<_> = manager.logs().iter().map(|log| log.dir.path()).collect();
    for log in manager.logs() {
        assert!(log.upper_bound(FetchIsolation::LogEnd).offset == log.log_end_offset());
    }
    manager.shutdown().unwrap();
    manager.delete_logs();
    drop(manager);
    assert_eq!(verify(fixture, fs).unwrap(), Vec::<String>::new());
    for dir in dirs {
        let entries = fs.read_dir(&dir).unwrap();
        let is_leftover = |name: &str| name.ends_with(CLEANED) || name.ends_with(SWAP);
        assert!(!entries.iter().any(|entry| is_leftover(&entry.name)), "{entries:?}");
    }
}

/// What a check of all files finds that no next start mends.
fn verify(fixture: &Fixture, fs: &CrashFileSystem) -> Result<Vec<String>, LogError> {
    let findings = findings(fixture, fs)?.into_iter().filter(|finding| !finding.is_pending);
    Ok(findings.map(|finding| finding.to_string()).collect())
}

/// All that a check of all files finds.
pub(super) fn verify_all(fixture: &Fixture, fs: &CrashFileSystem) -> Result<Vec<String>, LogError> {
    Ok(findings(fixture, fs)?.iter().map(ToString::to_string).collect())
}

fn findings(fixture: &Fixture, fs: &CrashFileSystem) -> Result<Vec<Finding>, LogError> {
    let fs: Arc<dyn FileSystem> = Arc::new(fs.clone());
    let mut findings = Vec::new();
    for i in 0..fixture.log_dirs {
        let log_dir = fixture.log_dir(i);
        let mut params = VerifyParams { log_dir: &log_dir, files: &[], progress: &mut |_| {} };
        findings.extend(verify_log_dir(&fs, &mut params)?.findings);
    }
    Ok(findings)
}
