use std::path::Path;

use crate::log::error::LogError;

/// Why the content of a small file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ContentError {
    /// A later version wrote it, and knows more than this one.
    #[error("version {found} is newer than any that is known ({known} is the newest)")]
    Newer {
        /// What the file says.
        found: i32,
        /// The newest that is known.
        known: i32,
    },
    /// Nobody writes this.
    #[error("{0}")]
    Malformed(String),
}

impl ContentError {
    /// Of a version that is not known, by what stands in its place.
    pub(crate) fn of_version(found: &str, known: i32) -> Self {
        match found.parse() {
            Ok(version) if version > known => ContentError::Newer { found: version, known },
            _ => ContentError::Malformed(format!("version {found} is not known")),
        }
    }

    /// The same, for those who know the file.
    pub(crate) fn at(self, path: &Path) -> LogError {
        let path = path.to_owned();
        match self {
            ContentError::Newer { .. } => LogError::NewerFormat { path, what: self.to_string() },
            ContentError::Malformed(what) => LogError::Malformed { path, what },
        }
    }
}

impl From<String> for ContentError {
    fn from(what: String) -> Self {
        ContentError::Malformed(what)
    }
}
