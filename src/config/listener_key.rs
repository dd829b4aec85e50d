//! Settings of a single listener: `listener.name.<listener>.<key>`, and for SASL
//! `listener.name.<listener>.<mechanism>.<key>`.

/// The parts of such a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ListenerKey<'a> {
    pub(crate) listener: &'a str,
    pub(crate) mechanism: Option<&'a str>,
    pub(crate) base: &'a str,
}

/// The settings that can be given per SASL mechanism (Kafka: `DynamicBrokerConfig.ListenerMechanismConfigs`).
const PER_MECHANISM: [&str; 5] = [
    "sasl.jaas.config",
    "sasl.login.callback.handler.class",
    "sasl.login.class",
    "sasl.server.callback.handler.class",
    "connections.max.reauth.ms",
];

impl<'a> ListenerKey<'a> {
    pub(crate) fn parse(name: &'a str) -> Option<Self> {
        let (listener, rest) = name.strip_prefix("listener.name.")?.split_once('.')?;
        for base in PER_MECHANISM {
            let mechanism = rest.strip_suffix(base).and_then(|mechanism| mechanism.strip_suffix('.'));
            if let Some(mechanism) = mechanism.filter(|mechanism| !mechanism.is_empty()) {
                let base = rest.get(mechanism.len() + 1..)?;
                return Some(ListenerKey { listener, mechanism: Some(mechanism), base });
            }
        }
        Some(ListenerKey { listener, mechanism: None, base: rest })
    }
}
