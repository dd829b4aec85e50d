//! Settings from the environment, as Kafka's common container entry point maps them.

use super::broker::BrokerConfig;

/// Variables of this prefix that tell the container's scripts, not the broker.
const NOT_SETTINGS: [&str; 10] = [
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

/// Stands in a value for what `HOSTNAME_COMMAND` prints.
const HOSTNAME_MARK: &str = "_{HOSTNAME_COMMAND}";

/// Reads settings from environment variables: `KAFKA_LOG_DIRS` becomes `log.dirs`.
///
/// The prefix falls away, capitals become small letters, `_` becomes a dot; and, for the names of listeners and
/// mechanisms, `__` becomes `_` and `___` becomes `-`. `BROKER_ID_COMMAND` and `HOSTNAME_COMMAND` are handed to `run`,
/// which has the shell run them and answers what they print: the one becomes `broker.id` where `KAFKA_BROKER_ID` is not
/// given, the other takes the place of `_{HOSTNAME_COMMAND}` in values.
///
/// # Examples
/// ```
/// let variables = [
///     ("KAFKA_LOG_DIRS", "/data"),
///     ("KAFKA_HEAP_OPTS", "-Xmx1g"),
///     ("KAFKA_ADVERTISED_LISTENERS", "PLAINTEXT://_{HOSTNAME_COMMAND}:9092"),
///     ("HOSTNAME_COMMAND", "hostname -f"),
/// ];
/// let settings = ottla::settings_from_environment(variables, |command| {
///     assert_eq!(command, "hostname -f");
///     Ok::<_, std::io::Error>("shop-1.example\n".to_owned())
/// })?;
/// assert_eq!(settings[0], ("advertised.listeners".to_owned(), "PLAINTEXT://shop-1.example:9092".to_owned()));
/// assert_eq!(settings[1], ("log.dirs".to_owned(), "/data".to_owned()));
/// assert_eq!(settings.len(), 2);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// Whatever `run` fails with.
pub fn settings_from_environment<N, V, E>(
    variables: impl IntoIterator<Item = (N, V)>,
    mut run: impl FnMut(&str) -> Result<String, E>,
) -> Result<Vec<(String, String)>, E>
where
    N: AsRef<str>,
    V: AsRef<str>,
{
    let mut settings = Vec::new();
    let mut broker_id_command = None;
    let mut hostname_command = None;
    for (name, value) in variables {
        let (name, value) = (name.as_ref(), value.as_ref().to_owned());
        match name {
            "BROKER_ID_COMMAND" => broker_id_command = Some(value),
            "HOSTNAME_COMMAND" => hostname_command = Some(value),
            name if NOT_SETTINGS.contains(&name) => {}
            name => {
                if let Some(rest) = name.strip_prefix("KAFKA_").filter(|rest| !rest.is_empty()) {
                    settings.push((key_of(rest), value));
                }
            }
        }
    }
    if let Some(command) = broker_id_command.filter(|command| !command.is_empty())
        && !settings.iter().any(|(key, _)| key == "broker.id")
    {
        settings.push(("broker.id".to_owned(), run(&command)?.trim().to_owned()));
    }
    if let Some(command) = hostname_command.filter(|command| !command.is_empty()) {
        let hostname = run(&command)?.trim().to_owned();
        for (_, value) in &mut settings {
            *value = value.replace(HOSTNAME_MARK, &hostname);
        }
    }
    // The environment has no order; so that messages have one.
    settings.sort();
    Ok(settings)
}

/// `LOG_DIRS` to `log.dirs`; a key with capitals in it is found by its letters.
fn key_of(name: &str) -> String {
    let lower = name.to_lowercase();
    let mut key = String::with_capacity(lower.len());
    let mut underscores = 0;
    for c in lower.chars().chain(['\0']) {
        if c == '_' {
            underscores += 1;
            continue;
        }
        match underscores {
            0 => {}
            1 => key.push('.'),
            2 => key.push('_'),
            3 => key.push('-'),
            more => key.extend(std::iter::repeat_n('.', more)),
        }
        underscores = 0;
        if c != '\0' {
            key.push(c);
        }
    }
    match BrokerConfig::keys().iter().find(|known| known.name.eq_ignore_ascii_case(&key)) {
        Some(known) => known.name.to_owned(),
        None => key,
    }
}
