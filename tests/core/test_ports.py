"""The seams are protocols and plain data; nothing in them does anything."""

import inspect
from typing import Protocol

from gateway.core import ports


def test_every_class_of_the_seams_is_a_protocol_or_a_frozen_dataclass() -> None:
    for name, one in inspect.getmembers(ports, inspect.isclass):
        if one.__module__ != ports.__name__:
            continue
        is_protocol = Protocol in one.__mro__
        parameters = getattr(one, "__dataclass_params__", None)
        assert is_protocol or (parameters and parameters.frozen), name
