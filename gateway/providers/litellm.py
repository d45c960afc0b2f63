"""Engine `litellm`: whatever the LiteLLM SDK speaks, at one configured address. Its sole importer.

LiteLLM obeys 354 reserved names and reads the environment; so it gets explicit arguments only, one
allowed option at a time, and a connection that reaches one origin. It keeps, logs and calls back
nothing.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

import asyncio
import importlib.metadata
import logging
import os
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

import aiohttp
from yarl import URL

from gateway.core.errors import (
    Unsupported,
    UpstreamBroken,
    UpstreamError,
    UpstreamFailed,
    UpstreamTimeout,
)
from gateway.core.model import Call, Chunk, GuardedCall
from gateway.core.ports import Codec
from gateway.providers.egress import Outing, current_session, only, open_session
from gateway.providers.target import Target, Timeouts

OPTIONS = (
    "frequency_penalty",
    "logit_bias",
    "max_completion_tokens",
    "max_tokens",
    "n",
    "parallel_tool_calls",
    "presence_penalty",
    "reasoning_effort",
    "response_format",
    "seed",
    "stop",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_p",
)
"""What of a request may pass. None of it names a destination, a secret or a switch of LiteLLM's.
`user` is not here: LiteLLM 1.106.2 drops it without a word for most models."""
_OURS = frozenset({"messages", "model", "stream"})
COMPROMISED = frozenset({"1.82.7", "1.82.8"})
"""Releases of March 2026 that stole credentials at any start of Python."""
NO_KEY = "none"
"""Sent when no key is configured: without one LiteLLM would send a key of the environment."""
_LOGGERS = ("LiteLLM", "LiteLLM Proxy", "LiteLLM Router", "litellm", "openai", "httpx", "httpcore")


def refuse_compromised(version: str) -> None:
    """Raise RuntimeError for a release that must not run."""
    if version in COMPROMISED:
        raise RuntimeError(
            f"litellm {version} is a compromised release: remove it, and replace every secret that "
            "this machine held."
        )


def silenced() -> Any:
    """The library, imported (seconds) and with everything off that keeps, sends or logs text."""
    refuse_compromised(importlib.metadata.version("litellm"))
    # LiteLLM reads these at its import: without them it fetches a price list from the network and
    # loads a `.env` of the working directory.
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # noqa: TID251  see above
    os.environ["LITELLM_MODE"] = "PRODUCTION"  # noqa: TID251  see above
    import litellm  # noqa: PLC0415  it takes seconds, and only this engine needs it
    from litellm.litellm_core_utils import logging_worker  # noqa: PLC0415  as above
    from litellm.llms.custom_httpx import aiohttp_transport, http_handler  # noqa: PLC0415  as above

    for hooks in (
        "callbacks",
        "input_callback",
        "success_callback",
        "failure_callback",
        "service_callback",
        "_async_input_callback",
        "_async_success_callback",
        "_async_failure_callback",
    ):
        setattr(litellm, hooks, [])
    litellm.turn_off_message_logging = True
    litellm.redact_messages_in_exceptions = True
    litellm.suppress_debug_info = True
    litellm.drop_params = False
    litellm.modify_params = False
    litellm.num_retries = 0
    litellm.cache = None

    def guarded(*_: object, **__: object) -> aiohttp_transport.LiteLLMAiohttpTransport:
        return aiohttp_transport.LiteLLMAiohttpTransport(current_session, owns_session=False)

    # Every client that LiteLLM makes for itself takes the guarded way out.
    http_handler.AsyncHTTPHandler.create_async_transport = staticmethod(guarded)
    logging_worker.GLOBAL_LOGGING_WORKER.ensure_initialized_and_enqueue = _discard
    # Proxies of the environment are somebody else's choice of a destination.
    litellm.disable_aiohttp_trust_env = True
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = False
        logger.setLevel(logging.CRITICAL + 1)
    return litellm


@asynccontextmanager
async def open_litellm(
    codecs: Mapping[str, Codec],
    target: Target,
    *,
    timeouts: Timeouts | None = None,
    max_reply: int = 16 << 20,
) -> AsyncGenerator[LiteLLM]:
    """A provider with its own connections, closed at the end. `max_reply`: see `Outing`.

    `codecs` are by surface, and all of them write chat completions: LiteLLM speaks those alone here.

    Raise ValueError without a full model name.
    """
    if target.model is None or "*" in target.model:
        # LiteLLM reads the vendor, and with it the way of the text, from the model's name.
        raise ValueError(
            "model: engine litellm needs the full name, such as huggingface/mistral-7b"
        )
    library = silenced()
    async with open_session() as session:
        try:
            times = timeouts or Timeouts()
            yield LiteLLM(library, session, codecs, target, timeouts=times, max_reply=max_reply)
        finally:
            # Its cached clients hold this session, and would hand it to whoever comes next.
            library.in_memory_llm_clients_cache.flush_cache()


class LiteLLM:
    """A Provider; made by `open_litellm`."""

    def __init__(
        self,
        library: Any,
        session: aiohttp.ClientSession,
        codecs: Mapping[str, Codec],
        target: Target,
        *,
        timeouts: Timeouts,
        max_reply: int,
    ) -> None:
        self._library = library
        self._session = session
        self._codecs = codecs
        self._target = target
        self._timeouts = timeouts
        self._max_reply = max_reply
        self._origin = URL(target.base_url).origin()

    async def complete(self, guarded: GuardedCall) -> AsyncGenerator[Chunk, None]:
        """Raise Unsupported naming an option that LiteLLM models do not take, or an UpstreamError."""
        call = guarded.call
        codec = self._codecs[call.surface]
        options = self._options(call, codec)
        ends_at = asyncio.get_running_loop().time() + self._timeouts.total
        outing = Outing(self._session, self._origin, self._max_reply)
        try:
            with only(outing):
                reply = await self._ask(options, call)
            if not outing.responses:
                raise UpstreamFailed(
                    "LiteLLM reaches this vendor by a way that is not guarded here."
                )
            if not call.stream:
                yield codec.decode_whole(reply.model_dump(), call)
                return
            reader = codec.events()
            async with aclosing(reply):
                while (event := await self._next(reply, ends_at)) is not None:
                    if (chunk := reader.read(event)).parts:
                        yield chunk
        finally:
            outing.close()

    def _options(self, call: Call, codec: Codec) -> dict[str, Any]:
        name = self._target.name_for(call)
        body = {k: v for k, v in codec.encode(call, name).items() if v is not None}
        for key in body:
            if key not in OPTIONS and key not in _OURS:
                # Only names that the surface or the operator declared come here; still, a client
                # chose among them, and the path is for the client to find it.
                raise Unsupported("LiteLLM models do not take this option.", path=key)
        if call.stream and call.choices > 1:
            # LiteLLM 1.106.2 gives the end of the first choice alone.
            raise Unsupported("LiteLLM models do not stream more than one choice.", path="n")
        if any(tool.get("type") != "function" for tool in body.get("tools", ())):
            # Other types make LiteLLM call servers of its own accord.
            raise Unsupported("LiteLLM models take function tools alone.", path="tools")
        _refuse_media(body["messages"])
        return body

    async def _ask(self, options: Mapping[str, Any], call: Call) -> Any:
        try:
            async with asyncio.timeout(min(self._timeouts.first_byte, self._timeouts.total)):
                return await self._library.acompletion(
                    model=self._target.name_for(call),
                    messages=options["messages"],
                    stream=call.stream,
                    api_base=self._target.base_url,
                    api_key=self._target.api_key or NO_KEY,
                    timeout=self._timeouts.total,
                    num_retries=0,
                    max_retries=0,
                    caching=False,
                    # Else it looks for tool servers to call, and needs the package `mcp` for it.
                    _skip_mcp_handler=True,
                    frequency_penalty=options.get("frequency_penalty"),
                    logit_bias=options.get("logit_bias"),
                    max_completion_tokens=options.get("max_completion_tokens"),
                    max_tokens=options.get("max_tokens"),
                    n=options.get("n"),
                    parallel_tool_calls=options.get("parallel_tool_calls"),
                    presence_penalty=options.get("presence_penalty"),
                    reasoning_effort=options.get("reasoning_effort"),
                    response_format=options.get("response_format"),
                    seed=options.get("seed"),
                    stop=options.get("stop"),
                    stream_options=options.get("stream_options"),
                    temperature=options.get("temperature"),
                    tool_choice=options.get("tool_choice"),
                    tools=options.get("tools"),
                    top_p=options.get("top_p"),
                )
        except Exception as error:  # noqa: BLE001  LiteLLM documents no closed set of errors
            failure = self._translated(error, began=False)
        # Raised out here: its errors quote the prompt and the answer, so none may be the context.
        raise failure

    async def _next(self, reply: Any, ends_at: float) -> dict[str, Any] | None:
        """The next event; None at the end."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(min(loop.time() + self._timeouts.between, ends_at)):
                event = (await anext(reply)).model_dump()
        except StopAsyncIteration:
            return None
        except Exception as error:  # noqa: BLE001  as above
            failure = self._translated(error, began=True)
        else:
            if _ends(event) and reply.received_finish_reason is None:
                # LiteLLM makes up a `stop` when the server just stopped talking.
                raise UpstreamBroken
            return event
        raise failure

    def _translated(self, error: Exception, *, began: bool) -> UpstreamError:
        if isinstance(error, TimeoutError | self._library.Timeout):
            return UpstreamTimeout()
        if began:
            return UpstreamBroken()
        if isinstance(error, self._library.UnsupportedParamsError):
            return UpstreamFailed("LiteLLM does not pass one of these options on to this server.")
        status = getattr(error, "status_code", None)
        # 5xx is also what LiteLLM makes of a connection that failed.
        if isinstance(status, int) and 400 <= status < 500:
            return UpstreamFailed(f"The model server answered with status {status}.")
        return UpstreamFailed()


def _refuse_media(messages: list[dict[str, Any]]) -> None:
    """LiteLLM fetches the addresses in image and file parts by itself."""
    for message in messages:
        content = message.get("content")
        if isinstance(content, list) and any(
            part.get("type") not in {"text", "refusal"} for part in content
        ):
            raise Unsupported("LiteLLM models take text parts alone.", path="messages")


def _ends(event: Mapping[str, Any]) -> bool:
    return any(choice.get("finish_reason") for choice in event.get("choices") or ())


def _discard(async_coroutine: Coroutine[Any, Any, Any]) -> None:
    """In the place of LiteLLM's logging queue, whose task would outlive its callers."""
    async_coroutine.close()
