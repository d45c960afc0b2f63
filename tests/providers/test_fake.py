"""The fake keeps the providers' contract, so that what is tested with it holds with the others."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import UpstreamBroken, UpstreamTimeout
from gateway.core.model import (
    Call,
    Chunk,
    Field,
    Finished,
    GuardedCall,
    Kind,
    Passage,
    Receipt,
    Role,
    Stage,
    Text,
    Usage,
)
from gateway.providers.fake import Fake, pieces, reply
from tests.providers.codec import guarded, parts_of, text_of
from tests.providers.contract import ProviderContract, everything

pytestmark = pytest.mark.anyio


def said(role: Role, text: str, kind: Kind = Kind.TEXT) -> Passage:
    return Passage(Stage.INPUT, (Field(("messages", 0, "content"), text, role, kind),))


class Scripted:
    """One script per situation; each call gets what its kind of reply would."""

    def __init__(self) -> None:
        self._slow = Fake([pieces("one two")[0], asyncio.Event().wait])

    def answering(self):
        return Either(Fake([reply("one two")]), Fake(pieces("one two")))

    def slow(self):
        return self._slow

    def breaking(self):
        return Fake([*pieces("one two")[:2], UpstreamBroken()])

    def hanging(self):
        return Fake([UpstreamTimeout()])

    def asked(self) -> int:
        return len(self._slow.calls)

    def cancelled(self) -> int:
        return self._slow.cancelled


class Either:
    def __init__(self, whole, streamed) -> None:
        self._whole, self._streamed = whole, streamed

    def complete(self, call):
        return (self._streamed if call.call.stream else self._whole).complete(call)


class TestContract(ProviderContract):
    @pytest.fixture
    def subject(self):
        return Scripted()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_without_a_script_it_repeats_the_last_user_text(stream):
    passages = (
        said(Role.USER, "first"),
        said(Role.SYSTEM, "be kind"),
        said(Role.USER, "the  last\none"),
        said(Role.USER, "bob", Kind.NAME),
        said(Role.ASSISTANT, "ok"),
    )
    call = Call("c", "openai.chat", "m", {}, passages, stream=stream, choices=2)
    chunks = await everything(Fake(), GuardedCall(call, Receipt("r", 1)))
    assert text_of(chunks, 0) == text_of(chunks, 1) == "the  last\none"
    assert parts_of(chunks, Usage) == [Usage(8, 3)]
    assert [done.choice for done in parts_of(chunks, Finished)] == [0, 1]


async def test_it_remembers_what_it_was_asked():
    fake = Fake([Chunk((Text(0, "content", Kind.TEXT, "x"),))])
    await everything(fake, guarded(text="hello"))
    assert fake.calls[0].body["messages"][0]["content"] == "hello"
    assert (fake.completed, fake.cancelled) == (1, 0)


async def test_the_echo_keeps_no_text():
    fake = Fake()
    await everything(fake, guarded(text="hello"))
    assert fake.calls == []


@given(st.text())
def test_a_stream_says_every_character_once(text):
    assert text_of(pieces(text)) == text
