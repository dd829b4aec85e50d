//! Settings that are right by themselves and do not go together (Kafka: `KafkaConfig#validateValues`).

use std::path::Path;

use super::broker::BrokerConfig;
use super::choice::SecurityProtocol;
use super::error::ConfigProblem;
use super::value::split_list;

/// Collects what does not hold.
struct Rules<'a> {
    config: &'a BrokerConfig,
    problems: Vec<ConfigProblem>,
}

impl BrokerConfig {
    /// Everything that does not go together; empty where the settings are fine.
    pub(crate) fn conflicts(&self) -> Vec<ConfigProblem> {
        let mut rules = Rules { config: self, problems: Vec::new() };
        rules.identity();
        rules.log();
        rules.compaction();
        rules.connections();
        rules.replication();
        rules.groups();
        rules.security();
        if let Err(problems) = self.effective_listeners() {
            rules.problems.extend(problems);
        }
        rules.problems
    }
}

impl Rules<'_> {
    fn require(&mut self, holds: bool, key: &'static str, reason: impl FnOnce() -> String) {
        if !holds {
            let value = self.config.get(key).unwrap_or_default();
            self.problems.push(ConfigProblem::Conflict { key, value, reason: reason() });
        }
    }

    /// `low` may be as large as `high`, not larger.
    fn require_order(&mut self, low: (&'static str, i64), high: (&'static str, i64)) {
        self.require(low.1 <= high.1, low.0, || format!("is above {}={}", high.0, high.1));
    }

    fn identity(&mut self) {
        let c = self.config;
        let disagree = c.node_id >= 0 && c.broker_id >= 0 && c.node_id != c.broker_id;
        self.require(!disagree, "broker.id", || {
            format!("differs from node.id={}; give one of them", c.node_id)
        });
        let is_reserved = !c.broker_id_generation_enable || c.broker_id <= c.reserved_broker_max_id;
        let in_zookeeper = c.zookeeper_connect.is_some();
        self.require(is_reserved || !in_zookeeper, "broker.id", || {
            format!("is above reserved.broker.max.id={}, where generated ids begin", c.reserved_broker_max_id)
        });
    }

    fn log(&mut self) {
        let c = self.config;
        self.require(!c.effective_log_dirs().is_empty(), "log.dirs", || "names no directory".to_owned());
        let dirs = c.effective_log_dirs();
        let mut twice = dirs.iter().enumerate().filter(|&(i, dir)| {
            // As paths, since a slash at the end makes no other directory.
            dirs.iter().take(i).any(|earlier| Path::new(earlier) == Path::new(dir))
        });
        if let Some((_, dir)) = twice.next() {
            self.require(false, "log.dirs", || format!("names {dir} twice"));
        }
        let cordoned = &c.cordoned_log_dirs;
        let is_alone = cordoned.len() <= 1 || !cordoned.iter().any(|dir| dir == "*");
        self.require(is_alone, "cordoned.log.dirs", || {
            "names all directories by *, and others too".to_owned()
        });
        let (log_dirs, cordoned) = (c.effective_log_dirs(), c.effective_cordoned_log_dirs());
        let unknown: Vec<_> =
            cordoned.into_iter().filter(|dir| dir != "*" && !log_dirs.contains(dir)).collect();
        self.require(unknown.is_empty(), "cordoned.log.dirs", || {
            format!("names {}, which log.dirs does not", unknown.join(", "))
        });
        let key = match (c.log_retention_ms, c.log_retention_minutes) {
            (Some(_), _) => "log.retention.ms",
            (None, Some(_)) => "log.retention.minutes",
            (None, None) => "log.retention.hours",
        };
        let retention_ms = c.effective_log_retention_ms();
        self.require(retention_ms == -1 || retention_ms >= 1, key, || {
            "is neither positive nor -1".to_owned()
        });
    }

    fn compaction(&mut self) {
        let c = self.config;
        let threads = i64::from(c.log_cleaner_threads).max(1);
        self.require(
            c.log_cleaner_dedupe_buffer_size / threads > 1 << 20,
            "log.cleaner.dedupe.buffer.size",
            || format!("is not above 1 MiB for each of log.cleaner.threads={}", c.log_cleaner_threads),
        );
        self.require_order(
            ("log.cleaner.min.compaction.lag.ms", c.log_cleaner_min_compaction_lag_ms),
            ("log.cleaner.max.compaction.lag.ms", c.log_cleaner_max_compaction_lag_ms),
        );
    }

    fn connections(&mut self) {
        let c = self.config;
        let queued = c.queued_max_request_bytes;
        self.require(
            queued <= 0 || queued >= i64::from(c.socket_request_max_bytes),
            "queued.max.request.bytes",
            || format!("is below socket.request.max.bytes={}", c.socket_request_max_bytes),
        );
        let delay_ms = i64::from(c.connection_failed_authentication_delay_ms);
        let idle_ms = c.connections_max_idle_ms;
        self.require(idle_ms < 0 || delay_ms < idle_ms, "connection.failed.authentication.delay.ms", || {
            format!("is not below connections.max.idle.ms={idle_ms}, so that the answer would never arrive")
        });
        let overrides = c.max_connections_per_ip_overrides_by_host();
        self.require(overrides.is_some(), "max.connections.per.ip.overrides", || {
            "is not a list of host:limit with limits from 0".to_owned()
        });
        let lets_some_in = c.max_connections_per_ip != 0 || overrides.is_none_or(|hosts| !hosts.is_empty());
        self.require(lets_some_in, "max.connections.per.ip", || {
            "lets nobody in, unless max.connections.per.ip.overrides names who may come".to_owned()
        });
    }

    fn replication(&mut self) {
        let c = self.config;
        let wait = ("replica.fetch.wait.max.ms", i64::from(c.replica_fetch_wait_max_ms));
        self.require_order(wait, ("replica.socket.timeout.ms", i64::from(c.replica_socket_timeout_ms)));
        self.require_order(wait, ("replica.lag.time.max.ms", c.replica_lag_time_max_ms));
        let acks = c.offsets_commit_required_acks;
        let replicas = c.offsets_topic_replication_factor;
        self.require((-1..=replicas).contains(&acks), "offsets.commit.required.acks", || {
            format!("is neither -1 nor from 0 to offsets.topic.replication.factor={replicas}")
        });
    }

    fn groups(&mut self) {
        let c = self.config;
        let has_classic =
            c.group_coordinator_rebalance_protocols.iter().any(|protocol| protocol == "classic");
        self.require(has_classic, "group.coordinator.rebalance.protocols", || {
            "is without classic, which cannot be switched off".to_owned()
        });
        let mut order = |low: (&'static str, i32), high: (&'static str, i32)| {
            self.require_order((low.0, low.1.into()), (high.0, high.1.into()));
        };
        order(
            ("group.min.session.timeout.ms", c.group_min_session_timeout_ms),
            ("group.max.session.timeout.ms", c.group_max_session_timeout_ms),
        );
        let session = ("group.consumer.session.timeout.ms", c.group_consumer_session_timeout_ms);
        order(("group.consumer.min.session.timeout.ms", c.group_consumer_min_session_timeout_ms), session);
        order(session, ("group.consumer.max.session.timeout.ms", c.group_consumer_max_session_timeout_ms));
        let heartbeat = ("group.consumer.heartbeat.interval.ms", c.group_consumer_heartbeat_interval_ms);
        order(
            ("group.consumer.min.heartbeat.interval.ms", c.group_consumer_min_heartbeat_interval_ms),
            heartbeat,
        );
        order(
            heartbeat,
            ("group.consumer.max.heartbeat.interval.ms", c.group_consumer_max_heartbeat_interval_ms),
        );
        let assignment = ("group.consumer.assignment.interval.ms", c.group_consumer_assignment_interval_ms);
        order(
            ("group.consumer.min.assignment.interval.ms", c.group_consumer_min_assignment_interval_ms),
            assignment,
        );
        order(
            assignment,
            ("group.consumer.max.assignment.interval.ms", c.group_consumer_max_assignment_interval_ms),
        );
        let beats = c.group_consumer_heartbeat_interval_ms < c.group_consumer_session_timeout_ms;
        self.require(beats, "group.consumer.heartbeat.interval.ms", || {
            format!("is not below group.consumer.session.timeout.ms={}", c.group_consumer_session_timeout_ms)
        });
        self.share_groups();
    }

    fn share_groups(&mut self) {
        let c = self.config;
        let mut between =
            |low: (&'static str, i32), middle: (&'static str, i32), high: (&'static str, i32)| {
                self.require_order((low.0, low.1.into()), (middle.0, middle.1.into()));
                self.require_order((middle.0, middle.1.into()), (high.0, high.1.into()));
            };
        between(
            ("group.share.min.session.timeout.ms", c.group_share_min_session_timeout_ms),
            ("group.share.session.timeout.ms", c.group_share_session_timeout_ms),
            ("group.share.max.session.timeout.ms", c.group_share_max_session_timeout_ms),
        );
        between(
            ("group.share.min.heartbeat.interval.ms", c.group_share_min_heartbeat_interval_ms),
            ("group.share.heartbeat.interval.ms", c.group_share_heartbeat_interval_ms),
            ("group.share.max.heartbeat.interval.ms", c.group_share_max_heartbeat_interval_ms),
        );
        between(
            ("group.share.min.assignment.interval.ms", c.group_share_min_assignment_interval_ms),
            ("group.share.assignment.interval.ms", c.group_share_assignment_interval_ms),
            ("group.share.max.assignment.interval.ms", c.group_share_max_assignment_interval_ms),
        );
        let beats = c.group_share_heartbeat_interval_ms < c.group_share_session_timeout_ms;
        self.require(beats, "group.share.heartbeat.interval.ms", || {
            format!("is not below group.share.session.timeout.ms={}", c.group_share_session_timeout_ms)
        });
    }

    fn security(&mut self) {
        let c = self.config;
        let given_twice =
            c.inter_broker_listener_name.is_some() && c.is_given("security.inter.broker.protocol");
        self.require(!given_twice, "inter.broker.listener.name", || {
            "only one of it and security.inter.broker.protocol can be given".to_owned()
        });
        let uses_sasl = matches!(
            c.security_inter_broker_protocol,
            SecurityProtocol::SaslPlaintext | SecurityProtocol::SaslSsl
        );
        let mechanism = &c.sasl_mechanism_inter_broker_protocol;
        let is_enabled = c.sasl_enabled_mechanisms.contains(mechanism);
        self.require(!uses_sasl || is_enabled, "sasl.mechanism.inter.broker.protocol", || {
            format!("is not among sasl.enabled.mechanisms={}", c.sasl_enabled_mechanisms.join(","))
        });
    }
}

impl BrokerConfig {
    /// `max.connections.per.ip.overrides` by host; `None` where it is malformed.
    pub(crate) fn max_connections_per_ip_overrides_by_host(&self) -> Option<Vec<(String, i32)>> {
        let is_host = |host: &str| {
            !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-%._:[]".contains(&b))
        };
        split_list(&self.max_connections_per_ip_overrides)
            .iter()
            .map(|pair| {
                let (host, limit) = pair.rsplit_once(':')?;
                let limit = limit.trim().parse().ok().filter(|&limit: &i32| limit >= 0)?;
                is_host(host.trim()).then(|| (host.trim().to_owned(), limit))
            })
            .collect()
    }
}
