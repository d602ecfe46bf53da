"""A template as CloudFormation reads it, with its conditions and functions evaluated."""

import re
from typing import Any

_PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/the-stack/0f246ca9-ad2c-11f0-a1b2-0a1b2c3d",
    "AWS::StackName": "the-stack",
    "AWS::URLSuffix": "amazonaws.com",
}
_NOTHING = object()
"""The value of AWS::NoValue."""


class Stack:
    """The resources whose conditions hold. A reference reads `<Name>`, one to an attribute `<Name.Attribute>`."""

    def __init__(self, template: dict[str, Any]) -> None:
        self._mappings = template.get("Mappings", {})
        self._conditions: dict[str, bool] = {}
        self._conditions = {name: self._read(test) for name, test in template.get("Conditions", {}).items()}
        self.resources: dict[str, Any] = self._existing(template["Resources"])
        self.outputs: dict[str, Any] = {
            name: each["Value"] for name, each in self._existing(template["Outputs"]).items()
        }

    def properties(self, name: str) -> dict[str, Any]:
        properties: dict[str, Any] = self.resources[name]["Properties"]
        return properties

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return properties by name."""
        return {name: each.get("Properties", {}) for name, each in self.resources.items() if each["Type"] == kind}

    def _existing(self, section: dict[str, Any]) -> dict[str, Any]:
        return {
            name: self._read(each)
            for name, each in section.items()
            if "Condition" not in each or self._conditions[each["Condition"]]
        }

    def _read(self, value: Any) -> Any:
        if isinstance(value, list):
            return [each for each in map(self._read, value) if each is not _NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(function, argument)] = value.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._call(function.removeprefix("Fn::"), argument)
        return {name: each for name, raw in value.items() if (each := self._read(raw)) is not _NOTHING}

    def _call(self, function: str, argument: Any) -> Any:
        match function:
            case "Ref":
                return _NOTHING if argument == "AWS::NoValue" else _PSEUDO.get(argument, f"<{argument}>")
            case "If":
                condition, yes, no = argument
                return self._read(yes if self._conditions[condition] else no)
            case "GetAtt" if argument[-1] == "FunctionUrl":
                return f"https://{argument[0].lower()}.example/"
            case "GetAtt":
                return f"<{'.'.join(argument)}>"
            case "Sub":
                text, names = argument if isinstance(argument, list) else (argument, {})
                known = {**_PSEUDO, **self._read(names)}
                return re.sub(r"\$\{([^}]+)\}", lambda found: known.get(found[1], f"<{found[1]}>"), text)
        values = self._read(argument)
        match function:
            case "FindInMap":
                return self._mappings[values[0]][values[1]][values[2]]
            case "Equals":
                return values[0] == values[1]
            case "Not":
                return not values[0]
            case "Join":
                return values[0].join(values[1])
            case "Select":
                return values[1][int(values[0])]
            case "Split":
                return values[1].split(values[0])
        raise NotImplementedError(function)
