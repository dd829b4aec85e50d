/// Why bytes are not a record of a coordinator, or cannot become one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecordError {
    /// The bytes end within a field.
    #[error("{field} at byte {at} is cut off")]
    Cut { field: &'static str, at: usize },
    /// A length or a count that cannot be.
    #[error("{field} at byte {at} has the impossible length {len}")]
    Length { field: &'static str, at: usize, len: i64 },
    /// A field that may not be null is.
    #[error("{field} at byte {at} is null")]
    Null { field: &'static str, at: usize },
    /// Text that is not UTF-8.
    #[error("{field} at byte {at} is not UTF-8")]
    Utf8 { field: &'static str, at: usize },
    /// A version of the value that is not known.
    #[error("version {version} of {what} is not known")]
    Version { what: &'static str, version: i16 },
    /// Text that does not fit 16 bits of length.
    #[error("{field} is {len} bytes long, and 32767 is the most that fits")]
    TooLong { field: &'static str, len: usize },
}
