"""On GitLab, pip installs packages where no secret is, and only those that the job `install` has built."""

import json
import tarfile
import textwrap
from pathlib import Path

import pytest

from tests.gitops.gitlab_job import Ran, Runner
from tests.support.tools import needs_bash

pytestmark = needs_bash

# Builds itself without any other package; notes the environment that its build, and later its command, has.
BACKEND = """
import json, os, zipfile

COMMAND = '''
import json, os, sys

def main():
    with open(os.environ["SEEN"] + "-run", "w") as file:
        json.dump([sys.argv[1:], dict(os.environ)], file)
'''

def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    with open(os.environ["SEEN"] + "-build", "w") as file:
        json.dump(dict(os.environ), file)
    name = "extcal-1-py3-none-any.whl"
    about = {
        "METADATA": "Metadata-Version: 2.1\\nName: extcal\\nVersion: 1\\n",
        "WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        "entry_points.txt": "[console_scripts]\\nextcal = noting:main\\n",
        "RECORD": "",
    }
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        wheel.writestr("noting.py", COMMAND)
        for file, text in about.items():
            wheel.writestr(f"extcal-1.dist-info/{file}", text)
    return name
"""
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "extcal"
version = "1"
"""


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A runner in an empty checkout, which installs a package that lies beside it and needs no network for that."""
    pytest.importorskip("pip", reason="pip is not installed")
    source, checkout = tmp_path / "source", tmp_path / "checkout"
    for folder in (source, checkout):
        folder.mkdir()
    (source / "backend.py").write_text(textwrap.dedent(BACKEND))
    (source / "pyproject.toml").write_text(PROJECT)
    return Runner(checkout, tmp_path / "tools", {"EXTCAL": str(source), "PIP_NO_INDEX": "1"})


def run(runner: Runner, name: str) -> Ran:
    """Run a job by the real programs, with secrets that are meant for all jobs."""
    return runner.run(name, {"EXTCAL_API_KEY": "key", "GITLAB_BOT_TOKEN": "glpat-made-up"}, real=True)


def test_a_package_sees_no_secret_while_it_is_built_and_installed(runner: Runner) -> None:
    """What is built in the first job is what a later one runs; the checkout lends neither pip nor Python a module."""
    for name in ("venv.py", "pip.py", "json.py", "tarfile.py"):
        (runner.checkout / name).write_text("import pathlib; pathlib.Path('owned').touch()")
    # A wheel that lies in the repository is none that was built, whatever it is packed in.
    for place in (".", "wheels"):
        (runner.checkout / place).mkdir(exist_ok=True)
        (runner.checkout / place / "evil-1-py3-none-any.whl").write_text("")
    with tarfile.open(runner.checkout / "elsewhere.tar", "w") as archive:
        archive.add(runner.checkout / "evil-1-py3-none-any.whl", "evil-1-py3-none-any.whl")
    (runner.checkout / "wheels.tar").symlink_to("elsewhere.tar")
    built = run(runner, "install")
    assert built.code == 0, built.log
    assert not (runner.checkout / "wheels.tar").is_symlink()
    ran = run(runner, "validate")
    assert ran.code == 0, ran.log
    building = json.loads((runner.tools / "seen-build").read_text())
    words, environment = json.loads((runner.tools / "seen-run").read_text())
    assert words == ["validate", "manifests"]
    for seen in (building, environment):
        assert not [name for name in seen if name.startswith("EXTCAL_") or name == "GITLAB_BOT_TOKEN"]
    assert not list(runner.checkout.rglob("owned"))
