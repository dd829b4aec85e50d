use crate::config::{BrokerConfig, Listeners, SecurityProtocol};

fn config(settings: &[(&str, &str)]) -> BrokerConfig {
    let mut config = BrokerConfig::default();
    for (name, text) in settings {
        config.set(name, text).unwrap();
    }
    config
}

fn listeners(settings: &[(&str, &str)]) -> Listeners {
    config(settings).effective_listeners().unwrap_or_else(|problems| panic!("{settings:?}: {problems:?}"))
}

fn texts(settings: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let listeners = listeners(settings);
    let texts = |endpoints: &[crate::config::Endpoint]| endpoints.iter().map(ToString::to_string).collect();
    (texts(&listeners.bound), texts(&listeners.advertised))
}

fn problems(settings: &[(&str, &str)]) -> Vec<String> {
    let problems = config(settings).effective_listeners().expect_err(&format!("{settings:?}"));
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn by_default_every_interface_is_bound_at_9092() {
    let expected = vec!["PLAINTEXT://:9092".to_owned()];
    assert_eq!(texts(&[]), (expected.clone(), expected));
}

#[test]
fn several_listeners_keep_their_order_and_have_their_protocols() {
    let settings = [
        ("listeners", "inner://10.0.0.1:9092 , Outer://[::1]:9093,LATER://:0"),
        ("listener.security.protocol.map", "INNER:plaintext,outer:SASL_SSL,LATER:SSL"),
        ("advertised.listeners", "OUTER://kafka.example:443,INNER://10.0.0.1:443"),
    ];
    let listeners = listeners(&settings);
    let protocols: Vec<_> = listeners.bound.iter().map(|endpoint| endpoint.security_protocol).collect();
    assert_eq!(protocols, [SecurityProtocol::Plaintext, SecurityProtocol::SaslSsl, SecurityProtocol::Ssl]);
    let (bound, advertised) = texts(&settings);
    assert_eq!(bound, ["INNER://10.0.0.1:9092", "OUTER://[::1]:9093", "LATER://:0"]);
    assert_eq!(advertised, ["OUTER://kafka.example:443", "INNER://10.0.0.1:443"]);
    assert_eq!(listeners.advertised_of("OUTER").unwrap().host, "kafka.example");
    assert_eq!(listeners.advertised_of("LATER"), None);
}

#[test]
fn the_legacy_keys_say_host_and_port_where_the_newer_ones_do_not() {
    let (bound, advertised) = texts(&[("port", "1234"), ("host.name", "localhost")]);
    assert_eq!(
        (bound, advertised),
        (vec!["PLAINTEXT://localhost:1234".into()], vec!["PLAINTEXT://localhost:1234".into()])
    );
    let (bound, advertised) =
        texts(&[("port", "1234"), ("advertised.host.name", "shop"), ("advertised.port", "9")]);
    assert_eq!((bound, advertised), (vec!["PLAINTEXT://:1234".into()], vec!["PLAINTEXT://shop:9".into()]));
    let (bound, advertised) = texts(&[("host.name", "a"), ("advertised.port", "9")]);
    assert_eq!((bound, advertised), (vec!["PLAINTEXT://a:9092".into()], vec!["PLAINTEXT://a:9".into()]));
    let (bound, _) = texts(&[("listeners", "PLAINTEXT://:9092"), ("port", "1234")]);
    assert_eq!(bound, ["PLAINTEXT://:9092"]);
    let (_, advertised) = texts(&[("advertised.listeners", "PLAINTEXT://x:1"), ("advertised.port", "9")]);
    assert_eq!(advertised, ["PLAINTEXT://x:1"]);
}

#[test]
fn port_0_may_come_any_number_of_times_and_others_once() {
    let map = ("listener.security.protocol.map", "A:PLAINTEXT,B:PLAINTEXT,C:PLAINTEXT");
    assert_eq!(texts(&[map, ("listeners", "A://:0,B://:0,C://:0")]).0.len(), 3);
    assert_eq!(texts(&[map, ("listeners", "A://127.0.0.1:5,B://[::1]:5")]).0.len(), 2);
    assert_eq!(
        problems(&[map, ("listeners", "A://127.0.0.1:5,B://127.0.0.2:5,C://:6")]),
        ["listeners=B://127.0.0.2:5: another listener has the same port"]
    );
    assert_eq!(
        problems(&[map, ("listeners", "A://:0,a://:0")]),
        ["listeners=A://:0: another listener has the same name"]
    );
}

#[test]
fn malformed_and_unmapped_listeners_are_all_reported() {
    let text = "nonsense,PLAINTEXT://h,PLAINTEXT://h:65536,PLAINTEXT://h:-1,://h:1,PLAINTEXT://[::1:9,OTHER://h:1,SSL://a b:1";
    let problems = problems(&[("listeners", text)]);
    let malformed = problems.iter().filter(|problem| problem.contains("is not NAME://host:port")).count();
    assert_eq!(malformed, 7, "{problems:?}");
    assert!(
        problems.contains(
            &"listeners=OTHER://h:1: listener.security.protocol.map does not say how OTHER is protected; \
          add OTHER:PLAINTEXT to it"
                .to_owned()
        )
    );
    assert_eq!(problems.len(), 8);
}

#[test]
fn what_leads_clients_nowhere_is_not_advertised() {
    let problems_of = |settings| problems(settings).join("\n");
    assert!(problems_of(&[("advertised.listeners", "PLAINTEXT://0.0.0.0:9092")]).contains("leads nowhere"));
    assert!(problems_of(&[("listeners", "PLAINTEXT://0.0.0.0:9092")]).contains("set advertised.listeners"));
    let fine = [("listeners", "PLAINTEXT://0.0.0.0:9092"), ("advertised.listeners", "PLAINTEXT://here:9092")];
    assert_eq!(texts(&fine).1, ["PLAINTEXT://here:9092"]);
}

#[test]
fn only_listeners_that_exist_are_advertised() {
    assert_eq!(
        problems(&[("advertised.listeners", "SSL://here:1")]),
        ["advertised.listeners=SSL://here:1: no such listener; listeners has PLAINTEXT"]
    );
    assert_eq!(
        problems(&[("inter.broker.listener.name", "ssl")]),
        ["inter.broker.listener.name=SSL: is not advertised; advertised.listeners has PLAINTEXT"]
    );
}

/// Apache Kafka's own `server.properties` of 4.x advertises its controller's listener, which is for other controllers.
#[test]
fn listeners_of_controllers_are_not_advertised_to_clients() {
    let of = |listeners, advertised: &'static str| {
        let mut settings = vec![
            ("listeners", listeners),
            ("controller.listener.names", "CONTROLLER"),
            ("listener.security.protocol.map", "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT"),
        ];
        settings.extend(Some(("advertised.listeners", advertised)).filter(|_| !advertised.is_empty()));
        settings
    };
    let two = "PLAINTEXT://:1,CONTROLLER://:2";
    for advertised in ["", "PLAINTEXT://:1,CONTROLLER://here:2"] {
        assert_eq!(texts(&of(two, advertised)).1, ["PLAINTEXT://:1"]);
    }
    for (listeners, advertised, wrong) in
        [("CONTROLLER://:2", "", "CONTROLLER"), (two, "CONTROLLER://here:2", "PLAINTEXT,CONTROLLER")]
    {
        let expected = format!(
            "listeners={wrong}: has none for clients, but only those of controller.listener.names; add one, such as \
             PLAINTEXT://:9092"
        );
        assert_eq!(problems(&of(listeners, advertised)), [expected]);
    }
}

#[test]
fn without_any_listener_it_is_told_so() {
    for advertised in [None, Some(("advertised.listeners", "PLAINTEXT://here:1"))] {
        let settings: Vec<_> = [("listeners", "")].into_iter().chain(advertised).collect();
        let expected = "listeners=: names no listener, so that no client could come; name one, such as PLAINTEXT://:9092";
        assert_eq!(problems(&settings), [expected]);
    }
}

#[test]
fn a_malformed_protocol_map_is_reported() {
    let problems = problems(&[("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,X:TLS,Y")]);
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(
        problems[0].starts_with("listener.security.protocol.map=X:TLS: is not NAME:PROTOCOL"),
        "{problems:?}"
    );
}
