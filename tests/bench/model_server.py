"""The rig's mock model server, whose `echo` answers with a fresh text of the prompt's length and kind.

The rig's own echo would give back the redacted prompt, with nothing left in it to find. Run:
`model_server.py --port N --no-keep`; the rig's other options hold too.
"""

from __future__ import annotations

import itertools
from typing import Any

from tests.bench.prompts import answer
from tests.bench.rig import mock_upstream

_numbers = itertools.count()


def main() -> None:
    mock: Any = mock_upstream()

    class Reply(mock.Reply):
        """`Server` asks for its module's `Reply` by name, so this one is taken."""

        def _deltas(self, body: dict[str, Any]) -> list[Any]:
            if self.knobs["script"] == "echo":
                return [answer(next(_numbers))]
            return super()._deltas(body)

    mock.Reply = Reply
    mock.main()


if __name__ == "__main__":
    main()
