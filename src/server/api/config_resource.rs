//! Whose settings a request is about: shared by the three APIs of settings.

use std::collections::HashSet;

use crate::broker::ConfigResource;
use crate::error::{Error, Result};
use crate::model::{BrokerId, ErrorCode};
use crate::protocol::StrBytes;

// Kafka: `ConfigResource.Type`.
pub(super) const TOPIC: i8 = 2;
pub(super) const BROKER: i8 = 4;
pub(super) const BROKER_LOGGER: i8 = 8;
pub(super) const CLIENT_METRICS: i8 = 16;
pub(super) const GROUP: i8 = 32;

/// A resource as a request names it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NamedResource {
    /// One that has settings.
    Settings(ConfigResource),
    /// The levels of the broker's loggers. There are none that a client could know: what is logged is for the program
    /// to say that this broker is a part of.
    Loggers,
}

pub(super) fn resource(type_: i8, name: &str, node_id: BrokerId) -> Result<NamedResource> {
    match type_ {
        TOPIC => Ok(NamedResource::Settings(ConfigResource::Topic(name.to_owned()))),
        BROKER if name.is_empty() => Ok(NamedResource::Settings(ConfigResource::ClusterDefault)),
        BROKER => {
            check_broker_id(name, node_id)?;
            Ok(NamedResource::Settings(ConfigResource::Broker))
        }
        GROUP => Ok(NamedResource::Settings(ConfigResource::Group(name.to_owned()))),
        BROKER_LOGGER if name.is_empty() => Err(invalid("Broker id must not be empty".to_owned())),
        BROKER_LOGGER => {
            check_broker_id(name, node_id)?;
            Ok(NamedResource::Loggers)
        }
        _ => Err(invalid(format!("Unsupported resource type: {type_}"))),
    }
}

fn check_broker_id(name: &str, node_id: BrokerId) -> Result<()> {
    match name.parse::<BrokerId>() {
        Ok(id) if id == node_id => Ok(()),
        Ok(_) => Err(invalid(format!("Unexpected broker id, expected {node_id}, but received {name}"))),
        Err(_) => Err(invalid(format!("Broker id must be an integer, but it is: {name}"))),
    }
}

/// Which resources a request that changes settings names more than once: none of those is changed, since it could
/// not be said which of its entries is to count.
pub(super) struct NamedOnce {
    twice: HashSet<(i8, StrBytes)>,
}

impl NamedOnce {
    /// Of the types and names of a request's resources.
    pub(super) fn of(resources: impl Iterator<Item = (i8, StrBytes)>) -> Self {
        let mut seen = HashSet::new();
        NamedOnce { twice: resources.filter(|resource| !seen.insert(resource.clone())).collect() }
    }

    pub(super) fn check(&self, resource: &(i8, StrBytes)) -> Result<()> {
        if self.twice.contains(resource) {
            return Err(invalid("Each resource must appear at most once.".to_owned()));
        }
        Ok(())
    }
}

pub(super) fn invalid(message: String) -> Error {
    Error::new(ErrorCode::InvalidRequest, message)
}

/// The code and the text of an answer.
pub(super) fn outcome<T>(result: &Result<T>) -> (i16, Option<StrBytes>) {
    match result {
        Ok(_) => (ErrorCode::None.code(), None),
        Err(error) => (error.code().code(), Some(error.to_string().into())),
    }
}
