use std::net::Shutdown;
use std::thread;

use socket2::SockRef;

use super::*;
use crate::model::ErrorCode;

#[test]
fn thousands_of_silent_connections_cost_little_and_do_not_disturb() {
    // Both ends of each connection are in this process, whose descriptors may be few.
    let fixture = Fixture::start();
    let count = 3_000u64.min(descriptor_limit() / 4);
    let silent: Vec<TcpStream> = (0..count).map(|_| TcpStream::connect(fixture.address).unwrap()).collect();
    eventually("all are accepted", || fixture.server.metrics().connections == count);
    assert_eq!(fixture.server.metrics().receive_buffer_bytes, 0);
    assert_eq!(fixture.connect().ask(b"hello"), b"hello");
    drop(silent);
    eventually("all are closed", || fixture.server.metrics().connections <= 1);
}

#[cfg(unix)]
fn descriptor_limit() -> u64 {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX)
}

#[cfg(not(unix))]
fn descriptor_limit() -> u64 {
    4_000
}

#[test]
fn connections_are_spread_over_the_threads() {
    let fixture = Fixture::with(|config| config.num_network_threads = 3);
    let mut clients: Vec<Client> = (0..9).map(|_| fixture.connect()).collect();
    for client in &mut clients {
        assert_eq!(client.ask(b"here"), b"here");
    }
    assert_eq!(fixture.server.connections_per_thread(), [3, 3, 3]);
    clients.truncate(3);
    eventually("the others are closed", || fixture.closed() == 6);
}

#[test]
fn what_a_client_sent_before_it_half_closed_is_answered() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    client.send(NONE, b"");
    client.send(BULK, &5_000_000u32.to_be_bytes());
    client.stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.receive().len(), 5_000_000);
    client.expect_closed();
    eventually("the server has closed", || fixture.closed() == 1);
}

#[test]
fn an_end_that_arrives_together_with_the_last_request_is_noticed() {
    let fixture = Fixture::with(|config| config.num_network_threads = 1);
    let (mut client, mut other) = (fixture.connect(), fixture.connect());
    assert_eq!(client.ask(b"1"), b"1");
    let held = fixture.handler.held.lock();
    other.send(HOLD, b"");
    eventually("the thread is kept", || fixture.handled() == 2);
    client.send(ECHO, b"last");
    client.stream.shutdown(Shutdown::Write).unwrap();
    drop(held);
    assert_eq!(client.receive(), b"last");
    client.expect_closed();
    assert_eq!(other.receive(), b"");
}

#[test]
fn a_client_that_goes_while_its_request_waits_is_noticed() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    client.send(DEFER, b"nobody reads this");
    let deferred = fixture.deferred(1);
    drop(client);
    eventually("the server has closed", || fixture.closed() == 1);
    drop(deferred);
}

#[test]
fn a_reset_connection_ends_also_while_nothing_is_read_from_it() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    client.send(BULK, &30_000_000u32.to_be_bytes());
    eventually("its answer waits", || fixture.server.metrics().unsent_bytes > 0);
    SockRef::from(&client.stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
    eventually("the server has closed", || fixture.closed() == 1);
    eventually("nothing is held", || fixture.server.metrics().unsent_bytes == 0);
}

#[test]
fn a_reset_connection_ends_although_an_answer_before_its_end_is_still_due() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    client.send(DEFER, b"");
    client.send(CLOSE, b"");
    eventually("both are handled", || fixture.handled() == 2);
    let deferred = fixture.deferred(1);
    SockRef::from(&client.stream).set_linger(Some(Duration::ZERO)).unwrap();
    drop(client);
    eventually("the server has closed", || fixture.closed() == 1);
    drop(deferred);
}

#[test]
fn a_stop_sends_what_is_ready_and_ends_all_connections() {
    let fixture = Fixture::start();
    let (mut ready, mut waiting, mut silent) = (fixture.connect(), fixture.connect(), fixture.connect());
    ready.send(DEFER, b"just in time");
    let (body, responder) = fixture.deferred(1).remove(0);
    waiting.send(DEFER, b"too late");
    let late = fixture.deferred(1).remove(0).1;
    assert_eq!(silent.ask(b"1"), b"1");
    responder.send(body.into());
    fixture.server.shutdown();
    assert_eq!(ready.receive(), b"just in time");
    ready.expect_closed();
    waiting.expect_closed();
    silent.expect_closed();
    assert_eq!(fixture.closed(), 3);
    assert!(TcpStream::connect(fixture.address).is_err());
    late.send(Bytes::from_static(b"nowhere").into());
    fixture.server.shutdown();
}

#[test]
fn a_stop_does_not_wait_for_a_client_that_does_not_read() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    client.send(BULK, &30_000_000u32.to_be_bytes());
    eventually("its answer waits", || fixture.server.metrics().unsent_bytes > 0);
    let handler = Arc::clone(&fixture.handler);
    let clock = SystemClock::new();
    drop(fixture);
    assert!(clock.monotonic() < Duration::from_secs(10));
    assert_eq!(handler.closed.lock().len(), 1);
}

#[test]
fn a_removed_listener_takes_its_connections_with_it() {
    let fixture = Fixture::start();
    let other = Listener::bind("OTHER", "127.0.0.1", 0, &fixture.server.config()).unwrap();
    let other_address = other.local_addr();
    fixture.server.accept_from(other).unwrap();
    let (mut first, mut second) = (fixture.connect(), Client::connect(other_address));
    assert_eq!(first.ask(b"1"), b"1");
    assert_eq!(second.ask(b"2"), b"2");
    fixture.server.remove_listener("OTHER");
    assert!(TcpStream::connect(other_address).is_err());
    second.expect_closed();
    assert_eq!(first.ask(b"3"), b"3");
}

#[test]
fn the_number_of_threads_follows_the_settings() {
    let fixture = Fixture::with(|config| config.num_network_threads = 1);
    let mut first = fixture.connect();
    assert_eq!(first.ask(b"1"), b"1");
    let resize = |count| {
        let config = NetworkConfig { num_network_threads: count, ..NetworkConfig::default() };
        fixture.server.reconfigure(config).unwrap();
    };
    resize(3);
    let mut others: Vec<Client> = (0..2).map(|_| fixture.connect()).collect();
    for client in &mut others {
        assert_eq!(client.ask(b"2"), b"2");
    }
    assert_eq!(fixture.server.connections_per_thread(), [1, 1, 1]);
    resize(1);
    for client in &mut others {
        client.expect_closed();
    }
    assert_eq!(first.ask(b"3"), b"3");
    let mut last = fixture.connect();
    assert_eq!(last.ask(b"4"), b"4");
    assert_eq!(fixture.server.connections_per_thread(), [2]);
}

#[test]
fn a_port_in_use_is_named_in_the_error() {
    let fixture = Fixture::start();
    let error = Listener::bind("PLAINTEXT", "127.0.0.1", fixture.address.port(), &NetworkConfig::default())
        .unwrap_err();
    assert_eq!(error.to_string(), format!("listener PLAINTEXT: cannot listen on {}", fixture.address));
    assert_eq!(error.code(), ErrorCode::InvalidConfig);
    let error = Listener::bind("EXTERNAL", "no.such.host.invalid", 0, &NetworkConfig::default()).unwrap_err();
    assert_eq!(error.to_string(), "listener EXTERNAL: cannot resolve host 'no.such.host.invalid'");
}

#[test]
fn an_empty_host_listens_on_all_addresses() {
    let listener = Listener::bind("PLAINTEXT", "", 0, &NetworkConfig::default()).unwrap();
    assert!(listener.local_addr().ip().is_unspecified());
    assert_ne!(listener.local_addr().port(), 0);
    assert!(TcpStream::connect(("127.0.0.1", listener.local_addr().port())).is_ok());
}

#[test]
fn a_handler_may_stop_the_server_that_calls_it() {
    struct Stopper(Mutex<Option<SocketServer>>);
    impl RequestHandler for Stopper {
        type Session = ();
        fn connection_opened(&self, _connection: &Arc<ConnectionContext>) {}
        fn handle(&self, _: &Arc<ConnectionContext>, (): &mut (), frame: Bytes, _: Slot<'_>) -> Outcome {
            drop(self.0.lock().take());
            Outcome::Respond(frame.into())
        }
        fn connection_closed(&self, _connection: &Arc<ConnectionContext>, (): ()) {}
    }
    let config = NetworkConfig::default();
    let listener = Listener::bind("PLAINTEXT", "127.0.0.1", 0, &config).unwrap();
    let address = listener.local_addr();
    let handler = Arc::new(Stopper(Mutex::default()));
    let server = SocketServer::start(config, Arc::clone(&handler), &Env::system()).unwrap();
    server.accept_from(listener).unwrap();
    *handler.0.lock() = Some(server);
    let mut client = Client::connect(address);
    client.send(b' ', b"last");
    assert_eq!(client.receive(), b" last");
    client.expect_closed();
}

#[test]
fn clients_from_many_threads_are_all_served() {
    let fixture = Fixture::with(|config| config.num_network_threads = 3);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut client = fixture.connect();
                for number in 0..500u32 {
                    let kind = if number % 2 == 0 { ECHO } else { DEFER_AND_ECHO };
                    client.send(kind, &number.to_be_bytes());
                    assert_eq!(client.receive(), number.to_be_bytes());
                }
            });
        }
    });
    assert_eq!(fixture.server.metrics().requests, 4000);
}

#[test]
fn a_stopped_server_lets_go_of_its_handler() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    client.send(DEFER, b"");
    let deferred = fixture.deferred(1);
    let handler = Arc::downgrade(&fixture.handler);
    drop(fixture);
    drop(deferred);
    assert_eq!(handler.strong_count(), 0);
}
