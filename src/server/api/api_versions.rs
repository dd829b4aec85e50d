//! ApiVersions, 0-4: which APIs there are, in which versions.
//!
//! 0 came with 0.10 (KIP-35); 1 adds the throttle time; 3 the name and version of the client's software, which must
//! look like one (KIP-511), and features (KIP-584); 4 may list features from level 0 on.
//!
//! A version that we do not speak is answered in version 0 with UNSUPPORTED_VERSION and the versions of this API, so
//! that the client asks again.
//!
//! Features tell clients which protocols to use: `transaction.version` 2 is the second generation of transactions,
//! `group.version` 1 the consumer protocol of groups (KIP-848), `share.version` 1 share groups (KIP-932).
//! What is not listed is taken for level 0. A feature that goes down to level 0 is left out of the supported ones below
//! version 4, since older clients cannot read it (KAFKA-17492).

use super::request::{Call, RequestContext};
use super::{is_offered, offered};
use crate::model::ErrorCode;
use crate::protocol::messages::api_versions::{ApiVersion, FinalizedFeatureKey, SupportedFeatureKey};
use crate::protocol::{ApiKey, ApiVersionsRequest, ApiVersionsResponse, StrBytes};
use crate::server::endpoints::Endpoints;
use crate::server::network::{Outcome, Slot};

/// Features and their levels. Each is supported from 0 on, and used at its highest.
///
/// Each goes with the version of an API that it is about.
const FEATURES: [(&str, i16, (ApiKey, i16)); 3] = [
    ("group.version", 1, (ApiKey::ConsumerGroupHeartbeat, 0)),
    ("share.version", 1, (ApiKey::ShareFetch, 1)),
    ("transaction.version", 2, (ApiKey::EndTxn, 5)),
];
/// The first version that can say that a feature is supported from level 0 on.
const FIRST_LEVEL_ZERO: i16 = 4;

pub(super) fn handle(call: Call<'_>, request: ApiVersionsRequest) -> Outcome {
    let names_software = call.version() >= 3;
    if names_software
        && !(is_software_name(&request.client_software_name)
            && is_software_name(&request.client_software_version))
    {
        return call.respond(&ApiVersionsResponse {
            error_code: ErrorCode::InvalidRequest.code(),
            ..ApiVersionsResponse::default()
        });
    }
    let has_level_zero = call.version() >= FIRST_LEVEL_ZERO;
    let endpoints = &call.context.endpoints;
    let features: Vec<_> =
        FEATURES.iter().filter(|(_, _, (key, version))| is_offered(endpoints, *key, *version)).collect();
    let supported = features.iter().filter(|_| has_level_zero);
    let response = ApiVersionsResponse {
        api_keys: ApiKey::ALL.iter().filter_map(|key| api_version(endpoints, *key)).collect(),
        supported_features: supported
            .map(|(name, level, _)| SupportedFeatureKey {
                name: StrBytes::from_static(name),
                min_version: 0,
                max_version: *level,
            })
            .collect(),
        finalized_features_epoch: 0,
        finalized_features: features
            .iter()
            .map(|(name, level, _)| FinalizedFeatureKey {
                name: StrBytes::from_static(name),
                max_version_level: *level,
                min_version_level: *level,
            })
            .collect(),
        ..ApiVersionsResponse::default()
    };
    call.respond(&response)
}

/// What a version that we do not speak is answered with.
pub(super) fn unsupported(endpoints: &Endpoints) -> ApiVersionsResponse {
    ApiVersionsResponse {
        error_code: ErrorCode::UnsupportedVersion.code(),
        api_keys: api_version(endpoints, ApiKey::ApiVersions).into_iter().collect(),
        ..ApiVersionsResponse::default()
    }
}

/// Answers with it, as the oldest version does, which every client understands.
pub(super) fn respond_unsupported(
    mut context: RequestContext,
    slot: Slot<'_>,
    response: &ApiVersionsResponse,
) -> Outcome {
    context.header.api_version = 0;
    Call::new(context, slot).respond(response)
}

fn api_version(endpoints: &Endpoints, key: ApiKey) -> Option<ApiVersion> {
    let (min_version, max_version) = offered(endpoints, key)?;
    Some(ApiVersion { api_key: key.code(), min_version, max_version })
}

/// `[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?`
fn is_software_name(name: &str) -> bool {
    let is_end = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    is_end(bytes.first())
        && is_end(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(byte))
}
