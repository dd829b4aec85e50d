//! What is known of a setting besides its value: the columns of the table.

use std::fmt;

/// The type of a setting, as DescribeConfigs numbers it (Kafka: `ConfigDef.Type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConfigType {
    /// `true` or `false`.
    Boolean,
    /// Text.
    String,
    /// 32 bits, signed.
    Int,
    /// 16 bits, signed.
    Short,
    /// 64 bits, signed.
    Long,
    /// A floating-point number.
    Double,
    /// Texts with commas between them.
    List,
    /// The name of a plug-in.
    Class,
    /// Text that is never shown.
    Password,
}

impl ConfigType {
    /// The number that stands for the type in a DescribeConfigs answer.
    pub fn code(self) -> i8 {
        match self {
            ConfigType::Boolean => 1,
            ConfigType::String => 2,
            ConfigType::Int => 3,
            ConfigType::Short => 4,
            ConfigType::Long => 5,
            ConfigType::Double => 6,
            ConfigType::List => 7,
            ConfigType::Class => 8,
            ConfigType::Password => 9,
        }
    }

    /// The word that Kafka's documentation uses.
    pub fn name(self) -> &'static str {
        match self {
            ConfigType::Boolean => "boolean",
            ConfigType::String => "string",
            ConfigType::Int => "int",
            ConfigType::Short => "short",
            ConfigType::Long => "long",
            ConfigType::Double => "double",
            ConfigType::List => "list",
            ConfigType::Class => "class",
            ConfigType::Password => "password",
        }
    }
}

impl fmt::Display for ConfigType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// When a setting may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UpdateMode {
    /// Only by a restart.
    ReadOnly,
    /// While running, for one broker.
    PerBroker,
    /// While running, for one broker or as the default of all of them.
    ClusterWide,
}

impl UpdateMode {
    /// The word that Kafka's documentation uses.
    pub fn name(self) -> &'static str {
        match self {
            UpdateMode::ReadOnly => "read-only",
            UpdateMode::PerBroker => "per-broker",
            UpdateMode::ClusterWide => "cluster-wide",
        }
    }
}

impl fmt::Display for UpdateMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether anything happens when the setting is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// The broker does what the setting says.
    Acts,
    /// The setting is checked and kept, so that files written for Kafka load, and nothing follows from it.
    Accepted,
}

/// One setting: everything about it but its value.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigKey {
    /// Kafka's name, with dots.
    pub name: &'static str,
    /// The type of its values.
    pub type_: ConfigType,
    /// The default as Kafka prints it; `None` is Kafka's `null`.
    pub default: Option<String>,
    /// What it is for, in a sentence or two.
    pub doc: &'static str,
    /// When it may change.
    pub update_mode: UpdateMode,
    /// Never shown, since it is a secret.
    pub sensitive: bool,
    /// Whether it acts.
    pub effect: Effect,
    /// Which values are admitted, in words.
    pub allowed: String,
    /// For a topic's key: the broker's keys that give its default, the one that wins first. For a broker's key: the
    /// topic's key that it is the default of.
    pub synonyms: Vec<&'static str>,
}
