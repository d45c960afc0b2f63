"""Detectors that find given words, a source of them, and a judge that looks at whole texts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

from pydantic import BaseModel, ConfigDict

from gateway.core.model import Action, Finding, Passage, Path, Window
from gateway.core.policy import Decision, decide, tool_rulings
from gateway.core.ports import Detector, InForce, Reach
from gateway.core.redact import Edit, Span, apply, clusters
from gateway.services.policies import Policies


@dataclass(frozen=True)
class WordDetector:
    name: str
    words: Mapping[str, str]
    version: str = "fake-1"
    reach: Reach = field(default_factory=lambda: Reach(min=10, max=20, before=5, after=7))
    budget: float = 1.0

    @property
    def emits(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.words.values()))

    @property
    def fingerprint(self) -> str:
        return f"{self.name}{sorted(self.words.items())}"

    async def detect(self, windows: Sequence[Window]) -> Sequence[Sequence[Finding]]:
        return [
            [
                Finding(
                    label,
                    0.9,
                    window.text.index(word),
                    window.text.index(word) + len(word),
                    self.name,
                    "1",
                )
                for word, label in self.words.items()
                if word in window.text
            ]
            for window in windows
        ]


class PiiOptions(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    entities: list[str] = ["EMAIL_ADDRESS", "PERSON"]


class Source:
    """`pii` finds bob@x (email_address) and Ann (person); `keywords` its own lists."""

    def names(self) -> Sequence[str]:
        return ("pii", "keywords")

    def build(self, name: str, options: Mapping[str, Any]) -> Detector:
        if name == "pii":
            read = PiiOptions.model_validate(dict(options))
            known = {"EMAIL_ADDRESS": "bob@x", "PERSON": "Ann"}
            return WordDetector(name, {known[one]: f"pii.{one.lower()}" for one in read.entities})
        lists: Mapping[str, list[str]] = options.get("lists", {})
        if not lists:
            raise ValueError("expected lists of words")
        return WordDetector(name, {w: f"keyword.{k}" for k, words in lists.items() for w in words})


@dataclass(frozen=True)
class Examined:
    decision: Decision
    texts: Mapping[Path, str]


class WholeTextJudge:
    async def examine(self, force: InForce, passages: Sequence[Passage]) -> Examined:
        rulings, texts = [], {}
        for passage in passages:
            window = Window(passage.text, 0, 0, len(passage.text))
            found = [f for d in force.detectors for f in (await d.detect([window]))[0]]
            own = decide(force.policy.rules, passage, found).rulings
            spans = [
                Span(r.finding.start, r.finding.end, r.finding.label, r.finding.score, r.operator)
                for r in own
                if r.action is Action.REDACT
            ]
            edits = [
                Edit(c.start, c.end, c.rewrite(passage.text[c.start : c.end], b"k"))
                for c in clusters(spans)
            ]
            if edits:
                texts[passage.fields[0].path] = apply(passage.text, edits)
            rulings += [*own, *tool_rulings(force.policy.rules, passage)]
        return Examined(Decision(tuple(rulings)), texts)


def service(shipped: FilePath | None = None) -> Policies:
    return Policies(Source(), WholeTextJudge(), shipped)


HEAD = "version: 1\nname: {name}\napplies_to: {{}}\n"


def written(folder: FilePath, **files: str) -> FilePath:
    """A folder of policies; a file without `version:` gets a head with its own name."""
    for name, text in files.items():
        head = "" if "version:" in text else HEAD.format(name=name)
        (folder / f"{name}.yaml").write_text(head + text, "utf-8")
    return folder
