"""A secret that the service repeats in what it answers leaves the process nowhere: shown, written, served or sent."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from reconciler import planfile
from reconciler.cli.dask import worker
from reconciler.machine.journal import FileJournal, JournalError
from reconciler.manifests import load
from reconciler.model.account import Account
from reconciler.model.encoding import digest
from reconciler.model.intent import Fate, Intent
from reconciler.model.key import ConnectionKey
from tests.promises.canaries import API_KEY, PASSWORD, leaks
from tests.promises.commands import REACHING, Row
from tests.promises.echo_service import Answer, Asked, forms
from tests.promises.leak_stage import Stage
from tests.support.cli.command import Ran
from tests.support.cli.worlds import APPLE, GOOGLE, HARBOR, email, schedule_id
from tests.support.hostile_texts import UNSEEN, broken

_BASE = "/bookings/v2/external-calendars"
_Json = dict[str, object]
_TABLES = [(name, "--site-id", HARBOR, "--format", "csv") for name in ("connections", "calendars", "schedules")]
_MORE: list[Row] = [
    *_TABLES,
    ("events", "--site-id", HARBOR, "--personal", "--format", "csv"),
    ("status", "manifests", "--format", "csv"),
    ("pull", "--site-id", HARBOR, "--output", "anew"),
    ("providers", "--site-id", HARBOR),
]


def _texts(heard: Sequence[str]) -> list[str]:
    """What was heard in every form, alone, amid other words, and where a cell or a line is cut."""
    plain = [form for secret in heard for form in forms(secret)]
    cut = [f"{'x' * length}{secret}" for secret in heard for length in (130, 145, 150, 155, 280, 290, 295, 985, 995)]
    return [*plain, *(f"<{form}>" for form in plain), *cut, " ".join(plain)]


def _provider(id_: str, name: str, kind: str, method: str) -> _Json:
    features = {
        "connectMethods": [method],
        "updateSyncConfig": True,
        "listEventFromCalendars": "SPECIFIC_CALENDARS",
        "syncToCalendar": "DEDICATED_CALENDAR",
    }
    return {"id": id_, "name": name, "calendarType": kind, "features": features}


def _connection(id_: str, schedule: int, account: str, text: str, status: str = "SYNCED") -> _Json:
    return {
        "id": id_,
        "providerId": APPLE,
        "calendarType": "I_CAL",
        "scheduleId": schedule_id(schedule),
        "userId": text,
        "externalAccountEmail": account,
        "status": status,
        "errorReason": text,
        "syncConfig": {
            "listEventFromCalendars": {"enabled": True, "calendars": {"calendars": [{"id": text, "name": text}]}},
            "syncToCalendar": {"enabled": False},
        },
        text: {"more": [text, {text: text}]},
    }


def answers(heard: Sequence[str], ids: Sequence[str] = (), texts: Sequence[str] = ()) -> dict[str, _Json]:
    """A service's answers, each of which is as the contract says; `ids` are those of undeclared connections.

    What they repeat is `texts`, or what was heard in every form.
    """
    texts = texts or _texts(heard)
    apple = _provider(APPLE, "Apple", "I_CAL", "CREDENTIALS")
    google = _provider(GOOGLE, "Google", "GOOGLE", "OAUTH")
    live = [_connection("live-1", 1, email(1), texts[0]), _connection("live-2", 2, "else@harbor.example", texts[-1])]
    broken = [_connection(f"broken-{n}", n % 4, text, text, "ERROR") for n, text in enumerate(texts)]
    strange = [_connection(id_, 3, f"strange{n}@harbor.example", id_) for n, id_ in enumerate(ids)]
    event = {"scheduleId": schedule_id(1), "calendarType": "I_CAL", "start": "2027-03-01T13:00:00Z", "end": "x"}
    more = ("calendarName", "title", "scheduleOwnerName", "unheardOf")
    paging: _Json = {"pagingMetadata": {"hasNext": False}}
    events = [event | dict.fromkeys(more, text) for text in texts]
    named = ("name", "externalId", "status", "timeZone", "unheardOf")
    schedules = [{"id": schedule_id(n)} | dict.fromkeys(named, text) for n, text in enumerate(texts)]
    return {
        "/providers": {"providers": [apple, google, *(_provider(f"p{n}", t, t, t) for n, t in enumerate(texts))]},
        "/connections": {"connections": [*live, *broken, *strange], "failedProviderIds": texts},
        "/calendars": {"calendars": [{"id": text, "name": text, "more": text} for text in texts]},
        "/events": {"events": events, "failedProviderIds": texts} | paging,
        "/query": {"schedules": schedules} | paging,
        ":connectByOAuth": {"oauthUrl": f"https://provider.example/?state={forms(heard[0])[2]}"},
    }


def echo(stage: Stage, ids: Sequence[str] = (), *, reachable: bool = False) -> None:
    """Let the service repeat the key, and the password once it was told, wherever it may.

    Where all its providers are `reachable` it names none that failed.
    """

    def answered(asked: Asked) -> Answer:
        known = answers([API_KEY, PASSWORD] if PASSWORD in stage.front.heard else [API_KEY], ids)
        if reachable:
            known["/connections"]["failedProviderIds"] = []
        path = asked.path.partition("?")[0]
        body = next((answer for end, answer in known.items() if path.endswith(end)), None)
        if body is None:
            body = {"connection": _connection("made", 0, email(0), _texts([API_KEY])[-1])}
        return Answer(body=json.dumps(body).encode())

    stage.front.failing = answered


def search(stage: Stage, ran: Ran) -> None:
    """Fail the test where a secret is in an output, a log, a file or the name of one."""
    stage.search(ran)
    for file in stage.written():
        assert not leaks(str(file.relative_to(stage.extcal.folder)).encode()), file


@pytest.mark.parametrize(
    "row", [row for name in REACHING for row in (*REACHING[name], *(r for r in _MORE if r[0] == name))], ids=" ".join
)
def test_no_success_shows_what_the_service_repeats(stage: Stage, row: Row) -> None:
    """Whatever is made of the answers: tables, plans, statuses, reports, pages, manifests, undo plans, journals."""
    stage.prepare(app=False)
    if "saved.json" in row:
        stage.searched("plan", "manifests", "--out", "saved.json")
    echo(stage)
    ran = stage.searched(*row, "--verbose")
    assert "internal error" not in ran.err
    search(stage, ran)
    if row[0] not in {"resolve", "apply", "pull", "pin"}:
        assert "[secret]" in ran.out + ran.err
    if "json" in row:
        json.loads(ran.out)


def test_pulled_manifests_are_named_after_no_secret(stage: Stage) -> None:
    """Files and connections are called after schedules, of whose names a slug makes something else."""
    stage.prepare(app=False)
    plain = {
        "/providers": answers([API_KEY])["/providers"],
        "/connections": {"connections": [_connection("live-1", 1, "kim@harbor.example", "Work")]},
        "/query": {
            "schedules": [{"id": schedule_id(1), "name": API_KEY}],
            "pagingMetadata": {"hasNext": False},
        },
    }
    stage.front.failing = lambda asked: Answer(
        body=json.dumps(next(a for end, a in plain.items() if asked.path.partition("?")[0].endswith(end))).encode()
    )
    ran = stage.searched("pull", "--site-id", HARBOR, "--output", "anew")
    search(stage, ran)
    assert ran.code == 0
    assert "the service's answers contain a secret; [secret] is written in its place" in ran.err
    assert "qzvkjw" not in "".join(str(file) + file.read_text() for file in (stage.extcal.folder / "anew").rglob("*.*"))


_BROKEN = [broken(form, by) for form in (API_KEY, forms(API_KEY)[4]) for by in UNSEEN.values()]


@pytest.mark.parametrize(
    "row",
    [
        ("plan", "manifests", "--out", "plan.json"),
        ("plan", "manifests", "--format", "markdown"),
        ("status", "manifests", "--format", "html"),
        ("connections", "--site-id", HARBOR, "--format", "json"),
        ("connections", "--site-id", HARBOR),
        ("calendars", "--site-id", HARBOR, "--format", "csv"),
        ("pull", "--site-id", HARBOR, "--output", "anew"),
        ("apply", "manifests", "--auto-approve", "--undo-out", "undo.json", "--consent", "skip"),
    ],
    ids=" ".join,
)
def test_no_secret_leaves_that_is_broken_where_nobody_sees_it(stage: Stage, row: Row) -> None:
    """What is never drawn is taken out of what is shown, and would leave the secret whole."""
    stage.prepare(app=False)
    known = answers([API_KEY], texts=[text for text in _BROKEN if "\ud800" not in text])
    stage.front.failing = lambda asked: next(
        (Answer(body=json.dumps(a).encode()) for e, a in known.items() if asked.path.partition("?")[0].endswith(e)),
        Answer(400, json.dumps({"message": " ".join(_BROKEN)}).encode()),
    )
    search(stage, stage.extcal(*row))


@pytest.mark.parametrize("by", UNSEEN.values(), ids=UNSEEN.keys())
def test_no_error_shows_a_secret_that_is_broken_where_nobody_sees_it(stage: Stage, by: str) -> None:
    """An explanation is made fit to be shown once the secret is out of it."""
    stage.prepare(app=False)
    stage.front.failing = lambda _asked: Answer(400, json.dumps({"message": broken(API_KEY, by)}).encode())
    ran = stage.extcal("connections", "--site-id", HARBOR)
    search(stage, ran)
    assert "[secret]" in ran.err


@pytest.mark.parametrize("by", ["\u034f", "\ufe00", "\u3164", "é", "\u0430"])
def test_a_consent_link_is_printable_ascii(stage: Stage, by: str) -> None:
    """Nothing is in it that an eye passes over, or takes for something else."""
    stage.prepare(app=False)
    made = {"oauthUrl": f"https://provider.example/?state={broken('harmless', by)}"}
    stage.front.failing = lambda asked: (
        Answer(body=json.dumps(made).encode()) if asked.path.endswith(":connectByOAuth") else None
    )
    ran = stage.extcal("apply", "manifests", "--auto-approve", "--connection", "harbor/staff-2", "--consent", "link")
    assert ran.code == 1
    assert "oauthUrl: expected an http or https link in printable ASCII, found something else" in ran.out
    assert "provider.example" not in ran.out + ran.err


@pytest.mark.parametrize("name", ["EXTCAL_APP_PASSWORD", "EXTCAL_SMTP_PASSWORD", "EXTCAL_WATCH_TOKEN"])
def test_a_secret_that_this_run_does_not_need_is_not_shown(stage: Stage, name: str) -> None:
    """The service was told it in an earlier run: it is in the environment, and that is enough."""
    stage.prepare(app=False)
    known = answers([PASSWORD])
    stage.front.failing = lambda asked: next(
        (Answer(body=json.dumps(a).encode()) for e, a in known.items() if asked.path.partition("?")[0].endswith(e)),
        None,
    )
    for row in (("plan", "manifests", "--out", "plan.json"), ("connections", "--site-id", HARBOR)):
        ran = stage.extcal(*row, env={"EXTCAL_APP_PASSWORD": "", name: PASSWORD})
        search(stage, ran)
        assert "[secret]" in ran.out + ran.err


def test_settings_and_short_values_are_no_secrets(stage: Stage) -> None:
    """Where the service is, say, is told; nothing is refused for what nobody refers to."""
    stage.prepare(app=False)
    stage.front.failing = lambda _asked: Answer(500, json.dumps({"message": "eight"}).encode())
    ran = stage.extcal(
        "connections", "--site-id", HARBOR, env={"EXTCAL_UNUSED": "eight", "EXTCAL_MAIL_FROM": "eightfold"}
    )
    assert "eight" in ran.err
    stage.front.failing = lambda _asked: Answer(500, json.dumps({"message": "eightfold"}).encode())
    assert "eightfold" in stage.extcal("connections", "--site-id", HARBOR, env={"EXTCAL_MAIL_FROM": "eightfold"}).err


@pytest.mark.parametrize("named", ["Key of: harbor 4c21", "\u041aey of: h\xe0rbor 4c21"])
@pytest.mark.parametrize("secret", ["key-of-harbor-4c21", "key_of_harbor_4c21"])
def test_no_name_becomes_a_secret(stage: Stage, secret: str, named: str) -> None:
    """A slug, or a variable, of what is none yet, in whatever letters."""
    stage.prepare(app=False)
    plain = {
        "/providers": answers([API_KEY])["/providers"],
        "/connections": {"connections": [_connection("live-1", 1, "key.of harbor+4c21@harbor.example", "Work")]},
        "/query": {
            "schedules": [{"id": schedule_id(1), "name": named}],
            "pagingMetadata": {"hasNext": False},
        },
    }
    stage.front.failing = lambda asked: Answer(
        body=json.dumps(next(a for end, a in plain.items() if asked.path.partition("?")[0].endswith(end))).encode()
    )
    ran = stage.extcal("pull", "--site-id", HARBOR, "--output", "anew", env={"EXTCAL_OTHER_KEY": secret})
    assert "is left out: its account is not an email address that a manifest can hold\n" in ran.err
    assert ran.code == 1
    written = ran.out + "".join(f"{f} {f.read_text()}" for f in (stage.extcal.folder / "anew").rglob("*.*"))
    assert secret not in written.lower()


def test_a_saved_plan_has_the_digest_of_what_is_in_it(stage: Stage) -> None:
    """What is saved, what is shown of it and its digest agree, and it can be loaded."""
    stage.prepare(app=False)
    echo(stage)
    ran = stage.searched("plan", "manifests", "--format", "json", "--out", "plan.json")
    saved = json.loads((stage.extcal.folder / "plan.json").read_text())
    assert "[secret]" in json.dumps(saved["plan"])
    assert saved["digest"] == digest(saved["plan"]) == ran.document["digest"]
    assert planfile.load(stage.extcal.folder / "plan.json").sites


def test_a_mask_is_never_acted_upon(stage: Stage) -> None:
    """An action of a saved plan that rests on a masked id is held back, and named when it is planned."""
    stage.prepare(app=False)
    gone = (
        (stage.extcal.folder / "manifests/all.yaml")
        .read_text()
        .replace(f"  account: {email(1)}", f"  account: {email(1)}\n  state: absent")
    )
    stage.extcal.write(gone)
    live = _connection(API_KEY, 1, email(1), "Work")
    known = answers(["nothing-of-the-kind"]) | {"/connections": {"connections": [live]}}
    stage.front.failing = lambda asked: Answer(
        body=json.dumps(
            next((a for e, a in known.items() if asked.path.partition("?")[0].endswith(e)), {"connection": live})
        ).encode()
    )
    ran = stage.searched("plan", "manifests", "--out", "plan.json", "--connection", "harbor/staff-1")
    assert ran.code == 1
    assert "the service's answers contain a secret in what this action rests on, at harbor/staff-1" in ran.err
    ran = stage.searched("apply", "--plan", "plan.json", "--auto-approve")
    assert ran.code == 1
    assert not any(asked.writes and asked.method != "GET" and "/query" not in asked.path for asked in stage.front.asked)
    ran = stage.searched("apply", "manifests", "--auto-approve", "--connection", "harbor/staff-1")
    written = [asked.path for asked in stage.front.asked if asked.path.endswith("/disconnect")]
    assert len(written) == 1
    assert "%5Bsecret%5D" not in written[0]


def test_no_consent_link_repeats_a_secret(stage: Stage) -> None:
    """A link goes to owners and to browsers: one with a secret in it is refused, in words."""
    stage.prepare(app=False)
    echo(stage, reachable=True)
    ran = stage.searched("apply", "manifests", "--auto-approve", "--connection", "harbor/staff-2", "--consent", "link")
    assert ran.code == 1
    assert "oauthUrl: expected a link, found one that repeats a secret" in ran.out
    assert "provider.example" not in ran.out + ran.err


def test_what_a_worker_sends_back_holds_no_secret(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks a worker knows no secrets, and could take none out of what it answers."""
    stage.prepare(app=False)
    echo(stage)
    for name, value in stage.extcal.env.items():
        monkeypatch.setenv(name, value)
    desired = load([Path("manifests")])
    answer = worker.plan(worker.packed(worker.WorkerRequest("run", stage.front.url, desired, None, ())))
    assert "[secret]" in answer
    assert not leaks(answer.encode())
    assert worker.unpacked(worker.WorkerReply, answer).plan is not None


def test_no_journal_holds_a_secret(tmp_path: Path) -> None:
    """A connect whose neighbours' ids repeat one is not sent: with other ids they would be taken for what it made."""

    def redact(text: str) -> str:
        return text.replace(API_KEY, "[secret]")

    book = FileJournal(tmp_path / "journal", lambda: None, redact=redact)
    key = ConnectionKey(schedule_id(0), "apple", Account(email(0)))
    intent = Intent("1", "harbor/a", "harbor", HARBOR, key, APPLE, ("live-1", API_KEY))
    with pytest.raises(JournalError, match="harbor/a: the service repeats a secret in an id, so nothing was sent"):
        book.begin(intent)
    assert not (tmp_path / "journal").exists()
    fine = Intent("1", "harbor/a", "harbor", HARBOR, key, APPLE, ("live-1",))
    book.begin(fine)
    book.end(fine, Fate.DONE, API_KEY)
    assert not leaks((tmp_path / "journal").read_bytes())


def test_a_key_of_six_letters_is_taken_and_a_shorter_one_is_not(stage: Stage) -> None:
    """One letter, masked, would be told by every word that misses it; such a secret is refused, and nothing is sent."""
    stage.prepare(app=False)
    stage.front.asked.clear()
    for key in ("e", "eh", "eight"):
        ran = stage.extcal("plan", "manifests", env={"EXTCAL_API_KEY": key})
        assert ran.code == 1
        assert "the secret env:EXTCAL_API_KEY has fewer than 6 characters" in ran.err
        assert "[secret]" not in ran.out + ran.err
    assert stage.front.asked == []
    stage.extcal("plan", "manifests", env={"EXTCAL_API_KEY": "sixsix"})
    assert stage.front.asked


def test_no_short_password_of_an_account_is_sent(stage: Stage) -> None:
    """It is named, and every other action goes on."""
    stage.prepare(app=False)
    ran = stage.searched(
        "apply", "manifests", "--auto-approve", "--consent", "skip", env={"EXTCAL_APP_PASSWORD": "eight"}
    )
    assert ran.code == 1
    assert "the secret env:EXTCAL_APP_PASSWORD has fewer than 6 characters" in ran.out
    assert not any("connectByCredentials" in asked.path and b"eight" in asked.body for asked in stage.front.asked)


def test_a_short_password_of_a_proxy_tells_nothing(stage: Stage) -> None:
    """It is the proxy's, and not ours to refuse: it is masked as it is sent, behind its user's name."""
    stage.prepare(app=False)
    proxy = f"http://extcal:eh@{stage.front.url.removeprefix('http://')}"
    stage.front.failing = lambda _asked: Answer(407, b"", reason=b"who is extcal:eh? eh? ZXh0Y2FsOmVo")
    env: dict[str, str | None] = {"EXTCAL_ENDPOINT": "https://api.example", "HTTPS_PROXY": proxy}
    ran = stage.searched("providers", "--site-id", HARBOR, env=env)
    assert ran.code == 1
    assert "who is [secret]? eh? [secret]" in ran.err
