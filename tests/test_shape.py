"""The shape of the house, checked: sizes, names, mirrors, and who may make what.

Each rule is a function from sources to complaints, so that a planted fault can show that it bites.
"""

import ast
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOT_OURS = re.compile(
    r"^(\.git|\.venv.*|var|build|dist|node_modules|__pycache__|\..*cache|\.hypothesis)$"
)

MOST_LINES = 500
MOST_FUNCTION_LINES = 60
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}
PROOFS = {"GuardedCall", "Receipt"}
MAY_MAKE_PROOFS = ("gateway/services/relay.py", "gateway/store/", "tests/")
# Joined here, so that this file does not name what it forbids.
REGISTRY_HOSTS = tuple(
    a + b
    for a, b in [
        ("pypi", ".org"),
        ("python", "hosted.org"),
        ("npm", "js.org"),
        ("npm", "js.com"),
        ("yarn", "pkg.com"),
        ("deb.", "debian.org"),
        ("download.py", "torch.org"),
    ]
)


def ours(suffix: str = "") -> dict[str, str]:
    """Every text file of the project by its path, venvs, caches and `var/` left out."""
    found: dict[str, str] = {}
    for folder, folders, files in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if not NOT_OURS.match(name))
        for name in sorted(files):
            path = Path(folder, name)
            if name.endswith(suffix) and path.is_file():
                found[path.relative_to(ROOT).as_posix()] = path.read_text("utf-8", errors="replace")
    return found


def too_long(sources: dict[str, str]) -> Iterator[str]:
    for path, text in sources.items():
        if (lines := text.count("\n")) > MOST_LINES:
            yield f"{path}: {lines} lines, at most {MOST_LINES}"


def untested(sources: dict[str, str]) -> Iterator[str]:
    for path in sources:
        module = Path(path)
        if not path.startswith("gateway/") or module.stem in {"__init__", "__main__"}:
            continue
        folder = "tests" / module.parent.relative_to("gateway")
        test = (folder / f"test_{module.stem.lstrip('_')}.py").as_posix()
        if test not in sources:
            yield f"{path}: no {test}"


def empty_names(sources: dict[str, str]) -> Iterator[str]:
    for path in sources:
        for name in Path(path).with_suffix("").parts:
            if name.removeprefix("test_").strip("_") in EMPTY_NAMES:
                yield f"{path}: {name!r} says nothing; name the noun"


def forged_proofs(sources: dict[str, str]) -> Iterator[str]:
    for path, text in sources.items():
        if path.startswith(MAY_MAKE_PROOFS):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and _name(node.func) in PROOFS:
                yield f"{path}:{node.lineno}: only relay and store make a {_name(node.func)}"


def long_functions(sources: dict[str, str]) -> Iterator[str]:
    for path, text in sources.items():
        if path.startswith("migrations/"):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MOST_FUNCTION_LINES:
                    yield f"{path}:{node.lineno}: {node.name} has {lines} lines"


def core_needs_more_than_python(sources: dict[str, str]) -> Iterator[str]:
    for path, text in sources.items():
        if not path.startswith("gateway/core/"):
            continue
        for line, module in _imports(text):
            if module.split(".")[0] not in sys.stdlib_module_names and not _in(
                module, "gateway.core"
            ):
                yield f"{path}:{line}: core imports {module}"


def telemetry_sdk_outside(sources: dict[str, str]) -> Iterator[str]:
    for path, text in sources.items():
        if not path.startswith("gateway/") or path == "gateway/telemetry.py":
            continue
        for line, module in _imports(text):
            if _in(module, "opentelemetry.sdk") or _in(module, "opentelemetry.exporter"):
                yield f"{path}:{line}: {module} belongs in gateway/telemetry.py"


def package_imports(sources: dict[str, str]) -> Iterator[str]:
    """Importing names from a room's `__init__` is how cycles start."""
    rooms = {
        Path(path).parent.as_posix().replace("/", ".")
        for path in sources
        if path.startswith("gateway/")
    }
    for path, text in sources.items():
        if not path.startswith("gateway/"):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.module in rooms:
                for name in node.names:
                    dotted = f"{node.module}.{name.name}"
                    file = dotted.replace(".", "/")
                    known = {f"{file}.py", f"{file}/__init__.py"} & sources.keys()
                    if not known and name.name != "__version__":
                        yield f"{path}:{node.lineno}: {dotted} comes out of an __init__"


def registry_hosts(sources: dict[str, str]) -> Iterator[str]:
    for path, text in sources.items():
        low = text.lower()
        yield from (f"{path}: names {host}" for host in REGISTRY_HOSTS if host in low)


def _imports(text: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{name.name}") for name in node.names)


def _in(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


Rule = Callable[[dict[str, str]], Iterable[str]]

# Each rule with a planted fault that it must find.
RULES: list[tuple[Rule, dict[str, str]]] = [
    (too_long, {"gateway/x.py": "\n" * 501}),
    (untested, {"gateway/core/x.py": ""}),
    (empty_names, {"gateway/core/utils.py": ""}),
    (forged_proofs, {"gateway/http/x.py": "model.GuardedCall(call, Receipt(1))"}),
    (long_functions, {"gateway/x.py": "def f():\n" + "    pass\n" * 60}),
    (core_needs_more_than_python, {"gateway/core/x.py": "from gateway.services import relay"}),
    (telemetry_sdk_outside, {"gateway/http/x.py": "from opentelemetry import sdk"}),
    (
        package_imports,
        {"gateway/http/x.py": "from gateway.core import Call", "gateway/core/model.py": ""},
    ),
]
IDS = [rule.__name__ for rule, _ in RULES]


@pytest.mark.parametrize(("rule", "_fault"), RULES, ids=IDS)
def test_the_house_keeps(rule: Rule, _fault: dict[str, str]) -> None:
    _none(rule(ours(".py")))


@pytest.mark.parametrize(("rule", "fault"), RULES, ids=IDS)
def test_a_planted_fault_is_found(rule: Rule, fault: dict[str, str]) -> None:
    assert list(rule(fault))


def test_the_walk_sees_the_house() -> None:
    sources = ours(".py")

    assert {
        "gateway/services/relay.py",
        "gateway/core/model.py",
        "tests/test_shape.py",
    } <= sources.keys()


def test_no_file_names_a_registry_host() -> None:
    _none(registry_hosts(ours()))
    assert list(registry_hosts({"x.lock": "https://" + REGISTRY_HOSTS[0].upper()}))


def test_the_lock_has_a_hash_for_every_package() -> None:
    for name in ("run", "test", "bench", "clients", "uv"):
        lock = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
        pins = [
            block
            for block in re.split(r"^(?=\S)", lock, flags=re.MULTILINE)
            if "==" in block.split("\n")[0]
        ]

        assert pins
        assert [pin.split("\n")[0] for pin in pins if "--hash=sha256:" not in pin] == []


def test_what_is_served_is_what_is_tested() -> None:
    served, tested = (_pins(ROOT / "requirements" / f"{name}.txt") for name in ("run", "test"))

    assert served.items() <= tested.items()
    assert "torch" not in tested
    assert not {"tensorflow", "llama-cpp-python", "llm"} & tested.keys()
    assert served["litellm"] not in {"1.82.7", "1.82.8"}


def _none(complaints: Iterable[str]) -> None:
    if found := list(complaints):
        pytest.fail("\n".join(found), pytrace=False)


def _pins(lock: Path) -> dict[str, str]:
    return dict(
        re.findall(r"^([a-z0-9._-]+)==([^ \\]+)", lock.read_text("utf-8"), flags=re.MULTILINE)
    )
