"""What is masked by its shape, and what must not be touched."""

from __future__ import annotations

import string
import time
import uuid
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from billcom_assets.redaction.personal import mask_personal_data

MASKED = [
    ("SSN 123-45-6789.", "SSN ***."),
    ("SSN123-45-6789", "SSN***"),
    ("her number: 123 45 6789, thanks", "her number: ***, thanks"),
    ("123.45.6789", "***"),
    ("123\u201345\u20116789", "***"),
    ("123_45_6789 and 123/45/6789", "*** and ***"),
    ("ssn=123456789", "ssn=***"),
    ("ssn123456789", "ssn***"),
    ("ITIN 912-78-1234", "ITIN ***"),
    ("EIN 12-3456789", "EIN ***"),
    ("ein: 1234567", "ein: ***"),
    ("account 021000021 refused", "account *** refused"),
    ("acct #12345678", "acct #***"),
    ("bankAccount.accountNumber: 12345 is invalid", "bankAccount.accountNumber: *** is invalid"),
    ("Bank account number is 00123", "Bank account number is ***"),
    ("taxId: 12345 is invalid", "taxId: *** is invalid"),
    ("taxpayer id 1234567", "taxpayer id ***"),
    ("routing number 12345", "routing number ***"),
    ("ABA 0210-0002-1", "ABA ***"),
    ("card 4111 1111 1111 1111", "card ***"),
    ("4111-1111-1111-1111", "***"),
    ("4111.1111.1111.1111", "***"),
    ("amex 3782 822463 10005", "amex ***"),
    ("3056 930902 5904", "***"),
    ("5555555555554444", "***"),
    ("6011 0009 9013 9424 expires 12/27", "*** expires 12/27"),
    ("card no 4000 0000 1", "card no ***"),
    ("1234 5678 9012", "***"),
    ("IBAN DE89370400440532013000", "IBAN ***"),
    ("IBAN DE89 3704 0044 0532 0130 00 was refused", "IBAN *** was refused"),
    ("de89 3704 0044 0532 0130 00", "***"),
    ("gb29nwbk60161331926819", "***"),
    ("GB29 NWBK 6016 1331 9268 19 and NL91ABNA0417164300", "*** and ***"),
    ("GB29 NWBK 6016 1331 9268 19 NL91 ABNA 0417 1643 00", "*** ***"),
    ("XX00INVENTEDBUTSHAPED1", "***"),
    ("write to anna.lee+ap@pay.acme.test today", "write to *** today"),
    ("call 415-555-0134 or (415) 555-0134", "call *** or ***"),
    ("call +1 415.555.0134", "call ***"),
    ("call +49 30 1234567", "call ***"),
    ("\u0661\u0662\u0663-\u0664\u0665-\u0666\u0667\u0668\u0669", "***"),
]

KEPT = [
    "00901ABCDEFGHIJ1a2b3",
    "00n02JZNIEYMNPY99iz9: 228.99 on 2026-12-31",
    "2026-05-31",
    "2026-05-31T12:00:00.000+0000",
    "2026-05-31T12:00:00.123456789Z",
    "20260531T120000Z",
    "31.05.2026 12:00",
    "from 2026-05-31 to 2026-06-30",
    "347,140.01 of 1,234,567,890.12",
    "amount -0.01, rate 1.23456789",
    "INV-2024-001",
    "Invoice number 202601 exists",
    "account number 6-120 exists",
    "account 00123",
    "1e5",
    "requests per hour reached: 20000.",
    "being 20000 late",
    "tiny 2000 and routings",
    "taxId at 2026-05-31 12:00",
    "HTTP 401 BDC_1109",
    "acme-us",
    "fiscal years 2023 2024 2025 2026",
    "budget 2024 0001 0002",
    "run 0c3f6ef2-9b70-4e9f-8a51-426614174000",
    "123e4567-e89b-12d3-a456-426614174000",
    "devKey: must not be null",
    "127.0.0.1:5432",
    "12,345,678 rows in 00:01:12",
    "a @ b",
]


@pytest.mark.parametrize(("text", "expected"), MASKED)
def test_personal_data_is_masked_by_its_shape(text: str, expected: str) -> None:
    assert mask_personal_data(text) == expected


@pytest.mark.parametrize("text", KEPT)
def test_what_has_another_meaning_is_not_falsified(text: str) -> None:
    assert mask_personal_data(text) == text


def ssn(serial: int, gap: str) -> str:
    return f"{serial // 1_000_000:03}{gap}{serial // 10_000 % 100:02}{gap}{serial % 10_000:04}"


def with_check_digit(payload: str) -> str:
    digits = [int(digit) for digit in payload]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[::-2]]
    return payload + str(-(sum(doubled) + sum(digits[-2::-2])) % 10)


def iban(country: str, account: str) -> str:
    number = "".join(str(int(character, 36)) for character in f"{account}{country}00")
    return f"{country}{98 - int(number) % 97:02}{account}"


def grouped(text: str, sizes: list[int], gap: str) -> str:
    parts, rest = [], text
    for size in sizes:
        parts.append(rest[:size])
        rest = rest[size:]
    return gap.join(one for one in (*parts, rest) if one)


AROUND = st.text(string.ascii_letters + " .,:;()\"'\n", max_size=20)
SOCIAL = st.builds(ssn, st.integers(0, 999_999_999), st.sampled_from(" -.\u2013"))
EMPLOYER = st.builds(lambda a, b: f"{a:02}-{b:07}", st.integers(0, 99), st.integers(0, 9_999_999))
ACCOUNT = st.text(string.digits, min_size=9, max_size=17)
CARD = st.builds(
    grouped,
    st.builds(lambda issuer, rest: with_check_digit(issuer + rest), st.sampled_from(["4111", "5500", "6011"]),
              st.text(string.digits, min_size=11, max_size=11)),
    st.sampled_from([[16], [4, 4, 4, 4], [8, 8], [4, 6, 6], [6, 10]]),
    st.sampled_from(" -."),
)  # fmt: skip
IBANS = st.builds(
    lambda number, size, gap, lower: grouped(number.lower() if lower else number, [size] * 9, gap),
    st.builds(iban, st.sampled_from(["DE", "GB", "FR", "NL"]),
              st.text(string.digits + string.ascii_uppercase, min_size=14, max_size=23)),
    st.sampled_from([4, 40]),
    st.sampled_from(" -"),
    st.booleans(),
)  # fmt: skip


@given(value=st.one_of(SOCIAL, EMPLOYER, ACCOUNT, CARD, IBANS), before=AROUND, after=AROUND)
def test_nothing_of_a_number_survives_in_free_text(value: str, before: str, after: str) -> None:
    text = f"{before} {value}, {after}"
    kept = mask_personal_data(text)
    assert not any(character.isdigit() for character in kept)


IDS = st.builds(lambda rest: f"00{rest}", st.text(string.ascii_letters + string.digits, min_size=18, max_size=18))
TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(lambda at: at.replace(tzinfo=UTC).isoformat())  # noqa: DTZ001
AMOUNTS = st.decimals(Decimal("-1e13"), Decimal("1e13"), places=2).map(lambda amount: f"{amount:,.2f}")
INVOICES = st.builds(lambda year, number: f"INV-{year}-{number:03}", st.integers(1990, 2090), st.integers(1, 9999))
COUNTS = st.integers(0, 99_999_999).map(str)
RUNS = st.uuids().map(str)


@given(value=st.one_of(IDS, TIMES, AMOUNTS, INVOICES, COUNTS, RUNS), before=AROUND, after=AROUND)
def test_ids_times_amounts_and_counts_survive_in_free_text(value: str, before: str, after: str) -> None:
    assume(any(character.isalpha() for character in value) or len(value) < 20)
    text = f"{before.replace('in', '')} ({value}), {after}"
    assert value in mask_personal_data(text)


@given(value=RUNS)
def test_dagsters_run_ids_survive(value: str) -> None:
    assert str(uuid.UUID(mask_personal_data(value))) == value


@pytest.mark.parametrize("unit", ["1", "1-", "a@", "ssn ", "12-", "DE89 ", "4111 ", "(", "+1 ", "a.", "x@y."])
def test_a_hostile_text_is_masked_in_time_that_grows_with_its_length(unit: str) -> None:
    started = time.process_time()
    mask_personal_data(unit * (100_000 // len(unit)))
    assert time.process_time() - started < 5


RUN = "3a73185a-b627-4afc-8799-ba79315ea4d1"


def test_a_uuid_and_the_words_behind_it_are_no_iban_whatever_their_checksum() -> None:
    text = f"its Dagster run {RUN} has not ended, so nothing more is deleted"
    assert mask_personal_data(text) == text
    assert mask_personal_data(f"{RUN} DE89370400440532013000 {RUN}-DE89370400440532013000") == f"{RUN} *** {RUN}-***"


@given(st.uuids(version=4))
def test_ids_of_runs_are_shown_in_sentences(run: UUID) -> None:
    text = f"its Dagster run {run} has not ended, so nothing more is deleted"
    assert mask_personal_data(text) == text
