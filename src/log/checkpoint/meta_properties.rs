//! Whose log dir it is (Kafka: `MetaProperties`).

use super::ContentError;
use crate::model::{BrokerId, Uuid};

/// The content of `meta.properties`: version 0 of brokers that ZooKeeper coordinates, version 1 of the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MetaProperties {
    pub(crate) version: i32,
    /// `broker.id` in version 0, `node.id` in version 1.
    pub(crate) node_id: Option<BrokerId>,
    pub(crate) cluster_id: Option<String>,
    pub(crate) directory_id: Option<Uuid>,
}

impl MetaProperties {
    /// The key under which the broker's id stands.
    pub(crate) fn node_id_key(&self) -> &'static str {
        if self.version == 0 { "broker.id" } else { "node.id" }
    }

    /// The text of the file.
    pub(crate) fn format(&self) -> Vec<u8> {
        let mut text = format!("#\nversion={}\n", self.version);
        if let Some(id) = self.node_id {
            text += &format!("{}={id}\n", self.node_id_key());
        }
        if let Some(id) = &self.cluster_id {
            text += &format!("cluster.id={id}\n");
        }
        if let Some(id) = self.directory_id {
            text += &format!("directory.id={id}\n");
        }
        text.into_bytes()
    }

    /// Reads the text of a file; keys that are not known are left out.
    pub(crate) fn parse(content: &[u8]) -> Result<Self, ContentError> {
        let text = std::str::from_utf8(content).map_err(|error| error.to_string())?;
        let mut found = MetaProperties { version: -1, node_id: None, cluster_id: None, directory_id: None };
        let mut ids = (None, None);
        for line in text.lines() {
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', '!']) {
                continue;
            }
            let (key, value) = line.split_once(['=', ':']).ok_or_else(|| format!("'{line}' has no '='"))?;
            // Java's Properties escape these in what they write.
            let (key, value) = (key.trim(), value.trim().replace("\\:", ":").replace("\\=", "="));
            let number = || value.parse::<i32>().map_err(|_| format!("{key} is '{value}', not a number"));
            match key {
                "version" => found.version = number()?,
                "broker.id" => ids.0 = Some(number()?),
                "node.id" => ids.1 = Some(number()?),
                "cluster.id" => found.cluster_id = Some(value),
                "directory.id" => {
                    let id =
                        value.parse().map_err(|error: crate::model::ParseUuidError| error.to_string())?;
                    found.directory_id = Some(id);
                }
                _ => {}
            }
        }
        found.node_id = match found.version {
            0 => ids.0,
            1 => ids.1,
            -1 => return Err("there is no version".to_owned().into()),
            version => return Err(ContentError::of_version(&version.to_string(), 1)),
        };
        Ok(found)
    }
}
