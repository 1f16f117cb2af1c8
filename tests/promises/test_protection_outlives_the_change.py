"""A change can't take `preventDisconnect` away unseen, whatever it renames, moves, deletes or finds broken."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.promises.repositories import commit_all, initialised
from tests.support.cli.command import Extcal, Ran
from tests.support.cli.worlds import EXPORTING, HARBOR, PASSWORD_ENV, QUAY, connection, harbor, site, world
from tests.support.tools import needs_git

pytestmark = needs_git

INSTANCE = "0d6a8c1f-3b57-4e2d-8f90-4a5b6c7d8e9f"
PROTECTED = "lifecycle: {preventDisconnect: true}"
BY_NAME = "syncConfig: {listEventFromCalendars: {enabled: true, calendars: [Work]}}"
TOMBSTONE = connection(3, more="state: absent")
PRUNING = site(more="scope: site\nprune: true\nguards: {maxDisconnects: 100%}")


@pytest.fixture
def repository(extcal: Extcal) -> Extcal:
    """A repository whose base protects staff 3; staff 1 to 3 are connected."""
    extcal.env |= PASSWORD_ENV
    extcal.on(world(harbor(1, 2, 3)))
    initialised(extcal.folder)
    begin(extcal, connection(3, more=PROTECTED))
    return extcal


def begin(extcal: Extcal, *staff3: str, first: str = "") -> None:
    """Let the base be this."""
    extcal.write(first or site(), connection(1), connection(2))
    extcal.write(*staff3, to="manifests/staff3.yaml")
    commit_all(extcal.folder)


def refused(ran: Ran, at: str = "harbor/staff-3") -> None:
    """The plan is refused for the protection, and says how to overrule it."""
    assert ran.code == 1
    assert "guard prevent-disconnect" in ran.err
    assert f"--allow prevent-disconnect:{at}" in ran.err


def buried(extcal: Extcal) -> None:
    """The head disconnects staff 3 by a tombstone."""
    extcal.write(TOMBSTONE, to="manifests/staff3.yaml")


def renamed_connection(extcal: Extcal) -> None:
    """The same under another name, in another file."""
    (extcal.folder / "manifests" / "staff3.yaml").unlink()
    extcal.write(TOMBSTONE.replace("name: staff-3", "name: former"), to="manifests/former.yaml")


def renamed_folder(extcal: Extcal) -> None:
    """The folder of manifests has another name at the head."""
    buried(extcal)
    (extcal.folder / "manifests").rename(extcal.folder / "moved")


def renamed_site(extcal: Extcal) -> None:
    """The Site has another name and the same siteId."""
    extcal.write(site("bay"), connection(1, of="bay"), connection(2, of="bay"))
    extcal.write(TOMBSTONE.replace("site: harbor", "site: bay"), to="manifests/staff3.yaml")


@pytest.mark.parametrize(
    ("change", "at", "path"),
    [
        (buried, "harbor/staff-3", "manifests"),
        (renamed_connection, "harbor/former", "manifests"),
        (renamed_folder, "harbor/staff-3", "moved"),
        (renamed_site, "bay/staff-3", "manifests"),
    ],
)
@pytest.mark.parametrize("calendars", ["", BY_NAME], ids=["", "calendars by name"])
def test_a_renaming_takes_no_protection_away(
    repository: Extcal, change: Callable[[Extcal], None], at: str, path: str, calendars: str
) -> None:
    """A connection, its file, the folder and the Site may be called anything; calendars need not be known."""
    begin(repository, connection(3, more=f"{PROTECTED}\n{calendars}"))
    change(repository)
    assert repository("plan", path).code == 0
    refused(repository("plan", path, "--base", "HEAD"), at)
    assert repository("plan", path, "--base", "HEAD", "--allow", f"prevent-disconnect:{at}").code == 0


@pytest.mark.parametrize(
    "broken",
    [
        connection(3, more=PROTECTED).replace("provider: apple", "provider: {name: Nobody}"),
        connection(3, more=f"{PROTECTED}\nsyncPolicy: none"),
        connection(3, more=f"{PROTECTED}\nnonsense: true"),
        "kind: [",
    ],
    ids=["unknown provider", "unknown policy", "unknown field", "no YAML"],
)
def test_a_fault_at_the_base_takes_no_protection_away(repository: Extcal, broken: str) -> None:
    """What can't be compared counts as protected, and says so; what the readable rest answers is let through."""
    begin(repository, broken)
    buried(repository)
    ran = repository("plan", "manifests", "--base", "HEAD")
    refused(ran)
    assert "may protect it" in ran.err or "it may mean this connection" in ran.err
    begin(repository, broken)
    (repository.folder / "manifests" / "staff3.yaml").unlink()
    repository.write(site(), connection(1), connection(2, more="state: absent"))
    assert repository("plan", "manifests", "--base", "HEAD").code == 0


def test_a_broken_base_can_be_mended(repository: Extcal) -> None:
    """Only what would take something away is held back."""
    begin(repository, "kind: [")
    repository.write(connection(3, more=PROTECTED), connection(4), to="manifests/staff3.yaml")
    ran = repository("plan", "manifests", "--base", "HEAD")
    assert ran.code == 0
    assert "its manifests have 1 fault; connections that can't be compared with it count as protected" in ran.err


@pytest.mark.parametrize("name", ["harbor", "bay"])
def test_pruning_takes_no_protection_away(repository: Extcal, name: str) -> None:
    """A manifest that is deleted protects its connection from being pruned, also where the Site is renamed."""
    begin(repository, connection(3, more=PROTECTED), first=PRUNING)
    (repository.folder / "manifests" / "staff3.yaml").unlink()
    pruning = PRUNING.replace("name: harbor", f"name: {name}")
    repository.write(pruning, connection(1, of=name), connection(2, of=name))
    assert repository("plan", "manifests").code == 0
    refused(repository("plan", "manifests", "--base", "HEAD"), f"{name}/id:live-3")


def test_files_of_others_are_no_manifests_of_the_base(repository: Extcal) -> None:
    """Where the whole tree is searched, what is no manifest is no fault of it."""
    (repository.folder / ".github" / "workflows").mkdir(parents=True)
    workflow = "on: push\njobs: {plan: {uses: acme.example/extcal/.github/workflows/plan.yml@main}}\n"
    (repository.folder / ".github" / "workflows" / "plan.yml").write_text(workflow)
    (repository.folder / "chart.yaml").write_text("apiVersion: v2\nname: {{ .Name }}\n")
    commit_all(repository.folder)
    (repository.folder / "manifests").rename(repository.folder / "moved")
    repository.write(connection(3, more=PROTECTED), to="moved/staff3.yaml")
    repository.write(site(), connection(1), connection(2, more="state: absent"), to="moved/all.yaml")
    ran = repository("plan", "moved", "--base", "HEAD")
    assert (ran.code, ran.err) == (0, "")


def test_a_submodule_at_the_base_takes_no_protection_away(repository: Extcal) -> None:
    """Its files are not in the commit, so what they say can't be compared."""
    inner = initialised(repository.folder / "manifests" / "inner")
    commit_all(inner)
    commit_all(repository.folder)
    repository.write(site(), connection(1), connection(2))
    (repository.folder / "manifests" / "staff3.yaml").unlink()
    commit_all(repository.folder)
    buried(repository)
    ran = repository("plan", "manifests", "--base", "HEAD")
    refused(ran)
    assert "manifests/inner is a submodule, whose files are not read" in ran.err


def reached_as_app(extcal: Extcal, site_id: str) -> str:
    """Harbor's Site, reached as an app, whose siteId may be anything."""
    app = extcal.sandbox.ready()["app"]
    assert isinstance(app, dict)
    extcal.env["EXTCAL_APP_SECRET"] = str(app["app_secret"])
    auth = f"{{app: {{appId: {app['app_id']}, appSecret: {{env: EXTCAL_APP_SECRET}}, instanceId: {INSTANCE}}}}}"
    return site(id_=site_id).replace("{apiKey: {env: EXTCAL_API_KEY}}", auth)


@pytest.mark.parametrize("before_as_app", [True, False], ids=["app", "key"])
def test_another_site_id_takes_no_protection_away(extcal: Extcal, *, before_as_app: bool) -> None:
    """An app reaches the site that its instance is on, whatever siteId the change gives beside it."""
    extcal.env |= PASSWORD_ENV
    extcal.on(world(replace(harbor(1, 2, 3), instance_id=INSTANCE)))
    initialised(extcal.folder)
    former = reached_as_app(extcal, HARBOR) if before_as_app else site()
    begin(extcal, connection(3, more=PROTECTED), first=former)
    extcal.write(reached_as_app(extcal, QUAY), connection(1), connection(2))
    buried(extcal)
    assert extcal("plan", "manifests").code == 0
    refused(extcal("plan", "manifests", "--base", "HEAD"))


def test_a_link_in_the_folders_place_takes_no_protection_away(repository: Extcal) -> None:
    """A change may lead the path to another folder, which the base has, too: the path is what it was called."""
    repository.write(site(), connection(1), to="examples/all.yaml")
    commit_all(repository.folder)
    (repository.folder / "manifests").rename(repository.folder / "former")
    (repository.folder / "manifests").symlink_to("examples")
    repository.write(site(), connection(1), TOMBSTONE, to="examples/all.yaml")
    commit_all(repository.folder)
    assert repository("plan", "manifests").code == 0
    refused(repository("plan", "manifests", "--base", "HEAD^"))


@pytest.mark.parametrize("above", [".", ".."], ids=["beside", "above"])
def test_a_link_above_the_path_takes_no_protection_away(repository: Extcal, above: str) -> None:
    """A change may lead a folder on the way back to the root: the path is not another one of the base for that."""
    fleet = repository.folder / "live" / "fleet"
    fleet.parent.mkdir()
    (repository.folder / "manifests").rename(fleet)
    repository.write("# nothing is said here\n", to="fleet/notes.yaml")
    commit_all(repository.folder)
    for file in fleet.iterdir():
        file.rename(repository.folder / "fleet" / file.name)
    fleet.rmdir()
    if above == "..":
        (repository.folder / "live" / "up").symlink_to("..")
    else:
        fleet.parent.rmdir()
        fleet.parent.symlink_to(".")
    path = "live/fleet" if above == "." else "live/up/fleet"
    repository.write(TOMBSTONE, to="fleet/staff3.yaml")
    assert repository("plan", path).code == 0
    refused(repository("plan", path, "--base", "HEAD"))


@pytest.mark.parametrize("version", ["!!str extcal/v1", "&v extcal/v1", '"extcal\\x2fv1"', '"ext\\\n  cal/v1"'])
def test_a_spelling_of_the_version_takes_no_protection_away(repository: Extcal, version: str) -> None:
    """Where the whole base is searched, a manifest is one however it is written."""
    begin(repository, connection(3, more=PROTECTED).replace("extcal/v1", version))
    renamed_folder(repository)
    refused(repository("plan", "moved", "--base", "HEAD"))


def test_links_that_lead_through_links_take_no_protection_away(repository: Extcal) -> None:
    """A base may be laid out so that its manifests are reached by a link to a link alone."""
    folder = repository.folder / "manifests"
    (folder / ".releases" / "v1" / "team").mkdir(parents=True)
    (folder / "staff3.yaml").rename(folder / ".releases" / "v1" / "team" / "staff3.yaml")
    (folder / ".current").symlink_to(".releases/v1")
    (folder / "team").symlink_to(".current/team")
    commit_all(repository.folder)
    (folder / "team").unlink()
    buried(repository)
    assert repository("plan", "manifests").code == 0
    refused(repository("plan", "manifests", "--base", "HEAD"))


@pytest.mark.parametrize("target", ["staff3.txt", "more/staff3.txt", "again.yaml"])
def test_a_link_at_the_base_takes_no_protection_away(repository: Extcal, target: str) -> None:
    """A manifest of the base may be a link to a file of any name in its folder."""
    folder = repository.folder / "manifests"
    (folder / "more").mkdir()
    file = folder / ("staff3.txt" if target == "again.yaml" else target)
    (folder / "staff3.yaml").rename(file)
    (folder / "again.yaml").symlink_to("staff3.txt")
    (folder / "staff3.yaml").symlink_to(target)
    if target != "again.yaml":
        (folder / "again.yaml").unlink()
    commit_all(repository.folder)
    for name in ("staff3.yaml", "again.yaml"):
        (folder / name).unlink(missing_ok=True)
    buried(repository)
    assert repository("plan", "manifests").code == 0
    refused(repository("plan", "manifests", "--base", "HEAD"))


def test_a_broken_base_makes_no_drift_of_a_loss(repository: Extcal) -> None:
    """What would be pruned because its manifest can't be read was not drifting before, even where it is allowed."""
    begin(repository, "kind: [", first=PRUNING)
    (repository.folder / "manifests" / "staff3.yaml").unlink()
    allow = ("--allow", "prevent-disconnect:harbor/id:live-3")
    ran = repository("plan", "manifests", "--base", "HEAD", *allow, "--detailed-exitcode")
    assert ran.code == 2


def test_a_renamed_site_drifts_as_before(repository: Extcal) -> None:
    """What was wrong before the Site was renamed is not this change's, whatever it is called there."""
    unknown = connection(4).replace("provider: apple", "provider: {name: Nobody}")
    begin(repository, connection(3, more=EXPORTING), unknown)
    for file in (repository.folder / "manifests").iterdir():
        file.write_text(file.read_text().replace("site: harbor", "site: bay").replace("name: harbor}", "name: bay}"))
    ran = repository("plan", "manifests", "--base", "HEAD", "--detailed-exitcode")
    assert "the site has no provider Nobody" in ran.err
    assert ran.code == 0


@pytest.mark.parametrize("chosen", ["--site=harbor", "--connection=staff-3", "--shard=1/1"])
def test_a_selection_takes_no_protection_away(repository: Extcal, chosen: str) -> None:
    """Planning a part of what is declared is held to the whole base."""
    buried(repository)
    assert repository("plan", "manifests", chosen).code == 0
    refused(repository("plan", "manifests", chosen, "--base", "HEAD"))


def test_another_site_of_the_same_id_at_the_base_takes_no_protection_away(repository: Extcal) -> None:
    """Of two Sites with one siteId, in whatever case, the connections of both are compared."""
    twin = site("bay", id_=HARBOR.upper())
    begin(repository, connection(3, of="bay", more=PROTECTED), first=f"{site()}{twin}")
    repository.write(site(), connection(1), connection(2))
    buried(repository)
    assert repository("plan", "manifests").code == 0
    ran = repository("plan", "manifests", "--base", "HEAD")
    refused(ran)
    assert "bay/staff-3 set lifecycle.preventDisconnect before this change" in ran.err
