"""Runs ministack until its standard input ends, with what it lacks for our policies.

It evaluates policies (AUTH=true) but does not say which leading keys a request to a table has. Without
them a policy that is fenced by `dynamodb:LeadingKeys` would deny everything, so they are told here: the
partition of each key, item and question, of the table or of the index that is asked.
"""

import json
import os
import signal
import threading

PARTITIONS = ("pk", "fpk", "tpk")


def partitions(request):
    """The partitions that a request names, however deep."""
    found = set()
    for name in ("Key", "Item"):
        part = (request.get(name) or {}).get("pk", {}).get("S")
        found.update([part] if part is not None else [])
    for item in request.get("TransactItems") or []:
        for action in item.values():
            found.update(partitions(action))
    for table in (request.get("RequestItems") or {}).values():
        for key in table.get("Keys", []) if isinstance(table, dict) else []:
            found.update(partitions({"Key": key}))
        for write in table if isinstance(table, list) else []:
            for action in write.values():
                found.update(partitions(action))
    names = request.get("ExpressionAttributeNames") or {}
    values = request.get("ExpressionAttributeValues") or {}
    for part in (request.get("KeyConditionExpression") or "").split(" AND "):
        left, equals, right = part.partition(" = ")
        if equals and names.get(left.strip(), left.strip()) in PARTITIONS:
            found.add(values.get(right.strip(), {}).get("S", ""))
    return found


def tell_leading_keys():
    from ministack.core import iam_actions

    before = iam_actions.dynamodb_service_context

    def context(body):
        told = before(body)
        try:
            found = partitions(json.loads(body or b"{}"))
        except (ValueError, AttributeError):
            return told
        return {**told, "dynamodb:LeadingKeys": sorted(found)} if found else told

    iam_actions.dynamodb_service_context = context


def take_requests_as_encrypted():
    """It has no TLS here, and would deny what our policies deny to requests without."""
    from ministack import app

    before = app.pin_request_origin
    app.pin_request_origin = lambda address, _: before(address, True)


def name_actions_as_policies_do():
    """A batch to a queue is allowed by the action of one message; policies know no other."""
    from ministack.core import iam_actions

    before = iam_actions.extract_iam_action

    def action(*request, **more):
        found = before(*request, **more)
        return found.removesuffix("Batch") if found and found.startswith("sqs:") else found

    iam_actions.extract_iam_action = action


def read_numbers():
    """It keeps a parameter that is a number as text, and then cannot count a queue's workers with it."""
    from ministack.services.cloudformation import provisioners

    handler = provisioners._RESOURCE_HANDLERS["AWS::Lambda::EventSourceMapping"]
    before = handler["create"]

    def create(name, properties, stack):
        scaling = {key: int(value) for key, value in (properties.get("ScalingConfig") or {}).items()}
        return before(name, {**properties, "ScalingConfig": scaling} if scaling else properties, stack)

    handler["create"] = create


def end_with_the_test():
    """Whoever started this holds the other end of the input, and lets it go even when it is killed."""
    while os.read(0, 4096):
        pass
    os.killpg(os.getpgrp(), signal.SIGKILL)


os.setpgid(0, 0)
threading.Thread(target=end_with_the_test, daemon=True).start()
tell_leading_keys()
take_requests_as_encrypted()
name_actions_as_policies_do()
read_numbers()

from ministack.app import main  # noqa: E402: after what it is told

main()
