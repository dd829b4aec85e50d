//! Threads.

use std::any::Any;
use std::fmt;
use std::io;
use std::thread::JoinHandle;

/// What a panic says that was caught.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

/// Who starts threads, and names them.
pub(crate) trait Spawner: Send + Sync + fmt::Debug {
    /// Starts a thread called `name`, of at most 15 characters, so that `top -H` shows it whole.
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> io::Result<JoinHandle<()>>;
}

/// Threads of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ThreadSpawner;

impl Spawner for ThreadSpawner {
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> io::Result<JoinHandle<()>> {
        debug_assert!(name.len() <= 15, "thread name {name} is longer than 15 characters");
        std::thread::Builder::new().name(name.to_owned()).spawn(body)
    }
}
