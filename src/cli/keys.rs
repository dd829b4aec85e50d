//! `ottla config`: the table of settings for people.

use std::io::{self, Write};

use ottla::{BrokerConfig, ConfigKey, Effect};

use super::CliError;

pub(super) fn print(filter: &str) -> Result<(), CliError> {
    let wanted: Vec<_> = BrokerConfig::keys().iter().filter(|key| key.name.contains(filter)).collect();
    if wanted.is_empty() {
        return Err(CliError::NoSuchSetting { filter: filter.to_owned() });
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    let written = wanted.into_iter().try_for_each(|key| print_key(&mut out, key)).and_then(|()| out.flush());
    match written {
        // The reader has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(CliError::Stdout),
    }
}

fn print_key(out: &mut impl Write, key: &ConfigKey) -> io::Result<()> {
    writeln!(out, "{}={}", key.name, key.default.as_deref().unwrap_or_default())?;
    let without_effect = if key.effect == Effect::Accepted { "; without effect" } else { "" };
    writeln!(out, "    {}; {}{without_effect}", key.allowed, key.update_mode)?;
    if let Some(topic_key) = key.synonyms.first() {
        writeln!(out, "    default of the topic's {topic_key}")?;
    }
    writeln!(out, "    {}", key.doc)
}
