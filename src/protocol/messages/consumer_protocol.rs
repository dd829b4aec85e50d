//! What members of the group protocol type "consumer" tell each other, 0-3: subscriptions in JoinGroup, assignments in
//! SyncGroup. A broker passes both on unread; it reads them to know whether a group still reads a topic.
//!
//! 1 adds the partitions that the member holds (KIP-429); 2 the generation in which it got them (KIP-792); 3 the rack
//! (KIP-881). Never flexible. Two bytes in front say the version, and a reader takes one that it does not know yet for
//! the highest that it does, since later versions only add (Kafka: `ConsumerProtocol`).

use bytes::Bytes;

use crate::protocol::codec_error::CodecError;
use crate::protocol::message::{Message, message};
use crate::protocol::reader::Reader;
use crate::protocol::wire::{StrBytes, Wire};
use crate::protocol::writer::Writer;

const VERSIONS: (i16, i16) = (0, 3);

message! {
    ConsumerProtocolSubscription {
        [0+] topics: Vec<StrBytes>;
        [0+] user_data: Option<Bytes>;
        [1+] owned_partitions: Vec<TopicPartition>;
        [2+] generation_id: i32 = -1;
        [3+] rack_id: Option<StrBytes>;
    }

    ConsumerProtocolAssignment {
        [0+] assigned_partitions: Vec<TopicPartition>;
        [0+] user_data: Option<Bytes>;
    }

    TopicPartition {
        [0+] topic: StrBytes;
        [0+] partitions: Vec<i32>;
    }
}

impl Message for ConsumerProtocolSubscription {
    const VERSIONS: (i16, i16) = VERSIONS;
    const FIRST_FLEXIBLE: i16 = i16::MAX;
}

impl Message for ConsumerProtocolAssignment {
    const VERSIONS: (i16, i16) = VERSIONS;
    const FIRST_FLEXIBLE: i16 = i16::MAX;
}

/// Reads the version, and then the subscription or assignment of that version.
pub(crate) fn decode_consumer_protocol<M: Message>(bytes: &Bytes) -> Result<M, CodecError> {
    let mut reader = Reader::new(bytes);
    let version = i16::read(&mut reader)?;
    M::decode(&mut reader, version.min(VERSIONS.1))
}

/// The version, and then the subscription or assignment in that version.
pub(crate) fn encode_consumer_protocol<M: Message>(message: &M, version: i16) -> Result<Bytes, CodecError> {
    let mut writer = Writer::contiguous();
    version.write(&mut writer);
    message.encode(&mut writer, version);
    Ok(writer.into_frame()?.head)
}
