"""Two answers, field by field, under what must differ."""

import re
import uuid

import records

#: Fields by name (`field`, `Api.field` or the end of a path): what stands in place of a value that must differ.
MASKS = {
    # Times and what depends on the load.
    "throttleTimeMs": "drop",
    "logAppendTimeMs": "time", "commitTimestamp": "time", "transactionStartTimeMs": "time", "lastTimestamp": "time",
    # Ids that a broker gives.
    "topicId": "id", "clusterId": "id", "sessionId": "id", "producerId": "number",
    # Addresses.
    "host": "text", "port": "id", "clientHost": "text",
    # What is said to people.
    "errorMessage": "text", "message": "text", "batchIndexErrorMessage": "text", "acknowledgeErrorMessage": "text", "documentation": "drop",
    # Disks.
    "logDir": "text", "totalBytes": "id", "usableBytes": "id",
}

#: The fields that name an element of an array whose order means nothing.
NAMES = ("name", "topic", "topicName", "topicId", "partition", "partitionIndex", "index", "groupId", "nodeId", "brokerId",
         "resourceType", "resourceName", "apiKey", "key", "memberId", "groupInstanceId", "producerId")

MEMBER_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[A-Za-z0-9_-]{22}$")


#: The topics of the ids that rows have asked for, so that answers by id are told apart.
TOPICS = {}


def masked(api, name, value):
    kind = MASKS.get(f"{api}.{name}") or MASKS.get(name)
    if kind == "id" and value not in (None, "", 0, -1, uuid.UUID(int=0)):
        return f"(the id of {TOPICS[value]})" if value in TOPICS else "(an id)"
    if kind == "number" and value != -1:
        return "(an id)"
    if kind == "time" and value != -1:
        return "(a time)"
    if kind == "text" and value:
        return "(some text)"
    if isinstance(value, str):
        return MEMBER_ID.sub("(uuid)", value)
    return value


def plain(api, tree, name=""):
    """The tree with its masks on and its unordered arrays in order."""
    if isinstance(tree, dict):
        return {key: plain(api, value, key) for key, value in tree.items() if MASKS.get(key) != "drop"}
    if isinstance(tree, (list, tuple)):
        elements = [plain(api, value, name) for value in tree]
        if name == "records":
            return elements
        if elements and isinstance(elements[0], dict):
            return sorted(elements, key=lambda e: [str(e[key]).rjust(12) for key in NAMES if key in e])
        return elements
    if name == "records" and isinstance(tree, bytes) and api in ("Fetch", "ShareFetch"):
        return plain(api, records.decode(tree), name)
    return masked(api, name, tree)


def differences(ours, theirs, path=""):
    """(path, ours, theirs) of every leaf that differs."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in {**ours, **theirs}:
            inner = f"{path}.{key}" if path else key
            yield from differences(ours.get(key, "(absent)"), theirs.get(key, "(absent)"), inner)
    elif isinstance(ours, list) and isinstance(theirs, list):
        if len(ours) != len(theirs) and not (ours and theirs and isinstance(ours[0], dict) and set(NAMES) & set(ours[0])):
            yield f"{path}[]", ours, theirs
            return
        for our, their in pairs(ours, theirs):
            # A setting is told by its name; other elements have names that each row makes up.
            setting = next((e["name"] for e in (our, their) if isinstance(e, dict) and "value" in e and "name" in e), None)
            yield from differences(our, their, f"{path}.{setting}" if setting else f"{path}[]")
    elif ours != theirs and not (ours == "(some text)" and theirs in (None, "")):
        # To say more than Kafka about what is wrong is no fault.
        yield path, ours, theirs


def common_apis(names, ours, theirs):
    """ApiVersions: what only one of the two speaks is counted elsewhere, and more versions of ottla's are no fault."""
    ours, theirs = ({e["apiKey"]: (e["minVersion"], e["maxVersion"]) for e in side["apiKeys"]} for side in (ours, theirs))
    common = sorted(ours.keys() & theirs.keys())
    within = lambda key: ours[key][0] <= theirs[key][0] and theirs[key][1] <= ours[key][1]
    return ({names[key]: ours[key] for key in common},
            {names[key]: ours[key] if within(key) else theirs[key] for key in common})


def pairs(ours, theirs):
    """Elements of the same name beside each other, so that one that is missing does not shift the others."""
    if len(ours) == len(theirs):
        return list(zip(ours, theirs))
    named = lambda e: tuple(str(e[key]) for key in NAMES if key in e)
    left, right = {named(e): e for e in ours}, {named(e): e for e in theirs}
    return [(left.get(name, "(absent)"), right.get(name, "(absent)")) for name in {**left, **right}]
