use std::thread;

use super::super::channel::{MAX_IN_FLIGHT_BYTES, MAX_IN_FLIGHT_REQUESTS, MAX_UNSENT_BYTES};
use super::*;

#[test]
fn answers_given_out_of_order_by_other_threads_leave_in_the_order_of_their_requests() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    for number in 0..100u8 {
        client.send(if number % 3 == 0 { ECHO } else { DEFER }, &[number]);
        client.send(NONE, b"");
    }
    let mut deferred = fixture.deferred(66);
    thread::scope(|scope| {
        while !deferred.is_empty() {
            let mut part = deferred.split_off(deferred.len().saturating_sub(11));
            scope.spawn(move || {
                while let Some((body, responder)) = part.pop() {
                    responder.send(body.into());
                }
            });
        }
    });
    for number in 0..100u8 {
        assert_eq!(client.receive(), [number]);
    }
}

#[test]
fn requests_behind_one_that_waits_are_taken_up() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    client.send(DEFER, b"slow");
    client.send(ECHO, b"fast");
    eventually("both are handled", || fixture.handled() == 2);
    let (_, responder) = fixture.deferred(1).remove(0);
    responder.none();
    assert_eq!(client.receive(), b"fast");
}

#[test]
fn an_answer_through_the_responder_within_the_handler_leaves_at_once() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    client.send(DEFER_AND_ECHO, b"now");
    assert_eq!(client.receive(), b"now");
}

#[test]
fn a_responder_dropped_without_an_answer_closes_the_connection() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    client.send(ECHO, b"before");
    client.send(FORGET, b"");
    client.send(ECHO, b"behind");
    assert_eq!(client.receive(), b"before");
    client.expect_closed();
}

#[test]
fn a_handler_that_promises_an_answer_without_keeping_its_place_closes_the_connection() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    client.send(LIE, b"");
    client.expect_closed();
}

#[test]
fn closing_waits_for_the_answers_before() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    client.send(DEFER, b"first");
    client.send(CLOSE, b"");
    client.send(ECHO, b"not taken up");
    let (body, responder) = fixture.deferred(1).remove(0);
    responder.send(body.into());
    assert_eq!(client.receive(), b"first");
    client.expect_closed();
    assert_eq!(fixture.handled(), 2);
    assert_eq!(fixture.handler.closed.lock()[0].1, 2);
}

#[test]
fn the_last_answer_leaves_before_the_connection_is_closed() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    client.send(ECHO_AND_CLOSE, b"bye");
    assert_eq!(client.receive(), b"bye");
    client.expect_closed();
}

#[test]
fn a_panic_closes_its_connection_and_no_other() {
    let fixture = Fixture::with(|config| config.num_network_threads = 1);
    let (mut calm, mut wild) = (fixture.connect(), fixture.connect());
    assert_eq!(calm.ask(b"1"), b"1");
    wild.send(PANIC, b"");
    wild.expect_closed();
    assert_eq!(calm.ask(b"2"), b"2");
    eventually("the handler hears of the end", || fixture.closed() == 1);
}

#[test]
fn an_answer_for_a_connection_that_has_ended_goes_nowhere() {
    let fixture = Fixture::with(|config| config.num_network_threads = 1);
    let mut gone = fixture.connect();
    gone.send(DEFER, b"for nobody");
    let (body, responder) = fixture.deferred(1).remove(0);
    drop(gone);
    eventually("it is closed", || fixture.closed() == 1);
    // It has the same place in the thread's table as the one before.
    let mut next = fixture.connect();
    next.send(DEFER, b"for next");
    let (own_body, own_responder) = fixture.deferred(1).remove(0);
    assert_ne!(responder.connection_id(), own_responder.connection_id());
    responder.send(body.into());
    own_responder.send(own_body.into());
    assert_eq!(next.receive(), b"for next");
}

#[test]
fn a_client_that_asks_without_reading_is_not_taken_up_for_ever() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    client.stream.set_nonblocking(true).unwrap();
    let request = frame(BULK, &[&50_000u32.to_be_bytes()[..], &[0; 4000]].concat());
    // Until both directions are full.
    let mut sent = Vec::new();
    let mut asked = 0usize;
    let unsent = loop {
        match client.stream.write(&request[sent.len()..]) {
            Ok(count) => {
                sent.extend_from_slice(&request[sent.len()..][..count]);
                if sent.len() == request.len() {
                    sent.clear();
                    asked += 1;
                }
            }
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                let unsent = fixture.server.metrics().unsent_bytes as usize;
                if unsent >= MAX_UNSENT_BYTES {
                    break unsent;
                }
                thread::yield_now();
            }
        }
        assert!(asked < 100_000, "the server never stops reading");
    };
    assert!((MAX_UNSENT_BYTES..MAX_UNSENT_BYTES + 50_000).contains(&unsent), "{unsent}");
    assert!(fixture.handled() < asked);
    // And all is answered once it reads.
    client.stream.set_nonblocking(false).unwrap();
    for _ in 0..asked {
        assert_eq!(client.receive().len(), 50_000);
    }
    eventually("nothing is held", || fixture.server.metrics().unsent_bytes == 0);
}

#[test]
fn requests_that_wait_are_bounded_in_number_and_none_is_lost() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    let count = MAX_IN_FLIGHT_REQUESTS + 10;
    let requests: Vec<u8> = (0..count as u32).flat_map(|i| frame(DEFER, &i.to_be_bytes())).collect();
    client.stream.write_all(&requests).unwrap();
    let mut deferred = fixture.deferred(MAX_IN_FLIGHT_REQUESTS);
    assert_eq!(fixture.handled(), MAX_IN_FLIGHT_REQUESTS);
    // The place of the first is free only when its answer leaves.
    let (body, responder) = deferred.pop().unwrap();
    responder.send(body.into());
    for (body, responder) in deferred {
        responder.send(body.into());
    }
    for (body, responder) in fixture.deferred(10) {
        responder.send(body.into());
    }
    for number in 0..count as u32 {
        assert_eq!(client.receive(), number.to_be_bytes());
    }
}

#[test]
fn requests_that_wait_are_bounded_in_bytes() {
    let fixture = Fixture::start();
    let client = fixture.connect();
    let body = vec![1; 8 * 1024 * 1024];
    let fitting = MAX_IN_FLIGHT_BYTES.div_ceil(body.len() + 1);
    let mut writer = Client { stream: client.stream.try_clone().unwrap() };
    let handle = thread::Builder::new();
    let handle = handle
        .spawn(move || {
            for _ in 0..fitting + 1 {
                writer.send(DEFER, &body);
            }
        })
        .unwrap();
    let deferred = fixture.deferred(fitting);
    assert_eq!(fixture.handled(), fitting);
    for (_, responder) in deferred {
        responder.none();
    }
    assert_eq!(fixture.deferred(1)[0].0.len(), 8 * 1024 * 1024);
    handle.join().unwrap();
}
