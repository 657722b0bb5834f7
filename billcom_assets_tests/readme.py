"""The README's outputs are what its commands print: ``make readme`` writes them, tests compare.

There are two kinds of blocks: what ``billcom demo`` prints, and parts of one session at a shell with ``$`` before each
command. Lists are shown by their first lines, as a reader needs them; see ``_LISTS``.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from string import Template
from types import TracebackType
from typing import IO, Any, Self

from click.testing import CliRunner, Result

from billcom_assets.cli import billcom

README = Path(__file__).parents[1] / "README.md"
HOME = ".billcom"
"""Where the README's commands keep their data, below the working folder."""
STALE = "The README shows something else. Look at what it should show, then: make readme"
_DEMO = re.compile(r"(?<=ends like this:\n\n```\n).*?(?=```\n)", re.DOTALL)
_SESSION = re.compile(r"(?<=\n```\n)\$ .*?(?=```\n)", re.DOTALL)
_COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n", re.MULTILINE)
_WIDEST = 160
_LISTS = (
    (re.compile(r".*: .* fetched, .* written, .* requests so far$"), 1, 0),
    (re.compile(r".*\.csv \("), 1, 0),
    (re.compile(r"  - "), 2, 0),
    (re.compile(r"\S.*?  +-?[\d,]+\b"), 4, 1),
)
"""What the lines of a list look like, and how many are shown from its beginning and its end; more indented lines below
one belong to it."""
_VARIES = (
    (re.compile(r"\b\d+\.\d\b"), "0.1"),  # seconds in tables
    (re.compile(r"in \d+ seconds"), "in 1 seconds"),
    (
        re.compile(r"\d+ requests so far"),
        "9 requests so far",
    ),  # those that run ahead are counted with the entity before
    (re.compile(r"\), \d+ requests?;"), "), 9 requests;"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"), "2026-01-01 00:00 UTC"),
    (re.compile(r" by (\w+) \(\w+\)"), r" by \1"),
    (re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "00000000-0000-0000-0000-000000000000"),
)
"""What is different each time, and what stands for it when two outputs are compared."""


def comparable(output: str) -> str:
    """The output without what varies; columns may be wider for it."""
    for pattern, constant in _VARIES:
        output = pattern.sub(constant, output)
    return re.sub(r" {2,}", "  ", output)


def demo_block() -> str:
    """What the README shows of ``billcom demo``."""
    return _DEMO.findall(README.read_text(encoding="utf-8"))[0]


def session_blocks() -> list[str]:
    """What the README shows of a session from connecting to the books, part by part."""
    return _SESSION.findall(README.read_text(encoding="utf-8"))


def session_commands() -> list[list[str]]:
    """The commands of each part as they are written, without their prompts."""
    return [_COMMAND.findall(block) for block in session_blocks()]


def excerpt(output: str, folder: Path) -> str:
    """The output as the README shows it: long lists and lines cut short, no path of this machine."""
    lines = output.replace(str(folder), "...").splitlines()
    return "".join(f"{_cut(line)}\n" for line in _shortened(lines))


def _cut(line: str) -> str:
    line = line.rstrip()
    return line if len(line) <= _WIDEST or "billcom" in line else line[:_WIDEST].rsplit(" ", 1)[0] + " ..."


def _shortened(lines: list[str]) -> Iterator[str]:
    for kind, group in groupby(_entries(lines), key=lambda entry: _kind(entry[0])):
        entries = list(group)
        if kind is None:
            shown = entries
        else:
            _, first, last = _LISTS[kind]
            left_out = len(entries) > first + last + 1
            shown = [*entries[:first], ["..."], *entries[len(entries) - last :]] if left_out else entries
        for entry in shown:
            yield from entry


def _entries(lines: list[str]) -> Iterator[list[str]]:
    """Each line with the more indented ones that belong to it."""
    entry: list[str] = []
    for line in lines:
        if entry and _kind(entry[0]) is not None and line.strip() and _indent(line) > _indent(entry[0]):
            entry.append(line)
            continue
        if entry:
            yield entry
        entry = [line]
    if entry:
        yield entry


def _kind(line: str) -> int | None:
    return next((number for number, (pattern, _, _) in enumerate(_LISTS) if pattern.match(line)), None)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


@dataclass
class Shell:
    """As much of a shell as the README's sessions need, in a folder of its own.

    The simulated BILL that a session starts serves on a free port; its outputs name the one that the session chose.
    """

    folder: Path
    result: Result | None = None
    """What the last command printed and ended with."""
    _variables: dict[str, str] = field(default_factory=dict)
    _served: subprocess.Popen[str] | None = None
    _roots: tuple[str, str] = ("", "")
    """As the session writes it, and where it is."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._served is not None:
            self._served.terminate()
            self._served.communicate()

    def run(self, command: str) -> str:
        """What the command prints, on both streams, as a reader would see it."""
        words = shlex.split(command.replace("\\\n", " ").replace(*self._roots), comments=True)
        words = [Template(word).safe_substitute(self._variables) for word in words]
        if words == ["echo", "$?"]:
            return f"{self.result.exit_code}\n" if self.result else "0\n"
        if re.fullmatch(r"\w+=\S*", command):
            name, _, value = words[0].partition("=")
            self._variables[name] = value
            return ""
        assert words.pop(0) == "billcom", command
        if words[-1] == "&":
            self._serve(words[:-1])
            return ""
        with chdir(self.folder):
            self.result = CliRunner().invoke(billcom, words)
        return self.result.output.replace(*reversed(self._roots)) if self._served else self.result.output

    def show(self, command: str) -> str:
        """The command with its prompt, and an excerpt of what it prints."""
        return f"$ {command}\n{excerpt(self.run(command), self.folder)}"

    def _serve(self, words: list[str]) -> None:
        port = words.index("--port") + 1
        command = [sys.executable, "-m", "billcom_assets.cli", *words[:port], "0", *words[port + 1 :], "--json"]
        self._served = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, text=True)
        assert self._served.stdout is not None
        root = first_document(self._served.stdout)["base_url"].removesuffix("/connect")
        self._roots = (f"http://127.0.0.1:{words[port]}", root)


def first_document(stream: IO[str]) -> dict[str, Any]:
    """The JSON document that is complete while the command still runs."""
    text = ""
    for line in stream:
        text += line
        if line.rstrip() == "}":
            break
    document: dict[str, Any] = json.loads(text)
    return document


def _demo_now(folder: Path) -> list[str]:
    with chdir(README.parent):
        return [excerpt(CliRunner().invoke(billcom, ["demo"]).stdout, folder)]


def _session_now(folder: Path) -> list[str]:
    with Shell(folder) as shell:
        return ["".join(map(shell.show, commands)) for commands in session_commands()]


def main() -> None:
    """Runs the README's commands, and writes what differs."""
    text = README.read_text(encoding="utf-8")
    for blocks, run in (([demo_block()], _demo_now), (session_blocks(), _session_now)):
        with tempfile.TemporaryDirectory() as folder:
            os.environ["DAGSTER_HOME"] = str(Path(folder) / HOME)
            printed = run(Path(folder))
        for shown, now in zip(blocks, printed, strict=True):
            if comparable(now) != comparable(shown):
                text = text.replace(shown, now)
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
