"""Wrong usage and faulty manifests: exit codes, streams, and what is said."""

import os

import pytest

from reconciler import __version__
from tests.support.cli.command import Extcal
from tests.support.cli.schema import valid
from tests.support.cli.worlds import connection, site

COMMANDS = (
    "validate",
    "plan",
    "apply",
    "merge",
    "resolve",
    "watch",
    "providers",
    "schedules",
    "connections",
    "calendars",
    "events",
    "sandbox",
    "schema",
)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("plna", "x"), "unknown command 'plna'; did you mean plan?"),
        (("frobnicate",), "unknown command 'frobnicate'; commands are validate, render, plan, apply"),
        (("plan", "x", "--frmat", "json"), "unknown option --frmat; did you mean --format? See extcal plan --help."),
        (("plan", "x", "--format", "jsn"), "'text', 'json'"),
        (("apply", "x", "--consent", "maybe"), "'link', 'skip'"),
        (("plan",), "missing argument 'PATH...'"),
        (("apply",), "nothing to apply is given. Give a PATH with manifests, or --plan FILE."),
        (("apply", "x", "--plan", "y"), "PATH and --plan FILE exclude each other. Give one."),
        (("apply", "--plan", "y", "--site", "z"), "--plan FILE is applied as a whole"),
        (("plan", "x", "--out", "-"), "--out -: stdout is for the report"),
        (("apply", "x", "--undo-out", "-"), "--undo-out -: stdout is for the report"),
        (("apply", "x", "--consent-file", "-"), "--consent-file -: stdout is for the report"),
        (("apply", "x", "--consent-file", ""), "--consent-file is empty"),
        (("merge", "x", "--out", "-"), "--out -: stdout is for the report"),
        (("merge", "x", "--out", ""), "--out is empty"),
        (("pull", "x", "--output", "-"), "--output -: stdout is for the report"),
        (("validate",), "missing argument 'PATH...'"),
        (("plan", "--sandbox", "manifests"), "The word after --sandbox is its DIR"),
        (("schema", "conection"), "did you mean connection?"),
        (("schema",), "missing argument 'KIND'"),
        (("sandbox", "serve", "--port", "70000"), "0<=x<=65535"),
        (("events", "--from", "yesterday"), "--from yesterday: not a time. Write it as 2027-01-31T09:00:00Z."),
        (("events", "--from", "2027-01-02", "--to", "2027-01-01"), "is not after --from"),
        (("connections", "x", "--site-id", "y"), "PATH and --site-id exclude each other"),
        (("connections", "--site", "x", "--site-id", "y"), "--site and --site-id exclude each other"),
        (("connections",), "no site is given. Give a PATH"),
    ],
)
def test_wrong_usage_ends_with_64_and_says_what_is_right(extcal: Extcal, args: tuple[str, ...], said: str) -> None:
    """A command line that can't be meant is refused with advice on stderr; stdout stays empty, nothing is asked."""
    ran = extcal(*args)
    assert (ran.code, ran.out) == (64, "")
    assert said in ran.err
    assert len(extcal.sandbox.requests) == 0


def test_no_command_shows_the_help(extcal: Extcal) -> None:
    """Without a command the help is shown, as wrong usage; asked for, it is a result."""
    bare, asked = extcal(), extcal("--help")
    assert (bare.code, bare.out) == (64, "")
    assert (asked.code, asked.err) == (0, "")
    for name in COMMANDS:
        assert f"\n  {name} " in bare.err
        assert f"\n  {name} " in asked.out


def test_version(extcal: Extcal) -> None:
    """--version tells the version."""
    ran = extcal("--version")
    assert (ran.code, ran.out) == (0, f"extcal, version {__version__}\n")


@pytest.mark.parametrize("kind", ["Site", "syncpolicy", "CONNECTION", "plan"])
def test_schema_prints_a_json_schema(extcal: Extcal, kind: str) -> None:
    """Each kind's schema is a JSON document of draft 2020-12, whatever the case."""
    ran = extcal("schema", kind)
    assert ran.code == 0
    assert ran.document["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize(("count", "said"), [(1, "1 site, 1 connection"), (2, "1 site, 2 connections")])
def test_validate_counts_what_is_there(extcal: Extcal, count: int, said: str) -> None:
    """Sound manifests are said to be, without asking the service anything."""
    extcal.write(site(), *(connection(number) for number in range(count)))
    ran = extcal("validate", "manifests")
    assert (ran.code, ran.out, ran.err) == (0, f"Valid: {said}.\n", "")
    assert len(extcal.sandbox.requests) == 0


_FAULTY = (
    "apiVersion: extcal/v1\nkind: Site\nmetadata: {name: harbor}\nspec: {siteId: no-guid, auth: {}, prune: maybe}\n"
)
_PLACES = ["manifests/a.yaml:4:16: ", "manifests/a.yaml:4:31: ", "manifests/a.yaml:4:42: ", "manifests/b.yaml:1:7: "]


@pytest.mark.parametrize("command", ["validate", "plan", "apply", "providers", "connections"])
def test_every_fault_of_every_file_is_told_at_its_place(extcal: Extcal, command: str) -> None:
    """Each line on stderr begins with file, line and column; the exit code is 1 and nothing is asked."""
    extcal.write(_FAULTY, to="manifests/a.yaml")
    extcal.write("kind: Nonsense\n", to="manifests/b.yaml")
    ran = extcal(command, "manifests")
    assert (ran.code, ran.out) == (1, "")
    lines = ran.err.splitlines()
    assert len(lines) == len(_PLACES)
    for line, place in zip(lines, _PLACES, strict=True):
        assert line.startswith(place)
    assert len(extcal.sandbox.requests) == 0


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_faulty_manifests_are_a_json_document_too(extcal: Extcal, command: str) -> None:
    """With --format json the faults stand in a valid document on stdout, and on stderr as ever."""
    extcal.write(_FAULTY)
    ran = extcal(command, "manifests", "--format", "json")
    assert ran.code == 1
    errors = valid(ran.document)["errors"]
    assert isinstance(errors, list)
    assert [error["message"] for error in errors] == ran.err.splitlines()


@pytest.mark.parametrize("command", ["validate", "plan", "apply", "events"])
def test_a_path_that_does_not_exist_is_named(extcal: Extcal, command: str) -> None:
    """A missing path is an error that names it."""
    ran = extcal(command, "nowhere")
    assert ran.code == 1
    assert ran.err.startswith("error: the path 'nowhere' does not exist")


def test_an_inline_password_is_refused_and_not_repeated(extcal: Extcal) -> None:
    """A secret written into a manifest is refused, and its value is shown nowhere."""
    extcal.write(site(), connection(0).replace("{env: EXTCAL_APP_PASSWORD}", "hunter-two-99"))
    for args in (("validate", "manifests"), ("plan", "manifests", "--format", "json")):
        ran = extcal(*args)
        assert ran.code == 1
        assert "a secret must not be written in a manifest" in ran.err
        assert "hunter-two-99" not in ran.out + ran.err


def test_a_defect_is_a_message_and_with_verbose_a_traceback(extcal: Extcal) -> None:
    """What nobody foresaw, a broken installation here, ends with 1; --verbose adds the traceback to send along."""
    extcal.write("raise ZeroDivisionError\n", to="broken/yaml.py")
    broken = {"PYTHONPATH": f"{extcal.folder / 'broken'}{os.pathsep}{extcal.env['PYTHONPATH']}"}
    extcal.write(site())
    ran = extcal.process("validate", "manifests", env=broken)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "error: internal error: ZeroDivisionError. Run again with --verbose, and report what it prints.\n"
    assert "Traceback" in extcal.process("validate", "manifests", "--verbose", env=broken).err


def test_an_allowance_for_no_site_is_refused(extcal: Extcal) -> None:
    """A place that was mistyped would overrule nothing, unnoticed: it is refused, with what may be meant."""
    extcal.write(site(), connection(0))
    ran = extcal("plan", "manifests", "--allow", "max-disconnects:harbr")
    assert (ran.code, ran.out) == (64, "")
    assert "unknown site 'harbr'; did you mean harbor?" in ran.err
