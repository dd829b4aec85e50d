//! What there is to ask the endpoint for, in one list: what is not in it is not answered.

/// Method and path; what stands in braces is any name or number. The description in `examples/control.openapi.yaml`,
/// and the handbook's page on testing, have the same.
const OPERATIONS: &[(&str, &str)] = &[
    ("GET", "/v1"),
    ("GET", "/v1/status"),
    ("POST", "/v1/advance"),
    ("POST", "/v1/wait"),
    ("GET", "/v1/journal"),
    ("DELETE", "/v1/journal"),
    ("GET", "/v1/topics"),
    ("POST", "/v1/topics"),
    ("DELETE", "/v1/topics/{name}"),
    ("GET", "/v1/topics/{name}/records"),
    ("POST", "/v1/topics/{name}/records"),
    ("GET", "/v1/groups"),
    ("GET", "/v1/groups/{id}/history"),
    ("GET", "/v1/transactions"),
    ("GET", "/v1/transactions/{id}/history"),
    ("GET", "/v1/producers/{id}/history"),
    ("GET", "/v1/connections"),
    ("GET", "/v1/faults"),
    ("POST", "/v1/faults"),
    ("DELETE", "/v1/faults"),
    ("DELETE", "/v1/faults/{id}"),
    ("GET", "/v1/disk"),
    ("POST", "/v1/disk"),
    ("DELETE", "/v1/disk"),
    ("POST", "/v1/power-loss"),
    ("GET", "/v1/namespaces"),
    ("POST", "/v1/namespaces"),
    ("DELETE", "/v1/namespaces/{name}"),
    ("GET", "/v1/nodes"),
    ("POST", "/v1/nodes/{id}/down"),
    ("POST", "/v1/nodes/{id}/up"),
    ("POST", "/v1/move"),
    ("POST", "/v1/snapshots"),
    ("POST", "/v1/snapshots/{id}/restore"),
    ("DELETE", "/v1/snapshots/{id}"),
    ("POST", "/v1/forks"),
    ("DELETE", "/v1/forks/{id}"),
    ("POST", "/v1/reset"),
    ("POST", "/v1/stop"),
    ("POST", "/v1/restart"),
    ("POST", "/v1/pause"),
    ("POST", "/v1/resume"),
];

/// All of them, as `GET /v1/status`.
pub(super) fn all() -> impl Iterator<Item = String> {
    OPERATIONS.iter().map(|(method, path)| format!("{method} {path}"))
}

/// Whether it is one of them.
pub(super) fn is_known(method: &str, path: &[&str]) -> bool {
    let matches = |pattern: &str| {
        let parts = pattern.split('/').skip(1);
        parts.clone().count() == path.len()
            && parts
                .zip(path)
                .all(|(part, found)| part == *found || (part.starts_with('{') && !found.is_empty()))
    };
    OPERATIONS.iter().any(|(known, pattern)| *known == method && matches(pattern))
}
