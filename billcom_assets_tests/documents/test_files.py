"""Contents are kept in a folder or in whatever fsspec knows, complete or not at all."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from sqlalchemy import select

from billcom_assets.documents.files import DocumentFiles
from billcom_assets.documents.reading import read_documents
from billcom_assets.warehouse.engine import Warehouse
from billcom_assets.warehouse.errors import WarehouseError
from billcom_assets.warehouse.tables import documents
from billcom_assets_tests.documents.truth import Attached

NAME = "acme-us/ab/abcd.txt"


@pytest.fixture(params=["path", "file", "memory"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DocumentFiles]:
    addresses = {"path": str(tmp_path / "x"), "file": f"file://{tmp_path / 'x'}", "memory": "memory://bucket/x"}
    yield DocumentFiles.at(addresses[request.param])
    fsspec.filesystem("memory").store.clear()


def content(files: DocumentFiles) -> bytes:
    with files.opened(NAME) as file:
        return file.read()


def test_a_content_is_written_once_and_what_is_half_written_again(files: DocumentFiles) -> None:
    files.put(NAME, io.BytesIO(b"half"), 4)
    files.put(NAME, io.BytesIO(b"the whole"), 9)
    assert content(files) == b"the whole"
    files.put(NAME, io.BytesIO(b"THE WHOLE"), 9)
    assert content(files) == b"the whole", "what is complete is not written again"


def test_one_integrations_contents_are_forgotten_alone(files: DocumentFiles) -> None:
    files.put(NAME, io.BytesIO(b"mine"), 4)
    files.put("other/ab/abcd.txt", io.BytesIO(b"theirs"), 6)
    assert files.forget("acme-us") == 1
    assert files.forget("acme-us") == 0
    with pytest.raises(WarehouseError, match="cannot be used"):
        content(files)
    with files.opened("other/ab/abcd.txt") as file:
        assert file.read() == b"theirs"


def test_an_object_store_holds_the_same_as_a_folder(attached: Attached, warehouse: Warehouse) -> None:
    files = DocumentFiles.at("memory://bucket/documents")
    with attached.company.connected(warehouse, keeps_documents=True) as sync, sync.alone():
        read_documents(sync, files)
    contents = set(attached.truth().values())
    with warehouse.read() as connection:
        places = set(connection.scalars(select(documents.c.stored_as)))
    found = set()
    for place in places:
        with files.opened(place) as file:
            found.add(file.read())
    assert found == contents
    assert len(files.system.find(files.root)) == len(contents)
    fsspec.filesystem("memory").store.clear()


@pytest.mark.parametrize("address", ["nowhere://key:secret@bucket", "s3://key:secret@bucket/x"])
def test_what_is_not_installed_is_named_without_the_address(address: str) -> None:
    with pytest.raises(WarehouseError) as caught:
        DocumentFiles.at(address)
    assert "secret" not in str(caught.value)
    assert "s3fs" in str(caught.value)
