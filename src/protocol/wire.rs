//! How each type of a field stands in a message. See Kafka's protocol guide, "Protocol Primitive Types".

use bytes::Bytes;

use super::codec_error::{CodecError, CodecFault};
use super::reader::Reader;
use super::writer::Writer;
use crate::model::Uuid;
use crate::record::Records;

/// A string of a message: a slice of its frame, checked to be UTF-8, that clones without copying.
pub(crate) type StrBytes = bytestring::ByteString;

/// What an array makes room for before its elements have arrived.
const INITIAL_ARRAY_BYTES: usize = 16 * 1024;

/// A type that a field of a message can have.
pub(crate) trait Wire: Sized {
    /// The fewest bytes that a value takes in any version.
    const MIN_SIZE: usize = 1;

    /// Reads a value.
    fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError>;

    /// Writes the value; errors stay with the writer.
    fn write(&self, writer: &mut Writer);
}

/// A type that can be null. As written here it is a struct: a byte in front says whether there is one.
pub(crate) trait Nullable: Wire {
    /// Reads a value or null.
    fn read_nullable(reader: &mut Reader<'_>) -> Result<Option<Self>, CodecError> {
        let [marker] = reader.array()?;
        if marker as i8 >= 0 { Self::read(reader).map(Some) } else { Ok(None) }
    }

    /// Writes a value or null.
    fn write_nullable(value: Option<&Self>, writer: &mut Writer) {
        match value {
            Some(value) => {
                writer.put(&[1]);
                value.write(writer);
            }
            None => writer.put(&[u8::MAX]),
        }
    }
}

impl<T: Nullable> Wire for Option<T> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        T::read_nullable(reader)
    }

    fn write(&self, writer: &mut Writer) {
        T::write_nullable(self.as_ref(), writer);
    }
}

macro_rules! integers {
    ($($type:ty)*) => {$(
        impl Wire for $type {
            const MIN_SIZE: usize = size_of::<$type>();

            #[inline]
            fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
                Ok(<$type>::from_be_bytes(reader.array()?))
            }

            #[inline]
            fn write(&self, writer: &mut Writer) {
                writer.put(&self.to_be_bytes());
            }
        }
    )*};
}

integers! { i8 i16 i32 i64 }

impl Wire for bool {
    fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        let [byte] = reader.array()?;
        Ok(byte != 0)
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(&[u8::from(*self)]);
    }
}

impl Wire for Uuid {
    const MIN_SIZE: usize = 16;

    fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        Ok(Uuid::from_bytes(reader.array()?))
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(self.as_bytes());
    }
}

/// Types whose null shows in their length: reading one that must be there is reading one that may be null.
macro_rules! null_in_length {
    ($($({$generic:ident})? $type:ty: $read:expr, $write:expr;)*) => {$(
        impl $(<$generic: Wire>)? Wire for $type {
            fn read(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
                match Self::read_nullable(reader)? {
                    Some(value) => Ok(value),
                    None => Err(reader.error(CodecFault::UnexpectedNull)),
                }
            }

            fn write(&self, writer: &mut Writer) {
                Self::write_nullable(Some(self), writer);
            }
        }

        impl $(<$generic: Wire>)? Nullable for $type {
            fn read_nullable(reader: &mut Reader<'_>) -> Result<Option<Self>, CodecError> {
                $read(reader)
            }

            fn write_nullable(value: Option<&Self>, writer: &mut Writer) {
                $write(value, writer)
            }
        }
    )*};
}

null_in_length! {
    StrBytes: read_string, |value: Option<&StrBytes>, writer: &mut Writer| {
        writer.put_string_len(value.map(|string| string.len()));
        writer.put(value.map_or(&[], |string| string.as_bytes()));
    };
    Bytes: read_bytes, |value: Option<&Bytes>, writer: &mut Writer| {
        writer.put_len(value.map(Bytes::len));
        if let Some(bytes) = value {
            writer.put_shared(bytes);
        }
    };
    Records: |reader| Ok(read_bytes(reader)?.map(Records::Bytes)), |value: Option<&Records>, writer: &mut Writer| {
        writer.put_len(value.map(Records::len));
        if let Some(records) = value {
            writer.put_records(records);
        }
    };
    {T} Vec<T>: read_array, |value: Option<&Vec<T>>, writer: &mut Writer| {
        writer.put_len(value.map(Vec::len));
        for element in value.into_iter().flatten() {
            element.write(writer);
        }
    };
}

fn read_string(reader: &mut Reader<'_>) -> Result<Option<StrBytes>, CodecError> {
    let Some(len) = reader.string_len()? else { return Ok(None) };
    let bytes = reader.slice(len)?;
    StrBytes::try_from(bytes).map(Some).map_err(|_| reader.error(CodecFault::InvalidUtf8))
}

fn read_bytes(reader: &mut Reader<'_>) -> Result<Option<Bytes>, CodecError> {
    let Some(len) = reader.bytes_len()? else { return Ok(None) };
    reader.slice(len).map(Some)
}

/// The count has been checked against what is left of the frame. An element can still be many times larger in
/// memory than on the wire, so room beyond the first few KiB is only made as elements arrive.
fn read_array<T: Wire>(reader: &mut Reader<'_>) -> Result<Option<Vec<T>>, CodecError> {
    let Some(count) = reader.array_len(T::MIN_SIZE, size_of::<T>())? else { return Ok(None) };
    let room = (INITIAL_ARRAY_BYTES / size_of::<T>().max(1)).max(1);
    let mut elements = Vec::with_capacity(count.min(room));
    for _ in 0..count {
        elements.push(T::read(reader)?);
    }
    Ok(Some(elements))
}
