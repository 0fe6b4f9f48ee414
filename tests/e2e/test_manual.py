"""ruad(8) documents everything in `ruad help`: every command, every option, and every reason of reprocess."""

import re
import subprocess

import pytest
from conftest import BUILD, ROOT
from supervised import clean_environment


def ruad(*words):
    done = subprocess.run(
        [BUILD / "bin" / "ruad", *words], env=clean_environment(), capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def manual():
    """The page's text, without roff's escapes and requests' names."""
    text = (ROOT / "server" / "dist" / "ruad.8.in").read_text()
    return re.sub(r"\\f[A-Z]", "", text.replace("\\-", "-"))


COMMANDS = re.findall(r"^  ([a-z]+) ", ruad("help"), re.MULTILINE)


def section(command):
    """The text of the page about a command, up to the next one; "" if there is none."""
    for text in re.split(r"^\.TP\n(?=\.(?:BI|BR|B) (?:%s)\b)|^\.SH " % "|".join(COMMANDS), manual(), flags=re.MULTILINE):
        if re.match(rf"\.(BI|BR|B) {command}\b", text):
            return text
    return ""


def test_there_are_commands():
    assert {"serve", "import", "parse", "reprocess", "prune", "migrate", "health", "config"} < set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_in_the_manual_with_its_options(command):
    assert section(command)
    own = ruad("help", command).split("  -c, --config")[0]
    for option in re.findall(r"--[a-z-]+", own):
        assert option in section(command), option


def test_the_reasons_of_reprocess_are_in_the_manual():
    reasons = ruad("reprocess", "--reason=?").rsplit("there are: ", 1)[1].split()
    assert len(reasons) > 10
    for reason in reasons:
        assert re.search(rf"^\.(B|RB)\b.*\b{reason}\b", section("reprocess"), re.MULTILINE), reason
