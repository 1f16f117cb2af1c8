#!/usr/bin/env bash
# Installs extcal into an environment of its own, away from whatever the job uses Python for.
set -euo pipefail

checkout=$(cd "$GITHUB_ACTION_PATH/../../.." && pwd)
venv=$RUNNER_TEMP/extcal-venv
"$PYTHON" -m venv "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -- "${INPUT_REQUIREMENT:-$checkout}"
"$venv/bin/extcal" --version
