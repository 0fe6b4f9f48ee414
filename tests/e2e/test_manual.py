"""The manual pages: ruad(8) has every command, option and reason of reprocess, ruad-schema(7) every view, ruad-api(7) every operation."""

import json
import re
import shutil
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


# -- the pages that the build makes --

PAGES = {
    "ruad(8)": BUILD / "server/dist/ruad.8",
    "ruad.conf(5)": BUILD / "server/dist/ruad.conf.5",
    "ruad-schema(7)": BUILD / "server/dist/ruad-schema.7",
    "ruad-api(7)": BUILD / "server/dist/ruad-api.7",
}


def parts(page, request):
    """{name: text} of what begins with a request and a name on the line after it or beside it, without roff's escapes."""
    text = PAGES[page].read_text()
    text = re.sub(r"\\\[u([0-9A-F]+)\]", lambda found: chr(int(found[1], 16)), text).replace("\\-", "-").replace("\\&", "")
    found = {}
    for part in re.split(rf"^{re.escape(request)}", text, flags=re.MULTILINE)[1:]:
        name, _, rest = part.partition("\n")
        found[name] = rest
    return found


def entries(text):
    """{name: text} of the list that ends a part."""
    found = re.findall(r"^\.TP\n\.B (\S+)\n((?:[^.].*\n)+)", text, re.MULTILINE)
    return {name: " ".join(what.split()) for name, what in found}


@pytest.mark.skipif(shutil.which("man") is None, reason="needs man")
@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_no_faults(page):
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", PAGES[page]],
        env={**clean_environment(), "LC_ALL": "C.UTF-8", "MANROFFSEQ": "", "MANWIDTH": "80"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_ruad_schema_has_the_comments_of_the_database(database):
    rows = database.query(
        "SELECT c.relname, a.attname, coalesce(col_description(c.oid, a.attnum), obj_description(c.oid)) FROM pg_class c "
        "LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE c.relnamespace = 'dmarc'::regnamespace")
    views = database.query("SELECT relname, obj_description(oid) FROM pg_class WHERE relnamespace = 'dmarc'::regnamespace")
    pages = parts("ruad-schema(7)", ".SS dmarc.")
    assert set(pages) == {name for name, _ in views}
    for name, comment in views:
        text = pages[name].partition("\n.")[0]
        assert " ".join(text.split()) == " ".join(comment.split()), name
        assert entries(pages[name]) == {column: " ".join(what.split()) for view, column, what in rows if view == name}, name


def test_ruad_api_has_every_operation_with_its_parameters():
    contract = json.loads((BUILD / "page" / "openapi.json").read_text())
    operations = {f"{method.upper()} {path[1:]}": operation for path, found in contract["paths"].items() for method, operation in found.items()}
    pages = parts("ruad-api(7)", ".SS ")
    assert set(pages) == set(operations)
    filters = [name["$ref"] for name in operations["GET api/v1/summary"]["parameters"]]
    for name, operation in operations.items():
        text = " ".join(pages[name].split())
        named = re.search(r"Parameters: ([^.]+)\.", text)
        named = named[1].split(", ") if named else []
        wanted = operation.get("parameters", [])
        if "the filters" in named:
            wanted = [one for one in wanted if one.get("$ref") not in filters]
            named.remove("the filters")
        resolved = [contract["components"]["parameters"][one["$ref"].rpartition("/")[2]] if "$ref" in one else one for one in wanted]
        assert named == [one["name"] for one in resolved], name
