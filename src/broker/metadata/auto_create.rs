//! Topics that are made because somebody asks for them (Kafka: `AutoTopicCreationManager`).

use std::sync::Arc;

use super::create_topics::NewTopic;
use super::topic::Topic;
use crate::broker::core::BrokerCore;
use crate::error::{Error, Result};
use crate::model::ErrorCode;

impl BrokerCore {
    /// The topic; made with the broker's default settings if `auto.create.topics.enable` allows it.
    pub(crate) fn topic_or_auto_create(&self, name: &str) -> Result<Arc<Topic>> {
        self.ensure_open()?;
        if let Some(topic) = self.metadata.topic(name) {
            return Ok(topic);
        }
        if !self.config().auto_create_topics_enable {
            return Err(unknown(name));
        }
        for created in self.create_topics(&[NewTopic::new(name, -1)], false) {
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
