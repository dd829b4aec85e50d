//! Where settings come from, and which of them counts.

use std::path::Path;
use std::process::Stdio;

use ottla::{BrokerConfig, Properties, settings_from_environment};

use super::{CliError, ServeArgs};

/// Reads `KEY=VALUE`.
pub(super) fn parse_override(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("give it as KEY=VALUE".to_owned()),
    }
}

/// All settings, those that count last: of the file, of the environment, of the command line.
pub(super) fn collect(args: &ServeArgs) -> Result<Vec<(String, String)>, CliError> {
    let mut settings = Vec::new();
    if args.temporary {
        settings.extend(temporary_defaults());
    }
    if let Some(file) = &args.file {
        let properties = read_file(file)?;
        for warning in properties.warnings() {
            tracing::warn!("{}: {warning}", file.display());
        }
        settings.extend(properties.iter().map(|(key, value)| (key.to_owned(), value.to_owned())));
    }
    // A name or a value that is no text can be no setting.
    let variables =
        std::env::vars_os().filter_map(|(n, v)| Some((n.into_string().ok()?, v.into_string().ok()?)));
    settings.extend(settings_from_environment(variables, run_by_shell)?);
    settings.extend(args.overrides.iter().cloned());
    if args.temporary && settings.iter().any(|(key, _)| key == "port" || key == "host.name") {
        // The older keys count only where the newer one does not.
        settings.retain(|setting| !temporary_defaults().contains(setting));
    }
    // Checked here too, since every problem can be listed on a line of its own.
    BrokerConfig::from_properties(settings.iter().map(|(key, value)| (key, value)))
        .map_err(|source| CliError::WrongSettings { source })?;
    Ok(settings)
}

/// Many temporary brokers run at once, so that none of them may insist on a port.
fn temporary_defaults() -> [(String, String); 1] {
    [("listeners".to_owned(), "PLAINTEXT://127.0.0.1:0".to_owned())]
}

#[expect(clippy::disallowed_methods, reason = "nobody hands a file system to a program")]
fn read_file(file: &Path) -> Result<Properties, CliError> {
    let text =
        std::fs::read(file).map_err(|source| CliError::UnreadableFile { file: file.to_owned(), source })?;
    // Java takes any byte for a letter, and so every file for a list of settings.
    if let Some(at) = text.iter().position(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace()) {
        let line = 1 + text.iter().take(at).filter(|byte| **byte == b'\n').count();
        return Err(CliError::NoText { file: file.to_owned(), line });
    }
    Properties::parse(&text).map_err(|source| CliError::MalformedFile { file: file.to_owned(), source })
}

/// What a command prints, as the shell runs it.
fn run_by_shell(command: &str) -> Result<String, CliError> {
    let refuse = |reason: String| CliError::Command { command: command.to_owned(), reason };
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let output = std::process::Command::new(shell).arg(flag).arg(command).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| refuse(error.to_string()))?;
    if !output.status.success() {
        return Err(refuse(output.status.to_string()));
    }
    String::from_utf8(output.stdout).map_err(|_| refuse("it prints what is no text".to_owned()))
}
