"""The environment that tests run in is the same everywhere: no proxy, no settings of extcal's, one authority.

One authority stands in the place of all those that a machine trusts: reading hundreds of them costs a client 50 ms.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import certifi
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_END = "-----END CERTIFICATE-----\n"


_OURS = ("EXTCAL_SOAK", "EXTCAL_WRITE_GOLDEN")


@pytest.fixture(scope="session", autouse=True)
def no_settings() -> Iterator[None]:
    """Let no proxy of a company and no setting of whoever runs the tests reach the commands and clients in them."""
    with pytest.MonkeyPatch.context() as patched:
        for name in tuple(os.environ):
            if name.lower().endswith("_proxy") or (name.startswith("EXTCAL_") and name not in _OURS):
                patched.delenv(name)
        yield


@pytest.fixture(scope="session", autouse=True)
def one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let the clients of this process trust a single one; what a test meets by TLS has an authority of its own."""
    few = tmp_path_factory.mktemp("authorities") / "one.pem"
    first, end, _ = Path(certifi.where()).read_text(encoding="utf-8").partition(_END)
    few.write_text(first + end, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SSL_CERT_FILE", str(few))
        patched.setattr(certifi, "where", lambda: str(few))
        yield
