//! IncrementalAlterConfigs, 0-1: changes single settings of topics and of this broker (KIP-339); 1 is flexible.
//!
//! A setting is set, or gets its default again, or items join or leave a list. Either all changes of a resource are made
//! or none.

use super::config_resource::{NamedOnce, NamedResource, invalid, outcome, resource};
use super::request::{Call, RequestContext};
use crate::config::{AlterOp, ConfigChange};
use crate::error::{Error, Result};
use crate::model::ErrorCode;
use crate::protocol::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterConfigsResourceResponse,
};
use crate::protocol::{IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: IncrementalAlterConfigsRequest) -> Outcome {
    call.respond_in_order_on_io_thread(request, |context, request| {
        let key = |asked: &AlterConfigsResource| (asked.resource_type, asked.resource_name.clone());
        let once = NamedOnce::of(request.resources.iter().map(key));
        let responses = request.resources.iter().map(|asked| {
            let altered = once.check(&key(asked)).and_then(|()| alter(context, asked, request.validate_only));
            let (error_code, error_message) = outcome(&altered);
            let AlterConfigsResource { resource_type, resource_name, .. } = asked.clone();
            AlterConfigsResourceResponse { error_code, error_message, resource_type, resource_name }
        });
        let responses = responses.collect();
        IncrementalAlterConfigsResponse { responses, ..IncrementalAlterConfigsResponse::default() }
    })
}

fn alter(context: &RequestContext, asked: &AlterConfigsResource, validate_only: bool) -> Result<()> {
    let core = &context.core;
    let resource = match resource(asked.resource_type, &asked.resource_name, context.node_id())? {
        NamedResource::Settings(resource) => resource,
        NamedResource::Loggers => return refuse_loggers(asked),
    };
    let mut changes = Vec::with_capacity(asked.configs.len());
    for config in &asked.configs {
        let Some(op) = AlterOp::from_code(config.config_operation) else {
            let (code, name) = (config.config_operation, &config.name);
            return Err(invalid(format!("Unknown operation type {code} for {name}")));
        };
        changes.push(ConfigChange { name: &config.name, op, value: config.value.as_deref() });
    }
    core.alter_configs(&resource, &changes, validate_only)
}

fn refuse_loggers(asked: &AlterConfigsResource) -> Result<()> {
    match asked.configs.first() {
        None => Ok(()),
        Some(config) => {
            Err(Error::new(ErrorCode::InvalidConfig, format!("Logger {} does not exist!", config.name)))
        }
    }
}
