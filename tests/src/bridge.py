"""Calls of AWS services, one JSON line each way, so that suites drive and inspect the cloud without an SDK.

In: {"service", "operation", "arguments", "credentials": {"key", "secret", "token"}}, the operation in the
spelling of boto3. Out: {"result"} or {"error": {"code", "message", "status"}}. Bytes go both ways as
{"$bytes": base64}.
"""

import base64
import datetime
import decimal
import json
import sys

import boto3
import botocore.config
import botocore.exceptions

url, region = sys.argv[1:3]
clients = {}


def client(service, credentials):
    known = (service, credentials["key"], credentials.get("token"))
    if known not in clients:
        clients[known] = boto3.client(
            service,
            endpoint_url=url,
            region_name=region,
            aws_access_key_id=credentials["key"],
            aws_secret_access_key=credentials["secret"],
            aws_session_token=credentials.get("token"),
            config=botocore.config.Config(retries={"total_max_attempts": 1}),
        )
    return clients[known]


def take(value):
    if isinstance(value, dict):
        if list(value) == ["$bytes"]:
            return base64.b64decode(value["$bytes"])
        return {name: take(inner) for name, inner in value.items()}
    return [take(inner) for inner in value] if isinstance(value, list) else value


def give(value):
    if isinstance(value, dict):
        return {str(name): give(inner) for name, inner in value.items() if name != "ResponseMetadata"}
    if isinstance(value, (list, tuple, set)):
        return [give(inner) for inner in value]
    if hasattr(value, "read"):
        value = value.read()
    if isinstance(value, (bytes, bytearray)):
        return {"$bytes": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    return str(value) if isinstance(value, decimal.Decimal) else value


def answer(call):
    try:
        operation = getattr(client(call["service"], call["credentials"]), call["operation"])
        return {"result": give(operation(**take(call["arguments"])))}
    except botocore.exceptions.ClientError as error:
        told = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        code, message = told.get("Code", ""), told.get("Message", "")
        reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
        return {"error": {"code": code, "message": message, "status": status, "reasons": reasons}}
    except Exception as error:  # noqa: BLE001: told to the test, which fails with it
        return {"error": {"code": type(error).__name__, "message": str(error), "status": None}}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
