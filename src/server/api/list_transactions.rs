//! ListTransactions, 0-2: the transactional ids of this broker (KIP-664).
//!
//! 1 asks for transactions that have been open for longer than some time (KIP-994), 2 for ids that match a regular
//! expression as a whole (KIP-1152).

use super::request::{Call, RequestContext};
use crate::broker::{NamePattern, TransactionFilter, TransactionState};
use crate::model::ErrorCode;
use crate::protocol::messages::list_transactions::ListTransactionsState;
use crate::protocol::{ListTransactionsRequest, ListTransactionsResponse, StrBytes};
use crate::server::network::Outcome;

pub(super) fn handle(call: Call<'_>, request: ListTransactionsRequest) -> Outcome {
    let response = list(&call.context, &request)
        .unwrap_or_else(|error| ListTransactionsResponse { error_code: error.code(), ..Default::default() });
    call.respond(&response)
}

fn list(
    context: &RequestContext,
    request: &ListTransactionsRequest,
) -> Result<ListTransactionsResponse, ErrorCode> {
    let pattern = request.transactional_id_pattern.as_deref().filter(|pattern| !pattern.is_empty());
    let pattern = pattern.map(NamePattern::new).transpose();
    let pattern = pattern.map_err(|_| ErrorCode::InvalidRegularExpression)?;
    let matches = |id: &str| pattern.as_ref().is_none_or(|pattern| pattern.is_match(id));
    let states: Vec<Option<TransactionState>> =
        request.state_filters.iter().map(|name| TransactionState::from_name(name)).collect();
    let unknown = request.state_filters.iter().zip(&states).filter(|(_, state)| state.is_none());
    let unknown_state_filters = unknown.map(|(name, _)| name.clone()).collect();
    let listed = context.core.transactions.list(&TransactionFilter {
        states,
        producer_ids: &request.producer_id_filters,
        min_duration_ms: request.duration_filter,
        matches: Some(&matches),
    })?;
    let here = context.node();
    let is_here = |id: &str| here.is_none() || context.core.transaction_coordinator(id) == here;
    let listed = listed.into_iter().filter(|listed| is_here(&listed.transactional_id));
    let transaction_states = listed.map(|listed| ListTransactionsState {
        transactional_id: (&*listed.transactional_id).into(),
        producer_id: listed.producer_id,
        transaction_state: StrBytes::from_static(listed.state.name()),
    });
    Ok(ListTransactionsResponse {
        unknown_state_filters,
        transaction_states: transaction_states.collect(),
        ..ListTransactionsResponse::default()
    })
}
