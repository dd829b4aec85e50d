//! DescribeConfigs, 0-4: the settings of topics and of this broker, and where each comes from.
//!
//! 0 came with KIP-133; 1 tells the source of a value and those that it has hidden (KIP-226); 3 types and what settings
//! are for (KIP-569); 4 is flexible.
//!
//! No key named, or null, asks for all; names that no setting has are left out. A broker is named by its id; without a
//! name it is the default of all brokers. Secrets are never told.

use std::collections::HashSet;

use super::config_resource::{NamedResource, outcome, resource};
use super::request::{Call, RequestContext};
use crate::config::{ConfigEntry, ConfigSource};
use crate::error::Result;
use crate::protocol::messages::describe_configs::{
    DescribeConfigsResource, DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use crate::protocol::{DescribeConfigsRequest, DescribeConfigsResponse, StrBytes};
use crate::server::network::Outcome;

/// The type of a setting that nobody knows (Kafka: `ConfigType.UNKNOWN`).
const UNKNOWN_TYPE: i8 = 0;

pub(super) fn handle(call: Call<'_>, request: DescribeConfigsRequest) -> Outcome {
    // A change of settings holds their lock while it writes to the disk.
    call.respond_on_io_thread(request, |context, request| {
        let results = request.resources.iter().map(|asked| {
            let entries = describe(context, asked);
            let (error_code, error_message) = outcome(&entries);
            let configs = entries.unwrap_or_default().into_iter().map(|entry| result(entry, &request));
            DescribeConfigsResult {
                error_code,
                // Kafka's text of no error.
                error_message: error_message.or_else(|| Some(StrBytes::new())),
                resource_type: asked.resource_type,
                resource_name: asked.resource_name.clone(),
                configs: configs.collect(),
            }
        });
        DescribeConfigsResponse { results: results.collect(), ..DescribeConfigsResponse::default() }
    })
}

fn describe(context: &RequestContext, asked: &DescribeConfigsResource) -> Result<Vec<ConfigEntry>> {
    let core = &context.core;
    let resource = match resource(asked.resource_type, &asked.resource_name, context.node_id())? {
        NamedResource::Settings(resource) => resource,
        NamedResource::Loggers => return Ok(Vec::new()),
    };
    let keys = asked.configuration_keys.as_deref().unwrap_or_default();
    let wanted: HashSet<&str> = keys.iter().map(|key| &**key).collect();
    core.describe_configs(&resource, |name| wanted.is_empty() || wanted.contains(name))
}

fn result(entry: ConfigEntry, request: &DescribeConfigsRequest) -> DescribeConfigsResourceResult {
    let synonyms = entry.synonyms.into_iter().filter(|_| request.include_synonyms);
    let synonyms = synonyms.map(|synonym| DescribeConfigsSynonym {
        name: synonym.name.into(),
        value: synonym.value.map(Into::into),
        source: synonym.source.code(),
    });
    DescribeConfigsResourceResult {
        name: entry.name.into(),
        value: entry.value.map(Into::into),
        read_only: entry.read_only,
        is_default: entry.source == ConfigSource::Default,
        config_source: entry.source.code(),
        is_sensitive: entry.sensitive,
        synonyms: synonyms.collect(),
        config_type: entry.type_.map_or(UNKNOWN_TYPE, |type_| type_.code()),
        documentation: entry.doc.filter(|_| request.include_documentation).map(Into::into),
    }
}
