//! Which requests a test means.

use std::fmt;
use std::ops::RangeInclusive;

use crate::model::{BrokerId, ErrorCode};
use crate::protocol::ApiKey;
use crate::server::intercept::{Move, Part, Scope};

/// Which requests are meant: all of them, or those of an API, a client, about a topic or a group.
///
/// # Examples
/// ```
/// use ottla::{ApiKey, RequestMatch};
/// let all_of_orders = RequestMatch::any().topic("orders");
/// let joins_of_billing = RequestMatch::of(ApiKey::JoinGroup).group("billing");
/// assert_ne!(all_of_orders, joins_of_billing);
/// assert_eq!(joins_of_billing.versions(0..=4).to_string(), "JoinGroup in versions 0 to 4 of group 'billing'");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestMatch {
    api: Option<ApiKey>,
    versions: Option<RangeInclusive<i16>>,
    topic: Option<String>,
    partition: Option<i32>,
    group: Option<String>,
    transactional_id: Option<String>,
    client_id: Option<String>,
    connection: Option<u64>,
}

impl From<ApiKey> for RequestMatch {
    fn from(api: ApiKey) -> Self {
        RequestMatch::of(api)
    }
}

/// Such as `Produce of topic 'orders', partition 0, client 'till-4'`, or `any`.
impl fmt::Display for RequestMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RequestMatch { api, versions, topic, partition, group, transactional_id, client_id, connection } =
            self;
        f.write_str(api.map_or("any", ApiKey::name))?;
        match versions {
            Some(versions) if versions.start() == versions.end() => {
                write!(f, " in version {}", versions.start())?
            }
            Some(versions) if *versions.end() == i16::MAX => {
                write!(f, " from version {} on", versions.start())?
            }
            Some(versions) => write!(f, " in versions {} to {}", versions.start(), versions.end())?,
            None => {}
        }
        let named = [
            topic.as_ref().map(|name| format!("topic '{name}'")),
            partition.map(|number| format!("partition {number}")),
            group.as_ref().map(|id| format!("group '{id}'")),
            transactional_id.as_ref().map(|id| format!("transactional id '{id}'")),
            client_id.as_ref().map(|id| format!("client '{id}'")),
            connection.map(|number| format!("connection {number}")),
        ];
        let named: Vec<_> = named.into_iter().flatten().collect();
        if named.is_empty() { Ok(()) } else { write!(f, " of {}", named.join(", ")) }
    }
}

impl RequestMatch {
    /// All requests.
    pub fn any() -> Self {
        RequestMatch::default()
    }

    /// Those of one API.
    pub fn of(api: ApiKey) -> Self {
        RequestMatch { api: Some(api), ..RequestMatch::default() }
    }

    /// Only those of these versions.
    #[must_use]
    pub fn versions(mut self, versions: RangeInclusive<i16>) -> Self {
        self.versions = Some(versions);
        self
    }

    /// Only those that name this topic.
    #[must_use]
    pub fn topic(mut self, name: impl Into<String>) -> Self {
        self.topic = Some(name.into());
        self
    }

    /// Only those that name this partition, of the topic that is meant, or of any.
    #[must_use]
    pub fn partition(mut self, number: i32) -> Self {
        self.partition = Some(number);
        self
    }

    /// Only those that name this group.
    #[must_use]
    pub fn group(mut self, id: impl Into<String>) -> Self {
        self.group = Some(id.into());
        self
    }

    /// Only those of this transactional id.
    #[must_use]
    pub fn transactional_id(mut self, id: impl Into<String>) -> Self {
        self.transactional_id = Some(id.into());
        self
    }

    /// Only those of clients that call themselves so.
    #[must_use]
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// Only those of one connection, by its number in [`JournalEntry::connection`](crate::JournalEntry::connection).
    #[must_use]
    pub fn connection(mut self, number: u64) -> Self {
        self.connection = Some(number);
        self
    }

    /// What is meant of a request that is about many things.
    pub(super) fn part(&self, code: ErrorCode) -> Part {
        Part {
            code,
            topic: self.topic.clone(),
            partition: self.partition,
            group: self.group.clone(),
            transactional_id: self.transactional_id.clone(),
        }
    }

    /// The partitions that are meant, to be led elsewhere.
    pub(super) fn leaders(&self, to: Option<BrokerId>) -> Move {
        Move::Leaders { topic: self.topic.clone(), partition: self.partition, to }
    }

    pub(super) fn matches(&self, request: &RequestFacts<'_>) -> bool {
        fn is<T: PartialEq + ?Sized, W: AsRef<T>>(wanted: &Option<W>, found: &T) -> bool {
            wanted.as_ref().is_none_or(|wanted| wanted.as_ref() == found)
        }
        let Scope { topics, groups, transactional_ids } = request.scope;
        self.api.is_none_or(|api| api == request.api)
            && self.versions.as_ref().is_none_or(|versions| versions.contains(&request.version))
            && is(&self.client_id, request.client_id)
            && self.connection.is_none_or(|connection| connection == request.connection)
            && self.group.as_ref().is_none_or(|group| groups.contains(group))
            && self.transactional_id.as_ref().is_none_or(|id| transactional_ids.contains(id))
            && ((self.topic.is_none() && self.partition.is_none())
                || topics.iter().any(|topic| {
                    is(&self.topic, topic.name.as_str())
                        && self.partition.is_none_or(|partition| topic.partitions.contains(&partition))
                }))
    }
}

/// What is looked at of a request.
pub(super) struct RequestFacts<'a> {
    pub(super) api: ApiKey,
    pub(super) version: i16,
    pub(super) client_id: &'a str,
    pub(super) connection: u64,
    pub(super) scope: &'a Scope,
}
