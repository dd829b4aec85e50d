use super::super::acceptor::{ACCEPT_BACKOFF, Acceptor, Hold};
use super::super::config::resolve_overrides;
use super::super::processor::FIRST_LISTENER_TOKEN;
use super::*;
use crate::config::BrokerConfig;
use crate::model::ErrorCode;

#[test]
fn connections_of_one_address_beyond_its_limit_are_closed_at_once() {
    let fixture = Fixture::with(|config| config.max_connections_per_ip = 2);
    let (mut first, mut second) = (fixture.connect(), fixture.connect());
    assert_eq!(first.ask(b"1"), b"1");
    assert_eq!(second.ask(b"2"), b"2");
    fixture.connect().expect_closed();
    assert_eq!(fixture.server.metrics().connections_refused, 1);
    drop(first);
    eventually("there is room again", || fixture.closed() == 1);
    assert_eq!(fixture.connect().ask(b"3"), b"3");
}

#[test]
fn an_address_may_have_a_limit_of_its_own() {
    let fixture = Fixture::with(|config| {
        config.max_connections_per_ip = 0;
        config.max_connections_per_ip_overrides = resolve_overrides([("localhost".to_owned(), 1)]).unwrap();
    });
    let mut first = fixture.connect();
    assert_eq!(first.ask(b"1"), b"1");
    fixture.connect().expect_closed();
}

#[test]
fn beyond_the_limit_of_all_connections_the_next_waits_for_one_to_end() {
    let fixture = Fixture::with(|config| config.max_connections = 2);
    let (mut first, mut second) = (fixture.connect(), fixture.connect());
    assert_eq!(first.ask(b"1"), b"1");
    assert_eq!(second.ask(b"2"), b"2");
    let mut third = fixture.connect();
    third.send(ECHO, b"3");
    assert_eq!(first.ask(b"4"), b"4");
    assert_eq!(fixture.handler.opened.load(Ordering::SeqCst), 2);
    drop(second);
    assert_eq!(third.receive(), b"3");
}

#[test]
fn a_listener_may_have_a_limit_of_its_own() {
    let fixture = Fixture::with(|config| {
        let limits = ListenerLimits { max_connections: 1, ..ListenerLimits::default() };
        config.listeners.insert("PLAINTEXT".to_owned(), limits);
    });
    let other = Listener::bind("OTHER", "127.0.0.1", 0, &fixture.server.config()).unwrap();
    let other_address = other.local_addr();
    fixture.server.accept_from(other).unwrap();
    let mut first = fixture.connect();
    assert_eq!(first.ask(b"1"), b"1");
    let mut second = fixture.connect();
    second.send(ECHO, b"2");
    assert_eq!(Client::connect(other_address).ask(b"other"), b"other");
    assert_eq!(Client::connect(other_address).ask(b"other"), b"other");
    assert_eq!(first.ask(b"1"), b"1");
    drop(first);
    assert_eq!(second.receive(), b"2");
}

#[test]
fn a_raised_limit_lets_those_in_who_wait() {
    let fixture = Fixture::with(|config| config.max_connections = 0);
    let mut client = fixture.connect();
    client.send(ECHO, b"at last");
    fixture.server.reconfigure(NetworkConfig::default()).unwrap();
    assert_eq!(client.receive(), b"at last");
}

#[test]
fn connections_that_come_too_fast_wait_for_the_clock() {
    let fixture = Fixture::with(|config| config.max_connection_creation_rate = 4);
    let mut clients: Vec<Client> = (0..12).map(|_| fixture.connect()).collect();
    for client in &mut clients {
        client.send(ECHO, b"in");
    }
    // A second's worth may come at once; then one each quarter of a second.
    let opened = || fixture.handler.opened.load(Ordering::SeqCst);
    eventually("a burst is accepted", || opened() == 5);
    fixture.clock.advance(Duration::from_millis(249));
    assert_eq!(clients[0].receive(), b"in");
    assert_eq!(clients[0].ask(b"still"), b"still");
    assert_eq!(opened(), 5);
    fixture.clock.advance(Duration::from_millis(1));
    eventually("one more is accepted", || opened() == 6);
    // A long rest does not make up for more than a second.
    fixture.clock.advance(Duration::from_secs(10));
    eventually("another burst is accepted", || opened() == 11);
    assert_eq!(clients[0].ask(b"still"), b"still");
    assert_eq!(opened(), 11);
    fixture.clock.advance(Duration::from_millis(250));
    for client in &mut clients[1..] {
        assert_eq!(client.receive(), b"in");
    }
}

/// One network thread, and these bounds on requests.
fn bounded(requests: i32, request_bytes: i64) -> Fixture {
    Fixture::with(|config| {
        config.num_network_threads = 1;
        config.queued_max_requests = requests;
        config.queued_max_request_bytes = request_bytes;
    })
}

#[test]
fn nobody_is_read_from_while_waiting_requests_hold_as_many_bytes_as_they_may() {
    let fixture = bounded(500, 1_000);
    let (mut first, mut second) = (fixture.connect(), fixture.connect());
    first.send(DEFER, &[1; 1_000]);
    let (body, responder) = fixture.deferred(1).remove(0);
    second.send(ECHO, b"2");
    fixture.let_it_look();
    assert_eq!(fixture.handled(), 1);
    responder.send(body.slice(..1).into());
    assert_eq!((first.receive(), second.receive()), (vec![1], b"2".to_vec()));
    assert_eq!(second.ask(b"again"), b"again");
}

#[test]
fn a_request_on_its_way_counts_as_a_whole_and_may_end_when_no_other_may_begin() {
    let fixture = bounded(500, 1_000);
    let (mut first, mut second) = (fixture.connect(), fixture.connect());
    let request = frame(ECHO, &[1; 3_000]);
    let (begin, end) = request.split_at(100);
    first.stream.write_all(begin).unwrap();
    fixture.let_it_look();
    second.send(ECHO, b"2");
    fixture.let_it_look();
    assert_eq!(fixture.handled(), 0);
    first.stream.write_all(end).unwrap();
    assert_eq!((first.receive(), second.receive()), (vec![1; 3_000], b"2".to_vec()));
}

#[test]
fn a_connection_that_ends_gives_back_the_bytes_of_its_requests() {
    let fixture = bounded(500, 1_000);
    let (mut first, mut second) = (fixture.connect(), fixture.connect());
    first.stream.write_all(frame(ECHO, &[1; 3_000]).split_at(100).0).unwrap();
    fixture.let_it_look();
    second.send(ECHO, b"2");
    fixture.let_it_look();
    assert_eq!(fixture.handled(), 0);
    drop(first);
    assert_eq!(second.receive(), b"2");
}

#[test]
fn nobody_is_read_from_while_as_many_requests_as_may_wait_for_a_thread() {
    let fixture = bounded(2, -1);
    let (mut first, mut second) = (fixture.connect(), fixture.connect());
    first.send(QUEUE, b"");
    first.send(QUEUE, b"");
    // One more than may wait stays where it is.
    first.send(ECHO, b"1");
    eventually("two requests wait", || fixture.handler.queued.lock().len() == 2);
    second.send(ECHO, b"2");
    fixture.let_it_look();
    assert_eq!(fixture.handled(), 2);
    // A thread has taken one of them.
    let (queued, responder) = fixture.handler.queued.lock().remove(0);
    drop(queued);
    assert_eq!(second.receive(), b"2");
    responder.send(Bytes::from_static(b"a").into());
    let (_queued, responder) = fixture.handler.queued.lock().remove(0);
    responder.send(Bytes::from_static(b"b").into());
    assert_eq!([first.receive(), first.receive(), first.receive()], [b"a", b"b", b"1"]);
}

#[test]
fn the_settings_of_a_broker_arrive_with_those_of_its_listeners() {
    let mut broker = BrokerConfig::default();
    for (key, value) in [
        ("max.connections.per.ip.overrides", "127.0.0.1:200,[::1]:7"),
        ("max.connections", "100"),
        ("listener.name.external.max.connections", "10"),
        ("listener.name.external.max.connection.creation.rate", "3"),
        ("connections.max.idle.ms", "-1"),
    ] {
        broker.set(key, value).unwrap();
    }
    let config = NetworkConfig::of_broker(&broker, ["EXTERNAL", "PLAINTEXT"]).unwrap();
    assert_eq!(config.connections_per_ip("127.0.0.1".parse().unwrap()), 200);
    // The same host in IPv6's clothes.
    assert_eq!(config.connections_per_ip("::ffff:127.0.0.1".parse().unwrap()), 200);
    assert_eq!(config.connections_per_ip("::1".parse().unwrap()), 7);
    assert_eq!(config.connections_per_ip("127.0.0.2".parse().unwrap()), i32::MAX);
    assert_eq!(config.max_connections, 100);
    let external = ListenerLimits { max_connections: 10, max_connection_creation_rate: 3 };
    assert_eq!(config.listener_limits("EXTERNAL"), external);
    assert_eq!(config.listener_limits("PLAINTEXT").max_connections, 100);
    assert_eq!(config.connections_max_idle_ms, -1);
}

#[test]
fn the_receive_buffer_is_as_set_and_larger_than_kafkas_default_where_it_is_not() {
    let mut broker = BrokerConfig::default();
    let receive_buffer =
        |broker: &BrokerConfig| NetworkConfig::of_broker(broker, []).unwrap().socket_receive_buffer_bytes;
    assert_eq!(receive_buffer(&broker), 1024 * 1024);
    broker.set("socket.receive.buffer.bytes", "102400").unwrap();
    assert_eq!(receive_buffer(&broker), 102_400);
    broker.set("socket.receive.buffer.bytes", "-1").unwrap();
    assert_eq!(receive_buffer(&broker), -1);
}

#[test]
fn a_limit_for_an_unknown_host_names_the_host() {
    let error = resolve_overrides([("no.such.host.invalid".to_owned(), 1)]).unwrap_err();
    assert!(error.to_string().contains("'no.such.host.invalid'"), "{error}");
    assert_eq!(error.code(), ErrorCode::InvalidConfig);
}

#[test]
fn a_listener_rests_when_the_system_is_short_and_goes_on_after_a_client_that_left() {
    let listener = Listener::bind("PLAINTEXT", "127.0.0.1", 0, &NetworkConfig::default()).unwrap();
    let mut acceptor = Acceptor::new(FIRST_LISTENER_TOKEN, listener);
    let now = Duration::from_secs(5);
    acceptor.on_error(&io::ErrorKind::ConnectionAborted.into(), now);
    assert!(acceptor.may_accept(now));
    // Too many open files: the connection stays where it is, and nothing reports it again.
    acceptor.on_error(&io::Error::from_raw_os_error(24), now);
    assert_eq!(acceptor.hold, Hold::Backoff(now + ACCEPT_BACKOFF));
    assert_eq!(acceptor.resumes_at(), Some(now + ACCEPT_BACKOFF));
    assert!(!acceptor.may_accept(now));
    assert!(acceptor.may_accept(now + ACCEPT_BACKOFF));
    acceptor.on_error(&io::ErrorKind::WouldBlock.into(), now);
    assert!(!acceptor.may_accept(now));
    assert_eq!(acceptor.resumes_at(), None);
}
