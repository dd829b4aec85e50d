//! Requests of which only a part goes wrong, by a test's rule: Produce and Fetch. Any other goes wrong as a whole.

use std::any::Any;

use super::request::RequestContext;
use super::rulable::{Rulable, topic};
use crate::protocol::messages as m;
use crate::server::intercept::Part;

/// Takes the part out of a request that the rule is for; `None` if it can only go wrong as a whole.
pub(super) fn take_part<R: Rulable>(request: &mut R, context: &RequestContext, part: &Part) -> Option<R> {
    let any: &mut dyn Any = request;
    let taken: Box<dyn Any> = if let Some(produce) = any.downcast_mut::<m::ProduceRequest>() {
        Box::new(take_from_produce(produce, context, part))
    } else if let Some(fetch) = any.downcast_mut::<m::FetchRequest>() {
        Box::new(take_from_fetch(fetch, context, part))
    } else {
        return None;
    };
    taken.downcast().ok().map(|taken| *taken)
}

fn take_from_produce(
    request: &mut m::ProduceRequest,
    context: &RequestContext,
    part: &Part,
) -> m::ProduceRequest {
    let mut taken = m::ProduceRequest { topic_data: Vec::new(), ..request.clone() };
    for data in &mut request.topic_data {
        if part.topic.as_ref().is_some_and(|name| *name != name_of(context, &data.name, data.topic_id)) {
            continue;
        }
        let all = std::mem::take(&mut data.partition_data);
        let (wrong, right) = all.into_iter().partition(|one| part.means_partition(one.index));
        data.partition_data = right;
        taken.topic_data.push(m::produce::TopicProduceData { partition_data: wrong, ..data.clone() });
    }
    request.topic_data.retain(|data| !data.partition_data.is_empty());
    taken.topic_data.retain(|data| !data.partition_data.is_empty());
    taken
}

fn take_from_fetch(request: &mut m::FetchRequest, context: &RequestContext, part: &Part) -> m::FetchRequest {
    let mut taken = m::FetchRequest { topics: Vec::new(), ..request.clone() };
    for asked in &mut request.topics {
        if part.topic.as_ref().is_some_and(|name| *name != name_of(context, &asked.topic, asked.topic_id)) {
            continue;
        }
        let all = std::mem::take(&mut asked.partitions);
        let (wrong, right) = all.into_iter().partition(|one| part.means_partition(one.partition));
        asked.partitions = right;
        taken.topics.push(m::fetch::FetchTopic { partitions: wrong, ..asked.clone() });
    }
    request.topics.retain(|asked| !asked.partitions.is_empty());
    taken.topics.retain(|asked| !asked.partitions.is_empty());
    if !taken.topics.is_empty() {
        // An error is told at once.
        request.max_wait_ms = 0;
    }
    taken
}

fn name_of(context: &RequestContext, name: &crate::protocol::StrBytes, id: crate::model::Uuid) -> String {
    topic(context, name, id, std::iter::empty()).name
}

/// Puts the answer to the part that went wrong into the answer to the others.
pub(super) fn merge(response: &mut dyn Any, wrong: &dyn Any) {
    if let (Some(response), Some(wrong)) =
        (response.downcast_mut::<m::ProduceResponse>(), wrong.downcast_ref::<m::ProduceResponse>())
    {
        for topic in &wrong.responses {
            let same = |known: &&mut m::produce::TopicProduceResponse| {
                (&known.name, known.topic_id) == (&topic.name, topic.topic_id)
            };
            match response.responses.iter_mut().find(same) {
                Some(known) => known.partition_responses.extend_from_slice(&topic.partition_responses),
                None => response.responses.push(topic.clone()),
            }
        }
    }
    if let (Some(response), Some(wrong)) =
        (response.downcast_mut::<m::FetchResponse>(), wrong.downcast_ref::<m::FetchResponse>())
    {
        for topic in &wrong.responses {
            let same = |known: &&mut m::fetch::FetchableTopicResponse| {
                (&known.topic, known.topic_id) == (&topic.topic, topic.topic_id)
            };
            match response.responses.iter_mut().find(same) {
                Some(known) => known.partitions.extend_from_slice(&topic.partitions),
                None => response.responses.push(topic.clone()),
            }
        }
    }
}
