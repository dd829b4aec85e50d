use proptest::prelude::*;

use super::fixture::*;
use crate::log::fuzzing;

/// Files of a log that was in use, as an input of the fuzz target.
fn seed() -> Vec<u8> {
    let fixture = Fixture::with_config(|config| config.index_interval_bytes = 64);
    let manager = fixture.open();
    let log = manager
        .get_or_create_log(
            &crate::model::TopicPartition::new("t", 0),
            topic_id(),
            std::sync::Arc::new(fixture.config.clone()),
        )
        .unwrap();
    append(&log, records_at(&["a", "b", "c"], START_MS));
    log.roll().unwrap();
    append(&log, idempotent(9, 0, 0, 1).transactional().build());
    append(&log, marker(9, 0, false));
    append(&log, records_at(&["d", "e"], START_MS + 1));
    manager.shutdown().unwrap();
    let mut seed = Vec::new();
    for (i, name) in fuzzing::NAMES.iter().enumerate() {
        let path = fixture.log_dir(0).join(name);
        if crate::sys::FileSystem::exists(&DISK(), &path).unwrap() {
            let content = read_file(&path);
            seed.push(u8::try_from(i).unwrap());
            seed.extend_from_slice(&u16::try_from(content.len()).unwrap().to_be_bytes());
            seed.extend_from_slice(&content);
        }
    }
    seed
}

#[test]
fn a_log_that_is_whole_passes_as_a_fuzz_input() {
    let dir = tempfile::tempdir().unwrap();
    fuzzing::log_dir(&seed(), &dir.path().join("d"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_log_dir_of_arbitrary_bytes_opens_and_works(data: Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        fuzzing::log_dir(&data, &dir.path().join("d"));
    }

    #[test]
    fn a_log_dir_with_changed_bytes_opens_and_works(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut: prop::sample::Index,
    ) {
        let mut data = seed();
        for (at, byte) in changes {
            let len = data.len();
            data[at.index(len)] = byte;
        }
        let dir = tempfile::tempdir().unwrap();
        fuzzing::log_dir(&data, &dir.path().join("d"));
        data.truncate(cut.index(data.len()));
        fuzzing::log_dir(&data, &dir.path().join("d"));
    }
}
