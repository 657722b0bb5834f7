"""TLS in front of the tests' PostgreSQL, which is built without: certificates, and a server with its handshake."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from sqlalchemy import make_url

_TLS, _KERBEROS = 80877103, 80877104
"""What a client asks for before anything else."""
_PEM = Encoding.PEM


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


@dataclass(frozen=True)
class Authority:
    """A certificate authority that nobody trusts who is not told to."""

    folder: Path
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def new(cls, folder: Path, name: str = "Tests") -> Authority:
        folder.mkdir()
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _certificate(name, name, key, key, x509.BasicConstraints(ca=True, path_length=0))
        authority = cls(folder, key, certificate)
        authority.file.write_bytes(certificate.public_bytes(_PEM))
        return authority

    @property
    def file(self) -> Path:
        """Its certificate."""
        return self.folder / "authority.pem"

    def context(self, *hosts: str) -> ssl.SSLContext:
        """A server's, with a certificate for the hosts."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([_alternative(host) for host in hosts])
        certificate = _certificate(hosts[0], "Tests", key, self.key, names)
        private = key.private_bytes(_PEM, PrivateFormat.PKCS8, NoEncryption())
        path = self.folder / f"{hosts[0]}.pem"
        path.write_bytes(private + certificate.public_bytes(_PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        context.set_alpn_protocols(["postgresql"])
        return context


def _certificate(
    subject: str,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    )
    return builder.sign(signer, hashes.SHA256())


@contextmanager
def serving(url: str, context: ssl.SSLContext | None, host: str) -> Iterator[str]:
    """Serves the database of ``url`` on this machine; gives its URL there.

    Args:
        url: A database behind a Unix socket.
        context: What TLS is spoken with; None: none is.
        host: How clients shall call this machine.
    """
    behind = make_url(url)
    socket = f"{behind.query['host']}/.s.PGSQL.{behind.port or 5432}"
    loop = asyncio.new_event_loop()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        start = await reader.readexactly(8)
        while (code := struct.unpack("!II", start)[1]) in {_TLS, _KERBEROS}:
            accepted = code == _TLS and context is not None
            writer.write(b"S" if accepted else b"N")
            await writer.drain()
            if accepted:
                assert context is not None
                await writer.start_tls(context)
            start = await reader.readexactly(8)
        server_reader, server_writer = await asyncio.open_unix_connection(socket)
        server_writer.write(start)
        await asyncio.gather(_pass_on(reader, server_writer), _pass_on(server_reader, writer))

    async def survived(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await serve(reader, writer)
        writer.close()

    server = loop.run_until_complete(asyncio.start_server(survived, "127.0.0.1", 0))
    port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield behind.set(host=host, port=port, query={}).render_as_string(hide_password=False)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        # What is still open ends with it; a task that was cancelled in a handshake would be logged.
        open_ones = asyncio.all_tasks(loop)
        if open_ones:
            loop.run_until_complete(asyncio.wait(open_ones, timeout=1))
        loop.close()


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while part := await source.read(65536):
            target.write(part)
            await target.drain()
    target.close()
