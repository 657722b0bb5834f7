"""The tables that are ours rather than BILL's: integrations, sync state and history, errors.

One MetaData holds every table; on PostgreSQL they live in schema ``billcom``.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)

from billcom_assets.warehouse.types import Json, UtcTimestamp

SCHEMA = "billcom"

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(schema=SCHEMA, naming_convention=NAMING)

integrations = Table(
    "integrations",
    metadata,
    Column("key", Text, primary_key=True, comment="Slug of the integration; its Dagster partition key"),
    Column("company", Text, nullable=False, comment="The company whose ledger this BILL organization belongs to"),
    Column("organization_id", Text, nullable=False, comment="BILL's id of the organization"),
    Column("environment", Text, nullable=False, comment="production or stage"),
    Column("base_url", Text, comment="API address used instead of the environment's own"),
    Column("v2_base_url", Text, comment="Legacy API address used instead of the environment's own"),
    Column("credentials", Text, comment="Sealed credentials, or names of environment variables; null once forgotten"),
    Column("cutoff", Date, comment="Bills, vendor credits and vendor payments dated before are not brought in"),
    Column("history_start", Date, comment="Earliest update time of the very first pull; null = everything"),
    Column("time_zone", Text, nullable=False, server_default="UTC", comment="IANA zone in which schedules run"),
    Column(
        "home_currency",
        Text,
        nullable=False,
        server_default="USD",
        comment="ISO 4217 code of the currency that the company keeps its books in",
    ),
    Column("owner", Text, comment="Who answers for it: an e-mail address, or team: and a name"),
    Column(
        "excluded_entities", Text, comment="Entities that are left out of its syncs, separated by commas; null for none"
    ),
    Column("api", Text, nullable=False, server_default="v3", comment="Which of BILL's APIs is read: v3 or v2"),
    Column(
        "documents",
        Boolean,
        nullable=False,
        server_default="0",
        comment="Files attached to bills, invoices and vendor credits are kept",
    ),
    Column(
        "alignment",
        Text,
        nullable=False,
        server_default="plan",
        comment="What becomes of differences between the charts of accounts: off, plan or apply",
    ),
    Column(
        "source_of_truth",
        Text,
        nullable=False,
        server_default="ledger",
        comment="Whose chart of accounts the other follows: ledger or bill",
    ),
    Column(
        "second_approver",
        Boolean,
        nullable=False,
        server_default="0",
        comment="A plan of the chart of accounts is approved by somebody else than who made it",
    ),
    Column(
        "other_accounting_system",
        Text,
        comment="Accounting system that BILL itself syncs with; none; null while unknown",
    ),
    Column("status", Text, nullable=False, comment="pending, connected, error, disconnected or forgetting"),
    Column("status_code", Text, comment="BILL's error code, when status is error"),
    Column("status_message", Text, comment="What BILL said last, and the next step"),
    Column("checked_at", UtcTimestamp, comment="When authentication was last tried"),
    Column(
        "sign_in_failures",
        Integer,
        nullable=False,
        server_default="0",
        comment="Sign-ins in a row that BILL refused for now",
    ),
    Column("sign_in_not_before", UtcTimestamp, comment="When the next sign-in may be tried, after such a refusal"),
    Column("created_at", UtcTimestamp, nullable=False, comment="When the integration was first connected"),
    Column("updated_at", UtcTimestamp, nullable=False, comment="When its settings last changed"),
    CheckConstraint("status in ('pending', 'connected', 'error', 'disconnected', 'forgetting')", name="status"),
    CheckConstraint("(credentials is null) = (status in ('disconnected', 'forgetting'))", name="credentials"),
    UniqueConstraint("company"),
    comment="One row per integration: a BILL organization bound to one company",
)

bill_sessions = Table(
    "bill_sessions",
    metadata,
    Column("integration", Text, primary_key=True, comment="Integration key"),
    Column("session", Text, nullable=False, comment="Sealed session id"),
    Column("user_id", Text, comment="BILL user behind the session; syu... for a sync token"),
    Column("organization_id", Text, comment="Organization the session was opened for"),
    Column("is_token", Boolean, nullable=False, comment="Opened with a sync token"),
    Column("last_used_at", UtcTimestamp, nullable=False, comment="Last call that renewed it"),
    comment="One row per integration with a live BILL session, shared between runs",
)

request_budget = Table(
    "request_budget",
    metadata,
    Column("developer_key", Text, nullable=False, comment="SHA-256 of the developer key"),
    Column("hour", UtcTimestamp, nullable=False, comment="Start of the clock hour"),
    Column("requests", Integer, nullable=False, server_default="0", comment="Requests reserved in the hour"),
    Column("logins", Integer, nullable=False, server_default="0", comment="Logins made in the hour"),
    PrimaryKeyConstraint("developer_key", "hour"),
    comment="One row per developer key and clock hour: BILL's limits are counted over all organizations",
)

sync_state = Table(
    "sync_state",
    metadata,
    Column("integration", Text, nullable=False, comment="Integration key"),
    Column("entity", Text, nullable=False, comment="Entity"),
    Column("watermark", UtcTimestamp, comment="Everything BILL changed before this instant is in the mirror"),
    Column("walk", Json, comment="Checkpoint of the walk under way; null when none is"),
    Column("cutoff", Date, comment="Cutoff that the stored rows were selected with"),
    Column("time_filter_refused", Boolean, nullable=False, server_default="0", comment="BILL refuses its time filter"),
    Column("time_filter_probed_at", UtcTimestamp, comment="When BILL last refused the time filter that it refuses"),
    Column("reread_after", Text, comment="Id after which the re-reads of unsettled objects go on"),
    Column("reread_at", UtcTimestamp, comment="When unsettled objects were last read again"),
    Column("first_pulled_at", UtcTimestamp, comment="When the first complete pull ended"),
    Column("swept_at", UtcTimestamp, comment="When the last complete sweep ended"),
    Column("synced_at", UtcTimestamp, comment="When the last pull ended"),
    Column("probed_at", UtcTimestamp, comment="When BILL last said that there is nothing new to pull"),
    Column("checked_at", UtcTimestamp, comment="When every reference of it was last followed"),
    PrimaryKeyConstraint("integration", "entity"),
    comment="One row per integration and entity: how far the mirror is",
)

sync_runs = Table(
    "sync_runs",
    metadata,
    Column("id", Text, primary_key=True, comment="Id of this pull"),
    Column("run_id", Text, comment="Dagster run"),
    Column("integration", Text, nullable=False, index=True, comment="Integration key"),
    Column("entity", Text, nullable=False, comment="Entity"),
    Column(
        "kind",
        Text,
        nullable=False,
        comment="first pull, incremental, full, sweep or re-read; refused for a run that the gate ended",
    ),
    Column("status", Text, nullable=False, comment="running, complete, failed, not_permitted or refused"),
    Column("started_at", UtcTimestamp, nullable=False, comment="Start"),
    Column("finished_at", UtcTimestamp, comment="End"),
    Column("fetched", Integer, nullable=False, server_default="0", comment="Objects that BILL returned"),
    Column("inserted", Integer, nullable=False, server_default="0", comment="Rows that were new"),
    Column("updated", Integer, nullable=False, server_default="0", comment="Rows that changed"),
    Column("unchanged", Integer, nullable=False, server_default="0", comment="Objects already stored as they are"),
    Column("skipped_by_cutoff", Integer, nullable=False, server_default="0", comment="Dated before the cutoff"),
    Column("rejected", Integer, nullable=False, server_default="0", comment="Unreadable; see integration_errors"),
    Column("deleted", Integer, nullable=False, server_default="0", comment="Rows that two sweeps did not see"),
    Column("requests", Integer, nullable=False, server_default="0", comment="Requests to BILL"),
    Column("retries", Integer, nullable=False, server_default="0", comment="Requests that were repeated"),
    Column("logins", Integer, nullable=False, server_default="0", comment="Logins"),
    Column("seconds", Integer, comment="Whole seconds from start to end"),
    Column("watermark_from", UtcTimestamp, comment="Watermark before"),
    Column("watermark_to", UtcTimestamp, comment="Watermark after"),
    Column("error", Text, comment="Why it failed, and the next step"),
    comment="One row per pull of one entity: fetched = inserted + updated + unchanged + skipped_by_cutoff + rejected",
)

sync_sightings = Table(
    "sync_sightings",
    metadata,
    Column("integration", Text, nullable=False, comment="Integration key"),
    Column("entity", Text, nullable=False, comment="Entity"),
    Column("sweep", Text, nullable=False, comment="Id of the sweep"),
    Column("id", Text, nullable=False, comment="BILL's id"),
    PrimaryKeyConstraint("integration", "entity", "sweep", "id"),
    comment="One row per object that the sweep under way has seen, readable or not; emptied at its end",
)

sync_missing = Table(
    "sync_missing",
    metadata,
    Column("integration", Text, nullable=False, comment="Integration key"),
    Column("entity", Text, nullable=False, comment="Entity"),
    Column("id", Text, nullable=False, comment="BILL's id"),
    Column("missed_at", UtcTimestamp, nullable=False, comment="End of the first complete sweep that did not see it"),
    Column("sweeps", Integer, nullable=False, server_default="1", comment="Complete sweeps in a row that missed it"),
    PrimaryKeyConstraint("integration", "entity", "id"),
    comment="One row per object that the last complete sweep did not see; later ones that agree mark it deleted",
)

sync_locks = Table(
    "sync_locks",
    metadata,
    Column("integration", Text, primary_key=True, comment="Integration key"),
    Column("holder", Text, nullable=False, comment="Token of the run that may write; a new run puts its own in place"),
    Column("acquired_at", UtcTimestamp, nullable=False, comment="When the run began"),
    comment="One row per integration: whose writes count. A run that has lost its lock finds another token here",
)

sync_rereads = Table(
    "sync_rereads",
    metadata,
    Column("integration", Text, nullable=False, comment="Integration key"),
    Column("entity", Text, nullable=False, comment="Entity"),
    Column("id", Text, nullable=False, comment="BILL's id"),
    PrimaryKeyConstraint("integration", "entity", "id"),
    comment="One row per object to be read again by id, because one that changed names it",
)

integration_errors = Table(
    "integration_errors",
    metadata,
    Column("id", Integer, primary_key=True, comment="Number of the error"),
    Column("integration", Text, nullable=False, comment="Integration key"),
    Column("entity", Text, nullable=False, comment="Entity"),
    Column("record_id", Text, nullable=False, comment="BILL's id of the record; empty when it has none"),
    Column("code", Text, nullable=False, comment="What kind of error"),
    Column("message", Text, nullable=False, comment="What happened"),
    Column("next_step", Text, nullable=False, comment="How to fix it"),
    Column("status", Text, nullable=False, comment="open, resolved or ignored"),
    Column("reason", Text, comment="Why it is ignored"),
    Column("occurrences", Integer, nullable=False, server_default="1", comment="How often it was seen"),
    Column("first_seen_at", UtcTimestamp, nullable=False, comment="First time"),
    Column("last_seen_at", UtcTimestamp, nullable=False, comment="Last time"),
    CheckConstraint("status in ('open', 'resolved', 'ignored')", name="status"),
    UniqueConstraint("integration", "entity", "record_id", "code"),
    comment="One row per record and reason why it could not be brought in",
)

documents = Table(
    "documents",
    metadata,
    Column("integration", Text, nullable=False, comment="Integration key"),
    Column("entity", Text, nullable=False, comment="What it is attached to: bills, invoices or vendor_credits"),
    Column("record_id", Text, nullable=False, comment="BILL's id of the object that it is attached to"),
    Column("id", Text, nullable=False, comment="BILL's id of the file; for a page its number"),
    Column("name", Text, nullable=False, comment="Its name in BILL"),
    Column("created_time", UtcTimestamp, comment="When it was attached"),
    Column("status", Text, nullable=False, comment="waiting, stored or failed"),
    Column("sha256", Text, index=True, comment="Digest of the content; null while it is not stored"),
    Column("size", BigInteger, comment="Bytes"),
    Column("media_type", Text, comment="What the content is, by the content itself"),
    Column("stored_as", Text, comment="Where the content is, below the folder for documents"),
    Column("problem", Text, comment="Why it is not stored"),
    Column("tried_at", UtcTimestamp, comment="When it was last asked for"),
    Column("listed_at", UtcTimestamp, nullable=False, comment="When BILL last listed it"),
    Column("detached_at", UtcTimestamp, comment="When BILL no longer listed it; the content is kept"),
    PrimaryKeyConstraint("integration", "entity", "record_id", "id"),
    CheckConstraint("status in ('waiting', 'stored', 'failed')", name="status"),
    CheckConstraint("(status = 'stored') = (sha256 is not null)", name="stored"),
    comment="One row per file attached to a bill, an invoice or a vendor credit",
)

document_reads = Table(
    "document_reads",
    metadata,
    Column("integration", Text, nullable=False, comment="Integration key"),
    Column("entity", Text, nullable=False, comment="Entity"),
    Column("record_id", Text, nullable=False, comment="BILL's id of the object"),
    Column("updated_time", UtcTimestamp, comment="Updated time of the object then"),
    Column("read_at", UtcTimestamp, nullable=False, comment="When BILL was last asked what is attached to it"),
    Column("answered", Boolean, nullable=False, comment="It gave a usable response"),
    PrimaryKeyConstraint("integration", "entity", "record_id"),
    comment="One row per object that BILL was asked about what is attached to it",
)

quality_findings = Table(
    "quality_findings",
    metadata,
    Column("integration", Text, nullable=False, comment="Integration key"),
    Column("entity", Text, nullable=False, comment="Entity"),
    Column("measure", Text, nullable=False, comment="What was measured"),
    Column(
        "found",
        Text,
        nullable=False,
        comment="BILL's id of the object that is missing, deleted, archived, twice or not mapped",
    ),
    Column("found_at", UtcTimestamp, nullable=False, comment="First time"),
    PrimaryKeyConstraint("integration", "entity", "measure", "found"),
    comment="One row per object that something is wrong with, until it is put right",
)

contract_findings = Table(
    "contract_findings",
    metadata,
    Column("integration", Text, nullable=False, comment="Integration key"),
    Column("entity", Text, nullable=False, comment="Entity"),
    Column("kind", Text, nullable=False, comment="field or value"),
    Column("place", Text, nullable=False, comment="Where in BILL's object"),
    Column("value", Text, nullable=False, comment="The unknown enum value; empty for an unknown field"),
    Column("first_seen_at", UtcTimestamp, nullable=False, comment="First time"),
    Column("last_seen_at", UtcTimestamp, nullable=False, comment="Last time"),
    PrimaryKeyConstraint("integration", "entity", "kind", "place", "value"),
    comment="One row per field or enum value that BILL sends and the catalog does not know",
)

mirror_schema = Table(
    "mirror_schema",
    metadata,
    Column("fingerprint", Text, primary_key=True, comment="Digest of the catalog the mirror tables were built from"),
    Column("built_at", UtcTimestamp, nullable=False, comment="When"),
    comment="One row: the shape that the mirror tables have",
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="Number of the entry: 1, 2, 3 without a gap"),
    Column("integration", Text, index=True, comment="Integration key; null for the whole database, or once erased"),
    Column("at", UtcTimestamp, nullable=False, comment="When"),
    Column("user_id", BigInteger, nullable=False, comment="Who: the operating system's number of the user"),
    Column("user_name", Text, nullable=False, comment="Who: the operating system's name of the user"),
    Column("as_name", Text, comment="Name given with --as, beside the system's; nobody checks it"),
    Column("how", Text, nullable=False, comment="command, ui, sensor or import"),
    Column("what", Text, nullable=False, comment="What was done"),
    Column("subject", Text, comment="What it was done to; null once erased"),
    Column("before", Text, comment="JSON of what was there before; null when nothing was, or once erased"),
    Column("after", Text, comment="JSON of what is there since; null when nothing is, or once erased"),
    Column("salt", Text, comment="Random; keeps erased content from being guessed from its hash; null once erased"),
    Column("content_hash", Text, nullable=False, comment="SHA-256 of salt, integration, subject, before and after"),
    Column("previous_hash", Text, nullable=False, comment="Hash of the entry before"),
    Column("hash", Text, nullable=False, comment="SHA-256 of the previous hash, the content hash and the rest"),
    CheckConstraint("how in ('command', 'ui', 'sensor', 'import')", name="how"),
    comment="One row per decision, chained by hash; only forgetting an integration erases what its entries were about",
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="Always 1"),
    Column("entries", Integer, nullable=False, comment="How many entries the audit log has"),
    Column("hash", Text, nullable=False, comment="Hash of the last one"),
    CheckConstraint("id = 1", name="id"),
    comment="One row: the end of the audit log, so that entries missing there show",
)

mirror_parts = Table(
    "mirror_parts",
    metadata,
    Column("kind", Text, nullable=False, comment="table, view or index"),
    Column("name", Text, nullable=False, comment="Its name"),
    Column("definition", Text, nullable=False, comment="Digest of the definition that it follows"),
    Column(
        "complete",
        Boolean,
        nullable=False,
        comment="False while rows are still to be filled, or while it waits to be made",
    ),
    Column("after_integration", Text, comment="Filled up to this integration"),
    Column("after_id", Text, comment="And in it up to this id of BILL's"),
    Column("changed_at", UtcTimestamp, nullable=False, comment="When this row last changed"),
    PrimaryKeyConstraint("kind", "name"),
    comment="One row per table and view that follows the catalog, and per index that is still to be made",
)
