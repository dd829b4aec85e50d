//! AlterConfigs, 0-2: replaces all settings of a topic or of this broker (KIP-133); 2 is flexible.
//!
//! What is not named gets its default again, which is why IncrementalAlterConfigs is preferred. Either all settings of a
//! resource are changed or none.

use super::config_resource::{NamedOnce, NamedResource, invalid, outcome, resource};
use super::request::{Call, RequestContext};
use crate::broker::Overrides;
use crate::error::Result;
use crate::protocol::messages::alter_configs::{AlterConfigsResource, AlterConfigsResourceResponse};
use crate::protocol::{AlterConfigsRequest, AlterConfigsResponse};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: AlterConfigsRequest) -> Outcome {
    call.respond_in_order_on_io_thread(request, |context, request| {
        let key = |asked: &AlterConfigsResource| (asked.resource_type, asked.resource_name.clone());
        let once = NamedOnce::of(request.resources.iter().map(key));
        let responses = request.resources.iter().map(|asked| {
            let altered = once.check(&key(asked)).and_then(|()| alter(context, asked, request.validate_only));
            let (error_code, error_message) = outcome(&altered);
            let AlterConfigsResource { resource_type, resource_name, .. } = asked.clone();
            AlterConfigsResourceResponse { error_code, error_message, resource_type, resource_name }
        });
        AlterConfigsResponse { responses: responses.collect(), ..AlterConfigsResponse::default() }
    })
}

fn alter(context: &RequestContext, asked: &AlterConfigsResource, validate_only: bool) -> Result<()> {
    let core = &context.core;
    let resource = match resource(asked.resource_type, &asked.resource_name, context.node_id())? {
        NamedResource::Settings(resource) => resource,
        NamedResource::Loggers => {
            let message = "AlterConfigs does not support loggers; IncrementalAlterConfigs does.";
            return Err(invalid(message.to_owned()));
        }
    };
    let mut overrides = Overrides::new();
    for config in &asked.configs {
        let Some(value) = &config.value else {
            return Err(invalid(format!("Null value not supported for : {}", config.name)));
        };
        if overrides.insert(config.name.to_string(), value.to_string()).is_some() {
            return Err(invalid(format!("Error due to duplicate config keys : {}", config.name)));
        }
    }
    core.replace_configs(&resource, overrides, validate_only)
}
