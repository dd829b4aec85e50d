use super::RecordError;

/// Puts big-endian fields one after the other.
pub(super) struct FieldWriter {
    bytes: Vec<u8>,
}

impl FieldWriter {
    /// Starts with the version that every key and value has in front.
    pub(super) fn new(version: i16) -> Self {
        FieldWriter { bytes: version.to_be_bytes().to_vec() }
    }

    pub(super) fn i32(&mut self, value: i32) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    pub(super) fn i64(&mut self, value: i64) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    pub(super) fn string(&mut self, field: &'static str, text: &str) -> Result<(), RecordError> {
        let len = i16::try_from(text.len()).map_err(|_| RecordError::TooLong { field, len: text.len() })?;
        self.bytes.extend_from_slice(&len.to_be_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
        Ok(())
    }

    pub(super) fn nullable_string(
        &mut self,
        field: &'static str,
        text: Option<&str>,
    ) -> Result<(), RecordError> {
        match text {
            Some(text) => self.string(field, text)?,
            None => self.bytes.extend_from_slice(&(-1_i16).to_be_bytes()),
        }
        Ok(())
    }

    pub(super) fn bytes(&mut self, field: &'static str, bytes: &[u8]) -> Result<(), RecordError> {
        self.array_len(field, bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    pub(super) fn array_len(&mut self, field: &'static str, len: usize) -> Result<(), RecordError> {
        self.i32(i32::try_from(len).map_err(|_| RecordError::TooLong { field, len })?);
        Ok(())
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}
