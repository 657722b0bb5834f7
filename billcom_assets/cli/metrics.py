"""``billcom metrics``: figures for Prometheus."""

from __future__ import annotations

import threading
from typing import Any

import click
from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.metrics_core import Metric

from billcom_assets.cli.app import BillcomCommand
from billcom_assets.cli.database import opened
from billcom_assets.cli.failures import CommandFailed
from billcom_assets.cli.output import Output, pass_output
from billcom_assets.environment import open_database
from billcom_assets.status.metrics import Metrics


@click.command(
    cls=BillcomCommand,
    examples=(
        "billcom metrics > billcom.prom.new && mv billcom.prom.new billcom.prom",
        "billcom metrics --port 9464",
    ),
)
@click.option("--port", type=click.IntRange(1, 65_535), help="Serve them there at /metrics until Ctrl-C.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to serve at; whoever reaches it may read them."
)
@pass_output
def metrics(output: Output, port: int | None, host: str) -> None:
    """Prints figures in Prometheus's text format, or serves them with --port.

    How recent each entity of each company is, how the last runs ended, what is left of BILL's hourly limits, which
    documents are held and which errors are open. There is nothing secret in them: names of integrations, and counts.
    """
    opened()  # a mistyped folder is told here, in words
    registry = CollectorRegistry()
    registry.register(Metrics(open_database))
    if port is not None:
        _serve(output, registry, host, port)
        return
    if output.as_json:
        output.result({"metrics": [_document(one) for one in registry.collect()]}, lambda _: None)
    else:
        click.echo(generate_latest(registry), nl=False)


def _document(metric: Metric) -> dict[str, Any]:
    samples = [{"labels": sample.labels, "value": sample.value} for sample in metric.samples]
    return {"name": metric.name, "help": metric.documentation, "samples": samples}


def _serve(output: Output, registry: CollectorRegistry, host: str, port: int) -> None:
    try:
        server, _ = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        raise CommandFailed(
            f"Nothing can be served at {host}:{port}: {error.strerror}. Choose another --port."
        ) from None
    output.note(f"Serving http://{host}:{port}/metrics. Ctrl-C stops it.")
    try:
        threading.Event().wait()
    finally:
        server.shutdown()
