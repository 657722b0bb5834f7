"""The code location as it is, except that a silent run is looked at after seconds instead of a minute."""

from datetime import timedelta

from billcom_assets.automation import dead_runs
from billcom_assets.definitions import defs

dead_runs.QUIET = timedelta(seconds=3)

__all__ = ["defs"]
