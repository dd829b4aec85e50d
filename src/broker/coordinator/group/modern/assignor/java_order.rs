//! The order in which Java walks its hash tables: by bucket, and within a bucket as it was filled.

use crate::broker::coordinator::java_string_hash;
use crate::model::Uuid;

/// The smallest table.
pub(super) const MIN_CAPACITY: usize = 16;

pub(in super::super) fn of_string(text: &str) -> i32 {
    java_string_hash(text)
}

pub(in super::super) fn of_uuid(id: &Uuid) -> i32 {
    let bits = u128::from_be_bytes(*id.as_bytes());
    let folded = (bits >> 64) as u64 ^ bits as u64;
    (folded >> 32) as i32 ^ folded as i32
}

/// Sorts as a map is walked that these were put into one after the other.
pub(in super::super) fn sort<T>(items: &mut [T], hash: impl Fn(&T) -> i32) {
    let mut capacity = MIN_CAPACITY;
    // A table grows when more than three quarters of it are used.
    while items.len() > capacity / 4 * 3 {
        capacity *= 2;
    }
    sort_by_bucket(items, capacity, hash);
}

/// Sorts as a set is walked that was made of these at once, with room for `len`.
pub(in super::super) fn sort_copied<T>(items: &mut [T], len: usize, hash: impl Fn(&T) -> i32) {
    let capacity = (len * 4 / 3 + 1).max(MIN_CAPACITY).next_power_of_two();
    sort_by_bucket(items, capacity, hash);
}

fn sort_by_bucket<T>(items: &mut [T], capacity: usize, hash: impl Fn(&T) -> i32) {
    items.sort_by_key(|item| bucket(hash(item), capacity));
}

/// In which bucket of a table something is that has this hash.
pub(super) fn bucket(hash: i32, capacity: usize) -> usize {
    let hash = hash as u32;
    (hash ^ (hash >> 16)) as usize & (capacity - 1)
}
