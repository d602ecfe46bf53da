"""A gcloud that remembers what was created, and refuses what Google would refuse.

It knows the options of the commands in use, as gcloud 528 lists them (`gcloud_flags.json`, from
`gcloud meta lint-gcloud-commands`), that a resource can be made once, and that a role needs its account.
"""

import json
import socketserver
import threading
from pathlib import Path

FLAGS: dict[str, str] = json.loads((Path(__file__).parent / "gcloud_flags.json").read_text())
EVERYWHERE = {"project", "format"}
VALUES = {
    "value(projectId)": "my-project",
    "value(location)": "EU",
    "value(projectNumber)": "1",
    "value(transport.pubsub.subscription)": "projects/my-project/subscriptions/eventarc-{name}",
    "value(status.url)": "https://{name}-x.a.run.app",
    "value(spec.template.spec.containers[0].image)": "europe-west1-docker.pkg.dev/my-project/garment-search/{name}",
}
NAMELESS = ("alpha monitoring policies", "beta monitoring channels", "billing budgets")
"""Google chooses the names of these; what they are called is an option."""
# A deployment calls it 60 times; starting Python each time would take seconds.
PROGRAM = r"""#!/usr/bin/env bash
exec 3<>"/dev/tcp/127.0.0.1/{port}"
printf '%s\0' "$#" "$@" >&3
IFS= read -r -d '' status <&3
IFS= read -r -d '' out <&3
IFS= read -r -d '' err <&3
printf '%s' "$out"
printf '%s' "$err" >&2
exit "$status"
"""

Options = dict[str, list[str]]
Role = tuple[str, str, str]


class RefusedError(Exception):
    """The message with which gcloud exits with 1."""


class FakeGcloud:
    """Put `program` on the path as `gcloud`; use as a context manager."""

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        """The arguments of every call."""
        self.made: dict[str, dict[str, str]] = {}
        """Everything created, such as "run services x", with its options."""
        self.roles: set[Role] = set()
        """(resource, member, role) of every grant."""
        self.failures: dict[str, int] = {}
        """How often each command will fail from now on."""
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"fake": self}))
        self.program = PROGRAM.replace("{port}", str(self._server.server_address[1]))

    def __enter__(self) -> "FakeGcloud":
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def call(self, arguments: list[str]) -> str:
        """Return what gcloud prints. Raises RefusedError."""
        self.commands.append(arguments)
        command, name, options = parse(arguments)
        if self.failures.get(command, 0) > 0:
            self.failures[command] -= 1
            raise RefusedError(f"(gcloud.{command.replace(' ', '.')}) PERMISSION_DENIED")
        kind, _, verb = command.removesuffix(" http").rpartition(" ")
        if command == "run deploy":
            kind = "run services"
        if kind in NAMELESS:
            return self._nameless(kind, verb, name, options)
        name = name.rpartition("/")[2] if kind == "eventarc triggers" else name.partition("@")[0]
        self._accounts_are_there(options)
        out = self._do(f"{kind} {name}", kind, verb, name, options)
        return out + (VALUES[options["format"][0]].format(name=name) + "\n" if "format" in options and not out else "")

    def _nameless(self, kind: str, verb: str, name: str, options: Options) -> str:
        called = options.get("display-name", [""])[0]
        match verb:
            case "list":
                wanted = options["filter"][0].removeprefix('displayName="').removesuffix('"')
                return f"{kind.split()[-1]}/{wanted}\n" if f"{kind} {wanted}" in self.made else ""
            case "create":
                called = called or json.loads(options["policy"][0])["displayName"]
                self._make(f"{kind} {called}", kind, verb, options)
                return f"{kind.split()[-1]}/{called}\n"
            case _:
                self._delete(f"{kind} {name.rpartition('/')[2]}")
        return ""

    def _do(self, thing: str, kind: str, verb: str, name: str, options: Options) -> str:
        match kind, verb:
            case "iam service-accounts keys", "create":
                Path(name).write_text("a key")
            case _, "create" | "deploy":
                self._make(thing, kind, verb, options)
            case _, "add-iam-policy-binding":
                self.roles.add((thing, options["member"][0], options["role"][0]))
            case _, "remove-iam-policy-binding":
                role = (thing, options["member"][0], options["role"][0])
                if role not in self.roles:
                    raise RefusedError("Policy binding with the specified principal, role, and condition not found!")
                self.roles.remove(role)
            case "eventarc triggers", "list":
                names = [each.split()[-1] for each in self.made if each.startswith(kind)]
                return "".join(f"projects/my-project/locations/eu/triggers/{each}\n" for each in names)
            case "storage", "service-agent":
                return "service-1@gs-project-accounts.iam.gserviceaccount.com\n"
            case "storage", "rm":
                self._delete(f"storage buckets {name}")
            case _, "delete":
                self._delete(thing)
            case ("projects" | "services", _) | ("pubsub subscriptions", "update"):
                pass
            case "artifacts repositories", "set-cleanup-policies":
                self.made[thing]["policy"] = Path(options["policy"][0]).read_text()
            case _, "describe" | "update" if thing not in self.made:
                raise RefusedError(f"{thing} was not found")
        return ""

    def _make(self, thing: str, kind: str, verb: str, options: Options) -> None:
        if verb == "create" and thing in self.made:
            raise RefusedError(f"{thing} already exists")
        if kind == "eventarc triggers" and options["location"] != ["eu"]:
            raise RefusedError("bucket and trigger are in different locations")
        if verb == "deploy" and "source" in options and not Path(options["source"][0], "main.py").is_file():
            raise RefusedError("no main.py in the source")
        if verb == "deploy" and not options["image"][0].startswith(
            "europe-west1-docker.pkg.dev/my-project/garment-search"
        ):
            raise RefusedError("no image, or one in another repository")
        if kind == "secrets" and Path(options["data-file"][0]).read_text() != "a key":
            raise RefusedError("not the key")
        self.made[thing] = {option: values[-1] for option, values in options.items()}

    def _delete(self, thing: str) -> None:
        if self.made.pop(thing, None) is None:
            raise RefusedError(f"{thing} was not found")
        # A trigger takes its subscription with it.
        gone = (
            thing,
            thing.replace("eventarc triggers ", "pubsub subscriptions projects/my-project/subscriptions/eventarc-"),
        )
        self.roles = {role for role in self.roles if role[0] not in gone}

    def _accounts_are_there(self, options: Options) -> None:
        for option in ("member", "service-account", "build-service-account", "oidc-service-account-email"):
            for value in options.get(option, []):
                account, _, domain = value.rpartition("/")[2].removeprefix("serviceAccount:").partition("@")
                if (
                    domain == "my-project.iam.gserviceaccount.com"
                    and f"iam service-accounts {account}" not in self.made
                ):
                    raise RefusedError(f"Service account {value} does not exist.")


def parse(arguments: list[str]) -> tuple[str, str, Options]:
    """Parse command, names and options; an option given twice has two values."""
    words = [each for each in arguments if not each.startswith("--")]
    command = max((each for each in FLAGS if words[: len(each.split())] == each.split()), key=len, default="")
    if not command:
        raise RefusedError(f"Invalid choice: {' '.join(words)}")
    options: Options = {}
    for each in arguments:
        if each.startswith("--"):
            name, _, value = each.removeprefix("--").partition("=")
            if name not in EVERYWHERE and name not in FLAGS[command].split():
                raise RefusedError(f"unrecognized arguments: {each}")
            options.setdefault(name, []).append(value)
    names = words[len(command.split()) :]
    return command, names[0] if names else "", options


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


class _Handler(socketserver.StreamRequestHandler):
    fake: FakeGcloud

    def handle(self) -> None:
        arguments = [self._word() for _ in range(int(self._word()))]
        try:
            answer = ("0", self.fake.call(arguments), "")
        except RefusedError as error:
            answer = ("1", "", f"ERROR: {error}\n")
        self.wfile.write("".join(f"{each}\0" for each in answer).encode())

    def _word(self) -> str:
        word = b""
        while (byte := self.rfile.read(1)) not in (b"\0", b""):
            word += byte
        return word.decode()
