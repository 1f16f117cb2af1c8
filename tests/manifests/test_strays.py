"""Which files of a folder are manifests by what they say, and what is told of those that only look like one."""

import codecs
import json
import os
from pathlib import Path

import pytest

from reconciler.errors import ManifestError
from reconciler.manifests import Limits, load, load_readable
from reconciler.manifests.limits import LOOKED_AT, LOOKED_AT_TOGETHER, MEBI
from reconciler.manifests.strays import MOST_NAMED
from reconciler.model.desired import Desired
from tests.manifests.conftest import refusals
from tests.support.builders.manifests import CONNECTION, SITE, connection, documents
from tests.support.tools import needs_no_root

PRUNING = SITE + "  prune: true\n"
OTHER_ID = "2c5d8f31-9e64-4b7a-8d10-6f3e5a7c9b24"
OTHER = PRUNING.replace("harbor-dental", "quay").replace("7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b", OTHER_ID)
KIM = connection("kim", account="kim@harbor-dental.example")
HINT = "(rename or move it to have it read, or remove it from the folder)"
UNSEEN = "(make it readable, or remove it from the folder)"


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    """Write files below a folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def pruned(desired: Desired) -> list[str]:
    """The sites that are pruned."""
    return [site.name for site in desired.sites if site.prune]


def told(desired: Desired) -> list[str]:
    """What is told of strays."""
    return [str(one.warning) for one in desired.overlooked]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("kim.json", KIM),
        ("kim.JSON", KIM),
        ("kim.YAML", KIM),
        ("kim.Yml", KIM),
        ("kim.json", codecs.BOM_UTF8 + KIM.encode()),
        ("kim.json", json.dumps(json.loads(KIM), indent="\t")),
        ("kim.json", KIM.replace("extcal/v1", "extcal\\/v1")),
        ("kim.json", KIM.replace("extcal/v1", "extcal\\u002fv1")),
        ("deep/er/kim.json", KIM),
    ],
)
def test_every_suffix_in_any_case_is_read(folder: Path, name: str, content: str | bytes) -> None:
    """YAML and JSON are read by their suffixes, however these are written, and nothing is told of them."""
    write(folder, {"site.yaml": PRUNING, name: content})
    desired = load([Path()])
    assert [one.name for one in desired.connections] == ["kim"]
    assert (pruned(desired), told(desired)) == (["harbor-dental"], [])


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        "[",
        '{"apiVersion": "v1", "kind": "Pod"}',
        '{"properties": {"apiVersion": {"const": "extcal/v1"}}}',
        b"\x00\xff" * 50,
        b" " * (17 * MEBI),
    ],
    ids=["empty", "broken", "another", "schema", "binary", "large"],
)
def test_other_json_is_passed_over(folder: Path, content: str | bytes) -> None:
    """What does not say that it is a manifest is somebody else's, whatever it holds and however large it is."""
    write(folder, {"site.yaml": PRUNING, "package.json": content})
    desired = load([Path()], Limits(bytes=MEBI))
    assert (pruned(desired), told(desired)) == (["harbor-dental"], [])


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ('{"apiVersion": "extcal/v1", ', "not YAML"),
        (f"[{KIM}]", "a manifest must be a mapping of fields"),
        (KIM.encode("utf-16"), "the file is UTF-16 or UTF-32, not UTF-8"),
        (KIM.replace("extcal/v1", "extcal/v2"), "apiVersion 'extcal/v2' is not supported"),
        (KIM.replace("apiVersion", "apiversion"), "missing field 'apiVersion'"),
        (KIM.encode() + b" " * (17 * MEBI), "the file is larger than 16 MiB"),
    ],
    ids=["broken", "list", "utf-16", "version", "case", "large"],
)
def test_json_that_says_so_must_be_right(folder: Path, content: str | bytes, fault: str) -> None:
    """JSON that says that it is a manifest is judged as YAML is."""
    write(folder, {"site.yaml": PRUNING, "kim.json": content})
    assert any(line.startswith("kim.json:") and fault in line for line in refusals(Path()))


def test_json_that_is_named_is_a_manifest(folder: Path) -> None:
    """Who names a file on the command line means it to be one."""
    write(folder, {"package.json": "{}", "site.txt": SITE})
    assert refusals(Path("package.json"))[0].startswith("package.json:1:1: not a manifest")
    assert load([Path("site.txt")]).sites


NOT_SO_NAMED = "its name does not end in .yaml, .yml or .json"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("kim.yaml.off", NOT_SO_NAMED),
        ("kim.YML.bak", NOT_SO_NAMED),
        ("kim.json~", NOT_SO_NAMED),
        ("kim.yaml.j2", NOT_SO_NAMED),
        ("#kim.yaml#", NOT_SO_NAMED),
        ("deep/kim.yaml (copy)", NOT_SO_NAMED),
        ("x.yaml/kim.yaml_", NOT_SO_NAMED),
        (".kim.yaml", "its name begins with a dot"),
        (".kim.yaml.swp", "its name begins with a dot"),
        (".yaml", "its name begins with a dot"),
        (".old/kim.yaml", "it is in the hidden folder .old"),
        (".old/kim", "it is in the hidden folder .old"),
        ("a/.old/deep/.er/kim.json", "it is in the hidden folder .old"),
        (".github/kim.txt", "it is in the hidden folder .github"),
    ],
)
def test_what_looks_like_a_manifest_is_named_and_its_site_not_pruned(folder: Path, name: str, why: str) -> None:
    """A file that says that it is a manifest and is not read, for its name or its folder, may be meant to stand."""
    write(folder, {"site.yaml": documents(PRUNING, OTHER), name: manifest_of("harbor-dental")})
    desired = load([Path()])
    message = f"{name}:1:1: declares apiVersion: extcal/… but is not read: {why}; harbor-dental is not pruned {HINT}"
    assert told(desired) == [message]
    assert pruned(desired) == ["quay"]
    assert [site.warnings for site in desired.sites] == [(message,), ()]
    assert desired.connections == ()
    assert [site.as_declared for site in desired.sites] == list(load([Path("site.yaml")]).sites)


def manifest_of(site: str) -> str:
    """Kim's Connection on a site."""
    return connection("kim", site=site, account="kim@harbor-dental.example")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (".git/kim.yaml", KIM),
        ("a/.GIT/objects/kim.yaml", KIM),
        (".venv/lib/kim.yaml", KIM),
        ("kim.yaml.off", "replicas: 3\n"),
        ("kim.yaml.off", ""),
        ("kim.yaml.off", "# apiVersion: extcal/v1\n# kind: Connection\n"),
        (".github/workflows/x.yml", "run: |\n  apiVersion: extcal/v1\n  kind: Connection\n"),
        ("kim.yaml.gz", b"\x1f\x8b\x00\x00apiVersion: extcal/v1\n"),
        ("kim.txt", KIM),
        ("kim", KIM),
        (".kim", KIM),
    ],
)
def test_what_is_no_stray(folder: Path, name: str, content: str | bytes) -> None:
    """What does not look like a manifest, or does not say that it is one, is passed over in silence."""
    write(folder, {"site.yaml": PRUNING, name: content})
    desired = load([Path()])
    assert (pruned(desired), told(desired)) == (["harbor-dental"], [])


@pytest.mark.parametrize(
    ("content", "spared"),
    [
        (manifest_of("harbor-dental"), ["harbor-dental"]),
        (manifest_of("quay"), ["quay"]),
        (documents(manifest_of("quay"), manifest_of("harbor-dental")), ["harbor-dental", "quay"]),
        (manifest_of("quay").replace('"google"', "5").replace('"lee', "lee"), ["quay"]),
        (KIM, ["harbor-dental", "quay"]),
        (manifest_of("nobodys"), ["harbor-dental", "quay"]),
        (manifest_of("{{ site }}"), ["harbor-dental", "quay"]),
        ("apiVersion: extcal/v1\nkind: Connection\nspec: {site: {{ site }}}\n", ["harbor-dental", "quay"]),
        ("apiVersion: extcal/v1\nkind: Connection\nspec: [\n", ["harbor-dental", "quay"]),
        (manifest_of("quay") + "---\n[", ["harbor-dental", "quay"]),
        (f"[{manifest_of('quay')}]", ["harbor-dental", "quay"]),
        ("apiVersion: extcal/v9\nkind: Connection\nspec: {site: quay}\n", ["harbor-dental", "quay"]),
        ("apiVersion: extcal/v1\nkind: Dentists\n", ["harbor-dental", "quay"]),
        ("%YAML 1.2\n---\n" + manifest_of("quay"), ["harbor-dental", "quay"]),
        (manifest_of("quay").encode("utf-16"), ["harbor-dental", "quay"]),
        (SITE, ["harbor-dental"]),
        (SITE.replace("harbor-dental", "renamed").replace("7a3f", "7A3F"), ["harbor-dental"]),
        (
            documents(SITE.replace("harbor-dental", "renamed"), manifest_of("renamed"), manifest_of("quay")),
            ["harbor-dental", "quay"],
        ),
        (documents(SITE.replace("harbor-dental", "gone").replace("7a3f", "0000"), manifest_of("gone")), []),
        ("apiVersion: extcal/v1\nkind: SyncPolicy\nmetadata: {name: shared}\n", []),
    ],
)
def test_the_sites_of_a_stray(folder: Path, content: str | bytes, spared: list[str]) -> None:
    """Its documents say which sites it is about, by name or by a Site's id; where that can't be told it may be any."""
    write(folder, {"site.yaml": documents(PRUNING, OTHER), "kim.yaml.off": content})
    desired = load([Path()])
    assert [one.sites for one in desired.overlooked] == [tuple(spared)]
    assert pruned(desired) == [name for name in ("harbor-dental", "quay") if name not in spared]
    (message,) = told(desired)
    assert ("no site is pruned" in message) == (len(spared) == 2)


def test_a_connection_without_a_site_is_of_the_only_one(folder: Path) -> None:
    """Where one Site is loaded a stray may leave it out, too; a Site of another stray may say what a name means."""
    write(folder, {"site.yaml": PRUNING, "kim.yaml.off": KIM})
    assert pruned(load([Path()])) == []
    renamed = SITE.replace("harbor-dental", "renamed")
    write(
        folder, {"site.yaml": documents(PRUNING, OTHER), "kim.yaml.off": manifest_of("renamed"), ".site.yaml": renamed}
    )
    assert pruned(load([Path()])) == ["quay"]


def test_what_is_read_by_another_name_is_no_stray(folder: Path) -> None:
    """A file that is named, linked to or reached by another name is read, and so not overlooked."""
    write(folder, {"site.yaml": PRUNING, "kim.yaml.off": KIM, ".old/lee.yaml": CONNECTION})
    (folder / "lee.yml").symlink_to(".old/lee.yaml")
    (folder / ".same.yaml").hardlink_to(folder / "site.yaml")
    desired = load([Path(), Path("kim.yaml.off")])
    assert [one.name for one in desired.connections] == ["dr-lee-apple", "kim"]
    assert (pruned(desired), told(desired)) == (["harbor-dental"], [])


def test_a_mounted_config_map_has_no_strays(folder: Path) -> None:
    """What lies in a folder with dots is read by the links to it, of files and of folders."""
    write(folder, {"..2024/site.yaml": PRUNING, "..2024/kim.json": KIM, "..2024/more/lee.yaml": CONNECTION})
    (folder / "..data").symlink_to("..2024")
    for name in ("site.yaml", "kim.json", "more"):
        (folder / name).symlink_to(f"..data/{name}")
    desired = load([Path()])
    assert len(desired.connections) == 2
    assert (pruned(desired), told(desired)) == (["harbor-dental"], [])


def test_links_pipes_and_folders_of_such_names(folder: Path) -> None:
    """Nothing waits for a pipe or leaves the folder; a link that can't be followed may hide a manifest."""
    write(folder, {"m/site.yaml": documents(PRUNING, OTHER), "kim.yaml": KIM, "m/plain.txt": manifest_of("quay")})
    os.mkfifo(folder / "m" / "pipe.yaml~")
    os.mkfifo(folder / "m" / "pipe.json")
    (folder / "m" / "gone.yaml.off").symlink_to("nowhere")
    (folder / "m" / ".#lock.yaml").symlink_to("lee@desk.example:1")
    (folder / "m" / "dir.yaml.d").mkdir()
    (folder / "m" / ".bin").mkdir()
    (folder / "m" / ".bin" / "python").symlink_to("/usr/bin/env")
    (folder / "m" / ".up").symlink_to("..")
    assert (pruned(load([Path("m")])), told(load([Path("m")]))) == (["harbor-dental", "quay"], [])
    (folder / "m" / "in.yaml.off").symlink_to("plain.txt")
    assert pruned(load([Path("m")])) == ["harbor-dental"]
    for name in ("out.yaml.off", "out.json"):
        (folder / "m" / name).symlink_to("../kim.yaml")
        desired = load([Path("m")])
        reason = "can't be read: it is a link that points outside the folder; no site is pruned"
        assert f"m/{name}:1:1: {reason} {UNSEEN}" in told(desired)
        assert pruned(desired) == []
        (folder / "m" / name).unlink()


@needs_no_root
@pytest.mark.parametrize("name", ["kim.yaml.off", "kim.json", ".old"])
def test_what_may_not_be_looked_at(folder: Path, name: str) -> None:
    """What can't be read may be about any site."""
    write(folder, {"site.yaml": documents(PRUNING, OTHER), f"{name}/x" if name == ".old" else name: KIM})
    (folder / name).chmod(0)
    desired = load([Path()])
    (folder / name).chmod(0o700)
    assert told(desired) == [f"{name}:1:1: can't be read: Permission denied; no site is pruned {UNSEEN}"]
    assert pruned(desired) == []


def test_looking_is_bounded(folder: Path) -> None:
    """Of a file its beginning is looked at, of all of them a limit; beyond that there may be a stray of any site."""
    write(folder, {"site.yaml": PRUNING})
    with (folder / "huge.yaml.off").open("wb") as stream:
        stream.write(b"# padding\n" * 200_000)
        stream.truncate(2**40)
    assert told(load([Path()])) == []
    (folder / "huge.yaml.off").write_text(KIM + " " * 10_000)
    os.truncate(folder / "huge.yaml.off", 2**40)
    assert pruned(load([Path()])) == []
    (folder / "huge.yaml.off").unlink()
    (folder / ".cache").mkdir()
    for number in range(LOOKED_AT_TOGETHER // LOOKED_AT + 1):
        (folder / ".cache" / f"{number:03}").touch()
        os.truncate(folder / ".cache" / f"{number:03}", LOOKED_AT)
    desired = load([Path()])
    last = f".cache/{LOOKED_AT_TOGETHER // LOOKED_AT:03}"
    assert told(desired) == [
        f"{last}:1:1: can't be read: there is more than 256 MiB to check; harbor-dental is not pruned {UNSEEN}"
    ]
    assert pruned(desired) == []


def test_strays_never_exceed_the_limits_of_manifests(folder: Path) -> None:
    """What is not read does not count, and where it is too much to tell its sites, it may be about any."""
    many = documents(*[manifest_of("quay")] * 10)
    write(folder, {"site.yaml": documents(PRUNING, OTHER), "kim.yaml.off": many})
    assert pruned(load([Path()], Limits(documents=10))) == ["harbor-dental"]
    assert pruned(load([Path()], Limits(documents=9))) == []
    assert pruned(load([Path()], Limits(bytes=len(many) - 1))) == []


def test_thousands_of_strays_are_not_told_one_by_one(folder: Path) -> None:
    """The first are named, the others counted; their sites are spared all the same."""
    write(folder, {"site.yaml": documents(PRUNING, OTHER)})
    write(folder, {f"kim.yaml.{number:04}": manifest_of("harbor-dental") for number in range(3_000)})
    write(folder, {"zoe.yaml.off": manifest_of("quay")})
    desired = load([Path()])
    assert len(told(desired)) == MOST_NAMED + 1
    assert told(desired)[-1].startswith("2,981 more files like kim.yaml.0000 are not read; no site is pruned (")
    assert pruned(desired) == []


def test_strays_of_a_base_with_faults_count(folder: Path) -> None:
    """What is wrong with manifests does not hide what is not read."""
    write(folder, {"site.yaml": PRUNING, "kim.yaml.off": KIM, "x.yaml": "x"})
    desired, faults = load_readable([Path()])
    assert (len(faults), pruned(desired)) == (1, [])
    with pytest.raises(ManifestError):
        load([Path()])


def test_a_folder_of_strays_alone_holds_no_manifests(folder: Path) -> None:
    """A folder in which nothing is read is a fault, as an empty one is."""
    write(folder, {"m/site.yaml.off": SITE})
    assert refusals(Path("m")) == ["the folder 'm' contains no manifests (their names end in .yaml, .yml or .json)"]


SET = (
    "apiVersion: extcal/v1\nkind: ConnectionSet\nmetadata: {name: s}\n"
    "spec: {template: {site: quay, provider: apple}, connections: [{name: a, schedule: {name: x}, account: a@b.example}"
)


@pytest.mark.parametrize(
    ("content", "spared"),
    [
        (SET + "]}", {"quay"}),
        (SET + ", {name: b, site: harbor-dental}]}", {"quay", "harbor-dental"}),
        (SET + "], roster: staff.csv}", {"quay", "harbor-dental"}),
        (SET.replace("site: quay, ", "") + "]}", {"quay", "harbor-dental"}),
        (SET + "], roster: [staff.csv]}", {"quay", "harbor-dental"}),
        (SET.replace("[", "{a: ") + "}}", {"quay"}),
        (SET.replace("[", "{a: ").replace("site: quay, ", "") + "}}", {"quay", "harbor-dental"}),
        ("apiVersion: extcal/v1\nkind: ConnectionSet\nspec: [x]\n", {"quay", "harbor-dental"}),
    ],
)
def test_the_sites_of_a_set_that_is_not_read(folder: Path, content: str, spared: set[str]) -> None:
    """A set that was put aside is about the sites that its entries have, and its roster may be about any."""
    write(folder, {"sites.yaml": documents(PRUNING, OTHER), "set.yaml.off": content})
    assert set(pruned(load([Path()]))) == {"harbor-dental", "quay"} - spared


def test_a_roster_is_no_stray(folder: Path) -> None:
    """A CSV file is read where a set names it, and is nobody's manifest elsewhere."""
    write(folder, {"site.yaml": PRUNING, "staff.csv": "name,account,schedule_name\n", ".old/staff.csv": "extcal/v1"})
    assert pruned(load([Path()])) == ["harbor-dental"]
