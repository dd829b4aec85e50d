//! One file for each API: its request, its response, and the structs inside of them.

pub(crate) mod api_versions;
pub(crate) mod fetch;
pub(crate) mod find_coordinator;
pub(crate) mod list_offsets;
pub(crate) mod metadata;
pub(crate) mod produce;

pub(crate) use api_versions::{ApiVersionsRequest, ApiVersionsResponse};
pub(crate) use fetch::{FetchRequest, FetchResponse};
pub(crate) use find_coordinator::{FindCoordinatorRequest, FindCoordinatorResponse};
pub(crate) use list_offsets::{ListOffsetsRequest, ListOffsetsResponse};
pub(crate) use metadata::{MetadataRequest, MetadataResponse};
pub(crate) use produce::{ProduceRequest, ProduceResponse};
