use std::collections::{HashSet, VecDeque};
use std::fmt;
use std::time::Duration;

use super::Consumer;
use super::records::Section;
use crate::error::Result;
use crate::model::TopicPartition;
use crate::record::Record;

/// Iterates over what a consumer reads; made by [`Consumer::iter`].
///
/// Records that were polled and not given when this is dropped are not lost: the consumer goes back to the first of
/// them.
pub struct ConsumerIter<'a> {
    consumer: &'a mut Consumer,
    idle_timeout: Duration,
    sections: VecDeque<Section>,
}

impl<'a> ConsumerIter<'a> {
    pub(super) fn new(consumer: &'a mut Consumer, idle_timeout: Duration) -> Self {
        ConsumerIter { consumer, idle_timeout, sections: VecDeque::new() }
    }

    fn next_read(&mut self) -> Option<(TopicPartition, Record)> {
        while let Some(section) = self.sections.front_mut() {
            if section.count > 0
                && let Some(Ok(record)) = section.records.next()
            {
                section.count -= 1;
                return Some((section.tp.clone(), record));
            }
            self.sections.pop_front();
        }
        None
    }
}

impl Iterator for ConsumerIter<'_> {
    type Item = Result<(TopicPartition, Record)>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(read) = self.next_read() {
            return Some(Ok(read));
        }
        match self.consumer.poll(self.idle_timeout) {
            Ok(records) => self.sections = records.into_sections(),
            Err(error) => return Some(Err(error)),
        }
        self.next_read().map(Ok)
    }
}

impl Drop for ConsumerIter<'_> {
    fn drop(&mut self) {
        let mut seen = HashSet::new();
        for section in &mut self.sections {
            if section.count == 0 || !seen.insert(section.tp.clone()) {
                continue;
            }
            if let Some(Ok(first)) = section.records.skip_next() {
                self.consumer.seek_back(&section.tp, first);
            }
        }
    }
}

impl fmt::Debug for ConsumerIter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsumerIter").field("idle_timeout", &self.idle_timeout).finish_non_exhaustive()
    }
}
