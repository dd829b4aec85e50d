use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::log::file_names::{OFFSET_INDEX, TIME_INDEX, TXN_INDEX, of_offset};
use crate::log::partition_dir::{PartitionDir, SegmentFile};
use crate::sys::OsFileSystem;

fn file(dir: &Path, kind: &str) -> SegmentFile {
    let dir = PartitionDir::new(Arc::new(OsFileSystem::without_sync()), dir.to_owned(), Arc::default());
    SegmentFile::new(Arc::new(dir), of_offset(100, kind))
}

fn bytes(file: &SegmentFile) -> Vec<u8> {
    let opened = file.open(crate::sys::OpenOptions::READ).unwrap();
    let mut content = vec![0; usize::try_from(opened.len().unwrap()).unwrap()];
    opened.read_exact_at(&mut content, 0).unwrap();
    content
}

fn at(timestamp: i64, offset: i64) -> TimestampOffset {
    TimestampOffset { timestamp, offset }
}

#[test]
fn an_offset_index_has_the_bytes_that_kafka_writes() {
    let dir = tempfile::tempdir().unwrap();
    let index = OffsetIndex::new(file(dir.path(), OFFSET_INDEX), 100, 1024, false);
    index.append(107, 0).unwrap();
    index.append(300, 70_000).unwrap();
    index.trim().unwrap();
    assert_eq!(bytes(index.file()), [0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 200, 0, 1, 0x11, 0x70]);
}

#[test]
fn a_time_index_has_the_bytes_that_kafka_writes() {
    let dir = tempfile::tempdir().unwrap();
    let index = TimeIndex::new(file(dir.path(), TIME_INDEX), 100, 1024, false);
    index.maybe_append(at(0x0102_0304_0506_0708, 101), false).unwrap();
    index.trim().unwrap();
    assert_eq!(bytes(index.file()), [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 1]);
}

#[test]
fn a_transaction_index_has_the_bytes_that_kafka_writes() {
    let dir = tempfile::tempdir().unwrap();
    let index = TransactionIndex::new(file(dir.path(), TXN_INDEX), false);
    let txn = AbortedTxn { producer_id: 9, first_offset: 101, last_offset: 258, last_stable_offset: 3 };
    index.append(&txn).unwrap();
    let mut expected = vec![0, 0];
    for word in [9u64, 101, 258, 3] {
        expected.extend_from_slice(&word.to_be_bytes());
    }
    assert_eq!(bytes(index.file()), expected);
}

#[test]
fn a_lookup_finds_the_greatest_entry_at_or_below_and_the_start_before_the_first() {
    let dir = tempfile::tempdir().unwrap();
    let index = OffsetIndex::new(file(dir.path(), OFFSET_INDEX), 100, 1 << 20, false);
    // More entries than a page has, of which the last few are not in the file.
    for i in 0..2_000u32 {
        index.reserve(1).unwrap();
        index.append(110 + 10 * i64::from(i), 500 * i).unwrap();
    }
    assert_eq!(index.lookup(109).unwrap(), OffsetPosition { offset: 100, position: 0 });
    assert_eq!(index.lookup(110).unwrap(), OffsetPosition { offset: 110, position: 0 });
    assert_eq!(index.lookup(5_119).unwrap(), OffsetPosition { offset: 5_110, position: 250_000 });
    assert_eq!(index.lookup(i64::MAX).unwrap(), OffsetPosition { offset: 20_100, position: 999_500 });
    let beyond = index.first_at_or_after_position(501).unwrap();
    assert_eq!(beyond, Some(OffsetPosition { offset: 130, position: 1_000 }));
    assert_eq!(index.first_at_or_after_position(999_501).unwrap(), None);

    index.truncate_to(5_110).unwrap();
    assert_eq!(index.last().unwrap().map(|entry| entry.offset), Some(5_100));
    index.append(5_105, 7).unwrap();
    index.append(5_105, 8).unwrap();
    assert_eq!(index.last().unwrap(), Some(OffsetPosition { offset: 5_105, position: 7 }));
}

#[test]
fn an_index_that_is_opened_again_has_its_entries_and_grows_on() {
    let dir = tempfile::tempdir().unwrap();
    let index = OffsetIndex::new(file(dir.path(), OFFSET_INDEX), 100, 1 << 20, false);
    index.append(101, 1).unwrap();
    index.trim().unwrap();
    let index = OffsetIndex::new(file(dir.path(), OFFSET_INDEX), 100, 1 << 20, true);
    assert_eq!(index.len().unwrap(), 1);
    for i in 2..2_000u32 {
        index.reserve(1).unwrap();
        index.append(100 + i64::from(i), i).unwrap();
    }
    index.trim().unwrap();
    assert_eq!(bytes(index.file()).len(), 1_999 * 8);
    assert_eq!(index.lookup(100 + 1_234).unwrap().position, 1_234);
}

#[test]
fn an_index_is_full_at_its_limit_and_keeps_a_slot_for_the_last_timestamp() {
    let dir = tempfile::tempdir().unwrap();
    let offsets = OffsetIndex::new(file(dir.path(), OFFSET_INDEX), 100, 3 * 8 + 7, false);
    for i in 1..=4 {
        assert_eq!(offsets.is_full().unwrap(), i == 4);
        offsets.append(100 + i, 0).unwrap();
    }
    assert_eq!(offsets.len().unwrap(), 3);

    let times = TimeIndex::new(file(dir.path(), TIME_INDEX), 100, 3 * 12, false);
    for i in 1..=4 {
        times.maybe_append(at(i, 100 + i), false).unwrap();
    }
    assert!(times.is_full().unwrap());
    assert_eq!(times.last().unwrap(), at(2, 102));
    times.maybe_append(at(9, 109), true).unwrap();
    assert_eq!(times.last().unwrap(), at(9, 109));
}

#[test]
fn timestamps_only_rise_and_a_lookup_finds_the_offset_to_scan_from() {
    let dir = tempfile::tempdir().unwrap();
    let index = TimeIndex::new(file(dir.path(), TIME_INDEX), 100, 1024, false);
    for (timestamp, offset) in [(10, 105), (10, 106), (5, 107), (20, 110), (30, 108)] {
        index.maybe_append(at(timestamp, offset), false).unwrap();
    }
    assert_eq!(index.len().unwrap(), 2);
    assert_eq!(index.lookup(9).unwrap(), at(-1, 100));
    assert_eq!(index.lookup(19).unwrap(), at(10, 105));
    assert_eq!(index.lookup(99).unwrap(), at(20, 110));
    index.truncate_to(110).unwrap();
    assert_eq!(index.last().unwrap(), at(10, 105));
}

#[test]
fn an_unused_index_makes_no_file_until_it_is_trimmed() {
    let dir = tempfile::tempdir().unwrap();
    let index = OffsetIndex::new(file(dir.path(), OFFSET_INDEX), 100, 1024, false);
    assert_eq!(index.lookup(500).unwrap().position, 0);
    assert!(!index.file().path().exists());
    index.trim().unwrap();
    assert_eq!(bytes(index.file()), b"");
}

#[test]
fn damage_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(of_offset(100, OFFSET_INDEX));
    let is_sane = |content: &[u8]| {
        std::io::Write::write_all(
            &mut std::fs::OpenOptions::new().create(true).write(true).truncate(true).open(&path).unwrap(),
            content,
        )
        .unwrap();
        OffsetIndex::new(file(dir.path(), OFFSET_INDEX), 100, 1024, true).is_sane().unwrap()
    };
    assert!(is_sane(&[]));
    assert!(is_sane(&[0, 0, 0, 7, 0, 0, 0, 9]));
    assert!(!is_sane(&[0, 0, 0, 7, 0, 0, 0]));
    assert!(!is_sane(&[0xff, 0, 0, 7, 0, 0, 0, 9]));
}

#[test]
fn aborted_transactions_are_those_that_overlap_and_the_search_ends_where_none_can_follow() {
    let dir = tempfile::tempdir().unwrap();
    let index = TransactionIndex::new(file(dir.path(), TXN_INDEX), false);
    let txn = |producer_id, first_offset, last_offset, last_stable_offset| AbortedTxn {
        producer_id,
        first_offset,
        last_offset,
        last_stable_offset,
    };
    let all = [txn(1, 100, 110, 105), txn(2, 105, 120, 121), txn(3, 130, 140, 141)];
    for txn in &all {
        index.append(txn).unwrap();
    }
    let collect = |from, to| {
        let mut found = Vec::new();
        let complete = index.collect_aborted_txns(from, to, &mut found).unwrap();
        (found.iter().map(|txn| txn.producer_id).collect::<Vec<_>>(), complete)
    };
    assert_eq!(collect(100, 200), (vec![1, 2, 3], false));
    assert_eq!(collect(111, 121), (vec![2], true));
    assert_eq!(collect(100, 105), (vec![1], true));
    assert_eq!(collect(121, 130), (vec![], true));
    index.truncate_to(140).unwrap();
    assert_eq!(collect(100, 200), (vec![1, 2], false));
    assert!(index.is_sane(100).unwrap());
    assert!(!index.is_sane(111).unwrap());
}

#[test]
fn a_reader_of_the_file_finds_whole_entries_only_while_more_are_added() {
    let dir = tempfile::tempdir().unwrap();
    let offsets = OffsetIndex::new(file(dir.path(), OFFSET_INDEX), 100, 1 << 20, false);
    let times = TimeIndex::new(file(dir.path(), TIME_INDEX), 100, 1 << 20, false);
    let mut sizes = std::collections::BTreeSet::new();
    for i in 1..2_000 {
        offsets.reserve(1).unwrap();
        times.reserve(1).unwrap();
        offsets.append(100 + i, u32::try_from(i).unwrap()).unwrap();
        times.maybe_append(at(i, 100 + i), false).unwrap();
        let len = |file: &SegmentFile| if file.path().exists() { bytes(file).len() } else { 0 };
        sizes.insert((len(offsets.file()), len(times.file())));
    }
    assert!(sizes.iter().all(|(offsets, times)| offsets % 8 == 0 && times % 12 == 0), "{sizes:?}");
    assert_eq!(sizes.last(), Some(&(3 * 4096, 5 * 4092)), "all but the last page");
    offsets.trim().unwrap();
    times.trim().unwrap();
    assert_eq!((bytes(offsets.file()).len(), bytes(times.file()).len()), (1_999 * 8, 1_999 * 12));
}

/// What is asked of an index in the test of many pages.
#[derive(Clone, Debug)]
enum Step {
    Append { count: usize, at_once: bool },
    Truncate(proptest::sample::Index),
    Trim,
    Reopen,
    Reset,
    Look(Vec<proptest::sample::Index>),
}

fn step() -> impl proptest::strategy::Strategy<Value = Step> {
    use proptest::prelude::*;
    prop_oneof![
        4 => (1..1_500usize, any::<bool>()).prop_map(|(count, at_once)| Step::Append { count, at_once }),
        2 => any::<prop::sample::Index>().prop_map(Step::Truncate),
        1 => Just(Step::Trim),
        1 => Just(Step::Reopen),
        1 => Just(Step::Reset),
        4 => prop::collection::vec(any::<prop::sample::Index>(), 1..20).prop_map(Step::Look),
    ]
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn indexes_of_many_pages_answer_as_a_list_does(steps in proptest::collection::vec(step(), 1..30)) {
        let dir = tempfile::tempdir().unwrap();
        let open = |exists| {
            let offsets = OffsetIndex::new(file(dir.path(), OFFSET_INDEX), 100, 1 << 20, exists);
            (offsets, TimeIndex::new(file(dir.path(), TIME_INDEX), 100, 1 << 20, exists))
        };
        let (mut offsets, mut times) = open(false);
        // Entry i has offset 110 + 10 i, position 50 i and timestamp 3 i, further and further apart, and a little more
        // for each truncation before it.
        let mut model: Vec<(i64, u32, i64)> = Vec::new();
        let mut truncations = 0;
        for step in steps {
            match step {
                Step::Append { count, at_once } => {
                    if at_once {
                        offsets.reserve(count).unwrap();
                        times.reserve(count).unwrap();
                    }
                    for _ in 0..count {
                        if !at_once {
                            offsets.reserve(1).unwrap();
                            times.reserve(1).unwrap();
                        }
                        let i = u32::try_from(model.len()).unwrap();
                        let far = (i / 300).pow(3);
                        let offset = 110 + 10 * i64::from(i) + i64::from(far) + truncations % 10;
                        let position = 50 * i + far;
                        let timestamp = 3 * i64::from(i) + i64::from(far) + truncations % 3;
                        offsets.append(offset, position).unwrap();
                        times.maybe_append(at(timestamp, offset), false).unwrap();
                        model.push((offset, position, timestamp));
                    }
                }
                Step::Truncate(index) => {
                    let keep = index.index(model.len() + 1);
                    let end = model.get(keep).map_or(i64::MAX, |(offset, ..)| *offset);
                    offsets.truncate_to(end).unwrap();
                    times.truncate_to(end).unwrap();
                    model.truncate(keep);
                    truncations += 1;
                }
                Step::Trim => {
                    offsets.trim().unwrap();
                    times.trim().unwrap();
                    proptest::prop_assert_eq!(bytes(offsets.file()).len(), 8 * model.len());
                    proptest::prop_assert_eq!(bytes(times.file()).len(), 12 * model.len());
                }
                Step::Reopen => {
                    offsets.trim().unwrap();
                    times.trim().unwrap();
                    (offsets, times) = open(true);
                }
                Step::Reset => {
                    offsets.reset();
                    times.reset();
                    model.clear();
                }
                Step::Look(indexes) => {
                    let (last_offset, last_position, last_time) = model.last().copied().unwrap_or((100, 0, 0));
                    let any_below = |index: &proptest::sample::Index, limit: i64| {
                        i64::try_from(index.index(usize::try_from(limit).unwrap())).unwrap()
                    };
                    for index in &indexes {
                        let target = 100 + any_below(index, last_offset - 100 + 20);
                        let below = model.partition_point(|(offset, ..)| *offset <= target);
                        let known = below.checked_sub(1).map_or((100, 0), |i| (model[i].0, model[i].1));
                        let found = offsets.lookup(target).unwrap();
                        proptest::prop_assert_eq!((found.offset, found.position), known);

                        let time = any_below(index, last_time + 20) - 5;
                        let below = model.partition_point(|(.., timestamp)| *timestamp <= time);
                        let known = below.checked_sub(1).map_or(at(-1, 100), |i| at(model[i].2, model[i].0));
                        proptest::prop_assert_eq!(times.lookup(time).unwrap(), known);

                        let position = u32::try_from(any_below(index, i64::from(last_position) + 20)).unwrap();
                        let known = model.iter().find(|(_, at, _)| *at >= position).map(|(offset, ..)| *offset);
                        let found = offsets.first_at_or_after_position(position).unwrap();
                        proptest::prop_assert_eq!(found.map(|entry| entry.offset), known);
                    }
                }
            }
            proptest::prop_assert_eq!((offsets.len().unwrap(), times.len().unwrap()), (model.len(), model.len()));
            let last = model.last().map(|(offset, ..)| *offset);
            proptest::prop_assert_eq!(offsets.last().unwrap().map(|entry| entry.offset), last);
            proptest::prop_assert_eq!(times.last().unwrap().offset, last.unwrap_or(100));
            proptest::prop_assert!(offsets.is_sane().unwrap() && times.is_sane().unwrap());
        }
    }

    #[test]
    fn an_index_of_arbitrary_bytes_answers_without_a_panic(content: Vec<u8>, target: i64) {
        let dir = tempfile::tempdir().unwrap();
        for kind in [OFFSET_INDEX, TIME_INDEX, TXN_INDEX] {
            let path = dir.path().join(of_offset(100, kind));
            let mut made = std::fs::OpenOptions::new().create(true).write(true).truncate(true).open(path).unwrap();
            std::io::Write::write_all(&mut made, &content).unwrap();
        }
        let offsets = OffsetIndex::new(file(dir.path(), OFFSET_INDEX), 100, 1024, true);
        offsets.lookup(target).unwrap();
        offsets.is_sane().unwrap();
        offsets.truncate_to(target).unwrap();
        offsets.append(target, 1).unwrap();
        let times = TimeIndex::new(file(dir.path(), TIME_INDEX), 100, 1024, true);
        times.lookup(target).unwrap();
        times.is_sane().unwrap();
        times.truncate_to(target).unwrap();
        times.maybe_append(at(target, target), false).unwrap();
        let txns = TransactionIndex::new(file(dir.path(), TXN_INDEX), true);
        txns.is_sane(100).unwrap();
        // An entry of a version that is not known is an error, with the name of the file.
        let found = txns.collect_aborted_txns(0, target, &mut Vec::new()).map(drop);
        for error in [found.err(), txns.truncate_to(target).err()].into_iter().flatten() {
            assert!(error.to_string().contains("00000000000000000100.txnindex"), "{error}");
        }
    }
}
