"""The manifest loader takes any bytes: mutations of real manifests, and what a fuzzer makes of them."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.verdict import Judge
from tests.support.folders import in_memory
from tests.support.profiles import examples

_ROOT = Path(__file__).parents[2]
_SEEDS = [
    file.read_bytes()
    for folder in (_ROOT / "examples", _ROOT / "tests" / "promises" / "corpus")
    for file in sorted(folder.rglob("*.yaml"))
    if file.stat().st_size < 10_000
]
_SCRAPS = st.binary(max_size=8) | st.sampled_from(
    [
        b"&a ",
        b"*a",
        b"<<: ",
        b"!!str ",
        b"---\n",
        b"? ",
        b"[",
        b"}",
        b"|\n",
        b"\xc2\x85",
        b"\xe2\x80\xae",
        b"\xef\xbb\xbf",
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A real manifest, or a hostile one, with pieces of itself, of another or of nothing put in some places."""
    content = draw(st.sampled_from(_SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        begin = draw(st.integers(0, len(content)))
        end = draw(st.integers(begin, min(len(content), begin + 40)))
        other = draw(st.sampled_from(_SEEDS))
        at = draw(st.integers(0, len(other)))
        piece = draw(_SCRAPS | st.just(other[at : at + 60]) | st.just(content[begin:end] * 3))
        content = content[:begin] + piece + content[end:]
    return content


@examples(150)
@given(content=mutated())
def test_no_mutation_breaks_the_loader(content: bytes) -> None:
    """Whatever becomes of a manifest is loaded or refused in clear and harmless words, soon."""
    with in_memory() as folder:
        Judge(Path(folder)).judge(content)


def test_a_judge_can_say_no(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the fuzzer looks for would be found."""

    def broken(_paths: object) -> None:
        raise RecursionError

    judge = Judge(tmp_path)
    assert not judge.judge(b"a: [")
    monkeypatch.setattr("tests.fuzz.verdict.load", broken)
    with pytest.raises(RecursionError):
        judge.judge(b"a: [")


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="the loader, by a fuzzer: make fuzz")
@pytest.mark.parametrize("seconds", [5, pytest.param(600, marks=pytest.mark.soak)])
def test_no_fuzzer_breaks_the_loader(seconds: int, tmp_path: Path) -> None:
    """atheris, guided by coverage, finds no input that ends in anything but manifests or a clear no."""
    command = [sys.executable, "-m", "tests.fuzz.loader", f"-max_total_time={seconds}", f"-artifact_prefix={tmp_path}/"]
    ran = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=seconds + 300, check=False)
    assert ran.returncode == 0, ran.stderr[-4000:]
    told = [line for line in ran.stderr.splitlines() if "Seed:" in line or "stat::" in line]
    sys.stdout.write("\n".join(told))
