//! What must hold for settings whatever the bytes are: driven by the fuzz target `properties`, and in small by the
//! tests.

use std::collections::BTreeMap;
use std::convert::Infallible;

use super::{
    BrokerConfig, ConfigError, DynamicBrokerConfig, LogConfig, Overrides, Properties, Scope,
    settings_from_environment,
};

/// The bytes of a properties file.
///
/// # Panics
/// If what was accepted is not what it must be then.
pub(crate) fn properties(data: &[u8]) {
    let properties = match Properties::parse(data) {
        Ok(properties) => properties,
        Err(error) => return check_refusal(&error),
    };
    let settings: Overrides = properties.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    assert_eq!(settings.len(), properties.iter().count(), "a key is there twice");
    check_escapes(&settings);
    check_broker(&settings);
    check_topic(&settings);
    check_changes(&settings);
    let variables = properties.iter().map(|(key, value)| (format!("KAFKA_{key}"), value));
    let run = |command: &str| Ok::<_, Infallible>(command.to_owned());
    let Ok(mapped) = settings_from_environment(variables, run);
    assert!(mapped.len() <= settings.len());
}

/// What is written with every character escaped is read back.
fn check_escapes(settings: &Overrides) {
    let escape =
        |text: &str| text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat();
    let text: String =
        settings.iter().map(|(key, value)| format!("{}={}\n", escape(key), escape(value))).collect();
    let again = Properties::parse(text.as_bytes()).expect("escapes are well-formed");
    for (key, value) in settings {
        assert_eq!(again.get(key), Some(value.as_str()), "{key:?}");
    }
}

fn check_broker(settings: &Overrides) {
    let config = match BrokerConfig::from_properties(settings) {
        Ok((config, warnings)) => {
            warnings.iter().for_each(|warning| assert!(!warning.to_string().is_empty()));
            config
        }
        Err(error) => return check_refusal(&error),
    };
    config.effective_listeners().expect("the settings were checked");
    let mut again = BrokerConfig::default();
    for key in BrokerConfig::keys() {
        if let Some(text) = config.get(key.name) {
            again.set(key.name, &text).expect("what is printed is admitted");
            assert_eq!(again.get(key.name), Some(text), "{}", key.name);
        }
    }
    let entries = DynamicBrokerConfig::new(config).describe_broker(|_| true);
    assert!(entries.iter().all(|entry| !entry.sensitive || entry.value.is_none()), "a secret is shown");
}

fn check_topic(settings: &Overrides) {
    match LogConfig::from_overrides(&BrokerConfig::default(), settings) {
        Ok(config) => assert!(config.conflicts().is_empty()),
        Err(error) => check_refusal(&error),
    }
}

/// A broker comes up whatever was kept for it, and what it leaves out it tells.
fn check_changes(settings: &Overrides) {
    let (restored, problems) =
        DynamicBrokerConfig::restore(BrokerConfig::default(), Overrides::new(), settings.clone());
    let kept = restored.overrides(Scope::Broker);
    assert!(kept.len() == settings.len() || !problems.is_empty(), "settings are left out in silence");
    let none = restored.replace(Scope::Broker, BTreeMap::new());
    if let Ok(none) = none {
        assert_eq!(**none.effective(), BrokerConfig::default());
    }
}

fn check_refusal(error: &ConfigError) {
    assert!(!error.problems().is_empty() && !error.to_string().is_empty());
}
