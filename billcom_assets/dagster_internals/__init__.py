"""What we use of Dagster beyond its public interface, with what for; nobody else imports its private modules.

An upgrade of Dagster has this one place to look at, and a test tells when Dagster makes one of the names public.
"""

from __future__ import annotations

# Saying which materialization a check's result is of, which only the other kind of result does by itself.
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData

# Running a job in the process of a command so that the run is in the UI as any other, which ``execute_job`` leaves out:
# its code location, and the selection of a part of its assets.
from dagster._core.definitions.reconstruct import ReconstructableRepository

# What ``define_asset_job`` returns; sensors and schedules name their job by it.
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

# Finding what a check last found of one partition.
from dagster._core.event_api import PartitionKeyFilter

# Running a job, as above.
from dagster._core.execution.api import execute_run

# Finding in a log record which run it is of.
from dagster._core.log_manager import LOG_RECORD_METADATA_ATTR

# Running a job, as above.
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)

# Whether a schedule or sensor was stopped.
from dagster._core.scheduler.instigation import InstigatorStatus

# What a check last found, as above.
from dagster._core.storage.asset_check_execution_record import COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES

# Choosing the storage by an environment variable, which YAML cannot.
from dagster._core.storage.base_storage import DagsterStorage

# Deleting what Dagster keeps of one partition, for which it has no interface.
from dagster._core.storage.event_log import SqlEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, AssetKeyTable
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage

# Its instance with another setting than the home folder's.
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage

# Tags that Dagster documents as texts.
from dagster._core.storage.tags import MAX_RETRIES_TAG, PARTITION_NAME_TAG
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._serdes import ConfigurableClass, ConfigurableClassData

__all__ = [
    "COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES",
    "LOG_RECORD_METADATA_ATTR",
    "MAX_RETRIES_TAG",
    "PARTITION_NAME_TAG",
    "AssetCheckEvaluationTargetMaterializationData",
    "AssetCheckExecutionsTable",
    "AssetKeyTable",
    "ConfigurableClass",
    "ConfigurableClassData",
    "DagsterSqliteStorage",
    "DagsterStorage",
    "InstigatorStatus",
    "LoadableTargetOrigin",
    "ManagedGrpcPythonEnvCodeLocationOrigin",
    "NoOpComputeLogManager",
    "PartitionKeyFilter",
    "ReconstructableRepository",
    "RemoteJobOrigin",
    "RemoteRepositoryOrigin",
    "SqlEventLogStorage",
    "SqliteEventLogStorage",
    "UnresolvedAssetJobDefinition",
    "execute_run",
]
