use super::*;

fn fixture() -> Fixture {
    Fixture::with(|config| config.connections_max_idle_ms = 10_000)
}

#[test]
fn a_connection_on_which_nothing_moves_is_closed_by_the_clock() {
    let fixture = fixture();
    let (mut silent, mut busy) = (fixture.connect(), fixture.connect());
    assert_eq!(silent.ask(b"1"), b"1");
    assert_eq!(busy.ask(b"1"), b"1");
    fixture.clock.advance(Duration::from_secs(6));
    assert_eq!(busy.ask(b"2"), b"2");
    fixture.clock.advance(Duration::from_secs(6));
    silent.expect_closed();
    assert_eq!(busy.ask(b"3"), b"3");
    assert_eq!(fixture.server.metrics().connections_expired, 1);
    fixture.clock.advance(Duration::from_secs(10));
    busy.expect_closed();
}

#[test]
fn a_connection_that_never_sends_anything_is_closed_by_the_clock() {
    let fixture = fixture();
    let mut client = fixture.connect();
    eventually("it is accepted", || fixture.server.metrics().connections == 1);
    fixture.clock.advance(Duration::from_secs(10));
    client.expect_closed();
}

#[test]
fn a_connection_that_is_owed_an_answer_is_not_idle() {
    // On one thread, which looks at both at the same time.
    let fixture = Fixture::with(|config| {
        config.connections_max_idle_ms = 10_000;
        config.num_network_threads = 1;
    });
    let (mut waiting, mut silent) = (fixture.connect(), fixture.connect());
    waiting.send(DEFER, b"later");
    assert_eq!(silent.ask(b"1"), b"1");
    let (body, responder) = fixture.deferred(1).remove(0);
    fixture.clock.advance(Duration::from_secs(60));
    silent.expect_closed();
    responder.send(body.into());
    assert_eq!(waiting.receive(), b"later");
    fixture.clock.advance(Duration::from_secs(10));
    waiting.expect_closed();
}

#[test]
fn a_client_that_does_not_take_its_answer_is_idle() {
    let fixture = fixture();
    let mut client = fixture.connect();
    client.send(BULK, &30_000_000u32.to_be_bytes());
    eventually("its answer waits", || fixture.server.metrics().unsent_bytes > 0);
    // Bytes that fill the buffers of the two systems may still move when the clock does.
    eventually("it is closed", || {
        fixture.clock.advance(Duration::from_secs(10));
        fixture.closed() == 1
    });
    assert_eq!(fixture.server.metrics().unsent_bytes, 0);
}

#[test]
fn a_negative_idle_time_closes_nobody() {
    let fixture = Fixture::with(|config| config.connections_max_idle_ms = -1);
    let mut client = fixture.connect();
    assert_eq!(client.ask(b"1"), b"1");
    fixture.clock.advance(Duration::from_secs(1_000_000));
    assert_eq!(client.ask(b"2"), b"2");
}
