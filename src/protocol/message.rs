//! The table that every message is written in, and what it expands to.
//!
//! One row a field, in the order of the wire, with the versions that have the field in Kafka's notation:
//!
//! ```text
//! message! {
//!     TopicProduceData {
//!         [0-12] name: StrBytes;                             versions 0 to 12
//!         [13+]  topic_id: Uuid;                             versions 13 and up
//!         [0+]   partition_data: Vec<PartitionProduceData>;
//!         [1+]   rack: Option<StrBytes>;                     may be null wherever it exists
//!         [0+]   topics: Option<Vec<Topic>>, null [2+];      may be null from version 2 on
//!         [10+]  current_leader: LeaderIdAndEpoch, tag 0;    a tagged field
//!         [5+]   log_start_offset: i64 = -1;                 the default where it is not zero, empty, null or false
//!     }
//! }
//! ```
//!
//! A row becomes a field of a plain struct, a line in its `Default`, its reading and its writing (and, in tests, the
//! making of a random value). Names are Kafka's in snake_case.
//!
//! **Fields that a version lacks.** Reading leaves them at their default. Writing leaves them out, whatever their
//! value. Kafka's own classes do that for fields marked `ignorable` and refuse the others; here a broker fills in
//! all that it knows once, for all versions, and the table alone decides what a client of some version is told.
//! Null where a version has none is refused both ways, since that would change the meaning of what is said.
//!
//! **Tagged fields** are written if they differ from their default; unknown ones are stepped over and dropped.
//!
//! Reading and writing keep the version, and whether it is flexible, in the [`Reader`](super::reader::Reader) and the
//! [`Writer`](super::writer::Writer). So a row expands to one comparison and one call, whose target is compiled once
//! for a type: that keeps some 150 structs cheap to compile.

use std::fmt::Debug;

use super::api_key::ApiKey;
use super::codec_error::{CodecError, CodecFault};
use super::reader::Reader;
use super::walk::Walk;
use super::wire::Wire;
use super::writer::Writer;

/// A whole message: the outermost struct, which has versions of its own.
pub(crate) trait Message: Wire + Walk + Clone + Default + Debug + PartialEq {
    /// The lowest and the highest version.
    const VERSIONS: (i16, i16);
    /// The first version with compact lengths and tagged fields; `i16::MAX` if there is none.
    const FIRST_FLEXIBLE: i16;

    /// Reads a message of `version`. What may follow it is left: see [`Reader::ensure_end`].
    fn decode(reader: &mut Reader<'_>, version: i16) -> Result<Self, CodecError> {
        if version < Self::VERSIONS.0 || version > Self::VERSIONS.1 {
            return Err(reader.error(CodecFault::UnsupportedVersion(version)));
        }
        reader.set_version(version, version >= Self::FIRST_FLEXIBLE);
        Self::read(reader)
    }

    /// Writes the message as `version` has it. Errors stay with the writer and come out of
    /// [`Writer::into_frame`].
    fn encode(&self, writer: &mut Writer, version: i16) {
        if version < Self::VERSIONS.0 || version > Self::VERSIONS.1 {
            return writer.fail(CodecFault::UnsupportedVersion(version));
        }
        writer.set_version(version, version >= Self::FIRST_FLEXIBLE);
        self.write(writer);
    }
}

/// What a client sends.
pub(crate) trait Request: Message {
    /// Which API it calls.
    const KEY: ApiKey;
    /// What it is answered with.
    type Response: Response;
}

/// What a broker answers.
pub(crate) trait Response: Message + Send + Sync + 'static {
    /// Which API answers.
    const KEY: ApiKey;
}

/// Whether a tagged field has to be written.
pub(super) fn differs<T: PartialEq>(value: &T, default: T) -> bool {
    *value != default
}

macro_rules! message {
    ($(
        $(#[$meta:meta])*
        $name:ident {
            $(
                $versions:tt $field:ident: $type:ty
                $(, null $null:tt)? $(, tag $tag:literal)? $(= $default:expr)?;
            )*
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub(crate) struct $name {
            $(pub(crate) $field: $type,)*
        }

        impl Default for $name {
            fn default() -> Self {
                $name { $($field: $crate::protocol::message::default_of!($($default)?),)* }
            }
        }

        impl $crate::protocol::wire::Wire for $name {
            fn read(
                reader: &mut $crate::protocol::reader::Reader<'_>,
            ) -> Result<Self, $crate::protocol::codec_error::CodecError> {
                $(
                    #[allow(unused_mut)]
                    let mut $field: $type = $crate::protocol::message::read_field!(
                        reader $field $versions [$($null)?] [$($tag)?] [$($default)?]
                    );
                )*
                let mut tags = reader.tags()?;
                while let Some(tag) = reader.next_tag(&mut tags)? {
                    match tag.number {
                        $($(
                            $tag if reader.begin(
                                stringify!($field),
                                $crate::protocol::message::versions!($versions),
                            ) => {
                                $field = $crate::protocol::wire::Wire::read(reader)?;
                            }
                        )?)*
                        _ => reader.skip_tag(tag)?,
                    }
                    reader.end_tag(tag)?;
                }
                Ok($name { $($field,)* })
            }

            fn write(&self, writer: &mut $crate::protocol::writer::Writer) {
                $($crate::protocol::message::write_field!(
                    self writer $field $versions [$($null)?] [$($tag)?]
                );)*
                let _tags = writer.begin_tags();
                $($crate::protocol::message::write_tag!(
                    self writer _tags $field $versions [$($tag)?] [$($default)?]
                );)*
            }
        }

        impl $crate::protocol::wire::Nullable for $name {}

        impl $crate::protocol::walk::Walk for $name {
            fn walk(&mut self, walker: &mut dyn $crate::protocol::walk::Walker) {
                walker.begin_struct();
                $(
                    if walker.begin_field($crate::protocol::walk::Field {
                        owner: stringify!($name),
                        name: stringify!($field),
                        versions: $crate::protocol::message::versions!($versions),
                    }) {
                        $crate::protocol::walk::Walk::walk(&mut self.$field, walker);
                        walker.end_field();
                    }
                )*
                walker.end_struct();
            }
        }

        #[cfg(test)]
        impl $crate::protocol::tests::generate::Generate for $name {
            fn generate(generator: &mut $crate::protocol::tests::generate::Generator) -> Self {
                $name {
                    $($field: $crate::protocol::message::generate_field!(
                        generator $versions [$($null)?] [$($default)?]
                    ),)*
                }
            }
        }
    )*};
}

/// `[0-12]`, `[13+]` or `[0]` as the lowest and the highest version.
macro_rules! versions {
    ([$from:literal+]) => {
        ($from, i16::MAX)
    };
    ([$from:literal-$to:literal]) => {
        ($from, $to)
    };
    ([$only:literal]) => {
        ($only, $only)
    };
}

macro_rules! default_of {
    () => {
        Default::default()
    };
    ($default:expr) => {
        $default
    };
}

/// A field in its place: what is on the wire if the version has it, else its default. A tagged one comes later.
macro_rules! read_field {
    ($reader:ident $field:ident $versions:tt [] [] [$($default:expr)?]) => {
        if $reader.begin(stringify!($field), $crate::protocol::message::versions!($versions)) {
            $crate::protocol::wire::Wire::read($reader)?
        } else {
            $crate::protocol::message::default_of!($($default)?)
        }
    };
    ($reader:ident $field:ident $versions:tt [$null:tt] [] [$($default:expr)?]) => {
        if $reader.begin(stringify!($field), $crate::protocol::message::versions!($versions)) {
            let value = $crate::protocol::wire::Wire::read($reader)?;
            $reader.check_null(Option::is_none(&value), $crate::protocol::message::versions!($null))?;
            value
        } else {
            $crate::protocol::message::default_of!($($default)?)
        }
    };
    ($reader:ident $field:ident $versions:tt [] [$tag:literal] [$($default:expr)?]) => {
        $crate::protocol::message::default_of!($($default)?)
    };
}

macro_rules! write_field {
    ($self:ident $writer:ident $field:ident $versions:tt [$($null:tt)?] []) => {
        if $writer.begin(stringify!($field), $crate::protocol::message::versions!($versions)) {
            $($writer.check_null($self.$field.is_none(), $crate::protocol::message::versions!($null));)?
            $crate::protocol::wire::Wire::write(&$self.$field, $writer);
        }
    };
    ($self:ident $writer:ident $field:ident $versions:tt [] [$tag:literal]) => {};
}

macro_rules! write_tag {
    ($self:ident $writer:ident $tags:ident $field:ident $versions:tt [] [$($default:expr)?]) => {};
    ($self:ident $writer:ident $tags:ident $field:ident $versions:tt [$tag:literal] [$($default:expr)?]) => {
        if $writer.begin(stringify!($field), $crate::protocol::message::versions!($versions))
            && $crate::protocol::message::differs(
                &$self.$field,
                $crate::protocol::message::default_of!($($default)?),
            )
        {
            $writer.put_tag(&$tags, $tag, |writer| {
                $crate::protocol::wire::Wire::write(&$self.$field, writer)
            });
        }
    };
}

#[cfg(test)]
macro_rules! generate_field {
    ($generator:ident $versions:tt [$($null:tt)?] [$($default:expr)?]) => {
        if $generator.speaks($crate::protocol::message::versions!($versions)) {
            let value = $crate::protocol::tests::generate::Generate::generate($generator);
            $(let value = $generator.without_null(value, $crate::protocol::message::versions!($null));)?
            value
        } else {
            $crate::protocol::message::default_of!($($default)?)
        }
    };
}

#[cfg(test)]
pub(super) use generate_field;
pub(super) use {default_of, message, read_field, versions, write_field, write_tag};
