"""Makes certificates for servers on loopback, each its own authority."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.tools import OPENSSL


@dataclass(frozen=True)
class Certificate:
    """A certificate with its key, in PEM; who trusts the first trusts a server that has both."""

    file: Path
    key: Path

    @property
    def context(self) -> ssl.SSLContext:
        """What a server needs to show it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file, self.key)
        return context


def make_certificate(folder: Path, *names: str) -> Certificate:
    """A certificate for these names, as openssl spells them (`DNS:localhost`, `IP:127.0.0.1`)."""
    found = Certificate(folder / "certificate.pem", folder / "key.pem")
    subprocess.run(
        (str(OPENSSL), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=test", "-addext", f"subjectAltName={','.join(names)}", "-addext", "basicConstraints=CA:TRUE",
         "-keyout", str(found.key), "-out", str(found.file)),
        check=True, capture_output=True,
    )  # fmt: skip
    return found
