//! Where the broker listens, and under which addresses clients find it.

use std::collections::BTreeMap;
use std::fmt;

use super::broker::BrokerConfig;
use super::choice::SecurityProtocol;
use super::error::ConfigProblem;
use super::value::split_list;

/// One listener: its name, how it is protected, and its address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Endpoint {
    /// In capitals, as Kafka compares them.
    pub(crate) listener_name: String,
    pub(crate) security_protocol: SecurityProtocol,
    /// Empty where none is given: every interface to bind, the machine's own name to advertise.
    pub(crate) host: String,
    /// 0 to bind whichever port is free.
    pub(crate) port: u16,
}

/// Prints `NAME://host:port`, with brackets around an IPv6 address.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (open, close) = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{}://{open}{}{close}:{}", self.listener_name, self.host, self.port)
    }
}

/// What `listeners`, `advertised.listeners` and the legacy `port`, `host.name`, `advertised.*` come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listeners {
    /// The addresses to bind, in the order they were given.
    pub(crate) bound: Vec<Endpoint>,
    /// The addresses for clients, by listener name; a bound port 0 still stands here as 0.
    pub(crate) advertised: Vec<Endpoint>,
}

impl Listeners {
    /// The address that clients of a listener are given.
    pub(crate) fn advertised_of(&self, listener_name: &str) -> Option<&Endpoint> {
        self.advertised.iter().find(|endpoint| endpoint.listener_name == listener_name)
    }
}

const LISTENERS: &str = "listeners";
const ADVERTISED: &str = "advertised.listeners";
const PROTOCOL_MAP: &str = "listener.security.protocol.map";

impl BrokerConfig {
    /// The listeners, checked as Kafka checks them; every problem is listed.
    pub(crate) fn effective_listeners(&self) -> Result<Listeners, Vec<ConfigProblem>> {
        let mut problems = Vec::new();
        let protocols = self.security_protocols(&mut problems);
        let mut reader = Reader { protocols: &protocols, problems: &mut problems };
        let bound = reader.read(LISTENERS, &self.listener_texts());
        reader.check_names(LISTENERS, &bound);
        reader.check_ports(&bound);
        let mut advertised = match self.advertised_texts() {
            Some(texts) => {
                let advertised = reader.read(ADVERTISED, &texts);
                reader.check_names(ADVERTISED, &advertised);
                advertised
            }
            None => bound.clone(),
        };
        // Those of controllers are not for clients, even where `advertised.listeners` has them for other controllers
        // (Kafka: `KafkaConfig#effectiveAdvertisedBrokerListeners`).
        let controllers = split_list(self.controller_listener_names.as_deref().unwrap_or_default());
        let is_controllers = |endpoint: &Endpoint| {
            controllers.iter().any(|name| name.eq_ignore_ascii_case(&endpoint.listener_name))
        };
        advertised.retain(|endpoint| !is_controllers(endpoint));
        if problems.is_empty() {
            problems = self.advertised_conflicts(&bound, &advertised);
        }
        if problems.is_empty() { Ok(Listeners { bound, advertised }) } else { Err(problems) }
    }

    /// `listeners`, or what `host.name` and `port` say in its place (Kafka 2.7: `KafkaConfig#listeners`).
    fn listener_texts(&self) -> Vec<String> {
        let has_legacy = self.is_given("host.name") || self.is_given("port");
        if has_legacy && !self.is_given(LISTENERS) {
            return vec![format!("PLAINTEXT://{}:{}", self.host_name, self.port)];
        }
        self.listeners.clone()
    }

    fn advertised_texts(&self) -> Option<Vec<String>> {
        if self.advertised_listeners.is_some() {
            return self.advertised_listeners.clone();
        }
        if self.advertised_host_name.is_none() && self.advertised_port.is_none() {
            return None;
        }
        let host = self.advertised_host_name.as_deref().unwrap_or(&self.host_name);
        let port = self.advertised_port.unwrap_or(self.port);
        Some(vec![format!("PLAINTEXT://{host}:{port}")])
    }

    /// `listener.security.protocol.map`: listener name, in capitals, to its protocol.
    fn security_protocols(&self, problems: &mut Vec<ConfigProblem>) -> BTreeMap<String, SecurityProtocol> {
        let mut protocols = BTreeMap::new();
        for pair in split_list(&self.listener_security_protocol_map) {
            if pair.is_empty() {
                continue;
            }
            let parts = pair.rsplit_once(':').map(|(name, protocol)| {
                (name.trim().to_uppercase(), SecurityProtocol::from_name(&protocol.trim().to_uppercase()))
            });
            match parts {
                Some((name, Some(protocol))) => drop(protocols.insert(name, protocol)),
                _ => {
                    let reason = "is not NAME:PROTOCOL with one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL"
                        .to_owned();
                    problems.push(ConfigProblem::Conflict { key: PROTOCOL_MAP, value: pair, reason });
                }
            }
        }
        protocols
    }

    fn advertised_conflicts(&self, bound: &[Endpoint], advertised: &[Endpoint]) -> Vec<ConfigProblem> {
        let names = |endpoints: &[Endpoint]| {
            endpoints.iter().map(|endpoint| endpoint.listener_name.clone()).collect::<Vec<_>>().join(",")
        };
        let mut problems = Vec::new();
        if bound.is_empty() {
            let reason =
                "names no listener, so that no client could come; name one, such as PLAINTEXT://:9092";
            let (key, value, reason) = (LISTENERS, String::new(), reason.to_owned());
            return vec![ConfigProblem::Conflict { key, value, reason }];
        }
        if advertised.is_empty() {
            let reason = "has none for clients, but only those of controller.listener.names; add one, such as \
                          PLAINTEXT://:9092";
            let (key, value, reason) = (LISTENERS, names(bound), reason.to_owned());
            problems.push(ConfigProblem::Conflict { key, value, reason });
        }
        for endpoint in advertised {
            let mut refuse = |reason| {
                problems.push(ConfigProblem::Conflict {
                    key: ADVERTISED,
                    value: endpoint.to_string(),
                    reason,
                });
            };
            if endpoint.host == "0.0.0.0" && self.advertised_texts().is_some() {
                refuse("0.0.0.0 leads nowhere; advertise an address that clients can reach".to_owned());
            } else if endpoint.host == "0.0.0.0" {
                refuse(
                    "listeners binds 0.0.0.0, which leads clients nowhere; set advertised.listeners to an address \
                     that they can reach, or leave the host in listeners empty"
                        .to_owned(),
                );
            }
            if !bound.iter().any(|b| b.listener_name == endpoint.listener_name) {
                refuse(format!("no such listener; listeners has {}", names(bound)));
            }
        }
        let inter_broker = self.inter_broker_listener_name.as_ref().map(|name| name.to_uppercase());
        if let Some(name) = inter_broker.filter(|name| !advertised.iter().any(|a| a.listener_name == *name)) {
            let reason = format!("is not advertised; advertised.listeners has {}", names(advertised));
            problems.push(ConfigProblem::Conflict { key: "inter.broker.listener.name", value: name, reason });
        }
        problems
    }
}

struct Reader<'a> {
    protocols: &'a BTreeMap<String, SecurityProtocol>,
    problems: &'a mut Vec<ConfigProblem>,
}

impl Reader<'_> {
    fn refuse(&mut self, key: &'static str, value: impl Into<String>, reason: impl Into<String>) {
        self.problems.push(ConfigProblem::Conflict { key, value: value.into(), reason: reason.into() });
    }

    fn read(&mut self, key: &'static str, texts: &[String]) -> Vec<Endpoint> {
        let mut endpoints = Vec::new();
        for text in texts.iter().filter(|text| !text.trim().is_empty()) {
            let Some((name, host, port)) = split_endpoint(text.trim()) else {
                self.refuse(key, text, "is not NAME://host:port with a port from 0 to 65535");
                continue;
            };
            let Some(&security_protocol) = self.protocols.get(&name) else {
                let reason = format!(
                    "{PROTOCOL_MAP} does not say how {name} is protected; add {name}:PLAINTEXT to it"
                );
                self.refuse(key, text, reason);
                continue;
            };
            endpoints.push(Endpoint { listener_name: name, security_protocol, host: host.to_owned(), port });
        }
        endpoints
    }

    fn check_names(&mut self, key: &'static str, endpoints: &[Endpoint]) {
        for (i, endpoint) in endpoints.iter().enumerate() {
            if endpoints.iter().take(i).any(|earlier| earlier.listener_name == endpoint.listener_name) {
                self.refuse(key, endpoint.to_string(), "another listener has the same name");
            }
        }
    }

    /// Two listeners may share a port only when one is IPv4 and the other IPv6
    /// (Kafka: `CoreUtils.listenerListToEndPoints`).
    fn check_ports(&mut self, endpoints: &[Endpoint]) {
        let is_v4 = |host: &str| host.parse::<std::net::Ipv4Addr>().is_ok();
        let is_v6 = |host: &str| host.parse::<std::net::Ipv6Addr>().is_ok();
        for (i, endpoint) in endpoints.iter().enumerate().filter(|(_, endpoint)| endpoint.port != 0) {
            let clashes = |earlier: &&Endpoint| {
                let (a, b) = (earlier.host.as_str(), endpoint.host.as_str());
                earlier.port == endpoint.port && !(is_v4(a) && is_v6(b) || is_v6(a) && is_v4(b))
            };
            if endpoints.iter().take(i).any(|earlier| clashes(&earlier)) {
                self.refuse(LISTENERS, endpoint.to_string(), "another listener has the same port");
            }
        }
    }
}

/// Splits `NAME://host:port`; the host may be in brackets (Kafka: `EndPoint.uriParseExp`).
fn split_endpoint(text: &str) -> Option<(String, &str, u16)> {
    let (name, address) = text.split_once("://")?;
    let (host, port) = address.rsplit_once(':')?;
    let host = host.strip_prefix('[').map_or(Some(host), |inner| inner.strip_suffix(']'))?;
    let is_host = |b: u8| b.is_ascii_alphanumeric() || b"-%._:".contains(&b);
    let well_formed = !name.is_empty()
        && host.bytes().all(is_host)
        && !port.is_empty()
        && port.bytes().all(|b| b.is_ascii_digit());
    if !well_formed {
        return None;
    }
    Some((name.to_uppercase(), host, port.parse().ok()?))
}
