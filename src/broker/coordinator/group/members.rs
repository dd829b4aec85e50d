use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::member::Member;

/// The members of a group, by id, in the order in which they joined: that order decides who leads, and what
/// wins when votes are equal, so that the same requests always have the same outcome.
#[derive(Debug, Default)]
pub(super) struct Members {
    by_order: BTreeMap<u64, Member>,
    order_of: HashMap<Arc<str>, u64>,
    next_order: u64,
}

impl Members {
    pub(super) fn len(&self) -> usize {
        self.by_order.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_order.is_empty()
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.order_of.contains_key(id)
    }

    pub(super) fn get(&self, id: &str) -> Option<&Member> {
        self.by_order.get(self.order_of.get(id)?)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Member> {
        self.by_order.get_mut(self.order_of.get(id)?)
    }

    pub(super) fn insert(&mut self, member: Member) {
        let order = self.next_order;
        self.next_order += 1;
        self.order_of.insert(Arc::clone(&member.id), order);
        self.by_order.insert(order, member);
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<Member> {
        self.by_order.remove(&self.order_of.remove(id)?)
    }

    /// Gives a member another id and leaves it in its place.
    pub(super) fn rename(&mut self, old_id: &str, new_id: &Arc<str>) -> Option<&mut Member> {
        let order = self.order_of.remove(old_id)?;
        self.order_of.insert(Arc::clone(new_id), order);
        let member = self.by_order.get_mut(&order)?;
        member.id = Arc::clone(new_id);
        Some(member)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.by_order.values()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        self.by_order.values_mut()
    }

    /// The ids of all members, in order.
    pub(super) fn ids(&self) -> Vec<Arc<str>> {
        self.iter().map(|member| Arc::clone(&member.id)).collect()
    }
}
