//! Groups of all types, as JSON: who is in them, what each reads, and how far they are.

use ottla::{
    Admin, Error, ErrorCode, GroupDescription, GroupListing, GroupType, ListGroupsOptions, MemberDescription,
    OffsetSpec, TestBroker, TopicPartition,
};
use serde_json::{Value, json};

/// All groups that there are.
pub(super) fn all(kafka: &TestBroker) -> Result<Value, Error> {
    let admin = kafka.admin();
    let mut groups = Vec::new();
    for listed in admin.list_groups(&ListGroupsOptions::new())? {
        match admin.describe_group(&listed.group_id) {
            Ok(group) => groups.push(self::group(kafka, &listed, &group)?),
            // It has gone since it was listed.
            Err(error) if error.code() == ErrorCode::GroupIdNotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Value::from(groups))
}

fn group(kafka: &TestBroker, listed: &GroupListing, group: &GroupDescription) -> Result<Value, Error> {
    Ok(json!({
        "groupId": group.group_id,
        "type": listed.group_type.name(),
        "protocolType": group.protocol_type,
        "state": group.state.to_string(),
        "generationId": group.generation_id,
        "assignor": group.partition_assignor,
        "coordinator": kafka.group_coordinator(&listed.group_id),
        "members": group.members.iter().map(member).collect::<Vec<_>>(),
        "offsets": match listed.group_type {
            GroupType::Share => offsets_of_share_group(&kafka.admin(), &group.group_id)?,
            _ => committed_offsets(&kafka.admin(), &group.group_id)?,
        },
    }))
}

fn member(member: &MemberDescription) -> Value {
    let assigned = member.assignment.iter();
    let assigned = assigned.map(|tp| json!({ "topic": tp.topic(), "partition": tp.partition() }));
    json!({
        "memberId": member.member_id,
        "groupInstanceId": member.group_instance_id,
        "clientId": member.client_id,
        "clientHost": member.client_host,
        "assignment": assigned.collect::<Vec<_>>(),
    })
}

/// The end of a partition; `None` if it is not there any more.
fn latest_offset(admin: &Admin, tp: &TopicPartition) -> Result<Option<i64>, Error> {
    match admin.list_offset(tp, OffsetSpec::Latest) {
        Ok(found) => Ok(found.map(|found| found.offset)),
        Err(error) if error.code() == ErrorCode::UnknownTopicOrPartition => Ok(None),
        Err(error) => Err(error),
    }
}

fn committed_offsets(admin: &Admin, group: &str) -> Result<Value, Error> {
    let mut offsets = Vec::new();
    for (tp, committed) in admin.list_consumer_group_offsets(group)? {
        let latest = latest_offset(admin, &tp)?;
        offsets.push(json!({
            "topic": tp.topic(),
            "partition": tp.partition(),
            "offset": committed.offset,
            "latestOffset": latest,
            "lag": latest.map(|latest| latest - committed.offset),
            "metadata": committed.metadata,
        }));
    }
    Ok(Value::from(offsets))
}

fn offsets_of_share_group(admin: &Admin, group: &str) -> Result<Value, Error> {
    let mut offsets = Vec::new();
    for (tp, at) in admin.list_share_group_offsets(group)? {
        offsets.push(json!({
            "topic": tp.topic(),
            "partition": tp.partition(),
            "offset": at.start_offset,
            "latestOffset": latest_offset(admin, &tp)?,
            "lag": at.lag,
        }));
    }
    Ok(Value::from(offsets))
}
