"""What a person is told of a manifest that breaks a rule: which words, at which place."""

from collections.abc import Callable

import pytest

from tests.support.builders.manifests import CONNECTION, POLICY, SITE, SITE_ID, connection, documents

Faults = Callable[[str], list[str]]

GUID = "must be a GUID, such as 7a3f0c1e-5d2b-4f6a-9c8e-1b2d3e4f5a6b"
NAME = "must be 1 to 128 letters (a to z), digits, dots, dashes or underscores, with a letter or digit first and last"
SECRET = "a secret must not be written in a manifest"
REFERENCE = "name an environment variable, {env: EXTCAL_…}, or a file, {file: …}"
ENV = "must be the name of an environment variable that begins with EXTCAL_, in capitals, digits and underscores"
FILE = "must be a relative path below the folder that EXTCAL_SECRETS_DIR names, without .. or backslashes"
LINE = "must be one line of text that is not empty"


def of_connection(field: str) -> str:
    """A Connection with one more field, on line 8."""
    return documents(f"{CONNECTION}  {field}\n", SITE, POLICY)


@pytest.mark.parametrize(
    ("field", "fault"),
    [
        ("shedule: x", "3: unknown field 'shedule', at spec.shedule (did you mean schedule?)"),
        (
            "zzz: x",
            (
                "3: unknown field 'zzz', at spec.zzz (allowed: site, schedule, provider, account, credentials,"
                " state, syncPolicy, syncConfig, lifecycle)"
            ),
        ),
        ("site: harbr-dental", "9: no Site is called 'harbr-dental', at spec.site (did you mean harbor-dental?)"),
        (
            "site: zzz",
            "9: no Site is called 'zzz', at spec.site (declare it, or name a Site that is declared)",
        ),
        (
            "syncPolicy: busy-time-only",
            "15: no SyncPolicy is called 'busy-time-only', at spec.syncPolicy (did you mean busy-times-only?)",
        ),
        ("syncPolicy: 12", "15: must be text, not a number, at spec.syncPolicy (quote it)"),
        ("syncPolicy: -x", f"15: {NAME}, at spec.syncPolicy"),
        ("state: gone", "10: unknown value 'gone', at spec.state (allowed: present, absent)"),
        ("state: Absent", "10: unknown value 'Absent', at spec.state (did you mean absent?)"),
        (
            "state: true",
            "10: must be text, not true or false, at spec.state (allowed: present, absent)",
        ),
        (
            "credentials: hunter2",
            f"16: {SECRET}, at spec.credentials ({REFERENCE}, in its fields)",
        ),
        ("credentials: {password: hunter2}", f"27: {SECRET}, at spec.credentials.password ({REFERENCE})"),
        ("credentials: {password: 12345}", f"27: {SECRET}, at spec.credentials.password ({REFERENCE})"),
        (
            "credentials: {password: {hunter2}}",
            f"28: unknown field in a secret reference, at spec.credentials.password ({REFERENCE})",
        ),
        (
            "credentials: {password: }",
            f"27: a reference to a secret is missing, at spec.credentials.password ({REFERENCE})",
        ),
        ("credentials: {password: {}}", "27: must have exactly one of env, file, at spec.credentials.password"),
        (
            "credentials: {password: {env: EXTCAL_A, file: a}}",
            "27: must have exactly one of env, file, at spec.credentials.password",
        ),
        ("credentials: {password: {env: HOME}}", f"33: {ENV}, at spec.credentials.password.env"),
        ("credentials: {password: {env: EXTCAL_}}", f"33: {ENV}, at spec.credentials.password.env"),
        (
            "credentials: {password: {env: 1}}",
            f"33: must be text, not a number, at spec.credentials.password.env ({ENV})",
        ),
        ("credentials: {password: {file: /etc/passwd}}", f"34: {FILE}, at spec.credentials.password.file"),
        ("credentials: {password: {file: a/../../b}}", f"34: {FILE}, at spec.credentials.password.file"),
        ("credentials: {password: {file: ..}}", f"34: {FILE}, at spec.credentials.password.file"),
        ("credentials: {password: {file: 'a\\b'}}", f"34: {FILE}, at spec.credentials.password.file"),
        ("credentials: {password: {file: ''}}", f"34: {FILE}, at spec.credentials.password.file"),
        (
            "credentials: {}",
            (
                "3: missing field 'password', at spec.credentials"
                " (The account's password, or the app password that its owner created)"
            ),
        ),
        (
            "password: hunter2",
            f"3: {SECRET}: unknown field 'password', at spec.password ({REFERENCE}, in auth or credentials)",
        ),
        (
            "apiToken: hunter2",
            f"3: {SECRET}: unknown field 'apiToken', at spec.apiToken ({REFERENCE}, in auth or credentials)",
        ),
        (
            "lifecycle: {preventDisconnect: yes}",
            "34: must be true or false, not text, at spec.lifecycle.preventDisconnect (write true)",
        ),
        (
            "lifecycle: {preventDisconnect: off}",
            "34: must be true or false, not text, at spec.lifecycle.preventDisconnect (write false)",
        ),
        (
            "lifecycle: {preventDisconnect: maybe}",
            "34: must be true or false, not text, at spec.lifecycle.preventDisconnect",
        ),
        (
            "lifecycle: {preventDisconnect: 1}",
            "34: must be true or false, not a number, at spec.lifecycle.preventDisconnect",
        ),
        (
            "lifecycle: {ignoreChanges: [syncConfig.syncToCalender]}",
            (
                "31: unknown value 'syncConfig.syncToCalender', at spec.lifecycle.ignoreChanges[0]"
                " (did you mean syncConfig.syncToCalendar?)"
            ),
        ),
        (
            "lifecycle: {ignoreChanges: [syncConfig, syncConfig]}",
            "43: listed twice, at spec.lifecycle.ignoreChanges[1] (remove one)",
        ),
        ("lifecycle: {ignoreChanges: syncConfig}", "30: must be a list, not text, at spec.lifecycle.ignoreChanges"),
        ("lifecycle: [preventDisconnect]", "14: must be a mapping, not a list, at spec.lifecycle"),
        ("lifecycle: protected", "14: must be a mapping, not text, at spec.lifecycle"),
        ("syncConfig: ", "14: must be a mapping, but is empty, at spec.syncConfig"),
    ],
)
def test_faults_of_a_connection(faults: Faults, field: str, fault: str) -> None:
    """Each rule of a Connection's further fields has its own words, at the field that breaks it."""
    assert faults(of_connection(field)) == [f"m.yaml:8:{fault}"]


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        (
            "listEventFromCalendars: {primaryCalendar: {}, calendars: [Work]}",
            (
                "40: 'primaryCalendar' and 'calendars' exclude each other, at spec.syncConfig.listEventFromCalendars"
                " (keep one of them)"
            ),
        ),
        (
            "syncToCalendar: {primaryCalendar: {}, dedicatedCalendar: {}}",
            (
                "32: 'primaryCalendar' and 'dedicatedCalendar' exclude each other, at spec.syncConfig.syncToCalendar"
                " (keep one of them)"
            ),
        ),
        (
            "listEventFromCalendars: {primaryCalendar: }",
            "58: must be a mapping, but is empty, at spec.syncConfig.listEventFromCalendars.primaryCalendar (write {})",
        ),
        (
            "listEventFromCalendars: {primaryCalendar: {id: a}}",
            (
                "59: unknown field 'id', at spec.syncConfig.listEventFromCalendars.primaryCalendar.id"
                " (it takes no fields: write {})"
            ),
        ),
        (
            "listEventFromCalendars: {calendars: []}",
            (
                "52: must have at least one item, at spec.syncConfig.listEventFromCalendars.calendars"
                " (remove the field to leave it unmanaged)"
            ),
        ),
        (
            "listEventFromCalendars: {calendars: [12]}",
            (
                "53: must be text or a mapping, not a number, at spec.syncConfig.listEventFromCalendars.calendars[0]"
                " (quote it)"
            ),
        ),
        (
            "listEventFromCalendars: {calendars: ['']}",
            (
                "53: must be a calendar's name: one line of text that is not empty,"
                " at spec.syncConfig.listEventFromCalendars.calendars[0]"
            ),
        ),
        (
            "listEventFromCalendars: {calendars: [{}]}",
            "53: must have at least one of id, name, at spec.syncConfig.listEventFromCalendars.calendars[0]",
        ),
        (
            "listEventFromCalendars: {calendars: [Work, Home, Work]}",
            "65: listed twice, at spec.syncConfig.listEventFromCalendars.calendars[2] (remove one)",
        ),
        (
            "listEventFromCalendars: {calendars: [Work, {name: Work}]}",
            (
                "59: the calendar 'Work' is named twice, at spec.syncConfig.listEventFromCalendars.calendars[1]"
                " (remove one)"
            ),
        ),
        (
            "listEventFromCalendars: {calendars: [{id: a, name: A}, {id: a}]}",
            (
                "71: the calendar 'a' is named twice, at spec.syncConfig.listEventFromCalendars.calendars[1]"
                " (remove one)"
            ),
        ),
        (
            f"listEventFromCalendars: {{calendars: [{'x' * 1025}]}}",
            "53: must have at most 1,024 characters, at spec.syncConfig.listEventFromCalendars.calendars[0]",
        ),
        (
            f"listEventFromCalendars: {{calendars: {list(map(str, range(1001)))}}}",
            "52: must have at most 1,000 items, at spec.syncConfig.listEventFromCalendars.calendars",
        ),
        (
            "syncToCalendar: {calendars: [Work]}",
            (
                "33: unknown field 'calendars', at spec.syncConfig.syncToCalendar.calendars"
                " (the API has no field to name a calendar to export to: write primaryCalendar: {} or"
                " dedicatedCalendar: {}, or choose it in the site's dashboard and leave syncToCalendar out)"
            ),
        ),
        (
            "syncToCalendar: {enabled: true, calendar: {id: k1}}",
            (
                "48: unknown field 'calendar', at spec.syncConfig.syncToCalendar.calendar"
                " (the API has no field to name a calendar to export to: write primaryCalendar: {} or"
                " dedicatedCalendar: {}, or choose it in the site's dashboard and leave syncToCalendar out)"
            ),
        ),
        (
            "syncToCalendar: {dedicatedCalender: {}}",
            (
                "33: unknown field 'dedicatedCalender', at spec.syncConfig.syncToCalendar.dedicatedCalender"
                " (did you mean dedicatedCalendar?)"
            ),
        ),
    ],
)
def test_faults_of_a_sync_config(faults: Faults, config: str, fault: str) -> None:
    """Each rule of a sync config has its own words, at the field that breaks it."""
    assert faults(of_connection(f"syncConfig: {{{config}}}")) == [f"m.yaml:8:{fault}"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("lee@harbor-dental.example", "lee", ["7:12: must be an email address, without spaces, at spec.account"]),
        ("lee@harbor-dental.example", "lee @a", ["7:12: must be an email address, without spaces, at spec.account"]),
        (
            "lee@harbor-dental.example",
            "lee@" + "x" * 320,
            ["7:12: must have at most 320 characters, at spec.account"],
        ),
        (
            "provider: apple",
            "provider: gogle",
            ["6:13: unknown value 'gogle', at spec.provider (did you mean google?)"],
        ),
        (
            "provider: apple",
            "provider: Zoho",
            [
                (
                    "6:13: unknown value 'Zoho', at spec.provider"
                    " (allowed: google, microsoft, apple, or {name: …} or {id: …} as ListProviders names it)"
                )
            ],
        ),
        ("provider: apple", "provider: [a]", ["6:13: must be text or a mapping, not a list, at spec.provider"]),
        (
            "provider: apple",
            f"provider: {{name: Zoho, id: {SITE_ID}}}",
            ["6:13: must have exactly one of name, id, at spec.provider"],
        ),
        ("provider: apple", "provider: {id: 7}", [f"6:18: must be text, not a number, at spec.provider.id ({GUID})"]),
        (
            "schedule: {id: 3e47ec65-2975-447c-a7ed-75041e850d5e}",
            "schedule: Dr. Lee",
            ["5:13: must be a mapping, not text, at spec.schedule (write {name: Dr. Lee})"],
        ),
        (
            "schedule: {id: 3e47ec65-2975-447c-a7ed-75041e850d5e}",
            "schedule: 'a: b'",
            ["5:13: must be a mapping, not text, at spec.schedule (write {name: 'a: b'})"],
        ),
        (
            "schedule: {id: 3e47ec65-2975-447c-a7ed-75041e850d5e}",
            "schedule: 3e47ec65-2975-447c-a7ed-75041e850d5e",
            ["5:13: must be a mapping, not text, at spec.schedule (write {id: 3e47ec65-2975-447c-a7ed-75041e850d5e})"],
        ),
        (
            "schedule: {id: 3e47ec65-2975-447c-a7ed-75041e850d5e}",
            "schedule: {}",
            ["5:13: must have at least one of id, name, externalId, at spec.schedule"],
        ),
        (
            "schedule: {id: 3e47ec65-2975-447c-a7ed-75041e850d5e}",
            "schedule: {name: Dr. Lee, externalId: lee}",
            ["5:13: 'name' and 'externalId' exclude each other, at spec.schedule (keep one of them)"],
        ),
        (
            "schedule: {id: 3e47ec65-2975-447c-a7ed-75041e850d5e}",
            "schedule: {id: abcd, nmae: x}",
            [
                f"5:18: {GUID}, at spec.schedule.id",
                "5:24: unknown field 'nmae', at spec.schedule.nmae (did you mean name?)",
            ],
        ),
        (
            "schedule: {id: 3e47ec65-2975-447c-a7ed-75041e850d5e}",
            "schedule: {name: ''}",
            [f"5:20: {LINE}, at spec.schedule.name"],
        ),
        (
            "schedule: {id: 3e47ec65-2975-447c-a7ed-75041e850d5e}",
            "schedule: {name: 1.5}",
            ["5:20: must be text, not a number, at spec.schedule.name (quote it)"],
        ),
        (
            "  provider: apple\n",
            "",
            [
                (
                    "4:1: missing field 'provider', at spec"
                    " (Who hosts the account: google, microsoft or apple,"
                    " or another by the name or id that ListProviders gives it)"
                )
            ],
        ),
        ("metadata: {name: dr-lee-apple}\n", "", ["1:1: missing field 'metadata' (What the Connection is called)"]),
        ("name: dr-lee-apple", "name: true", ["3:18: must be text, not true or false, at metadata.name (quote it)"]),
        ("name: dr-lee-apple", "name: 'Dr. Lee'", [f"3:18: {NAME}, at metadata.name"]),
        (
            "name: dr-lee-apple",
            "name: dr-lee-apple, labels: {}",
            ["3:32: unknown field 'labels', at metadata.labels (allowed: name)"],
        ),
        (
            "extcal/v1",
            "extcal/v2",
            ["1:13: apiVersion 'extcal/v2' is not supported, at apiVersion (this extcal reads extcal/v1)"],
        ),
        ("extcal/v1", "v1", ["1:13: unknown apiVersion 'v1', at apiVersion (write apiVersion: extcal/v1)"]),
        (
            "extcal/v1",
            "1",
            ["1:13: must be text, not a number, at apiVersion (write apiVersion: extcal/v1)"],
        ),
        ("apiVersion: extcal/v1\n", "", ["1:1: missing field 'apiVersion' (The version of the manifest format)"]),
        ("Connection", "Conection", ["2:7: unknown kind 'Conection', at kind (did you mean Connection?)"]),
        (
            "Connection",
            "Pod",
            ["2:7: unknown kind 'Pod', at kind (allowed: Site, SyncPolicy, Connection, ConnectionSet)"],
        ),
        (
            "Connection",
            "[]",
            ["2:7: kind must be text, at kind (allowed: Site, SyncPolicy, Connection, ConnectionSet)"],
        ),
        (
            "kind: Connection\n",
            "",
            ["1:1: missing field 'kind' (allowed: Site, SyncPolicy, Connection, ConnectionSet)"],
        ),
    ],
)
def test_faults_of_the_whole(faults: Faults, old: str, new: str, expected: list[str]) -> None:
    """Each rule of what every Connection needs has its own words, at the field that breaks it."""
    assert old in CONNECTION
    assert faults(documents(CONNECTION.replace(old, new), SITE)) == [f"m.yaml:{fault}" for fault in expected]


def test_a_text_that_is_no_manifest(faults: Faults) -> None:
    """A document without apiVersion and kind gets one fault, one that is not a mapping too; others are still read."""
    text = documents("a: 1\n", "- b\n", "{}\n", CONNECTION.replace("apple", "aple", 2), SITE)
    assert faults(text) == [
        (
            "m.yaml:1:1: not a manifest: apiVersion and kind are missing"
            " (begin with apiVersion: extcal/v1 and kind: Site, SyncPolicy, Connection or ConnectionSet)"
        ),
        (
            "m.yaml:3:1: a manifest must be a mapping of fields"
            " (begin with apiVersion: extcal/v1 and kind: Site, SyncPolicy, Connection or ConnectionSet)"
        ),
        (
            "m.yaml:5:1: not a manifest: apiVersion and kind are missing"
            " (begin with apiVersion: extcal/v1 and kind: Site, SyncPolicy, Connection or ConnectionSet)"
        ),
        "m.yaml:12:13: unknown value 'aple', at spec.provider (did you mean apple?)",
    ]


def test_faults_come_sorted_by_place(faults: Faults) -> None:
    """Faults of the schema and of names come together, in the order of the text."""
    text = documents(f"{CONNECTION}  site: x\n  state: gone\n  zzz: 1\n", SITE)
    assert [fault.split(": ")[0] for fault in faults(text)] == ["m.yaml:8:9", "m.yaml:9:10", "m.yaml:10:3"]


def test_a_hostile_name_is_shown_harmless(faults: Faults) -> None:
    """What a message repeats has no control or bidi characters and is cut short; bytes of a terminal stay out."""
    name = "\u202e" + "y" * 200
    (fault,) = faults(documents(SITE, connection("one", **{name: 1})))
    assert fault.startswith(f"m.yaml:8:179: unknown field '\\u202e{'y' * 79}…', at spec.'\\u202e")
    assert fault.isprintable()
    assert len(fault) < 500


def test_secrets_are_never_repeated(faults: Faults) -> None:
    """Whatever stands where a secret belongs, no message holds it."""
    wrong = ["hunter2", "{hunter2}", "[hunter2]", "{env: hunter2}", "{file: ../hunter2}", "{value: hunter2}"]
    sites = [
        f"apiVersion: extcal/v1\nkind: Site\nmetadata: {{name: s{number}}}\n"
        f"spec: {{siteId: {SITE_ID}, auth: {{apiKey: {value}}}}}\n"
        for number, value in enumerate(wrong)
    ]
    found = faults(documents(*sites))
    assert len(found) == len(wrong)
    assert "hunter2" not in "\n".join(found)


def test_a_flood_of_faults_ends(faults: Faults) -> None:
    """A file with very many faults is told of as many as a person may read, and so said."""
    fields = "".join(f"f{number}: 0\n" for number in range(3_000))
    found = faults(f"apiVersion: extcal/v1\nkind: Site\n{fields}")
    assert len(found) == 1_001
    assert any("the file has more than 1,000 faults; the rest of it was not checked" in fault for fault in found)
