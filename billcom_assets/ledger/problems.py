"""What is wrong with a file that a user gave us, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from billcom_assets.redaction.errors import UserFacingError

_KEPT = 1000
_SHOWN = 20
_LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True)
class FileProblem:
    """One thing that is wrong, and where."""

    file: str
    line: int | None
    """Line of the file, from 1; None when the file as a whole is meant."""
    message: str

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file} line {self.line}"
        return f"{where}: {self.message}"


@dataclass(slots=True)
class FileProblems:
    """Collects everything that is wrong; keeps the first thousand and counts the rest."""

    kept: list[FileProblem] = field(default_factory=list)
    total: int = 0

    def add(self, file: str, line: int | None, message: str) -> None:
        """Notes one problem."""
        self.total += 1
        if len(self.kept) < _KEPT:
            self.kept.append(FileProblem(file, line, message))

    def extend(self, others: FileProblems) -> None:
        """Notes all of ``others``."""
        self.total += others.total
        self.kept.extend(others.kept[: _KEPT - len(self.kept)])

    def refuse_if_any(self, consequence: str) -> None:
        """Raises FileRefused when there is a problem; ``consequence`` says what was therefore not done."""
        if self.total:
            files = list(dict.fromkeys(problem.file for problem in self.kept))
            in_order = sorted(self.kept, key=lambda problem: (files.index(problem.file), problem.line or 0))
            raise FileRefused(consequence, in_order, self.total)

    def __iter__(self) -> Iterator[FileProblem]:
        return iter(self.kept)

    def __len__(self) -> int:
        return self.total


class FileRefused(UserFacingError):
    """A file was not taken, and nothing of it was applied; the text lists what is wrong with it."""

    def __init__(self, consequence: str, problems: Iterable[FileProblem], total: int) -> None:
        self.consequence = consequence
        self.problems = tuple(problems)
        self.total = total
        lines = [
            f"{consequence} {total} {'problem' if total == 1 else 'problems'}:",
            *(f"  {problem}" for problem in self.problems[:_SHOWN]),
        ]
        if total > _SHOWN:
            lines.append(f"  ... and {total - min(_SHOWN, len(self.problems))} more")
        super().__init__("\n".join(lines))


def quoted(value: str) -> str:
    """A value from a file as a message may show it: printable, at most 60 characters."""
    printable = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in value)
    return f'"{printable}"' if len(printable) <= _LONGEST_VALUE else f'"{printable[:_LONGEST_VALUE]}..."'
