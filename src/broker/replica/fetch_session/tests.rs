use super::*;
use crate::model::NO_LEADER_EPOCH;
use crate::record::Records;
use crate::sys::{ManualClock, SeededRng};

struct Fixture {
    clock: Arc<ManualClock>,
    cache: FetchSessionCache,
}

impl Fixture {
    fn with_slots(slots: usize) -> Self {
        let clock = Arc::new(ManualClock::new(0));
        let env = Env { clock: clock.clone(), rng: Arc::new(SeededRng::new(1)), ..Env::system() };
        Fixture { clock, cache: FetchSessionCache::new(&env, slots) }
    }

    /// Makes a session, and returns its id; 0 if there was no room.
    fn create(&self, partitions: i32) -> i32 {
        self.create_as(false, partitions)
    }

    fn create_as(&self, is_follower: bool, partitions: i32) -> i32 {
        let targets = (0..partitions).map(|partition| target("t", partition, 0)).collect();
        let context = self.cache.open(FetchSessionRequest { is_follower, ..request(0, 0, targets) }).unwrap();
        let data: Vec<_> = (0..partitions).map(|_| data(0)).collect();
        self.cache.complete(&context, &data).session_id
    }

    /// An incremental fetch that finds `data`: which partitions were told of, by name.
    fn fetch(&self, request: FetchSessionRequest, found: &[FetchPartitionData]) -> Vec<String> {
        let context = self.cache.open(request).unwrap();
        let answer = self.cache.complete(&context, found);
        assert_eq!(answer.error, ErrorCode::None);
        let told = context.targets().iter().zip(answer.included).filter(|(_, included)| *included);
        told.map(|(target, _)| name(target)).collect()
    }
}

fn name(target: &FetchTarget) -> String {
    match &target.topic {
        FetchTopic::Name(name) => format!("{name}-{}", target.partition),
        FetchTopic::Id(id) => format!("{id}-{}", target.partition),
    }
}

fn names(context: &FetchContext) -> Vec<String> {
    context.targets().iter().map(name).collect()
}

fn target(topic: &str, partition: i32, fetch_offset: Offset) -> FetchTarget {
    FetchTarget {
        topic: FetchTopic::Name(topic.into()),
        partition,
        fetch_offset,
        max_bytes: 1000,
        current_leader_epoch: -1,
        last_fetched_epoch: -1,
    }
}

fn request(session_id: i32, session_epoch: i32, targets: Vec<FetchTarget>) -> FetchSessionRequest {
    FetchSessionRequest {
        session_id,
        session_epoch,
        is_follower: false,
        uses_topic_ids: false,
        targets,
        forgotten: Vec::new(),
    }
}

/// Nothing to read up to a high watermark.
fn data(high_watermark: Offset) -> FetchPartitionData {
    FetchPartitionData {
        error: ErrorCode::None,
        high_watermark,
        last_stable_offset: high_watermark,
        log_start_offset: 0,
        records: Records::default(),
        aborted_transactions: None,
        diverging_epoch: None,
        leader_epoch: 0,
    }
}

fn records(high_watermark: Offset) -> FetchPartitionData {
    FetchPartitionData { records: Records::Bytes(vec![0; 100].into()), ..data(high_watermark) }
}

#[test]
fn a_sessionless_fetch_makes_no_session() {
    let Fixture { cache, .. } = Fixture::with_slots(10);
    let context = cache.open(request(0, -1, vec![target("t", 0, 0)])).unwrap();
    let answer = cache.complete(&context, &[data(0)]);
    assert_eq!((answer.session_id, answer.included, cache.len()), (0, vec![true], 0));
}

#[test]
fn a_full_fetch_makes_a_session_that_remembers_its_partitions() {
    let fixture = Fixture::with_slots(10);
    let id = fixture.create(2);
    assert!(id > 0);
    let context = fixture.cache.open(request(id, 1, Vec::new())).unwrap();
    assert_eq!(names(&context), ["t-0", "t-1"]);
}

#[test]
fn the_epoch_counts_up_and_another_one_is_refused() {
    let fixture = Fixture::with_slots(10);
    let id = fixture.create(1);
    for epoch in 1..4 {
        for wrong in [epoch - 1, epoch + 1, -2] {
            if wrong > 0 || wrong == -2 {
                let error = fixture.cache.open(request(id, wrong, Vec::new())).unwrap_err();
                assert_eq!(error, ErrorCode::InvalidFetchSessionEpoch);
            }
        }
        assert!(fixture.cache.open(request(id, epoch, Vec::new())).is_ok());
    }
}

#[test]
fn the_epoch_wraps_to_1() {
    assert_eq!([0, 1, i32::MAX - 1, i32::MAX].map(next_epoch), [1, 2, i32::MAX, 1]);
}

#[test]
fn an_unknown_session_is_not_found() {
    let fixture = Fixture::with_slots(10);
    let id = fixture.create(1);
    let error = fixture.cache.open(request(id ^ 1, 1, Vec::new())).unwrap_err();
    assert_eq!(error, ErrorCode::FetchSessionIdNotFound);
}

#[test]
fn a_session_is_closed_by_its_final_epoch_and_by_a_new_full_fetch() {
    let fixture = Fixture::with_slots(10);
    for epoch in [-1, 0] {
        let id = fixture.create(1);
        fixture.cache.open(request(id, epoch, vec![target("t", 0, 0)])).unwrap();
        assert_eq!(fixture.cache.len(), 0, "epoch {epoch}");
    }
}

#[test]
fn names_and_ids_do_not_mix_within_a_session() {
    let fixture = Fixture::with_slots(10);
    let id = fixture.create(1);
    let with_ids = FetchSessionRequest { uses_topic_ids: true, ..request(id, 1, Vec::new()) };
    assert_eq!(fixture.cache.open(with_ids).unwrap_err(), ErrorCode::FetchSessionTopicIdError);
}

#[test]
fn only_what_has_changed_is_told() {
    let fixture = Fixture::with_slots(10);
    let id = fixture.create(5);
    let no_news = [data(0), data(0), data(0), data(0), data(0)];
    assert_eq!(fixture.fetch(request(id, 1, Vec::new()), &no_news), [""; 0]);
    let moved = FetchPartitionData { log_start_offset: 3, ..data(0) };
    let end = crate::log::EpochEndOffset { epoch: 1, end_offset: 2 };
    let diverging = FetchPartitionData { diverging_epoch: Some(end), ..data(0) };
    let some = [data(7), data(0), moved.clone(), records(0), diverging];
    assert_eq!(fixture.fetch(request(id, 2, Vec::new()), &some), ["t-0", "t-2", "t-3", "t-4"]);
    // t-3 has moved to the end.
    let same = [data(7), data(0), moved, data(0), data(0)];
    assert_eq!(fixture.fetch(request(id, 3, Vec::new()), &same), [""; 0]);
}

#[test]
fn a_partition_with_an_error_is_told_each_time_and_once_more_when_the_error_is_gone() {
    let fixture = Fixture::with_slots(10);
    let id = fixture.create(1);
    let error = [FetchPartitionData::error(ErrorCode::UnknownTopicOrPartition, NO_LEADER_EPOCH)];
    assert_eq!(fixture.fetch(request(id, 1, Vec::new()), &error), ["t-0"]);
    assert_eq!(fixture.fetch(request(id, 2, Vec::new()), &error), ["t-0"]);
    assert_eq!(fixture.fetch(request(id, 3, Vec::new()), &[data(0)]), ["t-0"]);
    assert_eq!(fixture.fetch(request(id, 4, Vec::new()), &[data(0)]), [""; 0]);
}

#[test]
fn partitions_that_gave_records_are_served_last_the_next_time() {
    let fixture = Fixture::with_slots(10);
    let id = fixture.create(3);
    assert_eq!(fixture.fetch(request(id, 1, Vec::new()), &[records(1), data(0), records(1)]), ["t-0", "t-2"]);
    let context = fixture.cache.open(request(id, 2, Vec::new())).unwrap();
    assert_eq!(names(&context), ["t-1", "t-0", "t-2"]);
}

#[test]
fn partitions_can_be_added_changed_and_forgotten() {
    let fixture = Fixture::with_slots(10);
    let id = fixture.create(2);
    let mut change = request(id, 1, vec![target("t", 1, 50), target("u", 0, 9)]);
    change.forgotten = vec![(FetchTopic::Name("t".into()), 0), (FetchTopic::Name("never".into()), 0)];
    let context = fixture.cache.open(change).unwrap();
    assert_eq!(context.targets(), [target("t", 1, 50), target("u", 0, 9)]);
}

#[test]
fn a_session_left_empty_is_closed() {
    let fixture = Fixture::with_slots(10);
    let id = fixture.create(1);
    let mut last = request(id, 1, Vec::new());
    last.forgotten = vec![(FetchTopic::Name("t".into()), 0)];
    let context = fixture.cache.open(last).unwrap();
    assert_eq!(fixture.cache.complete(&context, &[]).session_id, 0);
    assert_eq!(fixture.cache.len(), 0);
}

#[test]
fn the_slower_of_two_fetches_of_a_session_is_refused() {
    let fixture = Fixture::with_slots(10);
    let id = fixture.create(1);
    let slow = fixture.cache.open(request(id, 1, Vec::new())).unwrap();
    let fast = fixture.cache.open(request(id, 2, Vec::new())).unwrap();
    assert_eq!(fixture.cache.complete(&slow, &[data(1)]).error, ErrorCode::InvalidFetchSessionEpoch);
    assert_eq!(fixture.cache.complete(&fast, &[data(1)]).error, ErrorCode::None);
}

#[test]
fn a_partition_named_twice_is_fetched_once_as_it_was_named_last() {
    let fixture = Fixture::with_slots(10);
    let twice = vec![target("t", 0, 1), target("t", 1, 2), target("t", 0, 3)];
    let context = fixture.cache.open(request(0, -1, twice)).unwrap();
    assert_eq!(context.targets(), [target("t", 0, 3), target("t", 1, 2)]);
}

#[test]
fn a_full_cache_gives_no_session() {
    let fixture = Fixture::with_slots(2);
    assert!(fixture.create(1) > 0 && fixture.create(1) > 0);
    assert_eq!(fixture.create(1000), 0);
    assert_eq!(Fixture::with_slots(0).create(1), 0);
}

#[test]
fn a_session_that_nobody_used_for_two_minutes_makes_room() {
    let fixture = Fixture::with_slots(2);
    let (idle, used) = (fixture.create(1), fixture.create(1));
    fixture.clock.advance(Duration::from_secs(60));
    fixture.cache.open(request(used, 1, Vec::new())).unwrap();
    fixture.clock.advance(Duration::from_secs(61));
    assert!(fixture.create(1) > 0);
    assert_eq!(
        fixture.cache.open(request(idle, 1, Vec::new())).unwrap_err(),
        ErrorCode::FetchSessionIdNotFound
    );
    assert!(fixture.cache.open(request(used, 2, Vec::new())).is_ok());
}

#[test]
fn a_follower_takes_the_place_of_a_consumer_and_not_the_other_way_round() {
    let fixture = Fixture::with_slots(1);
    let consumer = fixture.create(100);
    let follower = fixture.create_as(true, 1);
    assert!(follower > 0);
    assert!(fixture.cache.open(request(consumer, 1, Vec::new())).is_err());
    assert_eq!(fixture.create(1000), 0);
}

#[test]
fn an_old_session_makes_room_for_a_larger_one() {
    let fixture = Fixture::with_slots(1);
    let id = fixture.create(5);
    for epoch in 1..=3 {
        fixture.clock.advance(Duration::from_secs(50));
        fixture.cache.open(request(id, epoch, Vec::new())).unwrap();
    }
    assert_eq!(fixture.create(5), 0, "as large as the old one");
    assert!(fixture.create(6) > 0);
}
