"""A file is what was locked, or nothing is opened."""

import hashlib
from typing import Any

import pytest
from onnx import TensorProto, helper

from gateway.core.errors import NotReady
from gateway.detectors.toxicity.session import checked, opened


def test_the_bytes_that_were_checked_are_the_bytes_that_are_used(tmp_path):
    file = tmp_path / "model"
    file.write_bytes(b"weights")

    assert checked(file, hashlib.sha256(b"weights").hexdigest()) == b"weights"


def test_one_changed_byte_is_not_ready(tmp_path):
    file = tmp_path / "model"
    file.write_bytes(b"Weights")

    with pytest.raises(NotReady, match="SHA-256"):
        checked(file, hashlib.sha256(b"weights").hexdigest())


def test_a_missing_file_is_not_ready(tmp_path):
    with pytest.raises(NotReady, match="cannot read model"):
        checked(tmp_path / "model", "")


def test_a_session_has_one_thread():
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    graph = helper.make_graph(
        [helper.make_node("Neg", ["x"], ["y"])], "negative", [ends[0]], [ends[1]]
    )
    version = [helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=version, ir_version=10)

    session: Any = opened(model.SerializeToString())

    assert session.get_session_options().intra_op_num_threads == 1
    assert session.run(None, {"x": [2.0]})[0].tolist() == [-2.0]
