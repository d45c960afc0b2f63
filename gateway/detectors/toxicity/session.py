"""ONNX models, opened one way: from bytes that were checked by SHA-256, on one thread.

Heavy libraries are imported here inside functions; nothing here downloads anything.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from gateway.core.errors import NotReady


class Session(Protocol):
    """The part of an onnxruntime session that is used."""

    def run(
        self, output_names: Sequence[str] | None, input_feed: Mapping[str, Any]
    ) -> Sequence[Any]: ...


def checked(path: Path, sha256: str) -> bytes:
    """The bytes of a file that is exactly what it should be; what was checked is what is used."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise NotReady(f"toxicity: cannot read {path.name}. Add the model again.") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise NotReady(f"toxicity: {path.name} is not the file that was locked (SHA-256 differs).")
    return content


def opened(model: bytes) -> Session:
    """A session on one thread: the caller brings its own, and results must not depend on load."""
    import onnxruntime

    options: Any = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # Errors alone; the warnings are about its own optimizer.
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
