"""Ids sort by time and do not repeat."""

import uuid

from gateway.store.ids import new_id


def test_an_id_is_a_uuid_of_version_7() -> None:
    made = uuid.UUID(new_id())

    assert (made.version, made.variant) == (7, uuid.RFC_4122)


def test_ids_do_not_repeat() -> None:
    assert len({new_id() for _ in range(10_000)}) == 10_000


def test_a_later_millisecond_sorts_later() -> None:
    made = [new_id() for _ in range(20_000)]

    stamps = [one[:13] for one in made]
    assert stamps == sorted(stamps)
    assert len(set(stamps)) > 1
