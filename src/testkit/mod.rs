//! testkit

mod faulty_fs;

pub use faulty_fs::{FaultyFileSystem, FileOperation};
