"""The operator's own words for the mail to owners, by site: what they can change, and what is refused by its place."""

import os
import re
from email.message import EmailMessage
from pathlib import Path

import pytest

from reconciler.consent.mail_words import ENGLISH, read_words
from reconciler.errors import UsageError
from tests.consent.mails import URL, composed, requested
from tests.support.tools import needs_no_root


def message(folder: Path, *sites: str) -> EmailMessage:
    """A message about these sites in the words of a folder."""
    words = read_words(folder, sites)
    mail = composed("lee@harbor-dental.example", *(requested(site=site) for site in sites), words=words)
    return mail.message


def text(found: EmailMessage, kind: str = "plain") -> str:
    """One form of a message, on one line."""
    body = found.get_body((kind,))
    assert body is not None
    return " ".join(str(body.get_content()).split())


def refused(folder: Path, content: str | bytes) -> str:
    """What is said of a file for the site harbor."""
    file = folder / "harbor.yaml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(UsageError) as error:
        read_words(folder, ["harbor"])
    assert str(error.value).startswith(f"EXTCAL_MAIL_TEMPLATES: {file}")
    return str(error.value).removeprefix(f"EXTCAL_MAIL_TEMPLATES: {file}")


def test_a_site_has_its_own_words_and_all_others_the_default_ones(tmp_path: Path) -> None:
    """What a file leaves out is English; what is no file is the default's, or English where there is none."""
    (tmp_path / "harbor.yaml").write_text("lang: de\ngreeting: Guten Tag,\nsite_name: Zahnarztpraxis am Hafen\n")
    (tmp_path / "default.yaml").write_text("greeting: Good day,\n")
    harbor, other = message(tmp_path, "harbor"), message(tmp_path, "physio")
    assert text(harbor).startswith("Guten Tag, Zahnarztpraxis am Hafen asks for your permission")
    assert str(harbor["Subject"]) == "Calendar connection: Zahnarztpraxis am Hafen"
    assert harbor["Content-Language"] == "de"
    assert '<html lang="de">' in text(harbor, "html")
    assert text(other).startswith("Good day, physio asks for your permission")
    (tmp_path / "default.yaml").unlink()
    assert text(message(tmp_path, "physio")).startswith("Hello, physio asks")


def test_a_message_about_several_sites_has_the_default_words_and_each_its_name(tmp_path: Path) -> None:
    """Two languages are not mixed in one message; where all sites have the same words, these are taken."""
    (tmp_path / "a.yaml").write_text("greeting: Bonjour,\nsite_name: Le port\n")
    (tmp_path / "b.yaml").write_text("greeting: Buongiorno,\n")
    assert text(message(tmp_path, "a", "b")).startswith("Hello, Le port, b asks")
    (tmp_path / "b.yaml").write_text("greeting: Bonjour,\nsite_name: Le port\n")
    assert text(message(tmp_path, "a", "b")).startswith("Bonjour, Le port asks")


@pytest.mark.parametrize("name", list(ENGLISH))
def test_every_phrase_can_be_said_otherwise(tmp_path: Path, name: str) -> None:
    """Each one takes its own placeholders, shows where it belongs, and takes no link away."""
    placeholders = " ".join(re.findall(r"[$]\w+", ENGLISH[name]))
    own = "fr" if name == "lang" else f"own words {placeholders}"
    (tmp_path / "harbor.yaml").write_text(f"{name}: {own}\n")
    found = message(tmp_path, "harbor")
    assert text(found).count(URL) == 1
    assert f'href="{URL.replace("&", "&amp;")}"' in text(found, "html")


def test_words_are_text_and_never_markup(tmp_path: Path) -> None:
    """A phrase with elements, entities or a script shows them; a doubled sign is a dollar."""
    (tmp_path / "harbor.yaml").write_text("""greeting: "<script>alert(1)</script> &lt; $$5 '\\""\n""")
    found = message(tmp_path, "harbor")
    assert text(found).startswith("<script>alert(1)</script> &lt; $5 '\"")
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp;lt; $5 &#x27;&quot;" in text(found, "html")


def test_a_name_is_not_read_for_placeholders(tmp_path: Path) -> None:
    """What a schedule is called is filled in as it is, whatever it looks like."""
    words = read_words(tmp_path, ["harbor"])
    found = composed("lee@harbor-dental.example", requested("$account ${site} $"), words=words).message
    assert '"$account ${site} $" at' in text(found)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("greting: Hi\n", ":1:1: unknown phrase 'greting' (did you mean greeting?)"),
        ("lang: de\nxyz: Hi\n", ":2:1: unknown phrase 'xyz' (the phrases are lang, subject,"),
        ("greeting: Hi $name\n", ":1:11: 'greeting': '$name' is not known here (this phrase can hold nothing)"),
        ("intro: $url\n", ":1:8: 'intro': '$url' is not known here (this phrase can hold $sites, $account)"),
        ("intro: $ 5\n", ":1:8: 'intro': a $ that is followed by no name (write $$ for the sign itself)"),
        ("intro: ${sites\n", ":1:8: 'intro': a $ that is followed by no name"),
        ("greeting: 5\n", ":1:11: the phrase 'greeting' must be text (quote it)"),
        ("greeting:\n", "the phrase 'greeting' must be text"),
        ("greeting: [a]\n", ":1:11: the phrase 'greeting' must be text"),
        ("greeting: ''\n", ":1:11: 'greeting': empty (leave the phrase out to have it in English)"),
        ("greeting: ' '\n", ":1:11: 'greeting': empty"),
        ("lang: '\" onload=\"x'\n", ":1:7: 'lang': '\" onload=\"x' is not a language such as en or de-CH"),
        ('greeting: "a\\nBcc: b@evil.example"\n', ":1:11: contains a line break"),
        ("greeting: a\ngreeting: b\n", ":2:1: the field 'greeting' is written twice"),
        ("greeting: a\n---\ngreeting: b\n", ":3:1: a second document (write all phrases into the first)"),
        ("- greeting\n", ":1:1: the file must be a mapping of phrases (write lines such as greeting: Hello,)"),
        ("greeting: 'a\n", "not YAML"),
        ("greeting: !!python/object:os.system x\n", "is refused here"),
        (b"greeting: \xff\n", ":1:1: not UTF-8 text"),
        ("greeting: " + "x" * 5000, "is longer than 4,096 characters"),
        ("#" * 70_000, " is larger than 64 KiB; is it the right file?"),
    ],
)
def test_a_mistake_is_told_by_its_place(tmp_path: Path, content: str | bytes, expected: str) -> None:
    """Each is a usage error with file, line and column, and what would be right."""
    assert expected in refused(tmp_path, content)


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    """Each stands on a line of its own."""
    assert len(refused(tmp_path, "a: x\nb: y\nintro: $z\n").splitlines()) == 3


def test_the_default_file_is_checked_whether_or_not_a_site_needs_it(tmp_path: Path) -> None:
    """A mistake is found before it is in anybody's mail."""
    (tmp_path / "harbor.yaml").write_text("greeting: Hi\n")
    (tmp_path / "default.yaml").write_text("greting: Hi\n")
    with pytest.raises(UsageError, match=r"default\.yaml:1:1"):
        read_words(tmp_path, ["harbor"])


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    """A folder that is missing, or a file in its place, would mean English for everybody without a word."""
    file = tmp_path / "file"
    file.touch()
    for folder in (tmp_path / "missing", file, Path("x\0y"), file / "x"):
        with pytest.raises(UsageError, match=r"^EXTCAL_MAIL_TEMPLATES: "):
            read_words(folder, [])


def test_links_stay_in_the_folder(tmp_path: Path) -> None:
    """One to a file in it is followed, as where a volume is mounted; one out of it, to nothing or to itself is not."""
    folder = tmp_path / "words"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "a.yaml").write_text("greeting: Hi,\n")
    link = folder / "harbor.yaml"
    link.symlink_to("data/a.yaml")
    assert text(message(folder, "harbor")).startswith("Hi,")
    (tmp_path / "outside.yaml").write_text("greeting: Hi,\n")
    for target in ("../outside.yaml", "nowhere.yaml", "harbor.yaml"):
        link.unlink()
        link.symlink_to(target)
        with pytest.raises(UsageError, match=rf"^EXTCAL_MAIL_TEMPLATES: {link} .*link"):
            read_words(folder, ["harbor"])


def test_what_is_no_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    """A pipe or a folder by a site's name."""
    os.mkfifo(tmp_path / "harbor.yaml")
    (tmp_path / "physio.yaml").mkdir()
    for site in ("harbor", "physio"):
        with pytest.raises(UsageError, match=r"is a (pipe|folder), not a file"):
            read_words(tmp_path, [site])


@pytest.mark.parametrize("site", ["../outside", "/etc/x", "..", ".hidden", "a/b", "x\0y", "x" * 500, ""])
def test_a_site_that_is_no_file_name_has_the_default_words(tmp_path: Path, site: str) -> None:
    """No manifest leads to another file."""
    folder = tmp_path / "words"
    folder.mkdir()
    (tmp_path / "outside.yaml").write_text("nonsense: x\n")
    (folder / ".hidden.yaml").write_text("nonsense: x\n")
    assert text(message(folder, site)).startswith("Hello,")


@needs_no_root
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    """It is not taken for none."""
    file = tmp_path / "harbor.yaml"
    file.touch(mode=0o000)
    with pytest.raises(UsageError, match="can't be read"):
        read_words(tmp_path, ["harbor"])
