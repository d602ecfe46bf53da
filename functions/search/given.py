"""The parameters of a request as its client gave them."""

from collections.abc import Iterable


class Given(dict[str, str]):
    """Parameters by name, with one value each; `every` has all values of those that were repeated."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = (), *, first_wins: bool = False) -> None:
        """Take names and values; the last value of a name counts, or the first."""
        super().__init__()
        self.every: dict[str, list[str]] = {}
        for name, value in pairs:
            self.every.setdefault(name, []).append(value)
        self.update({name: values[0 if first_wins else -1] for name, values in self.every.items()})

    def overridden_by(self, others: "Given") -> "Given":
        """Join both; the values of a name that `others` has count alone."""
        joined = Given()
        joined.update({**self, **others})
        joined.every = {**self.every, **others.every}
        return joined
