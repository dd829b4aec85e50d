//! The `ottla` binary: a broker as a process of its own, for operators and for tests in any language.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
