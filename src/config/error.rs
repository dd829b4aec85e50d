//! What is wrong, or only remarkable, with settings.

use std::fmt;

use super::key::ConfigType;
use super::valid::Valid;
use super::value::{self, Setting};
use crate::model::ErrorCode;

/// Everything that is wrong with a set of settings, not only the first of it.
///
/// # Examples
/// ```
/// use ottla::BrokerConfig;
/// let error = BrokerConfig::from_properties([("num.partitions", "0"), ("log.retention.bytes", "all")]).unwrap_err();
/// assert_eq!(error.problems().len(), 2);
/// assert_eq!(error.problems()[0].to_string(), "num.partitions=0: not an int at least 1");
/// ```
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub struct ConfigError {
    problems: Vec<ConfigProblem>,
}

impl ConfigError {
    pub(crate) fn new(problems: Vec<ConfigProblem>) -> Self {
        ConfigError { problems }
    }

    /// One by one: never empty.
    pub fn problems(&self) -> &[ConfigProblem] {
        &self.problems
    }

    pub(crate) fn into_problems(self) -> Vec<ConfigProblem> {
        self.problems
    }

    /// What a Kafka client is told: INVALID_REQUEST where the change itself is not possible, else INVALID_CONFIG.
    pub(crate) fn code(&self) -> ErrorCode {
        let mut codes = self.problems.iter().map(ConfigProblem::code);
        codes.find(|&code| code != ErrorCode::InvalidConfig).unwrap_or(ErrorCode::InvalidConfig)
    }
}

impl From<ConfigProblem> for ConfigError {
    fn from(problem: ConfigProblem) -> Self {
        ConfigError { problems: vec![problem] }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.problems.iter().enumerate() {
            let separator = if number == 0 { "" } else { "\n" };
            write!(f, "{separator}{problem}")?;
        }
        Ok(())
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigProblem {
    /// A value of the wrong type or out of range.
    #[error("{key}={}: not {allowed}", value.as_deref().unwrap_or("[hidden]"))]
    BadValue {
        /// The setting.
        key: String,
        /// What it was given; `None` if that is a secret.
        value: Option<String>,
        /// What it may be, in words.
        allowed: String,
    },
    /// A name that no setting of a topic has.
    #[error("{key}: no such setting{}", did_you_mean(*nearest))]
    UnknownKey {
        /// The name.
        key: String,
        /// The setting that may have been meant.
        nearest: Option<&'static str>,
    },
    /// Values that are right by themselves and do not go together.
    #[error("{key}={value}: {reason}")]
    Conflict {
        /// The setting to change.
        key: &'static str,
        /// Its value.
        value: String,
        /// Why it cannot stay so, with the other setting's name and value.
        reason: String,
    },
    /// A line that no properties file can have.
    #[error("line {line}: {reason}")]
    MalformedLine {
        /// Its number, from 1.
        line: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A change of a setting that only a restart can change.
    #[error("{key}: cannot change while the broker runs; set it in the broker's properties and restart")]
    ReadOnly {
        /// The setting.
        key: String,
    },
    /// A cluster-wide default for what each broker has for itself.
    #[error("{key}: cannot have a cluster-wide default; change it on each broker by its id")]
    PerBrokerOnly {
        /// The setting.
        key: String,
    },
    /// A change of a TLS setting without saying of which listener.
    #[error("{key}: can change only for one listener at a time, as listener.name.<listener>.{key}")]
    ListenerPrefixMissing {
        /// The setting.
        key: String,
    },
    /// An item added to, or taken from, what is no list.
    #[error("{key}: has the type {type_}; only lists have items to append or subtract")]
    NotAList {
        /// The setting.
        key: String,
        /// Its type.
        type_: ConfigType,
    },
    /// A change that needs a value and has none.
    #[error("{key}: a value is missing")]
    ValueMissing {
        /// The setting.
        key: String,
    },
    /// The same setting twice in one request.
    #[error("{key}: changed twice by one request")]
    ChangedTwice {
        /// The setting.
        key: String,
    },
}

impl ConfigProblem {
    pub(crate) fn bad_value(key: &str, text: &str, setting: &dyn Setting, valid: Valid) -> Self {
        let is_secret = setting.config_type() == ConfigType::Password;
        ConfigProblem::BadValue {
            key: key.to_owned(),
            value: (!is_secret).then(|| text.to_owned()),
            allowed: value::describe_allowed(setting, valid),
        }
    }

    fn code(&self) -> ErrorCode {
        match self {
            ConfigProblem::BadValue { .. }
            | ConfigProblem::UnknownKey { .. }
            | ConfigProblem::Conflict { .. }
            | ConfigProblem::MalformedLine { .. }
            | ConfigProblem::NotAList { .. } => ErrorCode::InvalidConfig,
            ConfigProblem::ReadOnly { .. }
            | ConfigProblem::PerBrokerOnly { .. }
            | ConfigProblem::ListenerPrefixMissing { .. }
            | ConfigProblem::ValueMissing { .. }
            | ConfigProblem::ChangedTwice { .. } => ErrorCode::InvalidRequest,
        }
    }
}

/// Something that an operator should know about the settings, without being an error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigWarning {
    /// No setting has this name.
    UnknownKey {
        /// The name.
        key: String,
        /// The setting that may have been meant.
        nearest: Option<&'static str>,
    },
    /// The name of a topic's setting, given to the broker.
    TopicKey {
        /// The name.
        key: String,
        /// What the broker calls the default of it.
        broker_key: &'static str,
    },
    /// The setting is checked and kept, and nothing follows from it.
    WithoutEffect {
        /// The setting.
        key: String,
    },
    /// A properties file has the key twice; the later line counts.
    DuplicateKey {
        /// The setting.
        key: String,
        /// The line that counts.
        line: usize,
    },
}

impl fmt::Display for ConfigWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigWarning::UnknownKey { key, nearest } => {
                write!(f, "{key}: no such setting, ignored{}", did_you_mean(*nearest))
            }
            ConfigWarning::TopicKey { key, broker_key } => {
                write!(
                    f,
                    "{key}: is a setting of topics, ignored; the broker's default for them is {broker_key}"
                )
            }
            ConfigWarning::WithoutEffect { key } => write!(f, "{key}: accepted without effect"),
            ConfigWarning::DuplicateKey { key, line } => {
                write!(f, "{key}: given more than once, line {line} counts")
            }
        }
    }
}

fn did_you_mean(nearest: Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |key| format!("; did you mean {key}?"))
}
