use bytes::Bytes;

use super::RecordError;
use crate::model::Uuid;

/// Reads big-endian fields off a slice. Lengths are checked against what is there before anything is made of
/// them.
pub(in crate::broker) struct FieldReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> FieldReader<'a> {
    pub(in crate::broker) fn new(bytes: &'a [u8]) -> Self {
        FieldReader { bytes, at: 0 }
    }

    fn take(&mut self, field: &'static str, len: usize) -> Result<&'a [u8], RecordError> {
        let cut = RecordError::Cut { field, at: self.at };
        let end = self.at.checked_add(len).ok_or(cut.clone())?;
        let taken = self.bytes.get(self.at..end).ok_or(cut)?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], RecordError> {
        let cut = RecordError::Cut { field, at: self.at };
        self.take(field, N)?.try_into().map_err(|_| cut)
    }

    pub(in crate::broker) fn i8(&mut self, field: &'static str) -> Result<i8, RecordError> {
        Ok(i8::from_be_bytes(self.array(field)?))
    }

    pub(in crate::broker) fn i16(&mut self, field: &'static str) -> Result<i16, RecordError> {
        Ok(i16::from_be_bytes(self.array(field)?))
    }

    pub(in crate::broker) fn i32(&mut self, field: &'static str) -> Result<i32, RecordError> {
        Ok(i32::from_be_bytes(self.array(field)?))
    }

    pub(in crate::broker) fn i64(&mut self, field: &'static str) -> Result<i64, RecordError> {
        Ok(i64::from_be_bytes(self.array(field)?))
    }

    pub(in crate::broker) fn uuid(&mut self, field: &'static str) -> Result<Uuid, RecordError> {
        Ok(Uuid::from_bytes(self.array(field)?))
    }

    /// An unsigned varint of at most 32 bits.
    pub(in crate::broker) fn uvarint(&mut self, field: &'static str) -> Result<u32, RecordError> {
        let start = self.at;
        let mut value: u64 = 0;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array(field)?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let impossible = RecordError::Length { field, at: start, len: i64::MAX };
                return u32::try_from(value).map_err(|_| impossible);
            }
        }
        Err(RecordError::Length { field, at: start, len: i64::MAX })
    }

    /// The length in front of text, bytes or an array; `None` for null.
    fn len(&mut self, field: &'static str, width: Width) -> Result<Option<usize>, RecordError> {
        let at = self.at;
        let len = match width {
            Width::Int16 => i64::from(self.i16(field)?),
            Width::Int32 => i64::from(self.i32(field)?),
            Width::Compact => i64::from(self.uvarint(field)?) - 1,
        };
        match usize::try_from(len) {
            // Everything that has a length takes at least a byte for each of its items.
            Ok(known) if known <= self.bytes.len() => Ok(Some(known)),
            Err(_) if len == -1 => Ok(None),
            Ok(_) | Err(_) => Err(RecordError::Length { field, at, len }),
        }
    }

    pub(in crate::broker) fn nullable_string(
        &mut self,
        field: &'static str,
        is_compact: bool,
    ) -> Result<Option<&'a str>, RecordError> {
        let width = if is_compact { Width::Compact } else { Width::Int16 };
        let Some(len) = self.len(field, width)? else { return Ok(None) };
        let at = self.at;
        let text = self.take(field, len)?;
        std::str::from_utf8(text).map(Some).map_err(|_| RecordError::Utf8 { field, at })
    }

    pub(in crate::broker) fn string(
        &mut self,
        field: &'static str,
        is_compact: bool,
    ) -> Result<&'a str, RecordError> {
        let at = self.at;
        self.nullable_string(field, is_compact)?.ok_or(RecordError::Null { field, at })
    }

    /// A copy: what is read here lives longer than what it is read from.
    pub(in crate::broker) fn bytes(
        &mut self,
        field: &'static str,
        is_compact: bool,
    ) -> Result<Bytes, RecordError> {
        let width = if is_compact { Width::Compact } else { Width::Int32 };
        let at = self.at;
        let len = self.len(field, width)?.ok_or(RecordError::Null { field, at })?;
        Ok(Bytes::copy_from_slice(self.take(field, len)?))
    }

    /// Bytes that may be null, never compact.
    #[cfg(feature = "cli")]
    pub(in crate::broker) fn nullable_bytes(
        &mut self,
        field: &'static str,
    ) -> Result<Option<&'a [u8]>, RecordError> {
        self.len(field, Width::Int32)?.map(|len| self.take(field, len)).transpose()
    }

    /// How many items follow; `None` for null.
    pub(in crate::broker) fn nullable_array_len(
        &mut self,
        field: &'static str,
        is_compact: bool,
    ) -> Result<Option<usize>, RecordError> {
        self.len(field, if is_compact { Width::Compact } else { Width::Int32 })
    }

    /// How many items follow.
    pub(in crate::broker) fn array_len(
        &mut self,
        field: &'static str,
        is_compact: bool,
    ) -> Result<usize, RecordError> {
        let width = if is_compact { Width::Compact } else { Width::Int32 };
        let at = self.at;
        self.len(field, width)?.ok_or(RecordError::Null { field, at })
    }

    /// Passes over the tagged fields that end every flexible structure.
    pub(in crate::broker) fn skip_tagged_fields(&mut self) -> Result<(), RecordError> {
        self.tagged_fields(|_, _| Ok(()))
    }

    /// Hands the tagged fields that end a flexible structure to `visit`, each with its number.
    pub(in crate::broker) fn tagged_fields(
        &mut self,
        mut visit: impl FnMut(u32, &mut FieldReader<'a>) -> Result<(), RecordError>,
    ) -> Result<(), RecordError> {
        for _ in 0..self.uvarint("tagged fields")? {
            let tag = self.uvarint("tag")?;
            let len = self.uvarint("size of tagged field")?;
            let field = self.take("tagged field", usize::try_from(len).unwrap_or(usize::MAX))?;
            visit(tag, &mut FieldReader::new(field))?;
        }
        Ok(())
    }
}

/// How a length is written.
#[derive(Clone, Copy)]
enum Width {
    Int16,
    Int32,
    Compact,
}
