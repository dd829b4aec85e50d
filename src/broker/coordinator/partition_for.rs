/// Which of `partition_count` partitions holds the state of a group or a transactional id: Java's hash of the
/// string, without its sign, modulo the count (Kafka: `Utils.abs(id.hashCode) % count`).
///
/// `None` if there are no partitions.
pub(crate) fn partition_for(id: &str, partition_count: i32) -> Option<i32> {
    // `Utils.abs` makes 0 of the smallest integer, which has no positive counterpart.
    java_string_hash(id).checked_abs().unwrap_or(0).checked_rem(partition_count)
}

pub(crate) fn java_string_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_a_java_string() {
        assert_eq!(java_string_hash(""), 0);
        assert_eq!(java_string_hash("my-group"), -1_906_497_762);
        assert_eq!(java_string_hash("consumer-group"), -1_738_392_088);
        // Outside the basic plane a character is two UTF-16 units: d83d dc4d.
        assert_eq!(java_string_hash("👍"), 0xd83d * 31 + 0xdc4d);
        assert_eq!(java_string_hash("polygenelubricants"), i32::MIN);
    }

    #[test]
    fn the_partition_ignores_the_sign_and_the_smallest_hash_counts_as_zero() {
        assert_eq!(partition_for("consumer-group", 50), Some(38));
        assert_eq!(partition_for("polygenelubricants", 50), Some(0));
        assert_eq!(partition_for("anything", 0), None);
    }
}
