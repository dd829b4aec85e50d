use std::convert::Infallible;

use crate::config::{BrokerConfig, settings_from_environment};

fn settings(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    let run = |command: &str| Ok::<_, Infallible>(format!("<{command}>\n"));
    settings_from_environment(variables.iter().copied(), run).unwrap()
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

#[test]
fn variables_of_the_prefix_become_settings() {
    let variables = [
        ("KAFKA_LOG_DIRS", "/data"),
        ("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "false"),
        ("KAFKA_LISTENER_NAME_INTERNAL_SSL_KEY_PASSWORD", "x"),
        ("kafka_broker_rack", "no"),
        ("MYKAFKA_BROKER_RACK", "no"),
        ("KAFKA_", "no"),
        ("PATH", "/bin"),
    ];
    assert_eq!(
        settings(&variables),
        [
            pair("auto.create.topics.enable", "false"),
            pair("listener.name.internal.ssl.key.password", "x"),
            pair("log.dirs", "/data"),
        ]
    );
}

#[test]
fn variables_of_the_container_are_not_settings() {
    let not_settings = [
        "KAFKA_VERSION",
        "KAFKA_HOME",
        "KAFKA_DEBUG",
        "KAFKA_GC_LOG_OPTS",
        "KAFKA_HEAP_OPTS",
        "KAFKA_JMX_OPTS",
        "KAFKA_JVM_PERFORMANCE_OPTS",
        "KAFKA_LOG",
        "KAFKA_LOG4J_OPTS",
        "KAFKA_OPTS",
    ];
    assert_eq!(settings(&not_settings.map(|name| (name, "x"))), []);
    assert_eq!(settings(&[("KAFKA_LOG_DIR", "x")]), [pair("log.dir", "x")]);
}

#[test]
fn more_underscores_spell_what_names_of_mechanisms_hold() {
    let name = "KAFKA_LISTENER_NAME_MY__NET_SCRAM___SHA___256_SASL_JAAS_CONFIG";
    assert_eq!(settings(&[(name, "x")]), [pair("listener.name.my_net.scram-sha-256.sasl.jaas.config", "x")]);
}

#[test]
fn a_key_with_capitals_is_found_by_its_letters() {
    let found = settings(&[("KAFKA_ZOOKEEPER_CLIENTCNXNSOCKET", "x")]);
    assert_eq!(found, [pair("zookeeper.clientCnxnSocket", "x")]);
}

#[test]
fn the_commands_are_run_by_whoever_was_handed_in() {
    let variables = [
        ("BROKER_ID_COMMAND", "id"),
        ("HOSTNAME_COMMAND", "host"),
        ("KAFKA_ADVERTISED_LISTENERS", "A://_{HOSTNAME_COMMAND}:1,B://_{HOSTNAME_COMMAND}:2"),
    ];
    assert_eq!(
        settings(&variables),
        [pair("advertised.listeners", "A://<host>:1,B://<host>:2"), pair("broker.id", "<id>")]
    );
}

#[test]
fn an_explicit_broker_id_wins_over_the_command_which_is_then_not_run() {
    let variables = [("BROKER_ID_COMMAND", "id"), ("KAFKA_BROKER_ID", "4")];
    let never = |command: &str| -> Result<String, String> { Err(command.to_owned()) };
    assert_eq!(settings_from_environment(variables, never).unwrap(), [pair("broker.id", "4")]);
    assert_eq!(settings_from_environment([("BROKER_ID_COMMAND", "id")], never).unwrap_err(), "id");
}

#[test]
fn without_the_command_the_mark_stays() {
    let variables = [("KAFKA_HOST_NAME", "_{HOSTNAME_COMMAND}")];
    assert_eq!(settings(&variables), [pair("host.name", "_{HOSTNAME_COMMAND}")]);
}

#[test]
fn a_topic_key_from_the_environment_is_answered_with_the_brokers_name_for_it() {
    let found = settings(&[("KAFKA_CLEANUP_POLICY", "compact")]);
    let (config, warnings) = BrokerConfig::from_properties(found).unwrap();
    assert!(config.log_cleanup_policy.delete && !config.log_cleanup_policy.compact);
    let texts: Vec<_> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "cleanup.policy: is a setting of topics, ignored; the broker's default for them is log.cleanup.policy"
        ]
    );
}
