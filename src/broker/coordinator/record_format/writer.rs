use super::RecordError;
use crate::model::Uuid;

/// Puts big-endian fields one after the other.
pub(in crate::broker) struct FieldWriter {
    bytes: Vec<u8>,
}

impl FieldWriter {
    /// Starts with the version that every key and value has in front.
    pub(in crate::broker) fn new(version: i16) -> Self {
        FieldWriter { bytes: version.to_be_bytes().to_vec() }
    }

    /// Starts a part that is put into another.
    pub(in crate::broker) fn part() -> Self {
        FieldWriter { bytes: Vec::new() }
    }

    pub(in crate::broker) fn i8(&mut self, value: i8) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    pub(in crate::broker) fn i16(&mut self, value: i16) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    pub(in crate::broker) fn i32(&mut self, value: i32) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    pub(in crate::broker) fn i64(&mut self, value: i64) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    pub(in crate::broker) fn uuid(&mut self, value: Uuid) {
        self.bytes.extend_from_slice(value.as_bytes());
    }

    pub(in crate::broker) fn string(&mut self, field: &'static str, text: &str) -> Result<(), RecordError> {
        let len = i16::try_from(text.len()).map_err(|_| RecordError::TooLong { field, len: text.len() })?;
        self.bytes.extend_from_slice(&len.to_be_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
        Ok(())
    }

    pub(in crate::broker) fn nullable_string(
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

    pub(in crate::broker) fn bytes(&mut self, field: &'static str, bytes: &[u8]) -> Result<(), RecordError> {
        self.array_len(field, bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    pub(in crate::broker) fn array_len(
        &mut self,
        field: &'static str,
        len: usize,
    ) -> Result<(), RecordError> {
        self.i32(i32::try_from(len).map_err(|_| RecordError::TooLong { field, len })?);
        Ok(())
    }

    pub(in crate::broker) fn uvarint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// The length in front of a compact string or array: one more than it is, 0 for null.
    pub(in crate::broker) fn compact_len(
        &mut self,
        field: &'static str,
        len: Option<usize>,
    ) -> Result<(), RecordError> {
        let written = len.map_or(Some(0), |len| u32::try_from(len).ok()?.checked_add(1));
        self.uvarint(written.ok_or(RecordError::TooLong { field, len: len.unwrap_or(0) })?);
        Ok(())
    }

    pub(in crate::broker) fn compact_string(
        &mut self,
        field: &'static str,
        text: &str,
    ) -> Result<(), RecordError> {
        self.compact_len(field, Some(text.len()))?;
        self.bytes.extend_from_slice(text.as_bytes());
        Ok(())
    }

    pub(in crate::broker) fn nullable_compact_string(
        &mut self,
        field: &'static str,
        text: Option<&str>,
    ) -> Result<(), RecordError> {
        match text {
            Some(text) => self.compact_string(field, text),
            None => self.compact_len(field, None),
        }
    }

    pub(in crate::broker) fn compact_bytes(
        &mut self,
        field: &'static str,
        bytes: &[u8],
    ) -> Result<(), RecordError> {
        self.compact_len(field, Some(bytes.len()))?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    /// Ends a flexible structure: one tagged field, number 0, or none.
    pub(in crate::broker) fn tagged_fields(
        &mut self,
        field: &'static str,
        first: Option<FieldWriter>,
    ) -> Result<(), RecordError> {
        let Some(FieldWriter { bytes }) = first else {
            self.uvarint(0);
            return Ok(());
        };
        self.uvarint(1);
        self.uvarint(0);
        let len = bytes.len();
        self.uvarint(u32::try_from(len).map_err(|_| RecordError::TooLong { field, len })?);
        self.bytes.extend_from_slice(&bytes);
        Ok(())
    }

    pub(in crate::broker) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}
