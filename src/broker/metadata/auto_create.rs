//! Topics that are made because somebody asks for them (Kafka: `AutoTopicCreationManager`).
//!
//! Who asks gets the topic: a native `send` goes on with it, and a Metadata request is answered with its partitions. Here
//! ottla is friendlier than Kafka, which answers the first question with UNKNOWN_TOPIC_OR_PARTITION or
//! LEADER_NOT_AVAILABLE, makes the topic meanwhile, and has the client ask again. Every client takes the answer that it
//! gets from Kafka for a topic that exists. Produce and Fetch make no topic, in Kafka as here.
//!
//! The broker's own topics get their own settings, whoever asks first.

use std::sync::Arc;

use super::create_topics::NewTopic;
use super::internal_topics::internal_topic;
use super::topic::Topic;
use crate::broker::core::BrokerCore;
use crate::error::{Error, Result};
use crate::model::ErrorCode;

impl BrokerCore {
    /// The topic; made if `auto.create.topics.enable` allows it, with the broker's default settings unless it is one of
    /// the broker's own.
    pub(crate) fn topic_or_auto_create(&self, name: &str) -> Result<Arc<Topic>> {
        self.ensure_open()?;
        if let Some(topic) = self.metadata.topic(name) {
            return Ok(topic);
        }
        if !self.config().auto_create_topics_enable {
            return Err(unknown(name));
        }
        self.make_topic(name)
    }

    /// A topic of the broker's own, which is made whatever `auto.create.topics.enable` says: without it there are no
    /// groups, or no transactions.
    pub(crate) fn internal_topic(&self, name: &str) -> Result<Arc<Topic>> {
        self.ensure_open()?;
        match self.metadata.topic(name) {
            Some(topic) => Ok(topic),
            None => {
                self.make_topic(name).map_err(|error| error.context(format_args!("cannot create {name}")))
            }
        }
    }

    fn make_topic(&self, name: &str) -> Result<Arc<Topic>> {
        let topic = internal_topic(name, &self.config()).unwrap_or_else(|| NewTopic::new(name, -1));
        for created in self.create_topics(&[topic], false) {
            match created {
                Ok(_) => {}
                // Somebody else has asked for it at the same time.
                Err(error) if error.code() == ErrorCode::TopicAlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        self.existing_topic(name)
    }

    /// The topic, or the error for one that does not exist.
    pub(crate) fn existing_topic(&self, name: &str) -> Result<Arc<Topic>> {
        self.ensure_open()?;
        self.metadata.topic(name).ok_or_else(|| unknown(name))
    }
}

fn unknown(name: &str) -> Error {
    Error::new(ErrorCode::UnknownTopicOrPartition, format!("topic '{name}' does not exist"))
}
