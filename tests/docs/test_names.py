"""Documents name only what exists, and all of it: settings, commands, options, routes, params, alarms."""

import ast
import dataclasses
import re
from functools import cache
from typing import Any

import yaml

from embeddings.index.manifest import FEED, FOLDERS, HIDDEN, KEYS, POINTER, PRODUCTS, SOURCES, VECTORS, Manifest
from embeddings.index.publish import PAST_MANIFEST
from embeddings.preprocess import DEFAULT_LIMITS
from embeddings.rebuild import Outcome
from embeddings.rebuild.shard_run import RECORD
from functions.search.current_generation import CurrentGeneration
from functions.search.parameters import MAX_DEPTH, MAX_K
from functions.search.routes import Routes
from functions.settings import SearchSettings
from tests.docs.documents import DOCUMENTS, ROOT, document, first_column
from tests.functions.http_client import openapi

_SOURCES = ("functions", "embeddings", "scripts", "infra", "site")
_SUFFIXES = {".py", ".js", ".sh", ".yml", ".json"}

_OTHERS = {
    "AWS_ENDPOINT_URL_S3VECTORS",  # botocore reads it
    "GOOGLE_APPLICATION_CREDENTIALS",  # google-auth reads it
    "STORAGE_EMULATOR_HOST",  # google-cloud-storage reads it
    # Batch systems set them.
    "AWS_BATCH_JOB_ARRAY_INDEX",
    "CLOUD_RUN_TASK_COUNT",
    "CLOUD_RUN_TASK_INDEX",
    "JOB_COMPLETION_INDEX",
}
_PLACEHOLDERS = {"FILL_ARN", "INDEX_ENDPOINT", "QUEUE_ARN", "SITE_URI"}
_OTHER_PROGRAMS = ("aws", "curl", "docker", "gcloud", "git", "npm", "npx", "pip", "uv")


@cache
def sources() -> str:
    """Return all code except the tests."""
    files = [ROOT / "Makefile", ROOT / "serverless.yml", ROOT / "package.json"]
    for folder in _SOURCES:
        files += [file for file in sorted((ROOT / folder).rglob("*")) if file.suffix in _SUFFIXES]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


class _Loader(yaml.SafeLoader):
    """Ignores CloudFormation's tags."""


_Loader.add_multi_constructor("!", lambda *_: None)


def stack(name: str) -> Any:
    return yaml.load((ROOT / name).read_text(encoding="utf-8"), _Loader)


def code() -> list[tuple[str, str]]:
    """Return (document, code) of all documents."""
    return [(str(source), text) for source in DOCUMENTS for text in source.code]


def test_every_variable_and_constant_exists() -> None:
    for source, text in code():
        for name in re.findall(r"(?<![\w-])[A-Z][A-Z0-9]*_[A-Z0-9_]+\b", text):
            known = re.search(rf"\b{name}\b", sources()) or name in _OTHERS | _PLACEHOLDERS
            assert known, f"{source} names {name}, which is nowhere in the code"


def test_every_exception_exists() -> None:
    for source, text in code():
        for name in re.findall(r"\b[A-Z]\w+Error\b", text):
            assert re.search(rf"^class {name}\b", sources(), re.MULTILINE), f"{source}: {name}"


def test_every_variable_that_storage_reads_is_documented() -> None:
    files = [file for folder in ("embeddings", "functions") for file in (ROOT / folder).rglob("*.py")]
    read = {name for file in files for name in re.findall(r'"((?:AWS|GOOGLE)_[A-Z0-9_]+)"', file.read_text("utf-8"))}
    named = set(re.findall(r"`([A-Z0-9_]+)`", document("docs/settings.md").text))
    # Lambda's own, which nobody sets.
    assert read - named == {"AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_INITIALIZATION_TYPE"}


def test_make_has_the_targets_and_variables_that_are_documented_and_no_other() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
    variables = set(re.findall(r"^([A-Z_]+) \?=", makefile, re.MULTILINE))
    calls = [call for _, text in code() for call in re.findall(r"^\s*make((?: [\w=./-]+)+)", text, re.MULTILINE)]
    words = {word for call in calls for word in call.split()}
    assert {word for word in words if "=" not in word} == targets - {"help"}
    assert {word.partition("=")[0] for word in words if "=" in word} == variables


def _options_of_scripts() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for file in sorted((ROOT / "scripts").glob("*.py")):
        text = file.read_text(encoding="utf-8")
        if '__name__ == "__main__"' in text:
            words = [
                word.value
                for call in ast.walk(ast.parse(text))
                if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(".add_argument")
                for word in call.args
                if isinstance(word, ast.Constant)
            ]
            found[file.name] = {str(word) for word in words if str(word).startswith("--")}
    return found


def test_every_option_of_every_command_is_documented_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+\.py)` \| (.*) \|$", document("docs/commands.md").section("## Every option"), re.M)
    assert {name: set(re.findall(r"`(--[a-z][\w-]*)`", row)) for name, row in rows} == _options_of_scripts()
    assert len(rows) == len(_options_of_scripts())


def test_every_option_in_prose_is_one_of_a_command() -> None:
    ours = set().union(*_options_of_scripts().values())
    ours |= set(re.findall(r"^ +(--[a-z-]+)\)", (ROOT / "infra/gcp/deploy.sh").read_text(encoding="utf-8"), re.M))
    ours |= {"--help", "--param"}
    for source in DOCUMENTS:
        for span in source.spans:
            if span.split()[0] in _OTHER_PROGRAMS:
                continue
            for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", span):
                if "deploy.sh" not in span:
                    assert option in ours or option in sources(), f"{source}: {option}"


def test_every_route_and_parameter_exists() -> None:
    settings = SearchSettings.read({"INDEX_URI": "/nowhere", "IMAGE_BASE_URL": "https://images.example"})
    table = Routes(settings, CurrentGeneration("/nowhere", 60)).table
    parameters = {each["name"] for each in openapi()["components"]["parameters"].values()} | {"key"}
    for source, text in code():
        for method, path in re.findall(r"\b(GET|POST|PUT|DELETE) (/[\w./-]*)", text):
            assert path in table, f"{source}: {path}"
            assert method == table[path].method, f"{source}: {method} {path}"
        for path, query in re.findall(r"(/v1/\w+|/random|/healthz|/openapi\.json)(\?[\w=&./%{}-]*)?", text):
            assert path in table, f"{source}: {path}"
            for name in re.findall(r"[?&](\w+)=", query):
                assert name in parameters, f"{source}: {path}{query}"


def test_every_param_function_and_output_of_the_stack_exists() -> None:
    read = stack("serverless.yml")
    parts = [stack(f"infra/{file.name}") for file in (ROOT / "infra").glob("*.yml")]
    outputs = {name for part in parts for name in part.get("Outputs", {})}
    for source, text in code():
        for name in re.findall(r"--param=\"(\w+)=", text):
            assert name == "name" or name in read["params"]["default"], f"{source}: {name}"
        for name in re.findall(r"npx serverless .*--function ([\w-]+)", text):
            assert name in read["functions"], f"{source}: {name}"
    for each in DOCUMENTS:
        for first, second in re.findall(r"outputs? `(\w+)`(?: and `(\w+)`)?", each.text):
            assert {first, second or first} <= outputs, f"{each}: {first} {second}"


def test_every_param_that_operations_name_exists() -> None:
    params = stack("serverless.yml")["params"]["default"]
    alarms = document("docs/operations.md").section("## Alarms")
    for name in re.findall(r"`([a-z]+[A-Z]\w*)`", alarms):
        assert name in params, name


def test_every_alarm_is_explained_and_no_other() -> None:
    resources = stack("infra/alarms.yml")["Resources"] | stack("infra/http-api.yml")["Resources"]
    alarms = {name for name, each in resources.items() if each["Type"] == "AWS::CloudWatch::Alarm"}
    assert sorted(first_column(document("docs/operations.md").section("## Alarms"))) == sorted(alarms)
    named = {name for _, text in code() for name in re.findall(r"\b\w+Alarm\b", text)}
    assert named == alarms


def test_every_outcome_of_a_rebuild_is_explained_and_no_other() -> None:
    rows = first_column(document("docs/operations.md").section("## Re-index"))
    assert sorted(rows) == sorted(Outcome)


def test_every_field_and_file_of_an_index_is_described_and_no_other() -> None:
    described = document("docs/index-format.md")
    fields = first_column(described.section("## `current.json`"))
    assert sorted(fields) == sorted(["format", *(field.name for field in dataclasses.fields(Manifest))])
    tree = next(block for block in described.blocks if block.lstrip().startswith(POINTER))
    files = re.findall(r"[\w.]+\.(?:json|npy|txt|gz|safetensors)\b(?:\.gz)?", tree)
    assert sorted(files) == sorted(
        [POINTER, VECTORS, KEYS, FOLDERS, PRODUCTS, FEED, HIDDEN, SOURCES, PAST_MANIFEST, RECORD]
    )


def test_the_limits_are_those_of_the_code() -> None:
    limits = document("README.md").section("## Limits")
    assert f"`k` up to {MAX_K}, and pages up to {MAX_DEPTH:,} deep" in limits
    megabytes, megapixels = DEFAULT_LIMITS.max_bytes // 1_000_000, DEFAULT_LIMITS.max_pixels // 1_000_000
    assert limits.count(f"{megabytes} MB and {megapixels} megapixels") == 2


def test_the_costs_are_those_of_their_document() -> None:
    said = re.findall(r"\$(\d+\.\d\d)", document("README.md").section("## Costs"))
    month = document("docs/costs.md").section("## A month")
    rows = re.findall(r"^\| (none|1,000,000) \|.* (\d+\.\d\d) \|$", month, re.MULTILINE)
    assert said == [cost for _, cost in rows]


def test_the_changelog_has_the_usual_kinds_of_change() -> None:
    kinds = set(re.findall(r"^### (.+)$", document("CHANGELOG.md").text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
