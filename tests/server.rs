//! The listener as its clients meet it: every API through a real socket, read and written by other people's codecs.

mod server {
    mod client;
    mod connection;
    mod fixture;
    mod records;

    mod api_versions;
    mod metadata;
}
