//! Fetch sessions over the wire; what a session remembers is tested beside its code.

use kafka_protocol_018::messages::FetchRequest;
use kafka_protocol_018::messages::fetch_request::ForgottenTopic;
use kafka_protocol_018::messages::fetch_response::FetchResponse;
use ottla::{ErrorCode, ProducerRecord};

use super::client::Client;
use super::fetching::topic_of;
use super::fixture::{Fixture, code, describe_topic, topic_name};
use super::producing::append;
use super::records::batch;

/// A request of a session that does not wait.
fn of_session(id: i32, epoch: i32) -> FetchRequest {
    FetchRequest::default().with_max_bytes(1 << 20).with_session_id(id).with_session_epoch(epoch)
}

/// Opens a session on these partitions of `t`.
fn open(client: &mut Client, partitions: &[(i32, i64)]) -> FetchResponse {
    client.call(11, &of_session(0, 0).with_topics(vec![topic_of("t", partitions)]))
}

fn told(response: &FetchResponse) -> Vec<i32> {
    response
        .responses
        .iter()
        .flat_map(|topic| topic.partitions.iter().map(|data| data.partition_index))
        .collect()
}

#[test]
fn a_full_fetch_opens_a_session_and_later_ones_name_only_what_changes() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 3, &[]);
    let first = open(&mut client, &[(0, 0), (1, 0), (2, 0)]);
    assert!(first.session_id > 0);
    assert_eq!(told(&first), [0, 1, 2]);
    let quiet = client.call(11, &of_session(first.session_id, 1));
    assert_eq!((quiet.session_id, told(&quiet)), (first.session_id, vec![]));
    append(&mut client, "t", batch(&["a"]));
    assert_eq!(told(&client.call(11, &of_session(first.session_id, 2))), [0]);
    let moved = of_session(first.session_id, 3).with_topics(vec![topic_of("t", &[(0, 1)])]);
    assert_eq!(told(&client.call(11, &moved)), [0; 0]);
    let forgotten = ForgottenTopic::default().with_topic(topic_name("t")).with_partitions(vec![0, 1]);
    let last = of_session(first.session_id, 4).with_forgotten_topics_data(vec![forgotten]);
    assert_eq!(told(&client.call(11, &last)), [0; 0]);
    append(&mut client, "t", batch(&["b"]));
    assert_eq!(told(&client.call(11, &of_session(first.session_id, 5))), [0; 0], "0 is forgotten");
}

#[test]
fn a_session_may_be_used_over_another_connection() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let session = open(&mut client, &[(0, 0)]).session_id;
    append(&mut client, "t", batch(&["a"]));
    drop(client);
    assert_eq!(told(&fixture.connect().call(11, &of_session(session, 1))), [0]);
}

#[test]
fn wrong_epochs_and_ids_are_errors_of_the_whole_answer() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let session = open(&mut client, &[(0, 0)]).session_id;
    let other = if session == 1 { 2 } else { session - 1 };
    for (id, epoch, expected) in [
        (session, 2, ErrorCode::InvalidFetchSessionEpoch),
        (other, 1, ErrorCode::FetchSessionIdNotFound),
        (0, 1, ErrorCode::FetchSessionIdNotFound),
    ] {
        let response = client.call(11, &of_session(id, epoch));
        assert_eq!(code(response.error_code), expected);
        assert_eq!((response.session_id, response.responses.len()), (0, 0));
    }
}

#[test]
fn a_session_ends_with_epoch_minus_1_and_the_answer_is_whole() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let session = open(&mut client, &[(0, 0)]).session_id;
    let last = client.call(11, &of_session(session, -1).with_topics(vec![topic_of("t", &[(0, 0)])]));
    assert_eq!((last.session_id, told(&last)), (0, vec![0]));
    let gone = client.call(11, &of_session(session, 1));
    assert_eq!(code(gone.error_code), ErrorCode::FetchSessionIdNotFound);
}

#[test]
fn without_room_a_fetch_is_answered_without_a_session() {
    let fixture = Fixture::with(|builder| builder.set("max.incremental.fetch.session.cache.slots", "0"));
    let mut client = fixture.create_topic("t", 1, &[]);
    let response = open(&mut client, &[(0, 0)]);
    assert_eq!((response.session_id, told(&response)), (0, vec![0]));
}

#[test]
fn a_session_by_names_is_not_continued_by_ids() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let session = open(&mut client, &[(0, 0)]).session_id;
    let response = client.call(13, &of_session(session, 1));
    assert_eq!(code(response.error_code), ErrorCode::FetchSessionTopicIdError);
}

#[test]
fn an_id_that_is_unknown_within_a_session_is_told_until_it_is_forgotten() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 1, &[]);
    let known = describe_topic(&mut client, "t").topic_id;
    let unknown = "07070707-0707-0707-0707-070707070707".parse().unwrap();
    let topics = [known, unknown].map(|id| topic_of("", &[(0, 0)]).with_topic_id(id)).into_iter().collect();
    let first = client.call(13, &of_session(0, 0).with_topics(topics));
    assert!(first.session_id > 0);
    for epoch in 1..3 {
        let response = client.call(13, &of_session(first.session_id, epoch));
        assert_eq!(response.responses.len(), 1);
        assert_eq!(response.responses[0].topic_id, unknown);
        assert_eq!(code(response.responses[0].partitions[0].error_code), ErrorCode::UnknownTopicId);
    }
    let forgotten = ForgottenTopic::default().with_topic_id(unknown).with_partitions(vec![0]);
    let last = of_session(first.session_id, 3).with_forgotten_topics_data(vec![forgotten]);
    assert!(client.call(13, &last).responses.is_empty());
}

#[test]
fn a_waiting_fetch_of_a_session_is_answered_with_what_is_new() {
    let fixture = Fixture::start();
    let mut reader = fixture.create_topic("t", 2, &[]);
    let session = open(&mut reader, &[(0, 0), (1, 0)]).session_id;
    reader.send(11, &of_session(session, 1).with_max_wait_ms(i32::MAX).with_min_bytes(1));
    append(&mut fixture.connect(), "t", batch(&["a"]));
    assert_eq!(told(&reader.receive::<FetchRequest>(11).1), [0]);
}

/// A session that reads committed records: nothing of an open transaction, and all that its end brings.
#[test]
fn a_session_tells_of_a_partition_again_when_its_transaction_ends() {
    let fixture = Fixture::start();
    let mut client = fixture.create_topic("t", 2, &[]);
    let producer = fixture.broker.producer_builder().transactional_id("shop").build().unwrap();
    let committed = |id, epoch| of_session(id, epoch).with_isolation_level(1);
    let first = client.call(11, &committed(0, 0).with_topics(vec![topic_of("t", &[(0, 0), (1, 0)])]));
    let (session, mut epoch, mut offset) = (first.session_id, 0, 0);
    let mut fetch = |offset: Option<i64>| {
        epoch += 1;
        let topics = offset.map(|offset| topic_of("t", &[(0, offset)])).into_iter().collect();
        client.call(11, &committed(session, epoch).with_topics(topics))
    };
    for ends_well in [true, false, true] {
        let transaction = producer.begin_transaction().unwrap();
        let record = ProducerRecord::new("t").partition(0).value("x");
        transaction.send(record).unwrap().wait().unwrap();
        let open = fetch(Some(offset));
        let is_empty = |response: &FetchResponse| {
            response.responses.iter().flat_map(|topic| &topic.partitions).all(|partition| {
                assert_eq!(partition.last_stable_offset, offset);
                partition.records.as_ref().is_none_or(|records| records.is_empty())
            })
        };
        assert!(is_empty(&open), "{open:?}");
        assert_eq!(told(&fetch(None)), [0; 0], "nothing new");
        if ends_well {
            transaction.commit().unwrap()
        } else {
            transaction.abort().unwrap()
        }
        let ended = fetch(None);
        assert_eq!(told(&ended), [0]);
        let partition = &ended.responses[0].partitions[0];
        assert_eq!(partition.last_stable_offset, offset + 2, "the record and its marker");
        assert!(!partition.records.as_ref().unwrap().is_empty());
        let aborted = partition.aborted_transactions.as_ref().map_or(0, Vec::len);
        assert_eq!(aborted, usize::from(!ends_well));
        offset += 2;
    }
}
