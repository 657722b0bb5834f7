"""Pairs that a bookkeeper has labelled as the same or as different, and how well the matcher does on them."""

from __future__ import annotations

import csv
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from billcom_assets.mapping.candidates import Candidate, ledger_candidate, vendor_candidate
from billcom_assets.mapping.kinds import KINDS
from billcom_assets.mapping.matching import Certainty, match

_FILE = Path(__file__).with_name("labelled_pairs.csv")


@dataclass(frozen=True)
class Pair:
    """A BILL object and a ledger object, and whether they are the same."""

    kind: str
    case: str
    """What is hard about it."""
    is_same: bool
    bill: Candidate
    ledger: Candidate


@dataclass
class Verdict:
    """How the matcher did on some pairs."""

    same: int = 0
    suggested: int = 0
    right: int = 0
    """Of the suggested ones: the first of the proposals is the right one."""
    certain: int = 0
    wrong_certain: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """Share of what is the same that is suggested, from 0 to 1."""
        return self.right / self.same

    @property
    def precision(self) -> float:
        """Share of what is suggested that is the same, from 0 to 1."""
        return self.right / self.suggested


def labelled() -> list[Pair]:
    """The pairs of the file."""
    with _FILE.open(encoding="utf-8", newline="") as stream:
        return [_pair(number, row) for number, row in enumerate(csv.DictReader(stream))]


def _pair(number: int, row: dict[str, str]) -> Pair:
    bill, ledger = (_candidate(f"{side}{number}", row, side) for side in ("bill", "ledger"))
    return Pair(row["kind"], row["case"], row["verdict"] == "same", bill, ledger)


def _candidate(id_: str, row: dict[str, str], side: str) -> Candidate:
    """The object as the matcher sees it; the id says nothing."""
    names = ("name", "number", "type", "email", "tax_id", "currency")
    cells = {name: row[f"{side}_{name}"] or None for name in names}
    parent = row[f"{side}_parent"]
    full_name = f"{parent}:{cells['name']}" if parent else None
    made = ledger_candidate({"id": id_, **cells}, full_name)
    if cells["number"] is None:
        made = replace(made, number=None)
    return replace(made, accounts=frozenset())


def generated(count: int, seed: int = 20260301) -> list[Pair]:
    """Vendors of four invented words each, written in another way on the ledger's side, and as many strangers.

    A stranger shares three words of a vendor's name and its e-mail address; the fourth word is its own.
    """
    chance = random.Random(seed)
    names = [_invented(chance, 4) for _ in range(count)]
    pairs = [
        _vendors(number, name, chance.choice(_SPOILT)(name, chance), is_same=True) for number, name in enumerate(names)
    ]
    for number, name in enumerate(names, start=count):
        words = name.split()
        stranger = f"{_invented(chance, 2)} {' '.join(words[2:])}"
        pairs.append(_vendors(number, f"{words[0]} {stranger}", f"{stranger} {_invented(chance, 1)}", is_same=False))
    return pairs


def _vendors(number: int, bill: str, ledger: str, *, is_same: bool) -> Pair:
    nothing = dict.fromkeys(("short_name", "email", "additional_info_tax_id", "bill_currency"))
    email = f"ap@vendor{number}.example"
    ours = vendor_candidate({"id": f"bill{number}", "name": bill, **nothing, "email": email})
    theirs = replace(ledger_candidate({"id": f"ledger{number}", "name": ledger, "email": email}, None), number=None)
    return Pair("vendors", "generated", is_same, ours, theirs)


def _invented(chance: random.Random, words: int) -> str:
    syllables = re.findall("..", "babecidofugahejikolumanepiqoruseti vawexozu".replace(" ", ""))
    return " ".join("".join(chance.choices(syllables, k=chance.randint(3, 4))).title() for _ in range(words))


def _without_a_letter(name: str, chance: random.Random) -> str:
    place = chance.randrange(2, len(name) - 1)
    return name if " " in name[place - 1 : place + 1] else name[:place] + name[place + 1 :]


def _swapped(name: str, chance: random.Random) -> str:
    place = chance.randrange(2, len(name) - 2)
    return (
        name
        if " " in name[place - 1 : place + 2]
        else f"{name[:place]}{name[place + 1]}{name[place]}{name[place + 2 :]}"
    )


_SPOILT: tuple[Callable[[str, random.Random], str], ...] = (
    lambda name, _: name.upper(),
    lambda name, _: name.replace(" ", "  ") + ".",
    lambda name, _: f"{name}, Inc.",
    lambda name, _: f"The {name}",
    _without_a_letter,
    _swapped,
)


def judged(pairs: Sequence[Pair], *, together: bool) -> Verdict:
    """How the matcher does on the pairs, each alone or all of a kind in one list."""
    verdict = Verdict()
    for group in _groups(pairs, together=together):
        rules = KINDS[group[0].kind].rules
        found = {one.bill_id: one for one in match(rules, [p.bill for p in group], [p.ledger for p in group], {})}
        for pair in group:
            suggestion = found.get(pair.bill.id)
            verdict.same += pair.is_same
            if suggestion is None:
                continue
            is_right = pair.is_same and suggestion.best.ledger_id == pair.ledger.id
            verdict.suggested += 1
            verdict.right += is_right
            if suggestion.certainty is Certainty.EXACT:
                verdict.certain += 1
                if not is_right:
                    verdict.wrong_certain.append(f"{pair.case}: {pair.bill.name}: {suggestion.best}")
    return verdict


def _groups(pairs: Iterable[Pair], *, together: bool) -> Iterator[list[Pair]]:
    groups: dict[object, list[Pair]] = defaultdict(list)
    for number, pair in enumerate(pairs):
        groups[pair.kind if together else number].append(pair)
    yield from groups.values()
