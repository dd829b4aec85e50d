//! Topics of log directories that somebody else wrote: an Apache Kafka, or an ottla whose checkpoint is lost.
//!
//! * A Kafka without ZooKeeper leaves topics, ids and settings in `__cluster_metadata`, from where they are taken: once,
//!   and again whenever that Kafka has been at work there since.
//! * Of a Kafka with ZooKeeper there are only the partitions' directories. Their topics are served, and keep every
//!   record until somebody says how they are set: a compacted topic must not lose what is older than a week.

use std::path::PathBuf;
use std::sync::Arc;

use super::core::BrokerCore;
use super::metadata::{
    ClusterMetadata, MetadataImage, Overrides, Topic, TopicRecord, TopicSettings, internal_topic_overrides,
};
use super::replica::Partition;
use crate::config::{BrokerConfig, LogConfig};
use crate::error::{Error, Result};
use crate::log::{Log, node_id_of_dir};
use crate::model::{ErrorCode, ProducerId, TopicPartition, is_internal_topic};
use crate::sys::FileSystem;

/// Where producer ids begin beside those of a Kafka, which counts up from 0 and goes on where it stopped should it be
/// started there again. What its logs and transactions remember of an id must never meet another producer.
const FIRST_PRODUCER_ID_BESIDE_KAFKA: ProducerId = 1 << 40;

/// What keeps all records of a topic of which nobody knows how it is set.
const KEEP_EVERYTHING: [(&str, &str); 3] =
    [("cleanup.policy", "delete"), ("retention.ms", "-1"), ("retention.bytes", "-1")];

/// Who gives the broker no id means the one of the directories.
pub(super) fn adopt_node_id(config: &mut BrokerConfig, fs: &dyn FileSystem, dirs: &[PathBuf]) {
    if config.node_id < 0
        && config.broker_id < 0
        && let Some(id) = dirs.iter().find_map(|dir| node_id_of_dir(fs, dir))
    {
        config.node_id = id;
    }
}

/// Takes over what a Kafka without ZooKeeper knows, if there was one since the last time. Answers whether the image was
/// changed.
pub(super) fn adopt_cluster_metadata(
    image: &mut MetadataImage,
    config: &BrokerConfig,
    fs: &dyn FileSystem,
    dirs: &[PathBuf],
) -> Result<bool> {
    let of_its_own = config.metadata_log_dir.iter().map(PathBuf::from);
    let places: Vec<PathBuf> = of_its_own.chain(dirs.iter().cloned()).collect();
    let Some(found) = ClusterMetadata::load(fs, &places, config.effective_node_id())? else {
        return Ok(false);
    };
    if found.end_offset() == image.cluster_metadata_offset {
        return Ok(false);
    }
    tracing::info!(
        topics = found.topics().len(),
        offset = found.end_offset(),
        "topics and settings are taken over from Apache Kafka's __cluster_metadata"
    );
    if found.security_records() > 0 {
        tracing::warn!(
            "its users, permissions and quotas are not: everybody who reaches a listener may do everything"
        );
    }
    let has_log = |name: &str, record: &TopicRecord| {
        let partitions = 0..record.num_partitions;
        let names = partitions.map(|number| TopicPartition::new(name, number).to_string());
        names.into_iter().any(|name| dirs.iter().any(|dir| matches!(fs.exists(&dir.join(&name)), Ok(true))))
    };
    found.take_over(image, has_log);
    for (topic, record) in &mut image.topics {
        drop_what_is_not_admitted(config, topic, &mut record.overrides);
    }
    image.next_producer_id = image.next_producer_id.max(FIRST_PRODUCER_ID_BESIDE_KAFKA);
    Ok(true)
}

/// Settings of a newer Kafka, or of what ottla does not do.
fn drop_what_is_not_admitted(config: &BrokerConfig, topic: &str, overrides: &mut Overrides) {
    if LogConfig::from_overrides(config, overrides).is_ok() {
        return;
    }
    overrides.retain(|key, value| {
        let alone = Overrides::from([(key.clone(), value.clone())]);
        LogConfig::from_overrides(config, &alone)
            .inspect_err(|error| tracing::warn!(topic, %error, "a setting is not taken over"))
            .is_ok()
    });
}

/// The settings of a topic. One of which only directories are there gets those that keep what is in them. Should a
/// newer ottla have stored a setting that this one does not know, the topic still opens, with the broker's settings,
/// and says so.
pub(super) fn topic_settings(config: &BrokerConfig, image: &MetadataImage, topic: &str) -> TopicSettings {
    let known = image.topics.get(topic).map(|record| record.overrides.clone());
    let overrides = known.unwrap_or_else(|| adopted_overrides(config, topic));
    let log_config = LogConfig::from_overrides(config, &overrides).unwrap_or_else(|error| {
        tracing::error!(topic, %error, "the topic's stored settings are not valid; the broker's are used");
        LogConfig::from_broker(config)
    });
    TopicSettings { overrides: Arc::new(overrides), config: Arc::new(log_config) }
}

fn adopted_overrides(config: &BrokerConfig, topic: &str) -> Overrides {
    let own = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
    internal_topic_overrides(topic, config).unwrap_or_else(|| {
        if is_internal_topic(topic) {
            // Of share groups, which are left as they are.
            return Overrides::from([own(("cleanup.policy", "compact"))]);
        }
        KEEP_EVERYTHING.into_iter().map(own).collect()
    })
}

/// Makes the topics of the checkpoint, and those that only have directories. `is_changed`: the image is not on the disk
/// yet.
pub(super) fn adopt_topics(
    core: &Arc<BrokerCore>,
    mut image: MetadataImage,
    logs: Vec<Arc<Log>>,
    is_changed: bool,
) -> Result<()> {
    let config = core.config();
    let is_changed = adopt_logs(core, &config, &mut image, &logs) || is_changed;
    for (name, record) in &image.topics {
        let settings = topic_settings(&config, &image, name);
        let topic = Topic::new(name.as_str().into(), record.id, settings);
        let partitions: Vec<Partition> =
            (0..record.num_partitions).map(|number| core.new_partition(&topic, number)).collect();
        topic.add_partitions(partitions.into_iter().map(Arc::new).collect());
        core.metadata.insert(Arc::new(topic));
    }
    // Kafka's controller goes on from the epochs that it remembers. Offsets that were committed in one beyond them
    // would keep its consumers waiting for a leader of that epoch.
    let keeps_epochs = image.next_producer_id >= FIRST_PRODUCER_ID_BESIDE_KAFKA;
    for log in logs {
        let tp = log.topic_partition().clone();
        let partition = core.metadata.partition(tp.topic(), tp.partition());
        let partition = partition.ok_or_else(|| Error::from(ErrorCode::UnknownTopicOrPartition))?;
        partition.make_leader(log, keeps_epochs)?;
    }
    for partition in core.metadata.topics().iter().flat_map(|topic| topic.partitions()) {
        if partition.existing_log().is_none() {
            core.log_manager.note_missing(partition.tp().clone(), partition.topic_id());
        }
    }
    if is_changed {
        image.store(&*core.env.fs, &core.live_log_dirs())?;
    }
    *core.store.lock() = image;
    Ok(())
}

/// Enters the topics of logs that the image does not know. Answers whether there were some.
fn adopt_logs(
    core: &Arc<BrokerCore>,
    config: &BrokerConfig,
    image: &mut MetadataImage,
    logs: &[Arc<Log>],
) -> bool {
    let mut adopted = false;
    let mut kept = Vec::new();
    for log in logs {
        let tp = log.topic_partition();
        let record = image.topics.entry(tp.topic().to_owned()).or_insert_with(|| {
            let id =
                Some(log.topic_id()).filter(|id| !id.is_zero()).unwrap_or_else(|| core.env.random_uuid());
            if !is_internal_topic(tp.topic()) {
                kept.push(tp.topic().to_owned());
            }
            adopted = true;
            TopicRecord { id, num_partitions: 0, overrides: adopted_overrides(config, tp.topic()) }
        });
        if record.num_partitions <= tp.partition() {
            adopted = true;
            record.num_partitions = tp.partition() + 1;
        }
    }
    if adopted {
        image.next_producer_id = image.next_producer_id.max(FIRST_PRODUCER_ID_BESIDE_KAFKA);
    }
    if !kept.is_empty() {
        kept.sort();
        tracing::warn!(
            topics = kept.join(", "),
            "topics are found whose settings are not known: they keep every record until they are set, for example \
             cleanup.policy and retention.ms by kafka-configs"
        );
    }
    adopted
}
