"""Right servers as they are really deployed: the harness finds nothing wrong with any of them."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hype_contract.__main__ import main
from tests.hype_contract.proxies import Proxy, behind, compress, decorate
from tests.running import SECRETS, Running, begin

pytestmark = pytest.mark.slow

REST = (
    "R18.pages",
    "R18.query",
    "A19.whole",
    "A19.trailers",
    "R9.preflight-of-unknown",
    "spec.getUser",
    "R8.media-type",
)
GATEWAY = ("R31.token-in-url", "R36.sender-included", "R34.joiner-included", "R32.fragments")


class Deployed:
    """A hype server, and what is in front of it for one test."""

    def __init__(self, server: Running, stack: ExitStack) -> None:
        self.server = server
        self._stack = stack

    def arguments(self, rest: Proxy, gateway: Proxy, only: Sequence[str] = (*REST, *GATEWAY)) -> list[str]:
        """Start two proxies; return the arguments that judge the server behind them by some requirements."""
        port = self._stack.enter_context(behind(rest, self.server.port))
        ws_port = self._stack.enter_context(behind(gateway, self.server.ws_port))
        secure = "s" if rest.tls else ""
        return [
            f"--base-url=http{secure}://{_host(rest)}:{port}{rest.prefix}",
            f"--ws-url=ws{secure}://{_host(gateway)}:{ws_port}{gateway.prefix}",
            *("--seed", "1"),
            *(word for id in only for word in ("--only", id)),
        ]

    def judged(self, rest: Proxy, gateway: Proxy, only: Sequence[str] = (*REST, *GATEWAY)) -> int:
        """Judge the server behind two proxies by some requirements; return the exit code."""
        return main(self.arguments(rest, gateway, only))


def _host(proxy: Proxy) -> str:
    return f"[{proxy.host}]" if ":" in proxy.host else "localhost" if proxy.tls else proxy.host


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Run one server for all tests here."""
    folder = tmp_path_factory.mktemp("server")
    process = begin(folder, {"DATABASE_URL": f"sqlite:///{folder}/hype.db", "HYPE_LIMITS": "off"})
    running = Running(process, folder / "hype.log", "hardened")
    yield running
    running.leave()


@pytest.fixture
def deployed(server: Running) -> Iterator[Deployed]:
    """Yield the server with a stack for the proxies of one test."""
    with ExitStack() as stack:
        yield Deployed(server, stack)


def test_beneath_a_path(deployed: Deployed) -> None:
    """The two APIs may stand beneath a path of a site."""
    assert deployed.judged(Proxy(prefix="/chat/v1"), Proxy(prefix="/gateway")) == 0


def test_on_ipv6(deployed: Deployed) -> None:
    """A URL may name an address of IPv6."""
    assert deployed.judged(Proxy(host="::1"), Proxy(host="::1")) == 0


def test_behind_a_proxy_with_headers_and_a_limit(deployed: Deployed) -> None:
    """A proxy adds headers, and refuses some requests with 429, `Retry-After` and a web page."""
    assert deployed.judged(Proxy(change=decorate, refuse_every=30), Proxy()) == 0


def test_behind_a_proxy_that_compresses(deployed: Deployed) -> None:
    """A proxy compresses bodies with gzip and sends them in chunks."""
    assert deployed.judged(Proxy(change=compress), Proxy()) == 0


def test_far_away(deployed: Deployed) -> None:
    """A network takes 20 ms each way."""
    assert deployed.judged(Proxy(latency_s=0.02), Proxy(latency_s=0.02), (*REST[:3], *GATEWAY)) == 0


def test_with_a_private_authority(deployed: Deployed, tmp_path: Path) -> None:
    """REST and gateway may have certificates of a private authority, which `--ca` names."""
    tls = certified(tmp_path)
    only = ("R18.pages", "A19.whole", "spec.getApi", "R31.token-in-url")
    command = [sys.executable, "-m", "hype_contract", *deployed.arguments(Proxy(tls=tls), Proxy(tls=tls), only)]
    # Processes of their own, because an authority that was named once is trusted until the end.
    told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert told.returncode == 2
    assert "has a TLS certificate that is not trusted" in told.stderr
    assert "--ca FILE" in told.stderr
    command += ["--ca", str(tmp_path / "ca.pem")]
    told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert told.returncode == 0, told.stdout[-2000:]


@pytest.mark.parametrize("text", ["", "no certificate"], ids=["empty", "text"])
def test_a_file_without_authorities_is_refused(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence says what the file must hold."""
    (tmp_path / "ca.pem").write_text(text)
    assert main(["--ca", str(tmp_path / "ca.pem")]) == 2
    assert "It must hold certificates (PEM)" in capsys.readouterr().err


def test_with_another_clock(tmp_path: Path) -> None:
    """The clock of the server may be hours off: tokens are forged by its own times."""
    environment = {
        **SECRETS,
        "HOST": "127.0.0.1",
        "PORT": "0",
        "WS_PORT": "0",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "DATABASE_URL": f"sqlite:///{tmp_path}/hype.db",
    }
    command = [sys.executable, "-m", "tests.strangers", "other-clock", "opaque-ids"]
    with (tmp_path / "hype.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
    running = Running(process, tmp_path / "hype.log", "hardened")
    only = ("R7.expired-token.getCurrentUser", "R6.refresh", "R23.claims", "A4", "R31.expir", "R2.", "R3.unknown")
    words = [word for id in only for word in ("--only", id)]
    secrets = [
        "--jwt-access-secret",
        SECRETS["JWT_ACCESS_SECRET"],
        "--jwt-refresh-secret",
        SECRETS["JWT_REFRESH_SECRET"],
    ]
    try:
        assert main(["--base-url", running.url, "--ws-url", running.ws_url, *secrets, "--seed", "1", *words]) == 0
    finally:
        running.leave()


def certified(folder: Path) -> ssl.SSLContext:
    """Write a new authority to `ca.pem` in the folder; return the context of a server whose certificate it signed."""
    authority, server = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Our own authority")])
    now = datetime.datetime.now(datetime.UTC)

    def signed(name: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType) -> bytes:
        certificate = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key())
        certificate = certificate.serial_number(x509.random_serial_number())
        certificate = certificate.not_valid_before(now - datetime.timedelta(days=1))
        certificate = certificate.not_valid_after(now + datetime.timedelta(days=1))
        made = certificate.add_extension(extension, critical=True).sign(authority, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.PEM)

    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    (folder / "ca.pem").write_bytes(signed(issuer, authority, x509.BasicConstraints(ca=True, path_length=None)))
    key = server.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(signed(subject, server, names) + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return context
