//! What members of a classic group tell each other: the topics that they want, and the partitions that they get (Kafka:
//! `ConsumerProtocolSubscription`, `ConsumerProtocolAssignment`).

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Subscription,
    Assignment,
}

/// The same with other names of topics; `None` if it is not what consumers tell each other, such as what Connect's
/// workers do. What a strategy adds for itself stays as it is: it comes back to members who call topics as it does.
pub(super) fn rename(bytes: &Bytes, told: Told, name: &dyn Fn(&str) -> String) -> Option<Bytes> {
    let mut reader = bytes.clone();
    let mut out = BytesMut::with_capacity(bytes.len() + 64);
    let version = reader.try_get_i16().ok().filter(|version| *version >= 0)?;
    out.put_i16(version);
    match told {
        Told::Assignment => copy_partitions(&mut reader, &mut out, name)?,
        Told::Subscription => {
            let count = copy_count(&mut reader, &mut out)?;
            for _ in 0..count {
                copy_name(&mut reader, &mut out, name)?;
            }
        }
    }
    // The oldest members end here.
    if !reader.has_remaining() {
        return Some(out.freeze());
    }
    let len = reader.try_get_i32().ok()?;
    out.put_i32(len);
    copy(&mut reader, &mut out, usize::try_from(len).unwrap_or(0))?;
    if told == Told::Subscription && version >= 1 {
        copy_partitions(&mut reader, &mut out, name)?;
    }
    if told == Told::Assignment && reader.has_remaining() {
        return None;
    }
    // Generation and rack, and what later versions may add.
    out.put(reader);
    Some(out.freeze())
}

fn copy_count(reader: &mut Bytes, out: &mut BytesMut) -> Option<i32> {
    let count = reader.try_get_i32().ok().filter(|count| *count >= 0)?;
    out.put_i32(count);
    Some(count)
}

fn copy(reader: &mut Bytes, out: &mut BytesMut, len: usize) -> Option<()> {
    out.put(reader.get(..len)?);
    reader.advance(len);
    Some(())
}

fn copy_name(reader: &mut Bytes, out: &mut BytesMut, name: &dyn Fn(&str) -> String) -> Option<()> {
    let len = usize::try_from(reader.try_get_i16().ok()?).ok()?;
    let renamed = name(std::str::from_utf8(reader.get(..len)?).ok()?);
    reader.advance(len);
    out.put_i16(i16::try_from(renamed.len()).ok()?);
    out.put(renamed.as_bytes());
    Some(())
}

fn copy_partitions(reader: &mut Bytes, out: &mut BytesMut, name: &dyn Fn(&str) -> String) -> Option<()> {
    for _ in 0..copy_count(reader, out)? {
        copy_name(reader, out, name)?;
        let numbers = usize::try_from(copy_count(reader, out)?).ok()?;
        copy(reader, out, numbers.checked_mul(4)?)?;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(out: &mut BytesMut, text: &str) {
        out.put_i16(text.len().try_into().unwrap());
        out.put(text.as_bytes());
    }

    fn subscription(topic: &str) -> Bytes {
        let mut out = BytesMut::new();
        out.put_i16(3);
        out.put_i32(1);
        text(&mut out, topic);
        out.put_i32(2);
        out.put_slice(&[7, 8]);
        out.put_i32(1);
        text(&mut out, topic);
        out.put_i32(2);
        out.put_i32(0);
        out.put_i32(5);
        out.put_i32(41);
        text(&mut out, "rack");
        out.freeze()
    }

    #[test]
    fn topics_that_are_wanted_and_owned_are_renamed_and_all_else_is_kept() {
        let there = rename(&subscription("orders"), Told::Subscription, &|name| format!("a.{name}")).unwrap();
        assert_eq!(there, subscription("a.orders"));
        let back = |name: &str| name.strip_prefix("a.").unwrap_or(name).to_owned();
        assert_eq!(rename(&there, Told::Subscription, &back).unwrap(), subscription("orders"));
    }

    #[test]
    fn what_is_not_of_consumers_is_left_alone() {
        let same = |name: &str| name.to_owned();
        for bytes in
            [&b""[..], b"subscription", &[0, 0, 0x7f, 0xff, 0xff, 0xff], &[0, 1, 0, 0, 0, 1, 0, 9, b'x']]
        {
            assert_eq!(rename(&Bytes::copy_from_slice(bytes), Told::Subscription, &same), None, "{bytes:?}");
            assert_eq!(rename(&Bytes::copy_from_slice(bytes), Told::Assignment, &same), None, "{bytes:?}");
        }
    }
}
