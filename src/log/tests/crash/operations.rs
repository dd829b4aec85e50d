//! What happens to the logs of a world.

use std::sync::Arc;
use std::time::Duration;

use super::model::{Batch, Entry, Kind, Model};
use super::world::{IDEMPOTENT, TRANSACTIONAL, World, open};
use crate::log::{AppendParams, Log, Move};
use crate::model::{NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, Offset, ProducerId, Timestamp};
use crate::record::{
    AppendOrigin, BatchOptions, CompressionType, EndTransactionMarker, MarkerParams, ValidatedRecords,
};
use crate::sys::Clock;

impl World {
    pub(super) fn operate(&mut self) {
        let ms = self.dice.below(1_500) as u64;
        self.fixture.clock.advance(Duration::from_millis(ms));
        self.at = self.dice.below(self.parts.len());
        let log = self.log();
        if self.fixture.log_dirs > 1 && self.dice.one_in(4) {
            return self.move_log(&log);
        }
        match self.dice.below(38) {
            0..=5 => self.append(&log, NO_PRODUCER_ID),
            6..=10 => self.append(&log, self.dice.pick(&IDEMPOTENT)),
            11..=15 => self.append(&log, self.dice.pick(&TRANSACTIONAL)),
            16..=18 => self.end_transaction(&log),
            19 | 20 => {
                self.tell("roll".to_owned());
                log.roll().unwrap();
            }
            21 | 22 => {
                self.tell(format!("flush up to {}", self.parts[self.at].model.end));
                log.flush_to_end().unwrap();
                self.parts[self.at].model.flushed = self.parts[self.at].model.end;
            }
            37 => self.flush_dirty(),
            23 => {
                self.tell("flush if rolled".to_owned());
                log.flush_if_rolled().unwrap();
            }
            24..=26 => self.clean(&log),
            27 => {
                self.manager().cleanup_logs();
                self.fixture.clock.advance(Duration::from_millis(10));
                self.manager().delete_logs();
                for i in 0..self.parts.len() {
                    self.parts[i].model.start = self.log_of(i).log_start_offset();
                }
                let starts: Vec<Offset> = self.parts.iter().map(|part| part.model.start).collect();
                self.tell(format!("retention up to {starts:?}"));
            }
            28 => self.delete_records(&log),
            29 => self.truncate(&log),
            30 => {
                self.tell(format!("checkpoint, start {}", self.parts[self.at].model.start));
                self.checkpoint();
            }
            31 => {
                self.parts[self.at].leader_epoch += 1 + self.dice.below(2) as i32;
                self.tell(format!("term {}", self.parts[self.at].leader_epoch));
                log.assign_epoch_start_offset(self.parts[self.at].leader_epoch, log.log_end_offset());
            }
            32 => {
                drop(log);
                self.reopen();
            }
            33 => self.recreate(),
            34 => self.start_over(&log),
            35 => {
                self.tell("checkpoint of leader epochs".to_owned());
                log.write_epochs().unwrap();
            }
            _ => {
                self.tell(format!("checkpoint of the start {}", self.parts[self.at].model.start));
                self.manager().checkpoint_log_start_offsets();
                self.starts_are_checkpointed();
            }
        }
    }

    fn starts_are_checkpointed(&mut self) {
        for part in &mut self.parts {
            part.model.checkpointed_start = part.model.start;
        }
    }

    /// As it is done every few seconds.
    fn flush_dirty(&mut self) {
        let now_ms = self.fixture.clock.now_ms();
        let flush_ms = self.fixture.config.flush_ms;
        let is_due = |log: &Log| now_ms.saturating_sub(log.last_flush_time_ms()) >= flush_ms;
        let due: Vec<bool> = (0..self.parts.len()).map(|i| is_due(&self.log_of(i))).collect();
        self.tell(format!("flush by time: {due:?}"));
        self.manager().flush_dirty_logs();
        for (part, _) in self.parts.iter_mut().zip(due).filter(|(_, is_due)| *is_due) {
            part.model.flushed = part.model.end;
        }
    }

    fn is_moving(&self) -> bool {
        self.manager().future_log(&self.parts[self.at].partition).is_some()
    }

    fn move_log(&mut self, log: &Arc<Log>) {
        let Some(future) = self.manager().future_log(&self.parts[self.at].partition) else {
            let mut dirs = (0..2).map(|i| self.fixture.log_dir(i));
            let to = dirs.find(|dir| dir != log.log_dir()).unwrap();
            self.tell(format!("begin a move to {}", to.display()));
            assert!(matches!(self.manager().move_log(log, &to).unwrap(), Move::Begun(_)));
            return;
        };
        match self.dice.below(6) {
            0 => {
                self.tell("give the move up".to_owned());
                self.manager().give_up_move(&future);
            }
            1..=3 => {
                let bytes = log.copy_next_to(&future).unwrap();
                self.tell(format!("copy {bytes} bytes, up to {}", future.log_end_offset()));
            }
            _ => {
                self.tell("finish the move".to_owned());
                self.finish_move(log, &future);
            }
        }
    }

    fn finish_move(&mut self, log: &Arc<Log>, future: &Arc<Log>) {
        assert!(self.manager().finish_move(log, future).unwrap());
        self.parts[self.at].model.flushed = self.parts[self.at].model.end;
        self.parts[self.at].model.checkpointed_start = self.parts[self.at].model.start;
    }

    fn entries(&mut self) -> Vec<Entry> {
        let count = 1 + self.dice.below(4);
        let mut entries = Vec::new();
        for _ in 0..count {
            self.values += 1;
            let key = format!("k{}", self.dice.below(5)).into_bytes();
            let value = format!("{}{}", self.values, "-".repeat(self.dice.below(80))).into_bytes();
            entries.push((key, Some(value).filter(|_| !self.dice.one_in(6))));
        }
        entries
    }

    /// Half of all batches are compressed.
    fn codec(&self) -> CompressionType {
        let codecs = CompressionType::ALL.into_iter().filter(|codec| codec.is_supported());
        let codec = self.dice.pick(&codecs.collect::<Vec<_>>());
        if self.dice.one_in(2) { codec } else { CompressionType::None }
    }

    /// Of a producer whose clock is right, or not.
    fn timestamp(&self) -> Timestamp {
        let now_ms = self.fixture.clock.now_ms();
        match self.dice.below(4) {
            0 => now_ms - self.dice.below(5_000) as Timestamp,
            1 => now_ms + self.dice.below(500) as Timestamp,
            _ => now_ms,
        }
    }

    fn append(&mut self, log: &Log, producer_id: ProducerId) {
        let entries = self.entries();
        let transactional = TRANSACTIONAL.contains(&producer_id);
        let (producer_epoch, base_sequence) = match usize::try_from(producer_id) {
            Ok(id) => self.next_sequence(log, id),
            Err(_) => (NO_PRODUCER_EPOCH, NO_SEQUENCE),
        };
        let options = BatchOptions {
            compression: self.codec(),
            producer_id,
            producer_epoch,
            base_sequence,
            transactional,
            ..BatchOptions::default()
        };
        let mut builder = crate::record::RecordBatchBuilder::new(options);
        let timestamps: Vec<Timestamp> = entries.iter().map(|_| self.timestamp()).collect();
        for ((key, value), timestamp) in entries.iter().zip(&timestamps) {
            builder.append(*timestamp, Some(key), value.as_deref()).unwrap();
        }
        let kind = if transactional { Kind::TxnData } else { Kind::Data };
        let batch = Batch {
            base_offset: self.parts[self.at].model.end,
            leader_epoch: self.parts[self.at].leader_epoch,
            producer_id,
            producer_epoch,
            base_sequence,
            kind,
            entries,
            timestamps,
        };
        self.append_batch(log, ValidatedRecords::of_builder(&mut builder).unwrap(), batch);
    }

    /// The epoch and the sequence with which a producer goes on, from what the log knows of it.
    fn next_sequence(&mut self, log: &Log, id: usize) -> (i16, i32) {
        let entry = log.producer(id as ProducerId);
        if let Some(entry) = &entry {
            self.parts[self.at].producer_epochs[id] =
                self.parts[self.at].producer_epochs[id].max(entry.producer_epoch);
        }
        let is_open = entry.is_some_and(|entry| entry.current_txn_first_offset.is_some());
        if !is_open && self.dice.one_in(8) {
            self.parts[self.at].producer_epochs[id] += 1;
        }
        let epoch = self.parts[self.at].producer_epochs[id];
        let known = entry.filter(|entry| entry.producer_epoch == epoch);
        (epoch, known.map_or(0, |entry| entry.last_sequence() + 1))
    }

    fn end_transaction(&mut self, log: &Log) {
        let producer_id = self.dice.pick(&TRANSACTIONAL);
        let Some(entry) = log.producer(producer_id) else { return };
        if entry.current_txn_first_offset.is_none() {
            return;
        }
        let is_commit = self.dice.one_in(2);
        let producer_epoch = entry.producer_epoch;
        let marker = EndTransactionMarker { is_commit, coordinator_epoch: 0 };
        let timestamp = self.fixture.clock.now_ms();
        let params = MarkerParams { marker, producer_id, producer_epoch, timestamp, leader_epoch: 0 };
        let records =
            ValidatedRecords::of_builder(&mut EndTransactionMarker::builder(params).unwrap()).unwrap();
        let batch = Batch {
            base_offset: self.parts[self.at].model.end,
            leader_epoch: self.parts[self.at].leader_epoch,
            producer_id,
            producer_epoch,
            base_sequence: NO_SEQUENCE,
            kind: Kind::Marker { is_commit },
            entries: Vec::new(),
            timestamps: vec![timestamp],
        };
        self.append_batch(log, records, batch);
    }

    fn append_batch(&mut self, log: &Log, records: ValidatedRecords, batch: Batch) {
        self.tell(format!(
            "append {}..{} of {} epoch {} sequence {} {:?}, {} bytes",
            batch.base_offset,
            batch.next_offset(),
            batch.producer_id,
            batch.producer_epoch,
            batch.base_sequence,
            batch.kind,
            records.size_in_bytes()
        ));
        let origin = if batch.is_control() { AppendOrigin::Coordinator } else { AppendOrigin::Client };
        let params = AppendParams { records, origin, leader_epoch: self.parts[self.at].leader_epoch };
        let info = log.append_as_leader(params).unwrap();
        log.maybe_update_high_watermark(log.log_end_offset()).unwrap();
        assert_eq!((info.first_offset, info.is_duplicate), (batch.base_offset, false));
        self.parts[self.at].model.append(batch);
        if info.needs_flush {
            self.flush_before_it_is_acknowledged(log, info.last_offset + 1);
        }
        let unflushed = log.log_end_offset() - log.recovery_point();
        let flush_messages = self.fixture.config.flush_messages;
        assert!(unflushed < flush_messages, "{unflushed} records are not flushed, of {flush_messages}");
    }

    /// The one way that a broker does that, or the other.
    fn flush_before_it_is_acknowledged(&mut self, log: &Log, end: Offset) {
        if self.dice.one_in(2) {
            log.flush(end).unwrap();
        } else {
            let (told, is_told) = crossbeam::channel::bounded(1);
            if log.flush_then(end, move |flushed| told.send(flushed).unwrap()) {
                assert!(!log.flush_for_waiting(), "nobody else came");
            }
            is_told.try_recv().unwrap().unwrap();
        }
        self.parts[self.at].model.flushed = end;
    }

    fn clean(&mut self, log: &Log) {
        if !self.is_compacted() || self.is_moving() {
            return;
        }
        let stats = self.manager().clean_now(log).expect("nobody disturbs it");
        // Retention comes with it.
        self.parts[self.at].model.start = log.log_start_offset();
        self.parts[self.at].model.cleaned = self.parts[self.at].model.cleaned.max(stats.end_offset);
        // What makes older records obsolete is flushed first.
        if stats.bytes_read > 0 {
            self.parts[self.at].model.flushed = self.parts[self.at].model.end;
            self.parts[self.at].model.decided = self.parts[self.at].model.end;
        }
        self.tell(format!("clean up to {}, start {}", stats.end_offset, self.parts[self.at].model.start));
    }

    fn delete_records(&mut self, log: &Log) {
        let span = usize::try_from(self.parts[self.at].model.end - self.parts[self.at].model.start).unwrap();
        let to = self.parts[self.at].model.start + self.dice.below(span + 1) as Offset;
        self.tell(format!("delete records up to {to}"));
        log.maybe_increment_log_start_offset(to).unwrap();
        self.parts[self.at].model.start = to;
    }

    /// To the start of a batch, as leaders and followers agree; never below what a compaction has seen, since that lies
    /// below the high watermark.
    fn truncate(&mut self, log: &Log) {
        // A log that moves is its leader's.
        if self.is_moving() {
            return;
        }
        let start = if self.dice.one_in(4) { 0 } else { self.parts[self.at].model.start };
        let lowest = start.max(self.parts[self.at].model.decided);
        let bases: Vec<Offset> =
            self.parts[self.at].model.batches.iter().map(|batch| batch.base_offset).collect();
        let bases: Vec<Offset> = bases.into_iter().filter(|base| *base >= lowest).rev().take(6).collect();
        if bases.is_empty() {
            return;
        }
        let to = self.dice.pick(&bases);
        self.tell(format!("truncate to {to}"));
        assert!(log.truncate_to(to).unwrap());
        let part = &mut self.parts[self.at];
        part.model.cut_at(to);
        // Producers that have nothing from there on are forgotten.
        part.model.checkpointed_start = part.model.start;
        // Another leader's records follow.
        part.leader_epoch += 1;
    }

    /// As a follower does whose log ends below its leader's start, or is not of its leader's log at all.
    fn start_over(&mut self, log: &Log) {
        if self.parts[self.at].model.decided > 0 || self.is_moving() {
            return;
        }
        let to = self.dice.below(usize::try_from(self.parts[self.at].model.end).unwrap() + 20) as Offset;
        self.tell(format!("start over at {to}"));
        log.truncate_fully_and_start_at(to).unwrap();
        self.parts[self.at].model.restart_at(to);
        self.parts[self.at].leader_epoch += 1;
    }

    fn checkpoint(&mut self) {
        let manager = self.manager();
        manager.checkpoint_recovery_offsets();
        manager.checkpoint_log_start_offsets();
        manager.checkpoint_high_watermarks();
        self.starts_are_checkpointed();
    }

    fn reopen(&mut self) {
        let clean = self.dice.one_in(2);
        self.tell(format!("reopen, clean: {clean}"));
        if clean {
            self.shut_down();
        } else {
            let manager = self.manager.take().unwrap();
            // Where it starts is only as durable as its checkpoint; the model shall not have to guess.
            manager.checkpoint_log_start_offsets();
            manager.abandon();
        }
        self.note();
        self.manager = Some(open(&self.fixture, &self.parts, &self.fs));
        self.check();
    }

    fn recreate(&mut self) {
        if self.dice.one_in(2) {
            return;
        }
        self.tell("delete the topic and make it again".to_owned());
        self.manager().delete(&self.parts[self.at].partition).unwrap();
        self.parts[self.at].model =
            Model { deletions: self.parts[self.at].model.deletions + 1, ..Model::default() };
        self.note();
        self.manager().delete_logs();
        self.log();
    }
}
