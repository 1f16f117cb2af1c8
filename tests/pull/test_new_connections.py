"""Pulling into manifests that are there: where new connections go, and what is never taken away or added."""

from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.manifests import load
from reconciler.model.live import Schedule
from tests.pull.handwriting import HEAD, SITE, connection_text, written
from tests.pull.live import (
    APPLE,
    GOOGLE,
    KIM,
    LEE,
    PATEL,
    SCHEDULES,
    actions,
    called,
    live,
    observed,
    pull,
    site,
)


def test_a_schedule_by_name_and_a_changed_name_stay(folder: Path) -> None:
    """People may call connections and schedules as they like: what is declared already is found all the same."""
    text = connection_text("whatever", LEE, "").replace(f"{{id: {LEE}}}", "{name: Dr. Lee}")
    path = written(folder, SITE, text.replace("whatever@", "Lee@"))
    before = path.read_text()
    done = pull(folder, observed(live()))
    assert done.changed == []
    assert path.read_text() == before


def test_a_new_connection_goes_to_its_schedules_file(folder: Path) -> None:
    """Where a file holds connections of the schedule, the new one is added at its end, with the policy they use."""
    pull(folder, observed(live(), live(PATEL)))
    path = folder / "harbor-dental/schedules/dr-lee.yaml"
    path.write_text(path.read_text().rstrip("\n") + "\n# the end", encoding="utf-8")
    before = path.read_text()
    seen = observed(live(), live(PATEL), live(LEE, GOOGLE))
    assert pull(folder, seen).saved.updated == ["harbor-dental/schedules/dr-lee.yaml"]
    after = path.read_text()
    assert after.startswith(before + "\n---\napiVersion: extcal/v1\n")
    assert after.endswith("  syncPolicy: import-primary\n")
    assert set(actions(folder, seen).values()) == {"noop"}


def test_a_new_schedule_gets_a_file_beside_the_others(folder: Path) -> None:
    """A schedule that nothing is connected to yet has its file where those of the others are."""
    pull(folder, observed(live()))
    done = pull(folder, observed(live(), live(PATEL)))
    assert done.saved.created == ["harbor-dental/schedules/dr-patel.yaml"]


def test_a_new_schedule_does_not_take_anothers_file(folder: Path) -> None:
    """A second schedule of the same name has a file of its own, though the first one's has the plain name."""
    pull(folder, observed(live()))
    twin = "99999999-2975-447c-a7ed-75041e850d00"
    seen = observed(live(), live(PATEL, schedule_id=twin))
    done = pull(folder, called(seen, *SCHEDULES, Schedule(twin, "Dr. Lee", None, "ACTIVE")))
    assert done.saved.created == ["harbor-dental/schedules/dr-lee-99999999.yaml"]
    assert [one.name for one in load([folder]).connections] == ["dr-lee-apple", "dr-lee-apple-patel"]


def test_a_new_connection_goes_where_the_owner_keeps_connections(folder: Path) -> None:
    """In a folder of another make, the file that holds most of the site's connections takes the new ones."""
    written(folder, SITE, to="site.yaml")
    path = written(folder, HEAD + "  syncPolicy: busy-times-only\n", to="people.yaml")
    done = pull(folder, observed(live(), live(PATEL, GOOGLE)))
    assert done.changed == ["people.yaml"]
    assert path.read_text().endswith("  account: patel@harbor-dental.example\n  syncPolicy: busy-times-only\n")


def test_another_site_is_added_beside_the_first(folder: Path) -> None:
    """Sites are pulled into one folder one after the other; what is there stays as it is."""
    pull(folder, observed(live()))
    other = site("quay", "2c5d8f31-9e64-4b7a-8d10-6f3e5a7c9b24")
    done = pull(folder, observed(live(PATEL, GOOGLE), of=other))
    assert done.saved.updated == []
    assert {one.name for one in load([folder]).sites} == {"harbor-dental", "quay"}


def test_another_site_can_not_be_added_where_connections_leave_theirs_out(folder: Path) -> None:
    """With a second site such connections would be anybody's: nothing is written, and the message says where."""
    written(folder, SITE, HEAD)
    other = site("quay", "2c5d8f31-9e64-4b7a-8d10-6f3e5a7c9b24")
    with pytest.raises(Exception, match=r"all\.yaml:19:1: missing field 'site', and 2 Sites are declared"):
        pull(folder, observed(live(PATEL, GOOGLE), of=other))
    assert [path.name for path in folder.iterdir()] == ["all.yaml"]


def test_a_site_that_can_not_be_added_does_not_keep_the_others(folder: Path) -> None:
    """The site that is there is brought in line, and the one that would not go with it is named, with the place."""
    path = written(folder, SITE, HEAD + "  syncConfig: {listEventFromCalendars: {enabled: false}}\n")
    here = observed(live())
    other = site("quay", "2c5d8f31-9e64-4b7a-8d10-6f3e5a7c9b24")
    for sites in ((here, observed(live(PATEL, GOOGLE), of=other)), (observed(live(PATEL, GOOGLE), of=other), here)):
        done = pull(folder, *sites)
        (failure,) = done.pull.failures
        assert failure.startswith(
            "quay is not pulled: the manifests would not load with what was pulled:\nmanifests/all"
        )
        assert actions(folder, here) == {"harbor/lee": "noop"}
    assert [one.name for one in folder.iterdir()] == [path.name]


def test_what_is_gone_is_named_and_stays(folder: Path) -> None:
    """A manifest whose connection is gone is never deleted."""
    pull(folder, observed(live()))
    done = pull(folder, observed())
    assert done.changed == []
    assert done.pull.warnings == ("harbor-dental/dr-lee-apple: declared but not connected; apply connects it",)


def test_what_was_disconnected_is_told_from_what_was_never_connected(folder: Path) -> None:
    """As long as the service lists it."""
    pull(folder, observed(live()))
    (warning,) = pull(folder, observed(live(status="DISCONNECTED"))).pull.warnings
    assert warning == (
        "harbor-dental/dr-lee-apple: declared but not connected: it was disconnected; apply connects it again"
    )


def test_a_tombstone_stays(folder: Path) -> None:
    """What somebody means to disconnect is not declared anew."""
    written(folder, SITE, HEAD + "  state: absent\n")
    done = pull(folder, observed(live()))
    assert done.changed == []
    assert "harbor/lee: declared absent but still connected" in done.pull.warnings[0]


def test_a_broken_connections_manifest_is_kept_in_line_too(folder: Path) -> None:
    """A connection in ERROR is named, and its sync config pulled like any other's."""
    path = written(folder, SITE, HEAD + "  syncConfig: {listEventFromCalendars: {enabled: false}}\n")
    done = pull(folder, observed(live(status="ERROR", error_reason="TOKEN_REVOKED")))
    assert done.pull.warnings == ("harbor/lee: broken (TOKEN_REVOKED); run plan to see what it needs",)
    assert "{enabled: true, primaryCalendar: {}}" in path.read_text()


def test_calendars_that_can_not_be_listed_leave_the_manifest_alone(folder: Path) -> None:
    """What can't be compared is not changed."""
    written(folder, SITE, HEAD + "  syncConfig: {listEventFromCalendars: {calendars: [Elsewhere]}}\n")
    done = pull(folder, observed(live(), unlisted={"live-lee-Apple": "HTTP 500"}))
    assert done.changed == []
    assert "harbor/lee: its calendars can't be listed, so its manifest is not changed" in done.pull.failures


def test_a_manifest_that_means_nothing_live_keeps_its_account_from_being_added(folder: Path) -> None:
    """A schedule that was renamed is a fault to mend, and no reason to declare its connection a second time."""
    written(folder, SITE, connection_text("lee", LEE, "").replace(f"{{id: {LEE}}}", "{name: Doctor Lee}"))
    done = pull(folder, observed(live()))
    assert done.changed == []
    assert "the site has no active schedule with the name Doctor Lee" in done.pull.failures[0]
    assert "a manifest of its account could not be matched" in done.pull.failures[1]


def test_a_duplicate_of_a_declared_connection_is_left_out(folder: Path) -> None:
    """A broken twin of a declared connection is named and not declared."""
    written(folder, SITE, HEAD)
    done = pull(folder, observed(live(), live(id="twin", status="ERROR")))
    assert done.changed == []
    assert done.pull.failures[0].endswith(
        "[twin] is left out: it duplicates harbor/lee; run extcal resolve PATH --keep harbor/lee=live-lee-Apple"
    )


def test_a_duplicate_of_a_tombstone_is_left_to_it(folder: Path) -> None:
    """What is to go is not declared, however often it is there."""
    written(folder, SITE, HEAD + "  state: absent\n")
    done = pull(folder, observed(live(), live(id="twin", status="ERROR")))
    assert done.changed == []
    assert all("harbor/lee" in text and "apply disconnects it" in text for text in done.pull.failures)


def test_prune_is_not_turned_on_what_is_left_out(folder: Path) -> None:
    """A new manifest must not bring a connection that can't be declared into the reach of prune."""
    pruning = SITE.replace("scope: site", "prune: true")
    written(folder, pruning, connection_text("patel", PATEL, "", "google"))
    seen = observed(live(PATEL, GOOGLE), live(), live(LEE, GOOGLE, account=None), live(KIM, GOOGLE))
    done = pull(folder, seen)
    assert any("prune would disconnect live-lee-Google on the same schedule" in text for text in done.pull.failures)
    assert actions(folder, seen) == {"harbor/patel": "noop", "harbor/hygienist-kim-google": "noop"}


def test_a_second_installation_does_not_disturb_the_word_for_its_provider(folder: Path) -> None:
    """A connection made through an older installation is still the declared one."""
    written(folder, SITE, HEAD)
    old = replace(APPLE, id="f8b9a061-f8b3-4eed-af9d-63801dcec299")
    assert pull(folder, observed(live(LEE, old))).changed == []
