//! A broker with a listener, and what most tests ask of it.

use kafka_protocol_018::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol_018::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol_018::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol_018::messages::{CreateTopicsRequest, MetadataRequest, TopicName};
use kafka_protocol_018::protocol::StrBytes;
use ottla::{Broker, BrokerBuilder, ErrorCode, Listener};

use super::client::Client;

/// A temporary broker that listens on a free port.
pub(super) struct Fixture {
    pub(super) broker: Broker,
    pub(super) listener: Listener,
}

impl Fixture {
    pub(super) fn start() -> Self {
        Fixture::with(|builder| builder)
    }

    /// With other settings.
    pub(super) fn with(set: impl FnOnce(BrokerBuilder) -> BrokerBuilder) -> Self {
        let broker = set(Broker::builder().temporary()).open().unwrap();
        let listener = broker.listen("127.0.0.1:0").unwrap();
        Fixture { broker, listener }
    }

    pub(super) fn connect(&self) -> Client {
        Client::connect(self.listener.local_addr())
    }

    /// Makes a topic with these settings, and returns a connection.
    pub(super) fn create_topic(&self, name: &str, partitions: i32, configs: &[(&str, &str)]) -> Client {
        let mut client = self.connect();
        let configs = configs.iter().map(|(key, value)| {
            CreatableTopicConfig::default().with_name(text(key)).with_value(Some(text(value)))
        });
        let topic = CreatableTopic::default()
            .with_name(topic_name(name))
            .with_num_partitions(partitions)
            .with_replication_factor(1)
            .with_configs(configs.collect());
        let request = CreateTopicsRequest::default().with_topics(vec![topic]).with_timeout_ms(1000);
        let response = client.call(7, &request);
        assert_eq!(
            code(response.topics[0].error_code),
            ErrorCode::None,
            "{:?}",
            response.topics[0].error_message
        );
        client
    }
}

/// What metadata says of a topic.
pub(super) fn describe_topic(client: &mut Client, name: &str) -> MetadataResponseTopic {
    let topic = MetadataRequestTopic::default().with_name(Some(topic_name(name)));
    let request =
        MetadataRequest::default().with_topics(Some(vec![topic])).with_allow_auto_topic_creation(false);
    client.call(12, &request).topics.remove(0)
}

pub(super) fn code(error_code: i16) -> ErrorCode {
    ErrorCode::from_code(error_code)
}

pub(super) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

pub(super) fn topic_name(name: &str) -> TopicName {
    TopicName(text(name))
}
