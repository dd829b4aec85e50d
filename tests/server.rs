//! The listener as its clients meet it: every API through a real socket, read and written by other people's codecs.

mod server {
    mod client;
    mod copier;
    mod fetching;
    mod fixture;
    mod producing;
    mod records;

    mod api_versions;
    mod configs;
    mod connection;
    mod consumer_groups;
    mod deletion;
    mod describe;
    mod fetch;
    mod fetch_session;
    mod find_coordinator;
    mod groups;
    mod list_offsets;
    mod listener;
    mod log_dirs;
    mod metadata;
    mod offsets;
    mod produce;
    mod share_groups;
    mod share_membership;
    mod shared_group;
    mod topics;
    mod transactions;
    mod transactions_admin;
    mod transactions_shared;
}
