//! Java's hash table, as far as the order in which it is walked goes.

use super::java_order;
use crate::model::Uuid;

/// What Java's `hashCode` says of a key.
pub(super) trait JavaHash: Eq {
    fn java_hash(&self) -> i32;
}

/// A `java.lang.Integer`.
impl JavaHash for usize {
    fn java_hash(&self) -> i32 {
        *self as i32
    }
}

/// Kafka: `TopicIdPartition`, a Java record.
impl JavaHash for (Uuid, i32) {
    fn java_hash(&self) -> i32 {
        java_order::of_uuid(&self.0).wrapping_mul(31).wrapping_add(self.1)
    }
}

impl JavaHash for i32 {
    fn java_hash(&self) -> i32 {
        *self
    }
}

/// A `java.util.HashMap`: walked by bucket, and within a bucket as it was filled. It grows when more than three
/// quarters of it are used, and never shrinks.
#[derive(Clone, Debug)]
pub(super) struct JavaHashMap<K, V> {
    buckets: Vec<Vec<(K, V)>>,
    len: usize,
}

impl<K: JavaHash, V> JavaHashMap<K, V> {
    /// `new HashMap<>()`.
    pub(super) fn new() -> Self {
        Self::with_table(java_order::MIN_CAPACITY)
    }

    /// Kafka: `AssignorHelpers#newHashMap`.
    pub(super) fn for_mappings(count: usize) -> Self {
        let capacity = ((count + 1) as f32 / 0.75 + 1.0) as usize;
        Self::with_table(capacity.next_power_of_two())
    }

    fn with_table(capacity: usize) -> Self {
        JavaHashMap { buckets: std::iter::repeat_with(Vec::new).take(capacity).collect(), len: 0 }
    }

    fn bucket(&self, key: &K) -> usize {
        java_order::bucket(key.java_hash(), self.buckets.len())
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let bucket = self.bucket(key);
        self.buckets[bucket].iter_mut().find(|(known, _)| known == key).map(|(_, value)| value)
    }

    pub(super) fn contains(&self, key: &K) -> bool {
        self.buckets[self.bucket(key)].iter().any(|(known, _)| known == key)
    }

    fn is_over_threshold(&self) -> bool {
        self.len > self.buckets.len() * 3 / 4
    }

    /// `computeIfAbsent`, which puts what is new in front of the others of its bucket, and grows the table late.
    pub(super) fn entry(&mut self, key: K, value: impl FnOnce() -> V) -> &mut V {
        if self.is_over_threshold() {
            self.grow();
        }
        let bucket = self.bucket(&key);
        let of_bucket = &mut self.buckets[bucket];
        let at = of_bucket.iter().position(|(known, _)| *known == key).unwrap_or_else(|| {
            self.len += 1;
            of_bucket.insert(0, (key, value()));
            0
        });
        &mut of_bucket[at].1
    }

    fn grow(&mut self) {
        let mut grown = Self::with_table(self.buckets.len() * 2);
        for (key, value) in std::mem::take(&mut self.buckets).into_iter().flatten() {
            let bucket = grown.bucket(&key);
            grown.buckets[bucket].push((key, value));
        }
        self.buckets = grown.buckets;
    }

    pub(super) fn remove(&mut self, key: &K) -> bool {
        let bucket = self.bucket(key);
        let before = self.buckets[bucket].len();
        self.buckets[bucket].retain(|(known, _)| known != key);
        let removed = before - self.buckets[bucket].len();
        self.len -= removed;
        removed > 0
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.buckets.iter().flatten().map(|(key, value)| (key, value))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.buckets.iter_mut().flatten().map(|(key, value)| (&*key, value))
    }
}

/// A `java.util.HashSet`.
pub(super) type JavaHashSet<K> = JavaHashMap<K, ()>;

impl<K: JavaHash + Clone> JavaHashSet<K> {
    /// `add`, which puts what is new behind the others of its bucket, and grows the table at once.
    pub(super) fn add(&mut self, key: K) {
        if !self.contains(&key) {
            let bucket = self.bucket(&key);
            self.buckets[bucket].push((key, ()));
            self.len += 1;
            if self.is_over_threshold() {
                self.grow();
            }
        }
    }

    /// The keys as they are walked.
    pub(super) fn keys(&self) -> Vec<K> {
        self.iter().map(|(key, ())| key.clone()).collect()
    }
}
