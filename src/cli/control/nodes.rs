//! The brokers that a test's broker is: who leads, who coordinates, who is down.

use serde_json::{Value, json};

use super::fields::Fields;
use super::{Control, Failure};

/// `GET /v1/nodes`, `POST /v1/nodes/{id}/down` and `up`, `POST /v1/move`.
pub(super) fn answer(
    control: &Control,
    method: &str,
    path: &[&str],
    mut fields: Fields,
) -> Result<Value, Failure> {
    let kafka = control.kafka.read();
    match (method, path) {
        ("GET", ["nodes"]) => {
            fields.end()?;
            let nodes = kafka.node_ids().into_iter().map(|id| {
                json!({
                    "id": id,
                    "address": kafka.node_addr(id).map(|address| address.to_string()),
                    "up": kafka.is_node_up(id),
                    "controller": kafka.controller() == Some(id),
                })
            });
            Ok(nodes.collect())
        }
        ("POST", ["nodes", id, change @ ("down" | "up")]) => {
            fields.end()?;
            let id = id.parse().map_err(|_| Failure::bad_request(format!("'{id}' is no broker's number")))?;
            match *change {
                "down" => kafka.node_down(id)?,
                _ => kafka.node_up(id)?,
            }
            Ok(json!({}))
        }
        ("POST", ["move"]) => {
            let to = fields.number::<i32>("to")?;
            let what = fields.required_text("what")?;
            let moved_to = match what.as_str() {
                "leader" => {
                    let (topic, partition) = (fields.required_text("topic")?, fields.number("partition")?);
                    fields.end()?;
                    kafka.move_leader(&topic, partition.unwrap_or(0), to)?
                }
                "coordinator" => {
                    let (group, id) = (fields.text("group")?, fields.text("transactionalId")?);
                    fields.end()?;
                    match (group, id) {
                        (Some(group), None) => kafka.move_group_coordinator(&group, to)?,
                        (None, Some(id)) => kafka.move_transaction_coordinator(&id, to)?,
                        _ => return Err(Failure::bad_request("give one of group and transactionalId")),
                    }
                }
                "controller" => {
                    fields.end()?;
                    kafka.move_controller(to)?
                }
                other => {
                    let kinds = "leader, coordinator or controller";
                    return Err(Failure::bad_request(format!("'what' is {kinds}, not {other}")));
                }
            };
            Ok(json!({ "to": moved_to }))
        }
        (method, _) => Err(Failure::not_found(format!("there is no {method} /v1/{}", path.join("/")))),
    }
}
