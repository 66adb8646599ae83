"""One planted change in a settings catalog policy, of a named kind.

This file has its own list of what is configuration and what is noise. It is written apart from the
product's rules on purpose: a rule that is wrong there must not be wrong here as well.

Configuration (DRIFT must be found): the description, and below `settings[].settingInstance` every `value`,
every member of CONTENT and every list of CONTENT. The order counts in a simple collection that is no set.

Noise (NOISE must find nothing): ids, time stamps, OData metadata, members that are null, member order.

Left alone, since they are neither: what identifies a policy (name, platforms, technologies, template),
references (scope tags, assignments, values that hold a GUID) and secrets.
"""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

Doc = dict[str, Any]
# Changes the document in place and says where; None: this policy has no place for this kind.
Mutation = Callable[[Doc, random.Random], str | None]

CONTENT = frozenset({
    "choiceSettingValue", "choiceSettingCollectionValue", "simpleSettingValue", "simpleSettingCollectionValue",
    "groupSettingValue", "groupSettingCollectionValue", "children",
})
SETS = ("_userrights_", "_localusersandgroups_")  # collections in which the order means nothing
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-", re.IGNORECASE)


def objects(doc: Doc) -> Iterator[tuple[str, Doc]]:
    """Every object of configuration below the settings, with its path."""
    stack = [(f"settings/{i}/settingInstance", s["settingInstance"]) for i, s in enumerate(doc["settings"])]
    while stack:
        path, node = stack.pop()
        yield path, node
        for key in CONTENT & node.keys():
            child = node[key]
            if isinstance(child, dict):
                stack.append((f"{path}/{key}", child))
            elif isinstance(child, list):
                stack.extend((f"{path}/{key}/{i}", item) for i, item in enumerate(child))


def values(doc: Doc) -> list[tuple[str, Doc, str]]:
    """Every `value` that is neither a reference nor a secret, as (path, owner, member)."""
    return sorted((f"{path}/value", node, "value") for path, node in objects(doc)
                  if "value" in node and not GUID.search(str(node["value"])) and "Secret" not in str(node.get("@odata.type")))


def lists(doc: Doc, at_least: int) -> list[tuple[str, list[Doc]]]:
    found = [(f"{path}/{key}", node[key]) for path, node in objects(doc) for key in sorted(CONTENT & node.keys())]
    return sorted((path, items) for path, items in [("settings", doc["settings"]), *found]
                  if isinstance(items, list) and len(items) >= at_least)


def other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    changed = re.sub(r"\d+$", lambda digits: str(int(digits[0]) + 1), value)
    return changed if changed != value else f"{value} changed"


# --- drift ---------------------------------------------------------------------------------------------------


def value_changed(doc: Doc, rng: random.Random) -> str | None:
    path, owner, key = rng.choice([("description", doc, "description"), *values(doc)])
    owner[key] = other(owner[key])
    return path


def type_changed(doc: Doc, rng: random.Random) -> str | None:
    if not (places := values(doc)):
        return None
    path, owner, key = rng.choice(places)
    value = owner[key]
    if isinstance(value, str):
        owner[key] = int(value) if value.isdecimal() else [value]
    else:
        owner[key] = str(value)
    return path


def key_added(doc: Doc, rng: random.Random) -> str | None:
    path, node = rng.choice(sorted(objects(doc), key=lambda place: place[0]))
    node["addedMember"] = "enabled"
    return f"{path}/addedMember"


def key_removed_top(doc: Doc, rng: random.Random) -> str | None:
    del doc["description"]
    return "description"


def key_removed_nested(doc: Doc, rng: random.Random) -> str | None:
    members = [(f"{path}/{key}", node, key) for path, node in objects(doc) for key in CONTENT & node.keys() if node[key]]
    members += [place for place in values(doc) if place[1]["value"] != ""]
    path, node, key = rng.choice(sorted(members, key=lambda place: place[0]))
    del node[key]
    return path


def list_item_added(doc: Doc, rng: random.Random) -> str | None:
    path, items = rng.choice(lists(doc, 1))
    item = copy.deepcopy(rng.choice(items))
    make_new(item)
    if path == "settings":
        item["id"] = str(len(items))
        doc["settingCount"] = len(items) + 1  # the service counts them itself
    items.append(item)
    return f"{path}/{len(items) - 1}"


def make_new(item: Doc) -> None:
    if "settingInstance" in item:
        make_new(item["settingInstance"])
    elif "settingDefinitionId" in item:
        item["settingDefinitionId"] += "_added"
    elif "value" in item:
        item["value"] = item["value"] + 1000 if isinstance(item["value"], int) else f"{item['value']}_added"
    else:
        for child in item["children"]:
            make_new(child)


def list_item_removed(doc: Doc, rng: random.Random) -> str | None:
    if not (places := lists(doc, 2)):
        return None
    path, items = rng.choice(places)
    position = rng.randrange(len(items))
    del items[position]
    if path == "settings":
        doc["settingCount"] = len(items)
    return f"{path}/{position}"


def list_reordered(doc: Doc, rng: random.Random) -> str | None:
    places = sorted((path, node["simpleSettingCollectionValue"]) for path, node in objects(doc)
                    if len({item["value"] for item in node.get("simpleSettingCollectionValue") or []}) > 1
                    and not any(mark in node["settingDefinitionId"] for mark in SETS))
    if not places:
        return None
    path, items = rng.choice(places)
    items.append(items.pop(0))
    return f"{path}/simpleSettingCollectionValue"


# --- noise ---------------------------------------------------------------------------------------------------


def nulls_added(doc: Doc, rng: random.Random) -> str | None:
    doc["disableEntraGroupPolicyAssignment"] = None
    for _, node in objects(doc):
        if "settingDefinitionId" in node:
            node.setdefault("auditRuleInformation", None)
    return "*"


def timestamps(doc: Doc, rng: random.Random) -> str | None:
    doc["createdDateTime"] = "2021-02-03T04:05:06+00:00"
    doc["lastModifiedDateTime"] = "2031-02-03T04:05:06Z"
    return "createdDateTime, lastModifiedDateTime"


def odata_metadata(doc: Doc, rng: random.Random) -> str | None:
    prefix = "#microsoft.graph.deviceManagementConfiguration"
    link = f"deviceManagement/configurationPolicies('{doc['id']}')"
    doc |= {"@odata.type": f"{prefix}Policy", "@odata.id": link, "@odata.editLink": link,
            "name@odata.type": "#String", "settings@odata.navigationLink": f"{link}/settings",
            "#microsoft.graph.createCopy": {"title": "createCopy", "target": f"{link}/createCopy"}}
    for position, setting in enumerate(doc["settings"]):
        place = f"{link}/settings('{position}')"
        setting |= {"@odata.type": f"{prefix}Setting", "@odata.id": place, "@odata.editLink": place,
                    "settingDefinitions@odata.navigationLink": f"{place}/settingDefinitions"}
    for _, node in objects(doc):
        if isinstance(node.get("choiceSettingValue"), dict):
            node["choiceSettingValue"]["@odata.type"] = f"{prefix}ChoiceSettingValue"
        if "children" in node:
            node["children@odata.type"] = f"#Collection({prefix[1:]}SettingInstance)"
    return "*"


def ids(doc: Doc, rng: random.Random) -> str | None:
    for position, setting in enumerate(doc["settings"]):
        setting["id"] = str(position + 100)
    return "settings/*/id"


def member_order(doc: Doc, rng: random.Random) -> str | None:
    def shuffled(node: Any) -> Any:
        if isinstance(node, list):
            return [shuffled(item) for item in node]
        if not isinstance(node, dict):
            return node
        members = [(key, shuffled(value)) for key, value in node.items()]
        rng.shuffle(members)
        return dict(members)

    mixed = shuffled(doc)
    doc.clear()
    doc.update(mixed)
    return "*"


def named(*mutations: Mutation) -> dict[str, Mutation]:
    return {mutation.__name__: mutation for mutation in mutations}


DRIFT = named(value_changed, type_changed, key_added, key_removed_top, key_removed_nested,
              list_item_added, list_item_removed, list_reordered)
NOISE = named(nulls_added, timestamps, odata_metadata, ids, member_order)
