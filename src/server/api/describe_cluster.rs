//! DescribeCluster, 0-2: the brokers (KIP-700); 1 tells brokers from controllers (KIP-919), 2 fenced brokers from the
//! others (KIP-1073).
//!
//! This broker is the whole cluster and its controller. There are no listeners of controllers, so that a client that
//! looks for one gets MISMATCHED_ENDPOINT_TYPE.

use super::authorized_operations;
use super::request::Call;
use crate::model::ErrorCode;
use crate::protocol::messages::describe_cluster::DescribeClusterBroker;
use crate::protocol::{DescribeClusterRequest, DescribeClusterResponse, StrBytes};
use crate::server::network::Outcome;

const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

pub(super) fn handle(call: Call<'_>, request: DescribeClusterRequest) -> Outcome {
    if request.endpoint_type != BROKERS {
        let response = refuse_endpoint_type(request.endpoint_type);
        return call.respond(&response);
    }
    let core = &call.context.core;
    let rack = core.config().broker_rack.as_deref().map(StrBytes::from);
    let brokers = call.context.brokers().into_iter().map(|(broker_id, address)| DescribeClusterBroker {
        broker_id,
        host: address.host,
        port: i32::from(address.port),
        rack: rack.clone(),
        is_fenced: false,
    });
    let asked = request.include_cluster_authorized_operations;
    let response = DescribeClusterResponse {
        cluster_id: core.cluster_id.as_str().into(),
        controller_id: call.context.controller_id(),
        brokers: brokers.collect(),
        cluster_authorized_operations: authorized_operations::on_cluster(asked),
        ..DescribeClusterResponse::default()
    };
    call.respond(&response)
}

fn refuse_endpoint_type(endpoint_type: i8) -> DescribeClusterResponse {
    let (error, message) = match endpoint_type {
        CONTROLLERS => (
            ErrorCode::MismatchedEndpointType,
            "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER".to_owned(),
        ),
        _ => (ErrorCode::UnsupportedEndpointType, format!("Unsupported endpoint type {endpoint_type}")),
    };
    DescribeClusterResponse {
        error_code: error.code(),
        error_message: Some(message.into()),
        ..DescribeClusterResponse::default()
    }
}
