//! Opening and closing listeners.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use kafka_protocol_018::messages::MetadataRequest;
use ottla::{Broker, ErrorCode};

use super::api_versions;
use super::client::Client;
use super::fetching::fetch_values;
use super::fixture::Fixture;
use super::producing::append;
use super::records::batch;

/// Host and port that a client of this listener is told.
fn advertised(address: SocketAddr) -> (String, i32) {
    let request = MetadataRequest::default().with_topics(Some(Vec::new()));
    let broker = Client::connect(address).call(1, &request).brokers.remove(0);
    (broker.host.to_string(), broker.port)
}

fn local(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

#[test]
fn a_taken_port_is_named_with_what_can_be_done() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let broker = Broker::temporary().unwrap();
    let error = broker.listen(&address).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidConfig);
    let message = error.to_string();
    assert!(message.contains(&address) && message.contains("choose another port"), "{message}");
    drop(taken);
    broker.listen(&address).unwrap();
}

#[test]
fn what_is_no_address_is_refused() {
    let broker = Broker::temporary().unwrap();
    for address in
        ["", "localhost", "localhost:", "localhost:port", "localhost:70000", "::1:9092", "[::1:9092"]
    {
        let error = broker.listen(address).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidConfig, "{address}");
        assert!(error.to_string().contains("HOST:PORT is expected"), "{error}");
    }
    let error = broker.listen("no.such.host.invalid:0").unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidConfig);
    assert!(error.to_string().contains("no.such.host.invalid"), "{error}");
}

#[test]
fn several_listeners_serve_the_same_topics_and_each_advertises_itself() {
    let fixture = Fixture::start();
    let second = fixture.broker.listen("localhost:0").unwrap();
    assert_eq!((fixture.listener.name(), second.name()), ("PLAINTEXT", "PLAINTEXT-2"));
    append(&mut fixture.create_topic("t", 1, &[]), "t", batch(&["a"]));
    let mut client = Client::connect(second.local_addr());
    assert_eq!(fetch_values(&mut client, "t"), [(0, "a".to_owned())]);
    let first = fixture.listener.local_addr();
    assert_eq!(advertised(first), ("127.0.0.1".to_owned(), i32::from(first.port())));
    let second = second.local_addr();
    assert_eq!(advertised(second), ("localhost".to_owned(), i32::from(second.port())));
}

#[test]
fn a_closed_listener_takes_its_connections_with_it_and_the_others_stay() {
    let fixture = Fixture::start();
    let second = fixture.broker.listen("127.0.0.1:0").unwrap();
    let mut stays = fixture.connect();
    let mut goes = Client::connect(second.local_addr());
    goes.call(3, &api_versions::request());
    second.close();
    second.close();
    goes.expect_closed();
    assert!(TcpStream::connect(second.local_addr()).is_err());
    stays.call(3, &api_versions::request());
    // Its name is free again, and closing it once more does not close who has it now.
    let third = fixture.broker.listen("127.0.0.1:0").unwrap();
    assert_eq!(third.name(), second.name());
    second.close();
    Client::connect(third.local_addr()).call(3, &api_versions::request());
}

#[test]
fn a_listener_lives_on_when_its_handle_is_dropped() {
    let broker = Broker::temporary().unwrap();
    let address = broker.listen("127.0.0.1:0").unwrap().local_addr();
    Client::connect(address).call(3, &api_versions::request());
    broker.close();
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_listener_keeps_its_broker_open() {
    let Fixture { broker, listener } = Fixture::start();
    drop(broker);
    let mut client = Client::connect(listener.local_addr());
    client.call(3, &api_versions::request());
    let address = listener.local_addr();
    drop(listener);
    client.expect_closed();
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_fetch_that_waits_does_not_keep_its_broker_open() {
    let fixture = Fixture::start();
    let mut reader = fixture.create_topic("t", 1, &[]);
    reader.send(11, &super::fetching::request("t", 0, 0).with_max_wait_ms(i32::MAX));
    // Taken up by the time that another connection is answered: there is one network thread.
    fixture.connect().call(3, &api_versions::request());
    let dir = fixture.broker.log_dirs().remove(0);
    drop(fixture);
    reader.expect_closed();
    assert!(!dir.exists());
}

#[test]
fn a_closed_broker_opens_no_listener() {
    let broker = Broker::temporary().unwrap();
    broker.close();
    assert_eq!(broker.listen("127.0.0.1:0").unwrap_err().code(), ErrorCode::BrokerNotAvailable);
}

#[test]
fn configured_listeners_advertise_what_the_settings_say() {
    let broker = Broker::builder()
        .temporary()
        .set("listeners", "INSIDE://127.0.0.1:0,OUTSIDE://127.0.0.1:0,PLAIN://127.0.0.1:0")
        .set(
            "advertised.listeners",
            "INSIDE://inside.example:0,OUTSIDE://outside.example:19092,PLAIN://127.0.0.1:0",
        )
        .set("listener.security.protocol.map", "INSIDE:PLAINTEXT,OUTSIDE:PLAINTEXT,PLAIN:PLAINTEXT")
        .set("inter.broker.listener.name", "INSIDE")
        .open()
        .unwrap();
    let listeners = broker.listen_configured().unwrap();
    let ports: Vec<u16> = listeners.iter().map(|listener| listener.local_addr().port()).collect();
    assert_eq!(advertised(local(ports[0])), ("inside.example".to_owned(), i32::from(ports[0])));
    assert_eq!(advertised(local(ports[1])), ("outside.example".to_owned(), 19092));
    assert_eq!(advertised(local(ports[2])), ("127.0.0.1".to_owned(), i32::from(ports[2])));
    let bootstrap: Vec<String> = listeners.iter().map(|listener| listener.bootstrap_servers()).collect();
    assert_eq!(bootstrap[0], format!("inside.example:{}", ports[0]));
    assert_eq!(bootstrap[1], "outside.example:19092");
    let error = broker.listen_configured().unwrap_err();
    assert!(error.to_string().contains("a listener with the name INSIDE is open already"), "{error}");
}

#[test]
fn a_configured_listener_without_a_host_tells_clients_the_address_that_they_use() {
    let broker = Broker::builder().temporary().set("listeners", "PLAINTEXT://:0").open().unwrap();
    let listener = broker.listen_configured().unwrap().remove(0);
    let port = listener.local_addr().port();
    assert_eq!(listener.bootstrap_servers(), format!("localhost:{port}"));
    assert_eq!(advertised(local(port)), ("127.0.0.1".to_owned(), i32::from(port)));
}

#[test]
fn either_all_configured_listeners_are_opened_or_none() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let listeners = format!("A://{free},B://{}", taken.local_addr().unwrap());
    let broker = Broker::builder()
        .temporary()
        .set("listeners", listeners)
        .set("listener.security.protocol.map", "A:PLAINTEXT,B:PLAINTEXT")
        .set("inter.broker.listener.name", "A")
        .open()
        .unwrap();
    let error = broker.listen_configured().unwrap_err();
    assert!(error.to_string().contains("listener B"), "{error}");
    assert!(TcpStream::connect(free).is_err());
    drop(taken);
    assert_eq!(broker.listen_configured().unwrap().len(), 2);
}

#[test]
fn a_listener_that_is_to_be_protected_is_refused_with_a_reason() {
    for protocol in ["SSL", "SASL_PLAINTEXT", "SASL_SSL"] {
        let opened = Broker::builder()
            .temporary()
            .set("listeners", "SAFE://127.0.0.1:0")
            .set("listener.security.protocol.map", format!("SAFE:{protocol}"))
            .set("inter.broker.listener.name", "SAFE")
            .open();
        let error = match opened {
            Ok(broker) => broker.listen_configured().unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(error.code(), ErrorCode::InvalidConfig);
        assert!(error.to_string().contains(protocol), "{error}");
    }
}

#[test]
fn closing_the_broker_ends_waiting_fetches_and_all_connections() {
    let fixture = Fixture::start();
    let mut reader = fixture.create_topic("t", 1, &[]);
    reader.send(11, &super::fetching::request("t", 0, 0).with_max_wait_ms(i32::MAX));
    let mut idle = fixture.connect();
    fixture.broker.close();
    reader.expect_closed();
    idle.expect_closed();
}

#[test]
fn bytes_of_another_protocol_end_their_connection_and_no_other() {
    let fixture = Fixture::start();
    let mut browser = TcpStream::connect(fixture.listener.local_addr()).unwrap();
    browser.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // Closed with bytes unread, so that it may look like a reset.
    let _ = browser.read_to_end(&mut answer);
    assert!(answer.is_empty());
    fixture.connect().call(3, &api_versions::request());
}
