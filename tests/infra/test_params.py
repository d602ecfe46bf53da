"""infra/params.js refuses wrong params before anything is deployed."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from functions.settings import SearchSettings, SettingsError
from tests.infra.conftest import ADDRESS, OPTIONS, Serverless
from tests.infra.test_deploy_document import params

ASK = """\
const { problemsOf } = require("./infra/params.js");
const cases = JSON.parse(require("fs").readFileSync(0));
console.log(JSON.stringify(cases.map(([stage, params]) => problemsOf(stage, params))));
"""
DEV = params()["default"]
REFUSED: dict[str, list[object]] = {
    "runtime": ["python3.11", "python3.14"],
    "searchConcurrency": ["many", "-1"],
    "endpoint": ["http", "rest-api"],
    "throttleRate": ["0"],
    "throttleBurst": ["0", "1e3"],
    "corsOrigins": [
        "https://a.example/",
        "a.example",
        "*,https://a.example",
        "https://A.example",
        "https://a.example,",
        "capacitor:localhost",
    ],
    "accessLog": ["true"],
    "galleryVersionDays": ["0"],
    "indexVersionDays": ["0", "week"],
    "events": ["false"],
    "reindexConcurrency": ["1", "1001", "two"],
    "budget": ["0", "$10"],
    "rollbackMinutes": ["181", "-1"],
    "permissionsBoundary": ["boundary", "arn:aws:iam::123:policy/boundary"],
    "refreshSeconds": ["-1", "1.5", "86401"],
    "maxPixels": ["25599", "500000001", "12e6"],
    "imageBaseUrl": ["images.example", "https://images.example/?w=1", "https://", "ftp://images.example"],
    "signedUrlSeconds": ["0", "604801", "1h"],
    "galleryBucket": ["s3://shop-photos", "shop-photos/web", "Shop", "ab"],
    "galleryPrefix": ["photos", "/photos/", "photos//", "*/", "pho?os/", "${aws:x}/", "a/../b/", "./"],
    "batchWindow": ["0", "301"],
    "fill": ["true", "yes"],
    "alarmEmail": ["ops"],
    "alarmP95Milliseconds": ["0", "3s"],
    "alarmRebuildHours": ["0", "169"],
    "domainName": ["https://search.shop.example", "localhost"],
    "certificateId": ["arn:aws:acm:eu-west-1:123456789012:certificate/0f246ca9"],
    "site": ["false", "CDN"],
    "vectorBucket": ["shop-vectors"],
    "feed": ["s3://shop-feeds/products.csv", "shop-feeds", "shop-feeds/", "shop-feeds/*.csv", "shop-feeds/../a.csv"],
    "unlisted": ["none", "Hide"],
}
TAKEN: dict[str, list[object]] = {
    "runtime": ["python3.12"],
    "corsOrigins": [
        "*",
        "http://localhost:8000",
        "https://a.example,https://b.example:8443",
        "https://[::1]:80",
        "capacitor://localhost,https://a.example",
    ],
    "reindexConcurrency": ["0", "2", 1000],
    "permissionsBoundary": ["none", "arn:aws-cn:iam::123456789012:policy/path/boundary"],
    "refreshSeconds": [0, "86400"],
    "maxPixels": [25_600, "500000000"],
    "imageBaseUrl": ["https://images.example", "http://images.example/web/"],
    "signedUrlSeconds": ["1", "604800"],
    "galleryBucket": ["shop-photos", "www.shop.example"],
    "galleryPrefix": ["", "photos/", "hüte & mehr/2026/", ".well-known/"],
    "batchWindow": [1, "300"],
    "feed": ["shop-photos/feed.csv", "www.shop.example/export of today/products.v2.xml"],
}
SETTINGS = {
    "corsOrigins": "CORS_ORIGINS",
    "refreshSeconds": "REFRESH_SECONDS",
    "maxPixels": "MAX_PIXELS",
    "imageBaseUrl": "IMAGE_BASE_URL",
    "signedUrlSeconds": "SIGNED_URL_SECONDS",
}


def problems(project: Path, cases: list[tuple[str, Mapping[str, object]]]) -> list[list[str]]:
    """Return the problems of each stage with its params."""
    asked = [(stage, {**DEV, **given}) for stage, given in cases]
    node = ["node", "-e", ASK]
    done = subprocess.run(node, cwd=project, input=json.dumps(asked), capture_output=True, text=True, check=True)
    answer: list[list[str]] = json.loads(done.stdout)
    return answer


def test_each_wrong_value_is_refused(project: Path) -> None:
    cases = [(name, value) for name, values in REFUSED.items() for value in values]
    for (name, value), found in zip(cases, problems(project, [("dev", {n: v}) for n, v in cases]), strict=True):
        assert [each for each in found if each.startswith(f'{name} is "{value}": give ')], (name, value, found)


def test_right_values_are_accepted(project: Path) -> None:
    cases: list[tuple[str, Mapping[str, object]]] = [
        ("dev", {name: value}) for name, values in TAKEN.items() for value in values
    ]
    cases += [("dev", {}), ("prod", params()["prod"]), ("a", OPTIONS), ("url", ADDRESS), ("b" * 31, {})]
    assert problems(project, cases) == [[]] * len(cases)


def test_the_functions_agree(project: Path) -> None:
    """The search function starts with every accepted value, and with none of the refused ones."""
    for values, fits in ((TAKEN, True), (REFUSED, False)):
        for name, variable in SETTINGS.items():
            for value in values[name]:
                environment = {"INDEX_URI": "s3://index", "GALLERY_URI": "s3://photos", variable: str(value)}
                if not {"IMAGE_BASE_URL", "SIGNED_URL_SECONDS"} & environment.keys():
                    environment["SIGNED_URL_SECONDS"] = "60"
                try:
                    SearchSettings.read(environment)
                except SettingsError:
                    assert not fits, (name, value)
                else:
                    # The gateway is stricter here than the function.
                    assert fits or value == "https://a.example,", (name, value)


def test_the_stage_fits_into_bucket_names(project: Path) -> None:
    for [problem] in problems(project, [(stage, {}) for stage in ("Prod", "my_stage", "c" * 32, "-x")]):
        assert problem.endswith("give at most 31 lower-case letters, digits and hyphens")


def test_a_domain_needs_its_certificate(project: Path) -> None:
    for given in ({"domainName": "search.shop.example"}, {"certificateId": "0f246ca9"}):
        assert problems(project, [("dev", given)]) == [["give domainName and certificateId together"]]


def test_a_function_url_has_neither_domain_nor_access_log(project: Path) -> None:
    given = {"domainName": "search.shop.example", "certificateId": "0f246ca9", "accessLog": "stage"}
    [found] = problems(project, [("dev", {**ADDRESS, **given})])
    assert [each.partition(":")[0] for each in found] == [
        "a function URL has no domainName",
        "a function URL has no accessLog",
    ]


@pytest.mark.slow
def test_the_cli_reports_every_problem(serverless: Serverless) -> None:
    done = serverless("package", "--param=bundle=ready.zip", "--param=site=false", "--param=galleryPrefix=photos")
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert 'site is "false": give none or cdn' in said
    assert 'galleryPrefix is "photos": give nothing or a folder' in said


@pytest.mark.slow
def test_a_misspelt_param_is_refused(serverless: Serverless) -> None:
    done = serverless("package", "--param=bundle=ready.zip", "--param=galleryBuket=shop-photos")
    assert done.returncode != 0
    assert "no such param: galleryBuket. The params are architecture, " in done.stdout + done.stderr


@pytest.mark.slow
def test_params_in_the_file_are_checked_too(project: Path, serverless: Serverless, tmp_path: Path) -> None:
    copy = tmp_path / "project"
    shutil.copytree(project, copy)
    file = copy / "serverless.yml"
    of_prod = file.read_text().partition("  prod:\n")[2]
    for line, says in (("memry: 2048", "no such param: memry"), ("site: false", 'site is "false"')):
        file.write_text(f"{(project / 'serverless.yml').read_text().removesuffix(of_prod)}    {line}\n{of_prod}")
        done = serverless("package", "--stage", "prod", "--param=bundle=ready.zip", cwd=copy)
        assert done.returncode != 0
        assert says in done.stdout + done.stderr
