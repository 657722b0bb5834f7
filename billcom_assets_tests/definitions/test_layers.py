"""The floors of the house: imports point down only, and Dagster stays upstairs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import dagster as dg

import billcom_assets
from billcom_assets import dagster_internals
from billcom_assets.dagster_internals import web

PACKAGE = "billcom_assets"
ROOT = Path(billcom_assets.__file__).parent

FLOORS = (
    ("definitions",),
    ("cli",),
    ("doctor",),
    ("job_runner", "webserver"),
    ("automation",),
    ("assets",),
    ("checks",),
    ("json_logs", "partitions", "resources", "storage", "text_tables"),
    ("environment",),
    ("status",),
    ("setup",),
    ("books",),
    ("alignment",),
    ("quality",),
    ("mapping",),
    ("ledger",),
    ("documents",),
    ("sync",),
    ("warehouse",),
    ("bill",),
    ("entities",),
    ("redaction",),
    ("clock", "private_files"),
    ("dagster_internals",),
    ("sandbox",),
)
"""From the roof to the ground; rooms on one floor do not know each other."""
MAY_USE_DAGSTER = {
    "dagster_internals",
    "definitions",
    "cli",
    "doctor",
    "job_runner",
    "webserver",
    "assets",
    "checks",
    "automation",
    "partitions",
    "text_tables",
    "resources",
    "storage",
}
MAY_USE_THE_SANDBOX = {"cli"}
PROGRESS_TABLES = {f"{PACKAGE}.warehouse.tables.{name}" for name in ("integrations", "sync_state", "sync_runs")}
"""What is known of how far an integration is."""
MAY_READ_PROGRESS = {
    "warehouse",
    "sync",
    "quality/entity.py",  # keeps there when it looked at everything
    "quality/measures.py",  # adds up what a pull has recorded
    "books/trace.py",  # names the pull that brought a document
    "status",
    "setup/connecting.py",  # writes them
}
LEVEL = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}


def modules() -> Iterator[tuple[str, str, ast.Module]]:
    """(room, path, syntax tree) of every module."""
    for path in sorted(ROOT.rglob("*.py")):
        inside = path.relative_to(ROOT)
        room = inside.parts[0].removesuffix(".py")
        if room != "__init__":
            yield room, str(inside), ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> Iterator[str]:
    """Dotted names that the module imports, wherever it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            assert node.level == 0
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def our_rooms(tree: ast.Module) -> set[str]:
    return {name.split(".")[1] for name in imported(tree) if name.startswith(f"{PACKAGE}.")} & LEVEL.keys()


def test_every_room_has_its_floor() -> None:
    assert {room for room, _, _ in modules()} - LEVEL.keys() == set()


def test_imports_point_down_only() -> None:
    wrong = [
        f"{path} imports {other}"
        for room, path, tree in modules()
        for other in our_rooms(tree) - {room}
        if LEVEL[other] <= LEVEL[room]
    ]
    assert wrong == []


def test_dagster_stays_upstairs() -> None:
    users = {
        room for room, _, tree in modules() if any(name.split(".")[0].startswith("dagster") for name in imported(tree))
    }
    assert users - MAY_USE_DAGSTER == set()
    assert "assets" in users


def test_private_modules_of_dagster_are_imported_in_one_place() -> None:
    users = {room for room, _, tree in modules() if any(name.startswith("dagster._") for name in imported(tree))}
    assert users == {"dagster_internals"}


def test_what_dagster_makes_public_is_no_longer_taken_from_its_private_modules() -> None:
    assert [name for name in (*dagster_internals.__all__, *web.__all__) if hasattr(dg, name)] == []


def test_the_sandbox_knows_nothing_of_us_and_only_the_command_knows_it() -> None:
    rooms = [(room, path, our_rooms(tree)) for room, path, tree in modules()]
    assert [path for room, path, others in rooms if room == "sandbox" and others - {"sandbox"}] == []
    users = {room for room, _, others in rooms if "sandbox" in others}
    assert users - {"sandbox"} <= MAY_USE_THE_SANDBOX


def test_how_far_an_integration_is_is_read_in_one_room() -> None:
    readers = {(room, path) for room, path, tree in modules() if PROGRESS_TABLES & set(imported(tree))}
    assert {path for room, path in readers if not {room, path} & MAY_READ_PROGRESS} == set()


def targets(node: ast.stmt, names: set[str]) -> Iterator[str]:
    """Our modules that a statement at the top of a module imports."""
    if isinstance(node, ast.Import):
        yield from ({alias.name.removeprefix(f"{PACKAGE}.") for alias in node.names} & names)
    elif isinstance(node, ast.ImportFrom) and node.module is not None:
        module = node.module.removeprefix(f"{PACKAGE}.")
        for alias in node.names:
            yield from [name for name in (f"{module}.{alias.name}", module) if name in names][:1]


def test_no_two_modules_import_each_other_in_a_circle() -> None:
    """Between modules, not only between rooms; imports inside functions are there to break circles."""
    trees = {path.removesuffix(".py").removesuffix("/__init__").replace("/", "."): tree for _, path, tree in modules()}
    graph = {
        name: {target for node in tree.body for target in targets(node, set(trees))} for name, tree in trees.items()
    }
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join((*above, name))
        if name not in done:
            for target in sorted(graph[name]):
                visit(target, (*above, name))
            done.add(name)

    for name in graph:
        visit(name, ())
