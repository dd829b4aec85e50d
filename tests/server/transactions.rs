//! Transactions: InitProducerId, AddPartitionsToTxn, AddOffsetsToTxn, TxnOffsetCommit, EndTxn, and what Produce and Fetch
//! have to do with them.

use bytes::Bytes;
use kafka_protocol_018::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use kafka_protocol_018::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol_018::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol_018::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, EndTxnRequest, GroupId, InitProducerIdRequest,
    OffsetFetchRequest, ProducerId, TransactionalId, TxnOffsetCommitRequest,
};
use ottla::{BatchOptions, Broker, ErrorCode};

use super::client::Client;
use super::fetching::{fetch_values, only, records_of, request as fetch_request};
use super::find_coordinator::find_group_coordinator;
use super::fixture::{Fixture, code, describe_topic, text, topic_name};
use super::producing::request as produce_request;
use super::records::{batch_with, values};

pub(super) const ID: &str = "payments";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Producer {
    pub(super) id: i64,
    pub(super) epoch: i16,
}

pub(super) fn transactional_id() -> TransactionalId {
    TransactionalId(text(ID))
}

pub(super) fn try_init(
    client: &mut Client,
    version: i16,
    expected: Option<Producer>,
) -> Result<Producer, ErrorCode> {
    let mut request = InitProducerIdRequest::default()
        .with_transactional_id(Some(transactional_id()))
        .with_transaction_timeout_ms(60_000);
    if let Some(expected) = expected {
        request = request.with_producer_id(ProducerId(expected.id)).with_producer_epoch(expected.epoch);
    }
    let response = client.call(version, &request);
    match code(response.error_code) {
        ErrorCode::None => Ok(Producer { id: response.producer_id.0, epoch: response.producer_epoch }),
        error => {
            assert_eq!((response.producer_id.0, response.producer_epoch), (-1, -1));
            Err(error)
        }
    }
}

/// A broker with topics `a` and `b`, and the first producer of the id.
pub(super) fn start() -> (Fixture, Client, Producer) {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("a", 1, &[]);
    fixture.create_topic("b", 1, &[]);
    find_transaction_coordinator(&mut client);
    let producer = try_init(&mut client, 5, None).unwrap();
    assert_eq!(producer.epoch, 0);
    (fixture, client, producer)
}

pub(super) fn find_transaction_coordinator(client: &mut Client) {
    use kafka_protocol_018::messages::FindCoordinatorRequest;
    let request = FindCoordinatorRequest::default().with_key(text(ID)).with_key_type(1);
    assert_eq!(code(client.call(3, &request).error_code), ErrorCode::None);
}

fn topics(names: &[&str]) -> Vec<AddPartitionsToTxnTopic> {
    let topic =
        |name: &&str| AddPartitionsToTxnTopic::default().with_name(topic_name(name)).with_partitions(vec![0]);
    names.iter().map(topic).collect()
}

/// Adds partition 0 of topics, as clients of the first generation do; a code for each.
pub(super) fn add(client: &mut Client, version: i16, producer: Producer, names: &[&str]) -> Vec<ErrorCode> {
    let request = AddPartitionsToTxnRequest::default()
        .with_v3_and_below_transactional_id(transactional_id())
        .with_v3_and_below_producer_id(ProducerId(producer.id))
        .with_v3_and_below_producer_epoch(producer.epoch)
        .with_v3_and_below_topics(topics(names));
    let response = client.call(version, &request);
    let results = response.results_by_topic_v3_and_below.iter().flat_map(|t| &t.results_by_partition);
    results.map(|result| code(result.partition_error_code)).collect()
}

/// The same as a broker asks; a code for each.
fn add_batched(
    client: &mut Client,
    version: i16,
    producer: Producer,
    names: &[&str],
    verify_only: bool,
) -> Vec<ErrorCode> {
    let transaction = AddPartitionsToTxnTransaction::default()
        .with_transactional_id(transactional_id())
        .with_producer_id(ProducerId(producer.id))
        .with_producer_epoch(producer.epoch)
        .with_verify_only(verify_only)
        .with_topics(topics(names));
    let request = AddPartitionsToTxnRequest::default().with_transactions(vec![transaction]);
    let response = client.call(version, &request);
    let result = &response.results_by_transaction[0];
    assert_eq!(result.transactional_id.0.as_str(), ID);
    let results = result.topic_results.iter().flat_map(|t| &t.results_by_partition);
    results.map(|result| code(result.partition_error_code)).collect()
}

pub(super) fn transactional_batch(producer: Producer, sequence: i32, values: &[&str]) -> Bytes {
    let options = BatchOptions {
        producer_id: producer.id,
        producer_epoch: producer.epoch,
        base_sequence: sequence,
        transactional: true,
        ..BatchOptions::default()
    };
    batch_with(options, values)
}

pub(super) fn write(
    client: &mut Client,
    version: i16,
    topic: &str,
    (producer, sequence): (Producer, i32),
    value: &str,
) -> ErrorCode {
    let batch = transactional_batch(producer, sequence, &[value]);
    let request = produce_request(topic, 0, Some(batch)).with_transactional_id(Some(transactional_id()));
    code(client.call(version, &request).responses[0].partition_responses[0].error_code)
}

pub(super) fn end(
    client: &mut Client,
    version: i16,
    producer: Producer,
    is_commit: bool,
) -> Result<Producer, ErrorCode> {
    let request = EndTxnRequest::default()
        .with_transactional_id(transactional_id())
        .with_producer_id(ProducerId(producer.id))
        .with_producer_epoch(producer.epoch)
        .with_committed(is_commit);
    let response = client.call(version, &request);
    match code(response.error_code) {
        ErrorCode::None if version < 5 => Ok(producer),
        ErrorCode::None => Ok(Producer { id: response.producer_id.0, epoch: response.producer_epoch }),
        error => Err(error),
    }
}

/// What readers of committed records see, as a client sees it: without control batches and aborted transactions.
fn committed(client: &mut Client, topic: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let mut ignored: Vec<i64> = Vec::new();
    let mut next_offset = 0;
    loop {
        // The records are of 1970 and the markers of today, so that each begins a segment, where a read ends.
        let request = fetch_request(topic, 0, next_offset).with_isolation_level(1);
        let data = only(client.call(11, &request));
        assert_eq!(code(data.error_code), ErrorCode::None);
        let aborted = data.aborted_transactions.clone().unwrap();
        let mut rest = records_of(&data);
        if rest.is_empty() {
            return seen;
        }
        while let Some(batch) = ottla::RecordBatch::split_from(&mut rest).unwrap() {
            let view = batch.view();
            let begins = aborted.iter().filter(|txn| txn.first_offset == view.base_offset());
            ignored.extend(begins.map(|txn| txn.producer_id.0));
            if view.is_control() {
                ignored.retain(|id| *id != view.producer_id());
            } else if !(view.is_transactional() && ignored.contains(&view.producer_id())) {
                let bytes = Bytes::copy_from_slice(batch.as_bytes());
                seen.extend(values(&bytes).into_iter().map(|(_, value)| value));
            }
            next_offset = view.next_offset();
        }
    }
}

fn offsets(client: &mut Client, require_stable: bool) -> (i64, ErrorCode) {
    let topic =
        OffsetFetchRequestTopics::default().with_name(topic_name("a")).with_partition_indexes(vec![0]);
    let group =
        OffsetFetchRequestGroup::default().with_group_id(GroupId(text("g"))).with_topics(Some(vec![topic]));
    let request = OffsetFetchRequest::default().with_groups(vec![group]).with_require_stable(require_stable);
    let response = client.call(8, &request);
    let partition = &response.groups[0].topics[0].partitions[0];
    (partition.committed_offset, code(partition.error_code))
}

/// Commits an offset of partition 0 of `a` for group `g`.
fn commit_offset(client: &mut Client, version: i16, producer: Producer, offset: i64) -> ErrorCode {
    let request = commit_request(producer, offset);
    code(client.call(version, &request).topics[0].partitions[0].error_code)
}

fn commit_request(producer: Producer, offset: i64) -> TxnOffsetCommitRequest {
    let partition = TxnOffsetCommitRequestPartition::default().with_committed_offset(offset);
    let topic =
        TxnOffsetCommitRequestTopic::default().with_name(topic_name("a")).with_partitions(vec![partition]);
    TxnOffsetCommitRequest::default()
        .with_transactional_id(transactional_id())
        .with_group_id(GroupId(text("g")))
        .with_producer_id(ProducerId(producer.id))
        .with_producer_epoch(producer.epoch)
        .with_topics(vec![topic])
}

/// Whatever the coordinator says: the transactional id may have gone on to another producer id meanwhile.
#[test]
fn a_partition_that_knows_a_higher_epoch_of_a_producer_says_so_first() {
    let (_fixture, mut client, producer) = start();
    find_group_coordinator(&mut client, "g");
    assert_eq!(write(&mut client, 12, "a", (producer, 0), "x"), ErrorCode::None);
    assert_eq!(commit_offset(&mut client, 5, producer, 3), ErrorCode::None);
    end(&mut client, 5, producer, true).unwrap();
    let other = || TransactionalId(text("other"));
    let batch = transactional_batch(producer, 1, &["y"]);
    let request = |topic: &str, batch: &Bytes| {
        produce_request(topic, 0, Some(batch.clone())).with_transactional_id(Some(other()))
    };
    for (topic, refused) in
        [("a", ErrorCode::InvalidProducerEpoch), ("b", ErrorCode::InvalidProducerIdMapping)]
    {
        let answer = client.call(12, &request(topic, &batch));
        assert_eq!(code(answer.responses[0].partition_responses[0].error_code), refused, "{topic}");
    }
    let committed = |client: &mut Client, producer| {
        let request = commit_request(producer, 4).with_transactional_id(other());
        code(client.call(5, &request).topics[0].partitions[0].error_code)
    };
    assert_eq!(committed(&mut client, producer), ErrorCode::InvalidProducerEpoch);
    let stranger = Producer { id: producer.id + 1_000, ..producer };
    assert_eq!(committed(&mut client, stranger), ErrorCode::InvalidProducerIdMapping);
}

/// Kafka promises it of each connection.
#[test]
fn requests_that_change_something_take_effect_in_the_order_in_which_they_are_sent() {
    let (_fixture, mut client, producer) = start();
    let request = InitProducerIdRequest::default()
        .with_transactional_id(Some(transactional_id()))
        .with_transaction_timeout_ms(60_000);
    (0..200).for_each(|_| _ = client.send(4, &request));
    let epochs: Vec<i16> =
        (0..200).map(|_| client.receive::<InitProducerIdRequest>(4).1.producer_epoch).collect();
    assert_eq!(epochs, (1..=200).map(|by| producer.epoch + by).collect::<Vec<_>>());
}

#[test]
fn a_committed_transaction_shows_in_all_its_partitions_and_not_before() {
    let (_fixture, mut client, producer) = start();
    for version in 0..=3 {
        assert_eq!(add(&mut client, version, producer, &["a", "b"]), [ErrorCode::None; 2]);
    }
    assert_eq!(write(&mut client, 11, "a", (producer, 0), "one"), ErrorCode::None);
    assert_eq!(write(&mut client, 3, "b", (producer, 0), "two"), ErrorCode::None);
    assert_eq!(committed(&mut client, "a"), [""; 0]);
    assert_eq!(fetch_values(&mut client, "a"), [(0, "one".to_owned())]);
    for version in 0..=4 {
        end(&mut client, version, producer, true).unwrap();
    }
    assert_eq!(committed(&mut client, "a"), ["one"]);
    assert_eq!(committed(&mut client, "b"), ["two"]);
}

#[test]
fn an_aborted_transaction_is_listed_for_its_readers_to_leave_out() {
    let (_fixture, mut client, producer) = start();
    add(&mut client, 3, producer, &["a"]);
    write(&mut client, 11, "a", (producer, 0), "no");
    end(&mut client, 3, producer, false).unwrap();
    add(&mut client, 3, producer, &["a"]);
    assert_eq!(write(&mut client, 11, "a", (producer, 1), "yes"), ErrorCode::None);
    end(&mut client, 3, producer, true).unwrap();
    assert_eq!(committed(&mut client, "a"), ["yes"]);
    for version in 4..=12 {
        let request = fetch_request("a", 0, 0).with_isolation_level(1);
        let aborted = only(client.call(version, &request)).aborted_transactions.unwrap();
        let listed = aborted.iter().map(|txn| (txn.producer_id.0, txn.first_offset));
        assert_eq!(listed.collect::<Vec<_>>(), [(producer.id, 0)], "version {version}");
    }
}

#[test]
fn in_the_second_generation_partitions_join_by_being_written_to_and_every_end_raises_the_epoch() {
    let (_fixture, mut client, producer) = start();
    assert_eq!(write(&mut client, 12, "a", (producer, 0), "one"), ErrorCode::None);
    assert_eq!(write(&mut client, 12, "b", (producer, 0), "two"), ErrorCode::None);
    let next = end(&mut client, 5, producer, true).unwrap();
    assert_eq!(next, Producer { epoch: 1, ..producer });
    assert_eq!(end(&mut client, 5, producer, true), Ok(next), "the same asked again");
    assert_eq!(write(&mut client, 12, "a", (producer, 1), "late"), ErrorCode::InvalidProducerEpoch);
    assert_eq!(write(&mut client, 12, "a", (next, 0), "three"), ErrorCode::None);
    let last = end(&mut client, 5, next, false).unwrap();
    assert_eq!(last.epoch, 2);
    assert_eq!(end(&mut client, 5, last, true), Err(ErrorCode::InvalidTxnState), "nothing was written");
    assert_eq!(committed(&mut client, "a"), ["one"]);
    assert_eq!(committed(&mut client, "b"), ["two"]);
}

#[test]
fn a_partition_that_was_not_added_takes_nothing_of_the_transaction() {
    let (_fixture, mut client, producer) = start();
    add(&mut client, 3, producer, &["a"]);
    for version in 3..=11 {
        let expected =
            if version < 11 { ErrorCode::InvalidTxnState } else { ErrorCode::TransactionAbortable };
        assert_eq!(write(&mut client, version, "b", (producer, 0), "x"), expected, "version {version}");
    }
    assert_eq!(fetch_values(&mut client, "b"), []);
    assert_eq!(write(&mut client, 11, "a", (producer, 0), "x"), ErrorCode::None);
}

#[test]
fn without_verification_older_clients_may_write_where_they_like() {
    let fixture = Fixture::with(|builder| builder.set("transaction.partition.verification.enable", "false"));
    let mut client = fixture.create_topic("a", 1, &[]);
    find_transaction_coordinator(&mut client);
    let producer = try_init(&mut client, 4, None).unwrap();
    assert_eq!(write(&mut client, 9, "a", (producer, 0), "x"), ErrorCode::None);
}

#[test]
fn a_request_may_write_within_and_without_a_transaction() {
    let (_fixture, mut client, producer) = start();
    add(&mut client, 3, producer, &["a"]);
    let batch = transactional_batch(producer, 0, &["within"]);
    let mut request = produce_request("a", 0, Some(batch)).with_transactional_id(Some(transactional_id()));
    let plain = produce_request("b", 0, Some(super::records::batch(&["without"])));
    request.topic_data.extend(plain.topic_data);
    let response = client.call(9, &request);
    for topic in &response.responses {
        assert_eq!(code(topic.partition_responses[0].error_code), ErrorCode::None);
    }
    assert_eq!(committed(&mut client, "b"), ["without"]);
}

#[test]
fn a_producer_that_was_replaced_can_do_nothing_and_hears_it_in_its_version() {
    let (_fixture, mut client, zombie) = start();
    let producer = try_init(&mut client, 4, None).unwrap();
    assert_eq!(producer, Producer { epoch: 1, ..zombie });
    for version in 0..=3 {
        let expected = if version < 2 { ErrorCode::InvalidProducerEpoch } else { ErrorCode::ProducerFenced };
        assert_eq!(add(&mut client, version, zombie, &["a"]), [expected], "version {version}");
        assert_eq!(end(&mut client, version, zombie, true), Err(expected));
    }
    for version in 3..=4 {
        let expected = if version < 4 { ErrorCode::InvalidProducerEpoch } else { ErrorCode::ProducerFenced };
        assert_eq!(try_init(&mut client, version, Some(zombie)), Err(expected));
    }
    for version in [9, 11, 12] {
        assert_eq!(
            write(&mut client, version, "a", (zombie, 0), "x"),
            ErrorCode::InvalidProducerEpoch,
            "version {version}"
        );
    }
    assert_eq!(commit_offset(&mut client, 3, zombie, 1), ErrorCode::InvalidProducerEpoch);
    let stranger = Producer { id: 4711, epoch: 0 };
    assert_eq!(add(&mut client, 3, stranger, &["a"]), [ErrorCode::InvalidProducerIdMapping]);
    let half = Producer { id: producer.id, epoch: -1 };
    assert_eq!(try_init(&mut client, 4, Some(half)), Err(ErrorCode::InvalidRequest));
}

#[test]
fn taking_over_an_open_transaction_aborts_it_and_has_to_be_asked_for_twice() {
    let (_fixture, mut client, zombie) = start();
    add(&mut client, 3, zombie, &["a"]);
    write(&mut client, 11, "a", (zombie, 0), "no");
    assert_eq!(try_init(&mut client, 4, None), Err(ErrorCode::ConcurrentTransactions));
    let producer = try_init(&mut client, 4, None).unwrap();
    assert_eq!(producer.epoch, 2);
    assert_eq!(write(&mut client, 11, "a", (zombie, 1), "no"), ErrorCode::InvalidProducerEpoch);
    assert_eq!(write(&mut client, 12, "a", (producer, 0), "yes"), ErrorCode::None);
    end(&mut client, 5, producer, true).unwrap();
    assert_eq!(committed(&mut client, "a"), ["yes"]);
}

#[test]
fn one_unknown_partition_keeps_the_others_from_being_added() {
    let (_fixture, mut client, producer) = start();
    let codes = add(&mut client, 3, producer, &["a", "nowhere", "b"]);
    let (attempted, unknown) = (ErrorCode::OperationNotAttempted, ErrorCode::UnknownTopicOrPartition);
    assert_eq!(codes, [attempted, unknown, attempted]);
    assert_eq!(write(&mut client, 9, "a", (producer, 0), "x"), ErrorCode::InvalidTxnState);
}

#[test]
fn brokers_add_and_verify_partitions_of_several_transactions_at_once() {
    let (_fixture, mut client, producer) = start();
    for version in 4..=5 {
        assert_eq!(
            add_batched(&mut client, version, producer, &["b"], true),
            [ErrorCode::TransactionAbortable]
        );
        assert_eq!(add_batched(&mut client, version, producer, &["a"], false), [ErrorCode::None]);
        assert_eq!(
            add_batched(&mut client, version, producer, &["a", "b"], true),
            [ErrorCode::None, ErrorCode::TransactionAbortable]
        );
    }
    let stranger = Producer { id: 4711, epoch: 0 };
    assert_eq!(add_batched(&mut client, 4, stranger, &["a"], true), [ErrorCode::InvalidProducerIdMapping]);
}

#[test]
fn offsets_of_a_transaction_count_with_its_commit_and_are_forgotten_with_its_abort() {
    let (_fixture, mut client, producer) = start();
    find_group_coordinator(&mut client, "g");
    let add_offsets = AddOffsetsToTxnRequest::default()
        .with_transactional_id(transactional_id())
        .with_producer_id(ProducerId(producer.id))
        .with_producer_epoch(producer.epoch)
        .with_group_id(GroupId(text("g")));
    assert_eq!(commit_offset(&mut client, 3, producer, 1), ErrorCode::InvalidTxnState, "not added");
    for (is_commit, offset, expected) in [(true, 5, 5), (false, 9, 5), (true, 7, 7)] {
        for version in 0..=4 {
            assert_eq!(code(client.call(version, &add_offsets).error_code), ErrorCode::None);
        }
        for version in 0..=4 {
            assert_eq!(commit_offset(&mut client, version, producer, offset), ErrorCode::None);
        }
        let before = offsets(&mut client, false).0;
        assert_ne!(before, offset);
        assert_eq!(offsets(&mut client, true), (-1, ErrorCode::UnstableOffsetCommit));
        end(&mut client, 3, producer, is_commit).unwrap();
        assert_eq!(offsets(&mut client, true), (expected, ErrorCode::None));
    }
    // The second generation needs no adding.
    assert_eq!(commit_offset(&mut client, 5, producer, 11), ErrorCode::None);
    end(&mut client, 5, producer, true).unwrap();
    assert_eq!(offsets(&mut client, true), (11, ErrorCode::None));
}

#[test]
fn offsets_of_partitions_that_do_not_exist_are_refused_each_for_itself() {
    let (_fixture, mut client, producer) = start();
    let partition = |index| {
        TxnOffsetCommitRequestPartition::default().with_partition_index(index).with_committed_offset(3)
    };
    let topic = |name: &str, indexes: &[i32]| {
        TxnOffsetCommitRequestTopic::default()
            .with_name(topic_name(name))
            .with_partitions(indexes.iter().map(|index| partition(*index)).collect())
    };
    let request = TxnOffsetCommitRequest::default()
        .with_transactional_id(transactional_id())
        .with_group_id(GroupId(text("g")))
        .with_producer_id(ProducerId(producer.id))
        .with_producer_epoch(producer.epoch)
        .with_topics(vec![topic("nowhere", &[0]), topic("a", &[7, 0]), topic("b", &[0])]);
    let response = client.call(5, &request);
    let codes = response.topics.iter().flat_map(|topic| &topic.partitions);
    let codes: Vec<ErrorCode> = codes.map(|partition| code(partition.error_code)).collect();
    let (none, unknown) = (ErrorCode::None, ErrorCode::UnknownTopicOrPartition);
    assert_eq!(codes, [unknown, unknown, none, none]);
}

#[test]
fn a_member_that_the_group_has_gone_on_without_commits_nothing_in_a_transaction() {
    let (_fixture, mut client, producer) = start();
    find_group_coordinator(&mut client, "g");
    let partition = TxnOffsetCommitRequestPartition::default().with_committed_offset(3);
    let topic =
        TxnOffsetCommitRequestTopic::default().with_name(topic_name("a")).with_partitions(vec![partition]);
    let request = TxnOffsetCommitRequest::default()
        .with_transactional_id(transactional_id())
        .with_group_id(GroupId(text("g")))
        .with_producer_id(ProducerId(producer.id))
        .with_producer_epoch(producer.epoch)
        .with_generation_id(4)
        .with_member_id(text("gone"))
        .with_topics(vec![topic]);
    let response = client.call(5, &request);
    assert_eq!(code(response.topics[0].partitions[0].error_code), ErrorCode::IllegalGeneration);
}

#[test]
fn an_open_transaction_and_its_offsets_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let open = || {
        let broker = Broker::builder()
            .log_dir(dir.path())
            .set("offsets.topic.num.partitions", "3")
            .set("transaction.state.log.num.partitions", "3")
            .open()
            .unwrap();
        let listener = broker.listen("127.0.0.1:0").unwrap();
        Fixture { broker, listener }
    };
    let fixture = open();
    let mut client = fixture.create_topic("a", 1, &[]);
    find_transaction_coordinator(&mut client);
    let producer = try_init(&mut client, 5, None).unwrap();
    assert_eq!(write(&mut client, 12, "a", (producer, 0), "one"), ErrorCode::None);
    assert_eq!(commit_offset(&mut client, 5, producer, 5), ErrorCode::None);
    fixture.broker.close();
    drop((client, fixture));

    let fixture = open();
    let mut client = fixture.connect();
    assert_eq!(committed(&mut client, "a"), [""; 0]);
    assert_eq!(offsets(&mut client, true), (-1, ErrorCode::UnstableOffsetCommit));
    assert_eq!(write(&mut client, 12, "a", (producer, 1), "two"), ErrorCode::None);
    end(&mut client, 5, producer, true).unwrap();
    assert_eq!(committed(&mut client, "a"), ["one", "two"]);
    assert_eq!(offsets(&mut client, true), (5, ErrorCode::None));
    fixture.broker.close();
    drop((client, fixture));

    let fixture = open();
    let mut client = fixture.connect();
    assert_eq!(committed(&mut client, "a"), ["one", "two"]);
    assert_eq!(offsets(&mut client, true), (5, ErrorCode::None));
    let next = try_init(&mut client, 5, None).unwrap();
    assert_eq!(next, Producer { epoch: 2, ..producer });
}

#[test]
fn a_reader_of_committed_records_that_waits_gets_them_with_the_commit() {
    let (fixture, mut client, producer) = start();
    write(&mut client, 12, "a", (producer, 0), "one");
    let mut reader = fixture.connect();
    let request = fetch_request("a", 0, 0).with_isolation_level(1).with_max_wait_ms(20_000);
    reader.send(11, &request);
    end(&mut client, 5, producer, true).unwrap();
    let (_, response) = reader.receive::<kafka_protocol_018::messages::FetchRequest>(11);
    let data = only(response);
    assert_eq!(data.last_stable_offset, 2);
    assert_eq!(values(&records_of(&data)).first(), Some(&(0, "one".to_owned())));
}

#[test]
fn a_transaction_over_a_topic_that_is_deleted_still_ends() {
    let (fixture, mut client, producer) = start();
    write(&mut client, 12, "a", (producer, 0), "one");
    write(&mut client, 12, "b", (producer, 0), "two");
    fixture.broker.admin().delete_topic("a").unwrap();
    let next = end(&mut client, 5, producer, true).unwrap();
    assert_eq!(committed(&mut client, "b"), ["two"]);
    assert_eq!(write(&mut client, 12, "b", (next, 0), "three"), ErrorCode::None);
    assert_eq!(code(describe_topic(&mut client, "a").error_code), ErrorCode::UnknownTopicOrPartition);
}

#[test]
fn a_native_and_a_remote_producer_of_one_id_take_over_from_each_other() {
    let (fixture, mut client, remote) = start();
    write(&mut client, 12, "a", (remote, 0), "remote and open");
    let native = || fixture.broker.producer_builder().transactional_id(ID).build().unwrap();
    let producer = native();
    assert_eq!(end(&mut client, 4, remote, true), Err(ErrorCode::ProducerFenced));
    let record = |value| ottla::ProducerRecord::new("a").partition(0).value(value);
    producer.transaction(|transaction| transaction.send(record("native"))).unwrap();
    let open = producer.begin_transaction().unwrap();
    open.send(record("native and open")).unwrap().wait().unwrap();

    assert_eq!(try_init(&mut client, 5, None), Err(ErrorCode::ConcurrentTransactions));
    let remote = try_init(&mut client, 5, None).unwrap();
    assert_eq!(open.commit().unwrap_err().code(), ErrorCode::ProducerFenced);
    assert_eq!(write(&mut client, 12, "a", (remote, 0), "remote"), ErrorCode::None);
    end(&mut client, 5, remote, true).unwrap();
    assert_eq!(committed(&mut client, "a"), ["native", "remote"]);
    let partition = fixture.broker.topic("a").unwrap().partition(0).unwrap();
    let reader = partition.read_from(0).isolation_level(ottla::IsolationLevel::ReadCommitted);
    assert_eq!(
        reader.map(|record| record.unwrap().value().unwrap().to_vec()).collect::<Vec<_>>(),
        [b"native".to_vec(), b"remote".to_vec()]
    );
}
