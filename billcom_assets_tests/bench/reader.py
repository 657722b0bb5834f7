"""An analyst who reads some bills again and again while something else goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, make_url, text

_EVERY_SECONDS = 0.05


@contextmanager
def reading(database_url: str) -> Iterator[list[float]]:
    """Reads a PostgreSQL database that has the table of bills; each read's seconds are in the list."""
    engine = create_engine(make_url(database_url).set(drivername="postgresql+psycopg"))
    waits: list[float] = []
    stop = threading.Event()

    def read() -> None:
        with engine.connect() as connection:
            while not stop.wait(_EVERY_SECONDS):
                began = time.monotonic()
                connection.execute(text("SELECT * FROM billcom.bills ORDER BY integration, id LIMIT 20")).all()
                connection.rollback()
                waits.append(time.monotonic() - began)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield waits
    finally:
        stop.set()
        reader.join()
        engine.dispose()
