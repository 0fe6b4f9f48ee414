"""The AppArmor profile: its syntax, and that it has the paths of what is installed and opened. No kernel here enforces it."""

import functools
import re
import subprocess

import pytest
from conftest import BUILD, ROOT

PROFILE = ROOT / "server" / "dist" / "apparmor" / "ruad"
UNIT = ROOT / "server" / "dist" / "ruad.service.in"


@functools.cache
def unpacked():
    """The folder of Debian's apparmor, with the parser and the rules that profiles include."""
    (package,) = (BUILD / "tests" / "packages").glob("apparmor_*.deb")
    folder = BUILD / "tests" / "apparmor"
    subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
    return folder


def parser(*words, **more):
    (program,) = unpacked().glob("**/sbin/apparmor_parser")  # below usr since Debian 13
    command = [program, "--config-file=/dev/null", f"--base={unpacked() / 'etc/apparmor.d'}", "--skip-kernel-load", "--skip-cache", *words]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True, **more)


def test_the_profile_is_compiled():
    done = parser(PROFILE)
    assert done.returncode == 0, done.stdout
    assert "rror" not in done.stdout
    assert parser("--names", PROFILE).stdout.splitlines()[-1] == "ruad"


def test_a_profile_with_a_mistake_is_not():
    assert parser(input=PROFILE.read_text().replace("include <tunables/global>", "", 1)).returncode != 0


def pattern(glob):
    """A regular expression for the paths that a rule is about; variables of the system match anything in their place."""
    glob = glob.replace("@{PROC}", "/proc").replace("@{pid}", "[0-9]*").replace("@{", "{")
    out, depth = "", 0
    for piece in re.findall(r"\*\*|\*|\?|\[[^\]]*\]\*?|[{},]|[^*?\[{},]+", glob):
        if piece == "{":
            depth += 1
            out += "(?:"
        elif piece == "}":
            depth -= 1
            out += ")"
        elif piece == "," and depth:
            out += "|"
        else:
            out += {"**": ".*", "*": "[^/]*", "?": "[^/]"}.get(piece) or (piece if piece.startswith("[") else re.escape(piece))
    return re.compile(out)


def rules():
    """[(pattern, permissions)] of the files that the profile itself names."""
    found = re.findall(r"^  (?:owner )?([/@]\S*) ([a-z]+),$", PROFILE.read_text(), re.MULTILINE)
    assert len(found) > 30
    return [(pattern(path), permissions) for path, permissions in found]


def allowed(path, permission):
    return any(regex.fullmatch(path) and permission in permissions for regex, permissions in rules())


def test_every_installed_program_may_run():
    folder = BUILD / "libexec" / "ruad"
    programs = ["/usr/bin/ruad", *(f"/usr/libexec/ruad/{path.name}" for path in folder.iterdir())]
    assert len(programs) == 7
    for program in programs:
        assert allowed(program, "x") and allowed(program, "m"), program
    assert not allowed("/usr/bin/python3", "x")


@pytest.mark.parametrize(
    ("path", "permission"),
    [
        ("/etc/ruad/ruad.conf", "r"),
        ("/run/credentials/ruad.service/imap.password", "r"),
        ("/var/lib/ruad/postgres/base/1/2", "w"),
        ("/var/lib/ruad/run/.s.PGSQL.5432", "w"),
        ("/run/ruad/lmtp", "w"),
        ("/run/ruad-lmtp.sock", "w"),
        ("/run/ruad-http.sock", "w"),
        ("/usr/lib/postgresql/15/bin/postgres", "x"),
        ("/usr/lib/postgresql/17/lib/plpgsql.so", "m"),
        ("/usr/share/postgresql/17/extension/plpgsql.control", "r"),
        ("/usr/share/publicsuffix/public_suffix_list.dafsa", "r"),
        ("/usr/bin/dash", "x"),
        ("/usr/bin/locale", "x"),
        ("/proc/17/stat", "r"),
        ("/tmp/spool", "w"),
        ("/dev/shm/PostgreSQL.1234", "w"),
    ],
)
def test_what_ruad_needs_is_allowed(path, permission):
    assert allowed(path, permission)


@pytest.mark.parametrize(
    ("path", "permission"),
    [("/etc/ruad/ruad.conf", "w"), ("/etc/shadow", "r"), ("/usr/bin/ruad", "w"), ("/usr/bin/curl", "x"), ("/var/lib/ruad2/x", "r")],
)
def test_what_is_not_needed_is_not(path, permission):
    assert not allowed(path, permission)


def test_the_unit_names_the_profile_and_the_profile_the_paths_of_the_unit():
    unit = UNIT.read_text()
    assert "\nAppArmorProfile=-ruad\n" in unit
    assert re.search(r"^profile ruad flags=\(attach_disconnected, complain\) \{$", PROFILE.read_text(), re.MULTILINE)
    for key, folder in (("StateDirectory", "/var/lib/"), ("RuntimeDirectory", "/run/"), ("ConfigurationDirectory", "/etc/")):
        (name,) = re.findall(rf"^{key}=(\S+)$", unit, re.MULTILINE)
        assert allowed(f"{folder}{name}/x", "r")
    (shell,) = re.findall(r"^ExecReload=(\S+)", unit, re.MULTILINE)
    assert allowed(shell, "x")
