use std::net::IpAddr;

use super::*;

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
        config.max_connections_per_ip_overrides = parse_per_ip_overrides(["localhost:1"]).unwrap();
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

#[test]
fn limits_for_hosts_are_read_as_kafka_writes_them() {
    let limits = parse_per_ip_overrides(["127.0.0.1:200", " ::1:7 ", "", "[fe80::1]:0"]).unwrap();
    let of = |address: &str| limits.get(&address.parse::<IpAddr>().unwrap()).copied();
    assert_eq!(of("127.0.0.1"), Some(200));
    assert_eq!(of("::1"), Some(7));
    assert_eq!(of("fe80::1"), Some(0));
    assert_eq!(of("127.0.0.2"), None);
    for wrong in ["127.0.0.1", "127.0.0.1:many", "127.0.0.1:-1"] {
        assert!(matches!(parse_per_ip_overrides([wrong]), Err(OverrideError::Malformed { .. })), "{wrong}");
    }
    assert!(matches!(
        parse_per_ip_overrides(["no.such.host.invalid:1"]),
        Err(OverrideError::UnknownHost { .. })
    ));
}

#[test]
fn an_address_in_ipv6_clothes_is_counted_as_itself() {
    let config = NetworkConfig {
        max_connections_per_ip_overrides: parse_per_ip_overrides(["10.0.0.1:3"]).unwrap(),
        ..NetworkConfig::default()
    };
    assert_eq!(config.connections_per_ip("::ffff:10.0.0.1".parse().unwrap()), 3);
    assert_eq!(config.connections_per_ip("10.0.0.2".parse().unwrap()), i32::MAX);
}
