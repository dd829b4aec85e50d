//! Message sets of magic 0 and 1: how records were written before 0.11, and how old clients still send and want
//! them (Kafka: `LegacyRecord`, `AbstractLegacyRecordBatch`).

mod cursor;

pub(super) use cursor::LegacyCursor;
