//! Which topics there are and how they are set; creating, changing and deleting them.

mod checkpoint;
