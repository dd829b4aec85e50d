//! What a client may do, as it is told when it asks (KIP-430). Without an authorizer that is everything that can be
//! done to the kind of resource (Kafka: `AclEntry.supportedOperations`).

const READ: i32 = 1 << 3;
const WRITE: i32 = 1 << 4;
const CREATE: i32 = 1 << 5;
const DELETE: i32 = 1 << 6;
const ALTER: i32 = 1 << 7;
const DESCRIBE: i32 = 1 << 8;
const CLUSTER_ACTION: i32 = 1 << 9;
const DESCRIBE_CONFIGS: i32 = 1 << 10;
const ALTER_CONFIGS: i32 = 1 << 11;
const IDEMPOTENT_WRITE: i32 = 1 << 12;

/// The answer to a client that did not ask.
const NOT_ASKED: i32 = i32::MIN;

const TOPIC: i32 = READ | WRITE | CREATE | DELETE | ALTER | DESCRIBE | DESCRIBE_CONFIGS | ALTER_CONFIGS;
const GROUP: i32 = READ | DELETE | DESCRIBE | DESCRIBE_CONFIGS | ALTER_CONFIGS;
const CLUSTER: i32 =
    CREATE | ALTER | DESCRIBE | CLUSTER_ACTION | DESCRIBE_CONFIGS | ALTER_CONFIGS | IDEMPOTENT_WRITE;

pub(super) fn on_topic(asked: bool) -> i32 {
    if asked { TOPIC } else { NOT_ASKED }
}

pub(super) fn on_group(asked: bool) -> i32 {
    if asked { GROUP } else { NOT_ASKED }
}

pub(super) fn on_cluster(asked: bool) -> i32 {
    if asked { CLUSTER } else { NOT_ASKED }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_are_those_that_kafka_gives() {
        assert_eq!((TOPIC, CLUSTER), (3576, 8096));
        assert_eq!(on_group(true) & !(DESCRIBE_CONFIGS | ALTER_CONFIGS), 328);
        assert_eq!(on_topic(false), -2_147_483_648);
    }
}
