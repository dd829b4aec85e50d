//! A group of a hundred members from which one leaves, until those who stay have all partitions. Members report without a
//! pause, all at the same time, so that what is measured is the broker's part.

use std::net::SocketAddr;
use std::time::Instant;

use kafka_protocol_018::messages::leave_group_request::MemberIdentity;
use kafka_protocol_018::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol_018::messages::{
    GroupId, HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, SyncGroupRequest,
};
use kafka_protocol_018::protocol::StrBytes;

use super::client::Client;
use super::members::{ConsumerMember, JOIN, assignment, join_request, member_id};
use super::{await_coordinator, create_topic, median, print, text, unique};

const MEMBERS: usize = 100;
const PARTITIONS: i32 = 200;
const WARM_UPS: usize = 2;
const ROUNDS: usize = 7;
const REBALANCE_IN_PROGRESS: i16 = 27;

pub(super) fn run(address: SocketAddr) {
    let mut client = Client::connect(address);
    let topic = unique("settled");
    create_topic(&mut client, &topic, PARTITIONS);
    await_coordinator(&mut client, 0, "any");
    let group = unique("classic");
    let mut members: Vec<ClassicMember> =
        (0..MEMBERS).map(|_| ClassicMember::new(address, &group, &topic)).collect();
    // The first one has a generation alone: nobody waits for more members here.
    rebalance(&mut members[..1], 0, &topic);
    rebalance(&mut members, 1, &topic);
    let round = |_| {
        let mut last = members.pop().expect("a member");
        let start = Instant::now();
        last.leave();
        rebalance(&mut members, MEMBERS - 1, &topic);
        let taken = start.elapsed().as_secs_f64() * 1e3;
        members.push(ClassicMember::new(address, &group, &topic));
        rebalance(&mut members, MEMBERS - 1, &topic);
        taken
    };
    let taken: Vec<f64> = (0..WARM_UPS + ROUNDS).map(round).skip(WARM_UPS).collect();
    print("100 members, one leaves, classic, ms", median(taken));
    drop(members);
    print("100 members, one leaves, consumer, ms", settle_consumers(address, &topic));
}

fn settle_consumers(address: SocketAddr, topic: &str) -> f64 {
    let group = unique("consumer");
    let new = |number| ConsumerMember::new(address, &group, topic, &format!("{group}-{number}"));
    let mut members: Vec<ConsumerMember> = (0..MEMBERS).map(new).collect();
    // One after the other, as in a group that grows.
    for member in &mut members {
        member.send();
        member.receive();
    }
    settle(&mut members);
    let round = |_| {
        let mut last = members.pop().expect("a member");
        assert!(last.has() > 0, "who has nothing leaves nothing to be given to others");
        let start = Instant::now();
        last.leave();
        settle(&mut members);
        let taken = start.elapsed().as_secs_f64() * 1e3;
        members.push(last);
        settle(&mut members);
        taken
    };
    median((0..WARM_UPS + ROUNDS).map(round).skip(WARM_UPS).collect())
}

/// Heartbeats of all, until all partitions are spread over them evenly and they are of one epoch.
fn settle(members: &mut [ConsumerMember]) {
    loop {
        members.iter_mut().for_each(ConsumerMember::send);
        members.iter_mut().for_each(ConsumerMember::receive);
        let has: Vec<usize> = members.iter().map(ConsumerMember::has).collect();
        let (least, most) = (has.iter().min().expect("members"), has.iter().max().expect("members"));
        let is_spread = has.iter().sum::<usize>() == PARTITIONS as usize && most - least <= 1;
        let epoch = members[0].epoch;
        if is_spread && members.iter().all(|member| member.epoch == epoch) {
            return;
        }
    }
}

struct ClassicMember {
    client: Client,
    group: String,
    topic: String,
    id: StrBytes,
    generation_id: i32,
    leads: bool,
}

impl ClassicMember {
    fn new(address: SocketAddr, group: &str, topic: &str) -> Self {
        let mut client = Client::connect(address);
        let id = member_id(&mut client, group, topic);
        ClassicMember {
            client,
            group: group.to_owned(),
            topic: topic.to_owned(),
            id,
            generation_id: -1,
            leads: false,
        }
    }

    fn group_id(&self) -> GroupId {
        GroupId(text(&self.group))
    }

    fn leave(&mut self) {
        let identity = MemberIdentity::default().with_member_id(self.id.clone());
        let leave = LeaveGroupRequest::default().with_group_id(self.group_id()).with_members(vec![identity]);
        assert_eq!(self.client.call(3, &leave).error_code, 0);
    }

    fn send_join(&mut self) {
        self.client.send(JOIN, &join_request(&self.group, &self.topic, &self.id));
    }

    fn send_heartbeat(&mut self) {
        let heartbeat = HeartbeatRequest::default()
            .with_group_id(self.group_id())
            .with_generation_id(self.generation_id)
            .with_member_id(self.id.clone());
        self.client.send(3, &heartbeat);
    }
}

/// Heartbeats of all, until each has heard that it is to join again.
fn await_rebalance(members: &mut [ClassicMember]) {
    let mut waiting: Vec<&mut ClassicMember> = members.iter_mut().collect();
    while !waiting.is_empty() {
        waiting.iter_mut().for_each(|member| member.send_heartbeat());
        waiting.retain_mut(|member| {
            member.client.receive::<HeartbeatRequest>(3).1.error_code != REBALANCE_IN_PROGRESS
        });
    }
}

/// Those from `new` on join, which the others hear of and join again; the leader assigns, and all have their assignment.
fn rebalance(members: &mut [ClassicMember], new: usize, topic: &str) {
    let (old, new) = members.split_at_mut(new);
    new.iter_mut().for_each(ClassicMember::send_join);
    await_rebalance(old);
    old.iter_mut().for_each(ClassicMember::send_join);
    let mut ids = Vec::new();
    for member in members.iter_mut() {
        let joined = member.client.receive::<JoinGroupRequest>(JOIN).1;
        assert_eq!(joined.error_code, 0);
        member.generation_id = joined.generation_id;
        member.leads = joined.leader == joined.member_id;
        ids.extend(joined.members.into_iter().map(|of_leader| of_leader.member_id));
    }
    assert_eq!(ids.len(), members.len(), "they are in one generation");
    sync(members, &ids, topic);
}

fn sync(members: &mut [ClassicMember], ids: &[StrBytes], topic: &str) {
    let count = ids.len() as i32;
    for member in members.iter_mut() {
        let assignments = ids.iter().enumerate().map(|(of, id)| {
            let partitions: Vec<i32> =
                (0..PARTITIONS).filter(|partition| partition % count == of as i32).collect();
            SyncGroupRequestAssignment::default()
                .with_member_id(id.clone())
                .with_assignment(assignment(topic, partitions.into_iter()))
        });
        let sync = SyncGroupRequest::default()
            .with_group_id(member.group_id())
            .with_generation_id(member.generation_id)
            .with_member_id(member.id.clone())
            .with_assignments(if member.leads { assignments.collect() } else { Vec::new() });
        member.client.send(3, &sync);
    }
    for member in members.iter_mut() {
        assert_eq!(member.client.receive::<SyncGroupRequest>(3).1.error_code, 0);
    }
}
