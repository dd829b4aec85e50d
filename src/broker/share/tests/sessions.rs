use std::sync::Arc;

use crate::broker::share::session::{ShareSessionKey, ShareSessionRequest, ShareSessions};
use crate::model::{ErrorCode, Uuid};

const TOPIC: Uuid = Uuid::from_bytes([7; 16]);

fn key(member: &str) -> ShareSessionKey {
    ShareSessionKey { group_id: Arc::from("g"), member_id: Arc::from(member), node_id: 1 }
}

fn request(member: &str, epoch: i32, partitions: &[i32], forgotten: &[i32]) -> ShareSessionRequest {
    let all = |of: &[i32]| of.iter().map(|partition| (TOPIC, *partition)).collect();
    ShareSessionRequest {
        key: key(member),
        epoch,
        partitions: all(partitions),
        forgotten: all(forgotten),
        has_acknowledgements: false,
        connection_id: Some(1),
    }
}

fn open(
    sessions: &mut ShareSessions,
    member: &str,
    epoch: i32,
    partitions: &[i32],
    forgotten: &[i32],
) -> Result<Vec<i32>, ErrorCode> {
    let opened = sessions.open(request(member, epoch, partitions, forgotten), 2)?;
    Ok(opened.into_iter().map(|(_, partition)| partition).collect())
}

#[test]
fn a_session_remembers_what_is_fetched() {
    let mut sessions = ShareSessions::default();
    assert_eq!(open(&mut sessions, "a", 1, &[0], &[]), Err(ErrorCode::ShareSessionNotFound));
    assert_eq!(open(&mut sessions, "a", 0, &[0, 1, 0], &[]), Ok(vec![0, 1]));
    assert_eq!(open(&mut sessions, "a", 1, &[2], &[0]), Ok(vec![1, 2]));
    assert_eq!(open(&mut sessions, "a", 1, &[], &[]), Err(ErrorCode::InvalidShareSessionEpoch));
    assert_eq!(sessions.acknowledge(&key("a"), 2), Ok(()));
    assert_eq!(sessions.acknowledge(&key("a"), 2), Err(ErrorCode::InvalidShareSessionEpoch));
    assert_eq!(sessions.acknowledge(&key("a"), 0), Err(ErrorCode::InvalidShareSessionEpoch));
    assert_eq!(open(&mut sessions, "a", 3, &[], &[]), Ok(vec![1, 2]));
    assert_eq!(open(&mut sessions, "a", 0, &[5], &[]), Ok(vec![5]), "another begins");
    assert_eq!(open(&mut sessions, "a", -1, &[], &[]), Ok(vec![]));
    assert_eq!(sessions.remove(&key("a")).map(|ended| ended.is_last), Some(true));
    assert_eq!(open(&mut sessions, "a", -1, &[], &[]), Err(ErrorCode::ShareSessionNotFound));
}

#[test]
fn there_are_no_more_sessions_than_there_may_be_and_they_end_with_their_connection() {
    let mut sessions = ShareSessions::default();
    open(&mut sessions, "a", 0, &[0], &[]).unwrap();
    open(&mut sessions, "b", 0, &[1], &[]).unwrap();
    assert_eq!(open(&mut sessions, "c", 0, &[0], &[]), Err(ErrorCode::ShareSessionLimitReached));
    assert_eq!(open(&mut sessions, "b", 0, &[0], &[]), Ok(vec![0]), "one's own counts once");
    let with_acknowledgements =
        ShareSessionRequest { has_acknowledgements: true, ..request("a", 0, &[], &[]) };
    assert_eq!(sessions.open(with_acknowledgements, 2), Err(ErrorCode::InvalidRequest));
    let ended = sessions.remove_connection(1);
    assert_eq!(ended.iter().map(|session| session.is_last).collect::<Vec<_>>(), [false, true]);
    assert_eq!(sessions.len(), 0);
}

#[test]
fn a_member_has_a_session_with_each_of_several_brokers() {
    let mut sessions = ShareSessions::default();
    let at = |node_id| ShareSessionKey { node_id, ..key("a") };
    for node in [1, 2] {
        let opened = sessions.open(ShareSessionRequest { key: at(node), ..request("a", 0, &[node], &[]) }, 2);
        assert_eq!(opened, Ok(vec![(TOPIC, node)]));
    }
    assert_eq!(sessions.partitions(&at(1)), [(TOPIC, 1)]);
    assert_eq!((sessions.acknowledge(&at(1), 1), sessions.acknowledge(&at(2), 1)), (Ok(()), Ok(())));
    assert_eq!(sessions.remove(&at(1)).map(|ended| ended.is_last), Some(false));
    assert_eq!(sessions.remove(&at(2)).map(|ended| ended.is_last), Some(true));
}
