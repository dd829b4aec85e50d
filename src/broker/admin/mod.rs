//! Looking after topics, groups and settings from within the process.

mod configs;
mod group_offsets;
mod groups;
mod log_dirs;
mod offsets;
mod share_groups;
mod topics;

pub use configs::{AlterConfig, ConfigEntry, ConfigResource, ConfigSource};
pub use groups::{GroupDescription, GroupListing, ListGroupsOptions, MemberDescription, MemberToRemove};
pub use log_dirs::{FuturePartition, LogDirDescription};
pub use offsets::OffsetSpec;
pub use share_groups::ShareGroupOffset;
pub use topics::{PartitionDescription, TopicDescription};

use super::Broker;
use super::handle::Handle;

/// Makes, changes, describes and deletes topics, groups and settings.
///
/// Made by [`Broker::admin`]. It has no state of its own: it costs nothing to make, may be cloned, shared between
/// threads and dropped at any time. What a call has changed is on disk when it returns.
///
/// # Examples
/// ```
/// use ottla::{Broker, NewTopic};
/// # fn main() -> Result<(), ottla::Error> {
/// let broker = Broker::temporary()?;
/// let admin = broker.admin();
/// admin.create_topic(NewTopic::new("orders", 2))?;
/// admin.create_partitions("orders", 6)?;
/// assert_eq!(admin.describe_topic("orders")?.partitions.len(), 6);
/// admin.delete_topic("orders")?;
/// assert!(admin.list_topics().is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Admin {
    core: Handle,
}

impl Broker {
    /// The way to look after topics, groups and settings.
    pub fn admin(&self) -> Admin {
        Admin { core: self.core.clone() }
    }
}
