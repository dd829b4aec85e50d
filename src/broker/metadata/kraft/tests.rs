use super::*;
use crate::record::{BatchOptions, RecordBatchBuilder};
use crate::sys::OsFileSystem;

const ID: Uuid = Uuid::from_bytes([7; 16]);

fn framed(kind: u8, version: u8, body: &[&[u8]]) -> Vec<u8> {
    [&[1, kind, version][..], &body.concat(), &[0]].concat()
}

fn text(text: &str) -> Vec<u8> {
    [&[u8::try_from(text.len() + 1).unwrap()][..], text.as_bytes()].concat()
}

fn topic(name: &str, id: Uuid) -> Vec<u8> {
    framed(2, 0, &[&text(name), id.as_bytes()])
}

fn partition(id: Uuid, number: i32) -> Vec<u8> {
    let nobody_and_epochs = [1; 12];
    framed(3, 1, &[&number.to_be_bytes(), id.as_bytes(), &nobody_and_epochs])
}

fn config(resource_type: u8, resource: &str, key: &str, value: Option<&str>) -> Vec<u8> {
    let value = value.map_or_else(|| vec![0], text);
    framed(4, 0, &[&[resource_type], &text(resource), &text(key), &value])
}

fn remove_topic(id: Uuid) -> Vec<u8> {
    framed(9, 0, &[id.as_bytes()])
}

fn batch(base_offset: Offset, records: &[Vec<u8>]) -> Vec<u8> {
    let mut builder = RecordBatchBuilder::new(BatchOptions { base_offset, ..BatchOptions::default() });
    for record in records {
        builder.append(1_000, None, Some(record)).unwrap();
    }
    builder.build().unwrap().to_vec()
}

fn load(files: &[(&str, Vec<u8>)]) -> Result<ClusterMetadata, MetadataError> {
    let dir = tempfile::tempdir().unwrap();
    let fs = OsFileSystem::durable();
    let metadata = dir.path().join(CLUSTER_METADATA_DIR);
    fs.create_dir_all(&metadata).unwrap();
    for (name, content) in files {
        fs.replace(&metadata.join(name), content).unwrap();
    }
    ClusterMetadata::load(&fs, &[dir.path().join("not-there"), dir.path().to_owned()], 5).map(Option::unwrap)
}

fn load_log(records: &[Vec<u8>]) -> ClusterMetadata {
    load(&[("00000000000000000000.log", batch(0, records))]).unwrap()
}

#[test]
fn topics_have_their_ids_partitions_and_settings() {
    let found = load_log(&[
        topic("orders", ID),
        partition(ID, 0),
        partition(ID, 1),
        config(2, "orders", "cleanup.policy", Some("compact")),
        config(2, "orders", "retention.ms", Some("5")),
        config(2, "orders", "retention.ms", None),
        config(4, "", "log.cleaner.threads", Some("2")),
        config(4, "5", "num.io.threads", Some("3")),
        config(4, "6", "num.io.threads", Some("4")),
    ]);
    let overrides = |key: &str, value: &str| Overrides::from([(key.to_owned(), value.to_owned())]);
    let record = TopicRecord { id: ID, num_partitions: 2, overrides: overrides("cleanup.policy", "compact") };
    assert_eq!(found.topics, BTreeMap::from([("orders".to_owned(), record)]));
    assert_eq!(found.cluster_overrides, overrides("log.cleaner.threads", "2"));
    assert_eq!(found.broker_overrides, overrides("num.io.threads", "3"));
    assert_eq!(found.end_offset, 9);
}

#[test]
fn a_topic_that_was_removed_is_not_there_and_one_made_anew_has_only_its_own_settings() {
    let second = Uuid::from_bytes([8; 16]);
    let found = load_log(&[
        topic("orders", ID),
        partition(ID, 0),
        config(2, "orders", "cleanup.policy", Some("compact")),
        remove_topic(ID),
        topic("orders", second),
        partition(second, 0),
    ]);
    let record = TopicRecord { id: second, num_partitions: 1, overrides: Overrides::new() };
    assert_eq!(found.topics, BTreeMap::from([("orders".to_owned(), record)]));
}

#[test]
fn a_transaction_counts_only_once_it_ended() {
    let (begin, end, abort) = (framed(23, 0, &[]), framed(24, 0, &[]), framed(25, 0, &[]));
    let made = |last: &[Vec<u8>]| {
        let records = [&[begin.clone(), topic("orders", ID), partition(ID, 0)][..], last].concat();
        load_log(&records).topics.len()
    };
    assert_eq!((made(&[end]), made(&[abort]), made(&[])), (1, 0, 0));
}

#[test]
fn a_snapshot_counts_with_the_log_after_it_and_older_or_unfinished_ones_do_not() {
    let second = Uuid::from_bytes([8; 16]);
    let files = [
        (
            "00000000000000000005-0000000001.checkpoint",
            batch(0, &[topic("old", second), partition(second, 0)]),
        ),
        ("00000000000000000010-0000000001.checkpoint", batch(0, &[topic("orders", ID), partition(ID, 0)])),
        ("00000000000000000019-0000000001.checkpoint.part", b"half of it".to_vec()),
        ("00000000000000000000.log", batch(0, &[topic("gone", second)])),
        (
            "00000000000000000008.log",
            [batch(8, &[topic("gone", second)]), batch(10, &[partition(ID, 1)])].concat(),
        ),
    ];
    let found = load(&files).unwrap();
    let partitions: Vec<_> =
        found.topics.iter().map(|(name, topic)| (&**name, topic.num_partitions)).collect();
    assert_eq!((partitions, found.end_offset), (vec![("orders", 2)], 11));
}

#[test]
fn a_torn_end_of_the_log_is_what_a_crash_leaves_and_one_of_a_snapshot_is_damage() {
    let whole = batch(0, &[topic("orders", ID), partition(ID, 0)]);
    let torn = [&whole[..], &batch(2, &[partition(ID, 1)])[..70]].concat();
    let found = load(&[("00000000000000000000.log", torn.clone())]).unwrap();
    assert_eq!((found.topics["orders"].num_partitions, found.end_offset), (1, 2));
    let error = load(&[("00000000000000000002-0000000001.checkpoint", torn)]).unwrap_err();
    assert!(error.to_string().contains("its last 70 bytes are no records"), "{error}");
}

#[test]
fn a_record_of_a_newer_version_is_named_and_one_of_an_unknown_kind_passed_over() {
    let found = load_log(&[framed(99, 7, &[b"whatever"]), topic("orders", ID), partition(ID, 0)]);
    assert_eq!(found.topics.len(), 1);
    let newer = framed(3, 3, &[&0_i32.to_be_bytes(), ID.as_bytes()]);
    let error = load(&[("00000000000000000000.log", batch(0, &[newer]))]).unwrap_err();
    assert!(
        error.to_string().contains("version 3 of a partition of the cluster's metadata is not known"),
        "{error}"
    );
}

#[test]
fn a_partition_number_that_cannot_be_makes_no_memory_for_it() {
    for number in [-1, i32::MAX] {
        let records = [topic("orders", ID), partition(ID, number)];
        let error = load(&[("00000000000000000000.log", batch(0, &records))]).unwrap_err();
        assert!(error.to_string().contains("there cannot be a partition"), "{error}");
    }
}

#[test]
fn what_kafka_did_since_counts_over_what_was_remembered_and_topics_without_a_log_go_with_it() {
    let record = |id| TopicRecord { id, num_partitions: 1, overrides: Overrides::new() };
    let names = ["kept", "gone", "orders"].map(str::to_owned);
    let mut image = MetadataImage {
        topics: names.into_iter().map(|name| (name, record(Uuid::from_bytes([1; 16])))).collect(),
        ..MetadataImage::default()
    };
    let found = load_log(&[topic("orders", ID), partition(ID, 0)]);
    found.take_over(&mut image, |name, _| name == "kept");
    assert_eq!(image.topics.keys().collect::<Vec<_>>(), ["kept", "orders"]);
    assert_eq!((image.topics["orders"].id, image.cluster_metadata_offset), (ID, 2));
}
