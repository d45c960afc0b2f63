"""A process that appends as fast as it can and prints each receipt, to be killed: `crashing URL DATA`."""

import asyncio
import sys
from pathlib import Path

from gateway.core.model import Receipt
from gateway.store.store import Store, open_store
from tests.store.worlds import decision, intent


async def caller(store: Store, name: int) -> None:
    turn = 0
    while True:
        call = f"{name}-{turn}"
        opened = await store.ledger.append(intent(call, name=f"{call}-intent"))
        _say(opened)
        closed = await store.ledger.append(decision(call, name=f"{call}-decision"))
        _say(closed)
        turn += 1


def _say(receipt: Receipt) -> None:
    sys.stdout.write(f"{receipt.seq} {receipt.record}\n")
    sys.stdout.flush()


async def main(url: str, data: str) -> None:
    async with open_store(url, Path(data), "crashing") as store, asyncio.TaskGroup() as group:
        # The callers may go in step, with nothing open between two of them: this call stays open.
        _say(await store.ledger.append(intent("left-open", name="left-open-intent")))
        for name in range(32):
            group.create_task(caller(store, name))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
