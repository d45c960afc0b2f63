"""What every provider does, whatever runs behind it. Inherit it and give a `subject`."""

from contextlib import aclosing
from typing import Protocol

import anyio
import pytest

from gateway.core.errors import UpstreamBroken, UpstreamError, UpstreamTimeout
from gateway.core.model import Chunk, Finished, GuardedCall, Usage
from gateway.core.ports import Provider
from tests.providers.codec import guarded, parts_of, text_of
from tests.rig import eventually

SECRET = "zq-canary-prompt"


class Subject(Protocol):
    """A provider with its world. Its `short` timeouts are well under a second."""

    def answering(self) -> Provider: ...
    def slow(self) -> Provider:
        """Begins its stream at once, and takes longer than any test for the whole."""
        ...

    def breaking(self) -> Provider:
        """Breaks off in the middle of a stream, and of a whole reply."""
        ...

    def hanging(self) -> Provider:
        """Never answers; short timeouts."""
        ...

    def asked(self) -> int:
        """How many calls have reached the model."""
        ...

    def cancelled(self) -> int:
        """How often the model's work was stopped before its end."""
        ...


async def everything(provider: Provider, call: GuardedCall) -> list[Chunk]:
    return [chunk async for chunk in provider.complete(call)]


async def gather(provider: Provider, call: GuardedCall, into: list[Chunk]) -> None:
    """As `everything`, for calls that fail: what came before stays in `into`."""
    async for chunk in provider.complete(call):
        into.append(chunk)  # noqa: PERF401  a comprehension would lose it


def assert_no_text(error: BaseException) -> None:
    """Neither the error nor anything chained to it carries the message."""
    seen: BaseException | None = error
    while seen is not None:
        assert SECRET not in f"{seen!r} {seen!s} {vars(seen)!r}"
        seen = seen.__cause__ or seen.__context__


class ProviderContract:
    async def test_a_whole_reply_is_a_stream_of_one_chunk(self, subject: Subject):
        chunks = await everything(subject.answering(), guarded())
        assert len(chunks) == 1
        assert text_of(chunks)
        assert [done.reason for done in parts_of(chunks, Finished)] == ["stop"]
        assert len(parts_of(chunks, Usage)) == 1

    async def test_a_stream_says_the_same_in_pieces(self, subject: Subject):
        provider = subject.answering()
        whole = await everything(provider, guarded())
        pieces = await everything(provider, guarded(stream=True))
        assert text_of(pieces) == text_of(whole)
        assert [done.reason for done in parts_of(pieces, Finished)] == ["stop"]

    @pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
    async def test_cancelling_the_task_stops_the_model(self, subject: Subject, stream: bool):
        before, asked = subject.cancelled(), subject.asked()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(everything, subject.slow(), guarded(stream=stream))
            await eventually(lambda: subject.asked() > asked, within=20)
            tasks.cancel_scope.cancel()
        await eventually(lambda: subject.cancelled() > before)

    async def test_closing_the_generator_stops_the_model(self, subject: Subject):
        before = subject.cancelled()
        async with aclosing(subject.slow().complete(guarded(stream=True))) as chunks:
            await anext(chunks)
        await eventually(lambda: subject.cancelled() > before)

    async def test_a_generator_that_was_never_started_asks_nothing(self, subject: Subject):
        before = subject.cancelled()
        await subject.slow().complete(guarded(stream=True)).aclose()
        assert subject.cancelled() == before

    async def test_a_stream_that_breaks_off_gives_what_came_and_then_says_so(
        self, subject: Subject
    ):
        chunks: list[Chunk] = []
        call = guarded(stream=True, text=SECRET)
        with pytest.raises(UpstreamBroken) as caught:
            await gather(subject.breaking(), call, chunks)
        assert text_of(chunks)
        assert not parts_of(chunks, Finished)
        assert_no_text(caught.value)

    async def test_a_whole_reply_that_breaks_off_is_an_error(self, subject: Subject):
        with pytest.raises(UpstreamError) as caught:
            await everything(subject.breaking(), guarded(text=SECRET))
        assert_no_text(caught.value)

    @pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
    async def test_a_model_that_never_answers_is_a_timeout(self, subject: Subject, stream: bool):
        with pytest.raises(UpstreamTimeout) as caught:
            await everything(subject.hanging(), guarded(stream=stream, text=SECRET))
        assert_no_text(caught.value)
