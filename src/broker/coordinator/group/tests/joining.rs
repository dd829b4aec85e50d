//! Joins: who may, how long they wait, what they hear.

use std::collections::HashSet;

use super::fixture::*;
use crate::broker::coordinator::group::*;
use crate::model::ErrorCode;

#[test]
fn a_first_member_is_answered_after_the_initial_delay_and_leads() {
    let fixture = Fixture::new();
    let join = fixture.join(consumer());
    fixture.advance_ms(DELAY_MS - 1);
    assert!(join.is_waiting());
    fixture.advance_ms(1);
    let joined = join.get();
    assert_eq!(joined.error, ErrorCode::None);
    assert_eq!(joined.generation_id, 1);
    assert_eq!(joined.leader_id, joined.member_id);
    assert_eq!(joined.protocol_type.as_deref(), Some("consumer"));
    assert_eq!(joined.protocol_name.as_deref(), Some("range"));
    assert_eq!(joined.members.len(), 1);
    assert_eq!(joined.members[0].metadata, subscription(&["events"]));
    assert!(!joined.skip_assignment);
}

#[test]
fn a_group_becomes_stable_once_its_leader_has_assigned() {
    let fixture = Fixture::new();
    let members = fixture.stable_group(3);
    let ids: HashSet<_> = members.iter().map(|member| member.member_id.clone()).collect();
    assert_eq!(ids.len(), 3);
    for member in &members {
        assert_eq!(fixture.sync_as(member).get().assignment, member.member_id.as_bytes());
        assert_eq!(fixture.heartbeat_as(member), ErrorCode::None);
    }
    assert_eq!(fixture.commit(Some(&members[1]), "events", 42), ErrorCode::None);
    assert_eq!(fixture.committed("events"), 42);
}
