//! ListConfigResources, 0-1: whose settings there are to describe: topics, this broker, and the groups that have settings
//! of their own (KIP-1142).
//!
//! No type named asks for all. 0 asks for subscriptions to clients' metrics alone, of which there are none here.

use super::config_resource::{BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP, TOPIC};
use super::request::{Call, RequestContext};
use crate::model::ErrorCode;
use crate::protocol::messages::list_config_resources::ConfigResource;
use crate::protocol::{ListConfigResourcesRequest, ListConfigResourcesResponse, StrBytes};
use crate::server::network::Outcome;

/// The first version that names types.
const FIRST_TYPES: i16 = 1;
const ALL_TYPES: [i8; 5] = [TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP];

pub(super) fn handle(call: Call<'_>, request: ListConfigResourcesRequest) -> Outcome {
    let types: &[i8] = match &request.resource_types[..] {
        _ if call.version() < FIRST_TYPES => &[CLIENT_METRICS],
        [] => &ALL_TYPES,
        types => types,
    };
    if types.iter().any(|type_| !ALL_TYPES.contains(type_)) {
        let error_code = ErrorCode::UnsupportedVersion.code();
        return call.respond(&ListConfigResourcesResponse { error_code, ..Default::default() });
    }
    let resources = ALL_TYPES.iter().filter(|type_| types.contains(type_));
    let config_resources = resources.flat_map(|type_| named(&call.context, *type_)).collect();
    let response = ListConfigResourcesResponse { config_resources, ..Default::default() };
    call.respond(&response)
}

/// Those of one type, by the names that this client has for them.
fn named(context: &RequestContext, type_: i8) -> Vec<ConfigResource> {
    let core = &context.core;
    let names: Vec<StrBytes> = match type_ {
        TOPIC => core.metadata.topics().iter().map(|topic| StrBytes::from(&**topic.name())).collect(),
        BROKER | BROKER_LOGGER => {
            return context
                .brokers()
                .into_iter()
                .map(|(id, _)| resource(type_, id.to_string().into()))
                .collect();
        }
        GROUP => core.groups_with_settings().iter().map(|id| StrBytes::from(&**id)).collect(),
        _ => Vec::new(),
    };
    let own = |name: StrBytes| match &context.namespace {
        None => Some(name),
        Some(namespace) => namespace.own(&name).map(StrBytes::from),
    };
    names.into_iter().filter_map(own).map(|name| resource(type_, name)).collect()
}

fn resource(resource_type: i8, resource_name: StrBytes) -> ConfigResource {
    ConfigResource { resource_name, resource_type }
}
