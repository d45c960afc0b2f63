"""The child process that runs a small model: llama.cpp's server out of the xllamacpp wheel.

Run by `local.py` alone: `python -m gateway.providers.local_server --model PATH --alias NAME --port N`,
the API key as the first line of stdin. It says its address on stdout, once, and dies with its parent.
"""
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportAttributeAccessIssue=false, reportUnknownVariableType=false

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import sys
import threading
from typing import Any

_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Serve until stdin ends; 1 when the model does not load."""
    parser = argparse.ArgumentParser(description="A llama.cpp server that dies with its parent")
    parser.add_argument("--model", required=True, help="a gguf file")
    parser.add_argument("--alias", required=True, help="the name it answers under")
    parser.add_argument("--port", type=int, default=0, help="0: a free one")
    parser.add_argument("--slots", type=int, default=2, help="calls at the same time")
    parser.add_argument("--context", type=int, default=2048, help="tokens that one call may use")
    options = parser.parse_args()
    _die_with_parent()
    key = sys.stdin.buffer.readline().strip().decode("ascii")
    if not key:
        return 1
    say = os.dup(1)
    _silence()
    threading.Thread(target=_watch_stdin, daemon=True).start()
    server = _serve(options, key)
    os.write(say, f"{server.listening_address}\n".encode())
    os.close(say)
    threading.Event().wait()
    return 0


def _serve(options: argparse.Namespace, key: str) -> Any:
    import xllamacpp  # noqa: PLC0415  after `_silence`, and never in the gateway's own process

    params = xllamacpp.CommonParams()
    params.model.path = options.model
    params.model_alias = {options.alias}
    params.hostnames = ["127.0.0.1"]
    params.port = options.port
    # Other users of this machine would come past every guard without it.
    params.api_keys = [key]
    params.cpuparams.n_threads = 1
    params.n_parallel = options.slots
    params.n_ctx = options.context * options.slots
    # What a call may generate that sets no limit: this model does not always find an end.
    params.n_predict = options.context // 4
    # Each of these shows or keeps prompts: a page, the slots' texts, 8 GiB of past prompts.
    params.ui = False
    params.endpoint_slots = False
    params.endpoint_props = False
    params.cache_ram_mib = 0
    params.cors_origins = ""
    return xllamacpp.Server(params)


def _die_with_parent() -> None:
    """Linux kills us when the parent ends, even by kill -9; elsewhere `_watch_stdin` alone does."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _watch_stdin() -> None:
    """The parent never writes again: an end of stdin is the parent's end."""
    sys.stdin.buffer.read()
    os._exit(0)


def _silence() -> None:
    """What llama.cpp prints goes nowhere: it could hold text."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)


if __name__ == "__main__":
    sys.exit(main())
