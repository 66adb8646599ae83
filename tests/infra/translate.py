"""Prints, as JSON, what CloudFormation makes of a template with functions: translate.py TEMPLATE."""

import json
import sys

from cfnlint.decode import decode
from samtranslator.translator.transform import transform


class NoManagedPolicies:
    """Policies by a short name are looked up at AWS. The template names none."""

    def load(self):
        return {}


template, faults = decode(sys.argv[1])
if faults:
    sys.exit("\n".join(map(str, faults)))
template = json.loads(json.dumps(template))
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        # Only a packed function is translated; where its package lies changes nothing else.
        resource["Properties"]["CodeUri"] = "s3://packages/function.zip"
print(json.dumps(transform(template, {}, NoManagedPolicies())))
