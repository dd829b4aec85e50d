//! Many tests on one broker, each of which sees what is its own.

use std::net::SocketAddr;

use super::doors::Doors;
use super::{TestBroker, lifecycle};
use crate::broker::admin::ListGroupsOptions;
use crate::broker::{ConfigResource, Overrides};
use crate::error::{Error, Result};
use crate::model::ErrorCode;
use crate::server::namespace;

/// A part of a [`TestBroker`] for one test of many that run at once: [`TestBroker::namespace`].
///
/// Clients that come by its address see topics, groups and transactional ids of the namespace, by the names that they
/// give them, and no others, in whatever they ask. For all others, and for the journal, the rules for faults and the
/// methods of [`TestBroker`], these names begin with the namespace's and a dot: [`Namespace::full_name`].
#[derive(Clone, Debug)]
pub struct Namespace {
    name: String,
    /// One for each of the brokers, if there are several.
    addresses: Vec<SocketAddr>,
}

impl Namespace {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a client takes as `bootstrap.servers` to see this namespace.
    pub fn bootstrap_servers(&self) -> String {
        let addresses: Vec<_> = self.addresses.iter().map(SocketAddr::to_string).collect();
        addresses.join(",")
    }

    /// The address that is for it, that of the first broker if there are several.
    pub fn local_addr(&self) -> SocketAddr {
        self.addresses.first().copied().unwrap_or_else(|| ([127, 0, 0, 1], 0).into())
    }

    /// What the broker calls the topic, the group or the transactional id that clients here call so.
    pub fn full_name(&self, name: &str) -> String {
        namespace::Namespace::new(&self.name).full(name)
    }
}

/// A namespace, and how it is reached.
#[derive(Debug)]
pub(super) struct OpenNamespace {
    namespace: Namespace,
    pub(super) doors: Doors,
}

impl TestBroker {
    /// A part of the broker with an address of its own, for tests that run at once and use the same names. Asked for
    /// again, it is the same one; it is there until [`TestBroker::end_namespace`], through restarts and resets.
    ///
    /// # Examples
    /// ```
    /// use ottla::TestBroker;
    /// # fn main() -> Result<(), ottla::Error> {
    /// let kafka = TestBroker::start()?;
    /// let (a, b) = (kafka.namespace("a")?, kafka.namespace("b")?);
    /// // Hand these to the programs under test: each has an `orders` of its own.
    /// assert_ne!(a.bootstrap_servers(), b.bootstrap_servers());
    /// assert_eq!((a.full_name("orders"), b.full_name("orders")), ("a.orders".into(), "b.orders".into()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`InvalidConfig`](ErrorCode::InvalidConfig): the name has something else in it than letters, digits, `_` and `-`,
    /// or more than 60 of them; or no port is free.
    pub fn namespace(&self, name: &str) -> Result<Namespace> {
        let is_name_char = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        if name.is_empty() || name.len() > MAX_NAME_LEN || !name.chars().all(is_name_char) {
            let message = format!("'{name}' is no name of a namespace: up to 60 letters, digits, _ and -");
            return Err(Error::new(ErrorCode::InvalidConfig, message));
        }
        let mut open = self.namespaces.lock();
        if let Some(found) = open.iter().find(|open| open.namespace.name == name) {
            return Ok(found.namespace.clone());
        }
        let mut doors = Doors::take(&self.node_ids(), Some(name.to_owned())).map_err(lifecycle::no_port)?;
        doors.open(&self.broker, None)?;
        for down in self.node_ids() {
            if self.nodes.as_ref().is_some_and(|nodes| !nodes.is_up(down)) {
                doors.close_node(down);
            }
        }
        let namespace = Namespace { name: name.to_owned(), addresses: doors.addresses() };
        open.push(OpenNamespace { namespace: namespace.clone(), doors });
        Ok(namespace)
    }

    /// The namespaces that there are, in the order in which they were made.
    pub fn namespaces(&self) -> Vec<Namespace> {
        self.namespaces.lock().iter().map(|open| open.namespace.clone()).collect()
    }

    /// Ends a namespace, with its address, its topics, its groups with their settings, and its transactional ids, of
    /// which open transactions are aborted; nothing is known any more of what happened to them. There need not be one.
    ///
    /// # Errors
    /// Those of [`Admin::delete_topic`](crate::Admin::delete_topic) and
    /// [`Admin::delete_group`](crate::Admin::delete_group), if the disk fails.
    pub fn end_namespace(&self, name: &str) -> Result<()> {
        let ended = {
            let mut open = self.namespaces.lock();
            let found = open.iter().position(|open| open.namespace.name == name);
            found.map(|at| open.remove(at))
        };
        let Some(mut ended) = ended else { return Ok(()) };
        // Nobody comes back to make topics anew.
        ended.doors.close();
        let prefix = format!("{name}.");
        let is_own = |full: &str| full.starts_with(&prefix);
        self.end_groups(&is_own)?;
        self.core.transactions.forget(is_own).map_err(|code| {
            Error::new(code, format!("cannot abort the transactions of the namespace '{name}'"))
        })?;
        self.core.transaction_history().forget(is_own);
        let admin = self.admin();
        for topic in admin.list_topics().iter().filter(|topic| is_own(topic)) {
            gone(admin.delete_topic(topic))?;
        }
        Ok(())
    }

    fn end_groups(&self, is_own: &dyn Fn(&str) -> bool) -> Result<()> {
        let admin = self.admin();
        for group in admin.list_groups(&ListGroupsOptions::new())? {
            if is_own(&group.group_id) {
                admin.remove_all_members_from_group(&group.group_id)?;
                gone(admin.delete_group(&group.group_id))?;
            }
        }
        for group in self.core.groups_with_settings().into_iter().filter(|group| is_own(group)) {
            self.core.replace_configs(&ConfigResource::Group(group), Overrides::default(), false)?;
        }
        self.core.group_history().forget(is_own);
        Ok(())
    }
}

/// The longest name: with it, names of topics may still have 188 letters.
const MAX_NAME_LEN: usize = 60;

/// What somebody else has deleted meanwhile is gone, too.
fn gone(deleted: Result<()>) -> Result<()> {
    match deleted {
        Err(error)
            if matches!(error.code(), ErrorCode::UnknownTopicOrPartition | ErrorCode::GroupIdNotFound) =>
        {
            Ok(())
        }
        other => other,
    }
}
