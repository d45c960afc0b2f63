"""One policy file as it is written: the whole format, and what of it is not yet in force.

What cannot be done yet is refused here with its line, never ignored. Nothing is folded or built.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias, cast

from pydantic import BeforeValidator, Field, model_validator

from gateway.core.errors import InvalidDocument, Problem
from gateway.core.model import Path
from gateway.services.documents import Document
from gateway.services.policy_media import MediaKey, MediaWord, media_label
from gateway.services.quantities import Duration, Glob, Name
from gateway.services.validation import Section, UnfitError, kind_of, validate

_LABEL = re.compile(r"[a-z0-9_]+(\.[a-z0-9_-]+)*")


def _one_or_more(value: Any) -> Any:
    """A single word is a list of one."""
    return tuple(cast("list[Any]", value)) if isinstance(value, list) else (value,)


def _label(value: Any) -> str:
    if not isinstance(value, str) or not _LABEL.fullmatch(value):
        mend = "Write lower case with dots, general to special, such as `pii.email_address`."
        raise UnfitError(f"expected a label, got {kind_of(value)}.", mend)
    return value


def _operator(value: Any) -> Any:
    """`mask` alone is `{mask: {}}`."""
    return {value: {}} if isinstance(value, str) else value


Label: TypeAlias = Annotated[str, BeforeValidator(_label)]
ActionWord: TypeAlias = Literal["allow", "flag", "redact", "hold", "block"]
StageWord: TypeAlias = Literal["input", "output"]
RoleWord: TypeAlias = Literal["system", "user", "assistant", "tool"]
KindWord: TypeAlias = Literal[
    "text",
    "name",
    "tool_name",
    "tool_arguments",
    "tool_result",
    "tool_definition",
    "response_format",
    "reasoning",
    "refusal",
    "metadata",
]
Some = BeforeValidator(_one_or_more)
NotEmpty = Field(min_length=1)


class AppliesToSection(Section):
    """Which calls: globs on team, model alias and surface."""

    teams: Annotated[tuple[Glob, ...], NotEmpty, Some] = ("*",)
    models: Annotated[tuple[Glob, ...], NotEmpty, Some] = ("*",)
    routes: Annotated[tuple[Glob, ...], NotEmpty, Some] = ("*",)


class ReplaceOptions(Section):
    with_: Annotated[str, Field(max_length=200)] | None = Field(default=None, alias="with")


class MaskOptions(Section):
    keep_last: Annotated[int, Field(ge=0, le=64)] = 0
    character: Annotated[str, Field(min_length=1, max_length=1)] = "*"


class NoOptions(Section):
    pass


class OperatorSection(Section):
    """How a span is rewritten: exactly one of these."""

    replace: ReplaceOptions | None = None
    mask: MaskOptions | None = None
    hash: NoOptions | None = None
    pseudonym: NoOptions | None = None
    remove: NoOptions | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> OperatorSection:
        if len(self.model_fields_set) != 1 or self.chosen is None:
            raise UnfitError("expected exactly one operator.", "Keep one, such as `replace`.")
        return self

    @property
    def chosen(self) -> Section | None:
        """The options of the operator that is given."""
        options = (self.replace, self.mask, self.hash, self.pseudonym, self.remove)
        return next((given for given in options if given is not None), None)


class RuleSection(Section):
    """From labels to an action."""

    id: Name
    action: ActionWord
    label: Annotated[tuple[Label, ...], NotEmpty, Some] | None = None
    stage: Annotated[tuple[StageWord, ...], NotEmpty, Some] | None = None
    roles: Annotated[tuple[RoleWord, ...], NotEmpty, Some] | None = None
    kinds: Annotated[tuple[KindWord, ...], NotEmpty, Some] | None = None
    tools: Annotated[tuple[Glob, ...], NotEmpty, Some] | None = None
    min_score: Annotated[float, Field(ge=0, le=1)] | None = None
    operator: Annotated[OperatorSection, BeforeValidator(_operator)] | None = None

    @model_validator(mode="after")
    def _holds_together(self) -> RuleSection:
        if self.operator is not None and self.action != "redact":
            what = f"an operator rewrites, but the action is `{self.action}`."
            raise UnfitError(what, "Make it `redact`, or remove the operator.", at=("operator",))
        if self.label is not None:
            return self
        if self.tools is None:
            mend = "Add `label:`, `tools:` or both."
            raise UnfitError("has neither a label nor tools, so it is about nothing.", mend)
        if self.action == "redact":
            mend = "Add `label:`, or use flag, hold or block."
            raise UnfitError("redacts without a label, so there is no span.", mend, at=("action",))
        if self.min_score is not None:
            what = "a score needs a label; a tool call has none."
            raise UnfitError(what, "Remove it.", at=("min_score",))
        if self.kinds is not None and "tool_name" not in self.kinds:
            mend = "Remove `kinds:`, or add a label."
            raise UnfitError(
                "a rule without a label is about the tool's name.", mend, at=("kinds",)
            )
        return self


class HoldSection(Section):
    """How a held call waits for a person."""

    queue: Name = "default"
    wait: Duration = 30.0
    on_timeout: Literal["allow", "block"] = "block"
    four_eyes: bool = False
    stream: Literal["rest", "whole"] = "rest"


class MessagesSection(Section):
    """What the client reads instead of an answer."""

    blocked: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    held: Annotated[str, Field(min_length=1, max_length=2000)] | None = None


class AuditSection(Section):
    """What is kept beside the records, and how long; in seconds."""

    payload: Literal["sealed", "none"] = "sealed"
    retain: Duration | None = None


class CaseSection(Section):
    """This text at this stage must meet this action."""

    stage: StageWord
    text: str
    action: ActionWord
    rule: Name | None = None
    becomes: str | None = None
    role: RoleWord | None = None
    kind: KindWord | None = None
    tool: Annotated[str, NotEmpty] | None = None


class PolicySection(Section):
    """A policy file, whole."""

    version: Literal[1]
    name: Name
    description: str = ""
    extends: Annotated[tuple[Name, ...], Some] = ()
    remove: Annotated[tuple[Name, ...], Some] = ()
    applies_to: AppliesToSection | None = None
    floor: bool = False
    priority: Annotated[int, Field(ge=-(10**6), le=10**6)] = 0
    mode: Literal["enforce", "shadow"] = "enforce"
    detectors: Mapping[Name, Mapping[str, Any]] = Field(default_factory=dict[str, dict[str, Any]])
    rules: tuple[RuleSection, ...] = ()
    hold: HoldSection = HoldSection()
    messages: MessagesSection = MessagesSection()
    media: Mapping[MediaKey, MediaWord] = Field(default_factory=dict[str, MediaWord])
    audit: AuditSection = AuditSection()
    cases: tuple[CaseSection, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """A policy as written, with the document that knows its lines."""

    document: Document
    section: PolicySection

    @property
    def name(self) -> str:
        return self.section.name


def read_policy(document: Document) -> PolicyFile:
    """The policy in `document`. Raise InvalidDocument with every problem of the file alone."""
    section = validate(document, PolicySection)
    found = [*_duplicates(document, section), *_not_yet(document, section)]
    if found:
        raise InvalidDocument(tuple(sorted(found, key=lambda problem: problem.line)))
    return PolicyFile(document, section)


def _duplicates(document: Document, section: PolicySection) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for index, rule in enumerate(section.rules):
        at: Path = ("rules", index, "id")
        if rule.id in seen:
            what = f"rule `{rule.id}` stands on line {seen[rule.id]} already."
            yield document.problem(at, what, "Give one of the two another id.")
        seen.setdefault(rule.id, document.at(at).line)
    media: dict[str, str] = {}
    for key in section.media:
        first = media.setdefault(media_label(key), key)
        if first != key:
            what = f"`media.{key}` is the same as `{first}`."
            yield document.problem(("media", key), what, "Keep one of the two.")


_Test: TypeAlias = Callable[[PolicySection], bool]
_NOT_YET: tuple[tuple[Path, _Test, str], ...] = (
    (("floor",), lambda s: s.floor, "Remove `floor: true`."),
    (("mode",), lambda s: s.mode == "shadow", "Use `enforce`."),
    (("hold", "four_eyes"), lambda s: s.hold.four_eyes, "Use `false`."),
    (("hold", "stream"), lambda s: s.hold.stream == "whole", "Use `rest`."),
    (("audit", "payload"), lambda s: s.audit.payload == "none", "Use `sealed`."),
)


def _not_yet(document: Document, section: PolicySection) -> Iterator[Problem]:
    for path, asked, mend in _NOT_YET:
        if asked(section):
            yield document.problem(path, f"`{path[-1]}`: not yet supported.", mend)
    for index, rule in enumerate(section.rules):
        if rule.operator is not None and rule.operator.pseudonym is not None:
            at = ("rules", index, "operator")
            yield document.problem(at, "`pseudonym`: not yet supported.", "Use `hash`.")
