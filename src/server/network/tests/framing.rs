use proptest::prelude::*;

use super::super::receive::{FrameError, Receive};
use super::*;

#[test]
fn a_frame_comes_back_as_the_handler_answers_it() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    assert_eq!(client.ask(b"hello"), b"hello");
    assert_eq!(client.ask(b""), b"");
    assert_eq!(fixture.server.metrics().requests, 2);
}

#[test]
fn a_negative_size_closes_the_connection_without_an_answer() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    client.stream.write_all(&(-1i32).to_be_bytes()).unwrap();
    client.expect_closed();
    assert_eq!(fixture.handled(), 0);
}

#[test]
fn a_size_beyond_the_largest_request_closes_the_connection_and_the_largest_is_served() {
    let fixture = Fixture::with(|config| config.socket_request_max_bytes = 1000);
    let mut client = fixture.connect();
    assert_eq!(client.ask(&[5; 999]), [5; 999]);
    client.stream.write_all(&1001i32.to_be_bytes()).unwrap();
    client.expect_closed();
    assert_eq!(fixture.handled(), 1);
}

#[test]
fn the_answers_before_a_broken_frame_still_leave() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    let mut bytes = frame(DEFER, b"first");
    bytes.extend(frame(ECHO, b"second"));
    bytes.extend(i32::MIN.to_be_bytes());
    bytes.extend(frame(ECHO, b"never seen"));
    client.stream.write_all(&bytes).unwrap();
    let (body, responder) = fixture.deferred(1).remove(0);
    responder.send(body.into());
    assert_eq!(client.receive(), b"first");
    assert_eq!(client.receive(), b"second");
    client.expect_closed();
    assert_eq!(fixture.handled(), 2);
}

#[test]
fn an_empty_frame_reaches_the_handler() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    client.stream.write_all(&0i32.to_be_bytes()).unwrap();
    client.expect_closed();
    assert_eq!(fixture.handled(), 1);
}

#[test]
fn a_client_that_writes_one_byte_at_a_time_is_served() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    for byte in frame(ECHO, b"patience") {
        client.stream.write_all(&[byte]).unwrap();
    }
    assert_eq!(client.receive(), b"patience");
}

#[test]
fn a_large_frame_arrives_whole_between_small_ones() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    let large: Vec<u8> = (0..3_000_017u32).map(|i| (i % 251) as u8).collect();
    let mut writer = Client { stream: client.stream.try_clone().unwrap() };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut bytes = frame(ECHO, b"before");
            bytes.extend(frame(ECHO, &large));
            bytes.extend(frame(ECHO, b"after"));
            writer.stream.write_all(&bytes).unwrap();
        });
        assert_eq!(client.receive(), b"before");
        assert!(client.receive() == large);
        assert_eq!(client.receive(), b"after");
    });
    eventually("buffers are given back", || fixture.server.metrics().receive_buffer_bytes == 0);
}

#[test]
fn announced_bytes_cost_nothing_until_they_arrive() {
    let fixture = Fixture::start();
    let clients: Vec<Client> = (0..300)
        .map(|_| {
            let mut client = fixture.connect();
            client.stream.write_all(&100_000_000i32.to_be_bytes()).unwrap();
            client.stream.write_all(&[ECHO; 1000]).unwrap();
            client
        })
        .collect();
    eventually("all have arrived", || fixture.server.metrics().bytes_in == 300 * 1004);
    assert!(fixture.server.metrics().receive_buffer_bytes <= 300 * 2000);
    assert_eq!(fixture.handled(), 0);
    drop(clients);
    eventually("all are closed", || fixture.closed() == 300);
    assert_eq!(fixture.server.metrics().receive_buffer_bytes, 0);
}

#[test]
fn a_frame_shares_its_memory_with_nobody() {
    let mut receive = Receive::default();
    let bytes = [frame(ECHO, b"one"), frame(ECHO, b"two")].concat();
    let mut input = &bytes[..];
    let first = receive.next(&mut input, 100).unwrap().unwrap();
    let second = receive.next(&mut input, 100).unwrap().unwrap();
    assert!(first.try_into_mut().is_ok());
    assert!(second.try_into_mut().is_ok());
}

#[test]
fn the_buffer_of_a_frame_never_holds_more_than_twice_what_has_arrived() {
    let mut receive = Receive::default();
    let mut head: &[u8] = &10_000_000i32.to_be_bytes();
    assert_eq!(receive.next(&mut head, 100_000_000), Ok(None));
    assert_eq!(receive.buffer_bytes(), 0);
    let mut arrived = 0;
    while arrived < 10_000_000 {
        if let Some((buffer, limit)) = receive.direct() {
            buffer.extend(std::iter::repeat_n(1, limit));
            arrived += limit;
        } else {
            let part = vec![1; 7001.min(10_000_000 - arrived)];
            arrived += part.len();
            if receive.next(&mut &part[..], 100_000_000).unwrap().is_some() {
                break;
            }
        }
        assert!(receive.buffer_bytes() <= 2 * arrived, "{} for {arrived}", receive.buffer_bytes());
    }
    assert_eq!(arrived, 10_000_000);
}

/// Gives a frame whole.
fn give(receive: &mut Receive, frame: &[u8]) -> Option<Bytes> {
    receive.next(&mut &frame[..], 10_000_000).unwrap()
}

#[test]
fn a_frame_as_large_as_the_one_before_is_not_copied_and_is_its_buffers_only_owner() {
    let mut receive = Receive::default();
    assert!(receive.expect().is_none());
    assert!(give(&mut receive, &frame(ECHO, &[1; 100_000])).is_some());
    let mut buffer = receive.expect().unwrap();
    buffer.extend(frame(ECHO, &[2; 100_000]));
    let place = buffer.as_ptr();
    let (got, rest) = receive.adopt(buffer, 10_000_000).unwrap();
    let got = got.unwrap();
    assert_eq!((got.as_ptr(), rest.len()), (place.wrapping_add(4), 0));
    assert!(got.try_into_mut().is_ok());
}

#[test]
fn a_small_frame_after_a_large_one_keeps_no_large_buffer() {
    let mut receive = Receive::default();
    assert!(give(&mut receive, &frame(ECHO, &[1; 100_000])).is_some());
    let mut buffer = receive.expect().unwrap();
    let small = frame(ECHO, &[2; 100]);
    buffer.extend(&small[..60]);
    assert_eq!(receive.adopt(buffer, 10_000_000).unwrap(), (None, Bytes::new()));
    assert!(receive.buffer_bytes() <= 200);
    assert!(receive.expect().is_none());
    assert!(receive.next(&mut &small[60..], 10_000_000).unwrap().is_some());
    assert!(receive.expect().is_none(), "no other large one is expected");
}

#[test]
fn a_frame_far_larger_than_the_one_before_costs_as_much_as_has_arrived() {
    let mut receive = Receive::default();
    assert!(give(&mut receive, &frame(ECHO, &[1; 100_000])).is_some());
    let mut buffer = receive.expect().unwrap();
    let capacity = buffer.capacity();
    buffer.extend(50_000_000i32.to_be_bytes());
    buffer.resize(capacity, 3);
    assert_eq!(receive.adopt(buffer, 100_000_000).unwrap(), (None, Bytes::new()));
    let (_, limit) = receive.direct().unwrap();
    assert!(limit <= capacity && receive.buffer_bytes() <= 2 * capacity);
}

#[test]
fn the_size_of_a_frame_may_be_cut_anywhere() {
    let mut receive = Receive::default();
    let max = 10;
    let mut first: &[u8] = &[0x7f];
    assert_eq!(receive.next(&mut first, max), Ok(None));
    let mut rest: &[u8] = &[0xff, 0xff, 0xff];
    assert_eq!(receive.next(&mut rest, max), Err(FrameError::TooLarge { size: 0x7fff_ffff, max }));
}

proptest! {
    #[test]
    fn frames_come_out_as_they_went_in_however_they_are_cut(
        sizes in prop::collection::vec(0usize..200_000, 1..6),
        cuts in prop::collection::vec(1usize..90_000, 1..20),
    ) {
        let frames: Vec<Vec<u8>> =
            sizes.iter().enumerate().map(|(i, size)| vec![i as u8; *size]).collect();
        let mut stream = Vec::new();
        for frame in &frames {
            stream.extend((frame.len() as u32).to_be_bytes());
            stream.extend(frame);
        }
        let (mut receive, mut rest, mut got) = (Receive::default(), &stream[..], Vec::new());
        let mut cuts = cuts.iter().cycle();
        while !rest.is_empty() {
            let cut = *cuts.next().unwrap();
            if let Some((buffer, limit)) = receive.direct() {
                let (part, behind) = rest.split_at(cut.min(limit).min(rest.len()));
                buffer.extend_from_slice(part);
                rest = behind;
                got.extend(receive.take_whole());
            } else if let Some(mut buffer) = receive.expect() {
                let (part, behind) = rest.split_at(cut.min(buffer.capacity()).min(rest.len()));
                buffer.extend_from_slice(part);
                rest = behind;
                let (frame, more) = receive.adopt(buffer, 1_000_000).unwrap();
                got.extend(frame);
                let mut more = &more[..];
                while let Some(frame) = receive.next(&mut more, 1_000_000).unwrap() {
                    got.push(frame);
                }
            } else {
                let (mut part, behind) = rest.split_at(cut.min(rest.len()));
                rest = behind;
                while let Some(frame) = receive.next(&mut part, 1_000_000).unwrap() {
                    got.push(frame);
                }
            }
        }
        // An empty frame at the very end needs no byte of its own.
        got.extend(receive.next(&mut &[][..], 1_000_000).unwrap());
        prop_assert_eq!(got, frames);
    }
}
