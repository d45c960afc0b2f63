"""Where a model is served, under which name, and how long to wait. Opens nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from yarl import URL

from gateway.core.model import Call


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `total` is until the reply's last byte; a slow reader's time counts in it.

    `first_byte` is until the answer's head, and again until its body begins; `between` is the
    longest silence after that.
    """

    connect: float = 3
    first_byte: float = 60
    between: float = 30
    total: float = 600

    def __post_init__(self) -> None:
        if min(self.connect, self.first_byte, self.between, self.total) <= 0:
            raise ValueError("timeouts: expected seconds above 0")


@dataclass(frozen=True, slots=True)
class Target:
    """`model` is the name sent on; None or `*` sends the client's own.

    `dialect` says how the key is sent: as a bearer token (`openai`), or as `x-api-key` (`anthropic`).
    """

    base_url: str
    model: str | None = None
    api_key: str | None = field(default=None, repr=False)
    dialect: Literal["openai", "anthropic"] = "openai"

    def __post_init__(self) -> None:
        url = URL(self.base_url)
        if (
            url.scheme not in {"http", "https"}
            or not url.host
            or url.user is not None
            or url.password is not None
            or url.query_string
            or url.fragment
        ):
            raise ValueError(
                "base_url: expected http(s)://host[:port][/path], without user, password or query"
            )
        if self.api_key is not None and not (self.api_key.isascii() and self.api_key.isprintable()):
            raise ValueError("api_key: expected printable ASCII on one line")

    def name_for(self, call: Call) -> str:
        """The model's name as its server should read it."""
        return call.model if self.model is None or self.model == "*" else self.model
