"""The examples in the Markdown pages, run unchanged: commands, settings, DNS records, SQL.

Every block of shell commands is either run here, or stands in ELSEWHERE with the test that runs it. Only what belongs to a machine is
replaced before: ports, /var/lib/ruad, /etc/ruad, and the user ann by one that every machine has.
"""

import configparser
import contextlib
import gzip
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import psycopg2
import pytest
from conftest import BUILD, ROOT, Postgres
from nameserver import NS_HOSTS, Nsd, program
from supervised import IS_ROOT, Supervised, as_user, clean_environment

DOC = ROOT / "server" / "doc"
PAGES = [
    ROOT / "README.md",
    *sorted(DOC.glob("*.md")),
    ROOT / "sql" / "README.md",
    ROOT / "tests" / "README.md",
    *sorted((ROOT / ".github").glob("*.md")),
]
PAGES = [page for page in PAGES if page.exists()]
SAMPLES = ROOT / "tests" / "samples"
ANN = "nobody"

# The first line of a block of commands, and the function that runs it instead.
ELSEWHERE = {
    "server/quickstart": "test_quickstart.py",
    "cmake -S . -B build -G Ninja -D CMAKE_BUILD_TYPE=Release -D CMAKE_INSTALL_PREFIX=/usr": "test_the_installed_files_are_there",
    "sudo cp -r /usr/share/doc/ruad/examples/exim4/conf.d /etc/exim4/": "test_mta.py",
    "cd /usr/share/doc/ruad/examples/postfix": "test_mta.py",
    "queries=/usr/share/doc/ruad/examples/sql": "test_examples.py",
    "tests/run": "itself",
    "cmake -S . -B build -G Ninja -D BUILD_TESTING=ON -D WERROR=ON -D CMAKE_BUILD_TYPE=Release": "tests/run",
    "ctest --test-dir build -R parser_mail --output-on-failure": "test_the_commands_for_single_tests_name_tests",
    "sudo ruad database dump ruad.dump": "test_backup.py",
    "sudo systemctl stop ruad": "test_backup.py",
    "psql -f /usr/share/doc/ruad/examples/sql/counts.sql \"host=/var/lib/ruad/run user=ruad_auditor dbname=ruad\"": "test_backup.py",
    "sudo ruad migrate": "test_backup.py",
    "sudo ruad database restore --replace back.dump": "test_backup.py",
    "(cd web && npm ci)": "tests/package/run",
    "sudo systemctl enable ruad-lmtp.socket": "test_serve.py (sockets of systemd)",
    "sudo usermod -aG ruad-http www-data": "test_serve.py (sockets of systemd)",
    "sudo install -m 600 /dev/stdin /etc/ruad/imap_password": "tests/package/run (credentials)",
    "grep 4dKcZ15R3Xz1y /var/log/mail.log": "test_mta.py, tests/package/run (the journal)",
    "sudo ruad auditor add grafana": "test_grafana.py (an auditor's login)",
    "journalctl -k --grep='apparmor=\"ALLOWED\".*profile=\"ruad\"'": "nothing, as no kernel here has AppArmor",
    "htpasswd -B -c /etc/ruad/htpasswd ann": "unit/web/test_auth (the hash that it writes)",
}


def ids(page):
    return str(page.relative_to(ROOT))


def blocks(page, language):
    """The code blocks of a page in this language, without the indentation of a list."""
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", page.read_text(), re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", text, flags=re.MULTILINE) for indent, text in found]


def pages_with(language):
    return [page for page in PAGES if blocks(page, language)]


def first_line(block):
    return block.splitlines()[0].partition("  #")[0].rstrip()


def ruad(*words, **environment):
    done = subprocess.run(
        [BUILD / "bin" / "ruad", *words], env=clean_environment(**environment), capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


COMMANDS = re.findall(r"^  ([a-z]+) ", ruad("help")[1], re.MULTILINE)
SETTINGS = {}  # section.key: default
for line in ruad("config")[1].splitlines():
    if match := re.match(r"\[(\w+)\]", line):
        SECTION = match[1]
    elif match := re.match(r"(\w+) = ?(.*)", line):
        SETTINGS[f"{SECTION}.{match[1]}"] = match[2]


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_command_named_in_a_page_exists_with_its_options(page):
    spans = re.findall(r"`([^`\n]+)`", page.read_text())
    lines = [line.partition("  #")[0] for block in blocks(page, "sh") for line in block.splitlines()]
    for command, words in re.findall(r"^(?:sudo )?ruad ([a-z]+)(.*)$", "\n".join(spans + lines), re.MULTILINE):
        assert command in COMMANDS, command
        for option in re.findall(r" (--[a-z-]+)", words):
            assert option in ruad("help", command)[1], (command, option)


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_every_setting_named_in_a_page_exists_with_its_default(page):
    text = page.read_text()
    for section, key in re.findall(r"`\[(\w+)\] (\w+)", text):
        assert f"{section}.{key}" in SETTINGS
    for section, key, default in re.findall(r"^\| `\[(\w+)\] (\w+)` \| (\S[^|]*) \|", text, re.MULTILINE):
        value = SETTINGS[f"{section}.{key}"]
        assert default == (f"`{value}`" if value else "empty"), key


def test_the_table_of_retention_has_the_defaults():
    rows = re.findall(r"^\| `(\w+)` \| `(\d+)`", (DOC / "operations.md").read_text(), re.MULTILINE)
    assert len(rows) == 4
    for key, default in rows:
        assert SETTINGS[f"retention.{key}"] == default, key


def test_the_table_of_routes_has_every_route():
    paths = re.findall(r"^  /api/v1/(\S+):$", (ROOT / "server" / "web" / "openapi.yaml").read_text(), re.MULTILINE)
    rows = re.findall(r"^\| (`.*?) \| (.*) \|$", (DOC / "api.md").read_text(), re.MULTILINE)
    named = re.findall(r"`(?:PUT )?([^`]+)`", " ".join(map(" ".join, rows)))
    assert sorted(re.sub(r"\{(\w+)\}", lambda found: found[1].upper(), path) for path in paths) == sorted(named)


@pytest.mark.parametrize("page", pages_with("ini"), ids=ids)
def test_the_settings_in_a_page_are_accepted(page, folder):
    for name in ("database_url", "htpasswd", "imap_password", "imap_archive_password", "proxy_secret", "services.ini", "smtp_password"):
        (folder / name).write_text("host=/run/postgresql\n")
    (folder / "webhook").write_text("https://hooks.example.com/services/T0/B0/secret\n")
    for block in blocks(page, "ini"):
        (folder / "ruad.conf").write_text(block.replace("/etc/ruad", str(folder)))
        code, said = ruad("config", RUAD_CONFIG=str(folder / "ruad.conf"))
        assert code == 0, said
        for key, value in re.findall(r"^(\w+) *= (.*)$", block, re.MULTILINE):
            if not key.endswith("_file"):
                assert f"{key} = {value.replace('/etc/ruad', str(folder))}\n" in said


# -- DNS --


def records_in_dns_page():
    """{name: record text}; of two records with one name the later one, which is more complete."""
    text = (DOC / "dns.md").read_text()
    return dict(re.findall(r'^(\S+\.) +TXT (".*")$', text, re.MULTILINE))


@pytest.fixture(name="resolver")
def fixture_resolver(tmp_path):
    """A name server with the records of dns.md, and the other records of a domain with mail."""
    if not program("nsd"):
        pytest.skip("nsd is not installed")
    records = "".join(f"{name} TXT {text}\n" for name, text in records_in_dns_page().items())
    mail = '@ MX 10 mail\n@ TXT "v=spf1 mx -all"\nmail A {address}\n'
    key = 's1._domainkey TXT "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="\n'
    com = "".join(line for line in records.splitlines(True) if "net. TXT" not in line)
    net = "".join(line for line in records.splitlines(True) if "net. TXT" in line)
    net += 'reports MX 10 mail\n_dmarc TXT "v=DMARC1; p=reject"\n'
    zones = {
        "": NS_HOSTS,
        **{name: "" for name in ("com", "net")},
        "example.com": mail.format(address="192.0.2.25") + key + com,
        "example.net": mail.format(address="192.0.2.26") + key + net,
        "2.0.192.in-addr.arpa": "25 PTR mail.example.com.\n26 PTR mail.example.net.\n",
    }
    server = Nsd(tmp_path, zones)
    yield server.address
    server.stop()


def test_the_records_of_the_page_are_what_the_check_wants(resolver):
    assert len(records_in_dns_page()) == 3
    _, said = ruad("check", "--json", f"--resolver={resolver}", "example.com")
    document = json.loads(said)
    assert [report["authorised"] for report in document["reports"]] == [True, True]
    bad = [one for one in document["findings"] if one["severity"] != "info" and re.match("dmarc|report|tlsrpt", one["code"])]
    assert bad == []


# -- commands --


SHIM = """\
#!/bin/sh
# The real command, with the settings of this test.
"""


class Shell:
    """A folder whose programs replace the real ones."""

    def __init__(self, private, resolver, folder):
        self.private = private
        self.home = folder / "home"
        self.bin = folder / "bin"
        self.home.mkdir()
        self.bin.mkdir()
        options = " ".join(f"'{word}'" for word in private.options())
        self.shim("sudo", 'exec "$@"')
        self.shim("ruad", f'[ "$1" != check ] || set -- "$@" --resolver={resolver}\nexec {private.ruad} "$@" {options}')
        self.shim("curl", f'exec {shutil.which("curl")} --fail --silent --show-error "$@"')
        ann = " ".join(as_user(ANN))
        psql = shutil.which("psql")
        self.shim("psql", f'case "$*" in *user=*) exec {psql} -Xc "SELECT 1" "$@" ;; *) exec {ann} {psql} -Xc "SELECT 1" "$@" ;; esac')

    def shim(self, name, words):
        (self.bin / name).write_text(SHIM + words + "\n")
        (self.bin / name).chmod(0o755)

    def fill(self):
        """The input of the examples: a Maildir, an mbox, and reports as files."""
        samples = sorted(SAMPLES.glob("*.eml"))
        (self.home / "Maildir" / "new").mkdir(parents=True)
        shutil.copy(samples[0], self.home / "Maildir" / "new" / "1")
        (self.home / "old-reports.mbox").write_bytes(b"From a@example.org Mon Nov  2 00:00:00 2026\n" + samples[1].read_bytes() + b"\n")
        (self.home / "reports").mkdir()
        (self.home / "reports" / "a.xml.gz").write_bytes(gzip.compress(b"<feedback>"))  # unreadable: for ruad reprocess

    def run(self, commands):
        state = str(self.private.state)
        commands = commands.replace("/var/lib/ruad", state).replace("127.0.0.1:8080", f"127.0.0.1:{self.private.http_port}")
        commands = re.sub(r"\bann\b", ANN, commands)
        return subprocess.run(
            ["sh", "-exc", commands],
            cwd=self.home,
            env=clean_environment(HOME=str(self.home), PATH=f"{self.bin}:{os.environ['PATH']}"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture(name="private", scope="module")
def fixture_private():
    """A running ruad with its private cluster, whose socket every user has access to."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ruad-test-"))
    supervised = Supervised(folder)
    try:
        folder.chmod(0o755)
        supervised.started()
        supervised.state.chmod(0o755)
        (supervised.state / "run").chmod(0o755)
        yield supervised
    finally:
        supervised.close()
        shutil.rmtree(folder)


@pytest.fixture(name="shell")
def fixture_shell(private, resolver, folder):
    shell = Shell(private, resolver, folder)
    shell.fill()
    return shell


def own_commands(page):
    return [block for block in blocks(page, "sh") if first_line(block) not in ELSEWHERE]


@pytest.mark.skipif(not IS_ROOT, reason="needs root, to be several users")
@pytest.mark.parametrize("page", [page for page in PAGES if own_commands(page)], ids=ids)
def test_the_commands_of_a_page_run(page, shell):
    done = shell.run("\n".join(own_commands(page)))
    assert done.returncode == 0, done.stdout


def test_no_exception_is_stale():
    lines = {first_line(block) for page in PAGES for block in blocks(page, "sh")}
    assert set(ELSEWHERE) - lines == set()


def test_the_installed_files_are_there(folder):
    done = subprocess.run(
        ["cmake", "--install", BUILD, "--prefix", "/usr"],
        env={**os.environ, "DESTDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    examples = folder / "usr" / "share" / "doc" / "ruad" / "examples"
    for name in ("exim4/conf.d/main/000_ruad", "postfix/ruad", "postfix/master.cf", "postfix/domain.cf", "postfix/addresses.cf", "sql/period.sql", "sql/evidence.sql", "prometheus/ruad.rules.yml", "grafana/ruad-service.json", "grafana/ruad-dmarc.json"):
        assert (examples / name).is_file(), name
    for name in ("bin/ruad", "lib/systemd/system/ruad.service", "lib/systemd/system/ruad-lmtp.socket", "lib/systemd/system/ruad-http.socket", "lib/sysusers.d/ruad.conf", "share/man/man7/ruad-schema.7", "share/man/man7/ruad-api.7"):
        assert (folder / "usr" / name).is_file(), name


def test_documentation_and_examples_name_the_sockets_of_systemd():
    dist = ROOT / "server" / "dist"
    units = {path: configparser.ConfigParser() for path in dist.glob("*.socket")}
    sockets = set()
    for path, unit in units.items():
        unit.read(path)
        assert unit["Socket"]["FileDescriptorName"] in ("lmtp", "http"), path
        sockets.add(unit["Socket"]["ListenStream"])
    assert len(sockets) == 2
    named = {}
    for path in [*PAGES, *(path for path in dist.rglob("*") if path.is_file())]:
        for name in re.findall(r"/run/ruad[\w./-]*\.sock\b", path.read_text()):
            named.setdefault(name, []).append(path)
    assert set(named) == sockets, named


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_the_unit_is_valid_and_lets_ruad_log_what_the_documentation_says(tmp_path):
    text = (BUILD / "server" / "dist" / "ruad.service").read_text()
    limits = dict(re.findall(r"^LogRateLimit(\w+)=(\d+)", text, re.MULTILINE))
    page = (ROOT / "server" / "doc" / "operations.md").read_text()
    assert f"{int(limits['Burst']):,} lines within {limits['IntervalSec']} seconds" in page
    unit = tmp_path / "ruad.service"
    unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE))  # ruad is not installed
    done = subprocess.run(["systemd-analyze", "--man=no", "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_the_unit_exposes_as_little_as_it_can():
    unit = BUILD / "server" / "dist" / "ruad.service"
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_commands_for_single_tests_name_tests():
    (block,) = [one for one in blocks(ROOT / "tests" / "README.md", "sh") if first_line(one).startswith("ctest")]
    names = re.findall(r"-R (\w+)", block)
    paths = re.findall(r"tests/\S+", block)
    assert len(names) == 1
    assert len(paths) == 5
    for path in paths:
        assert (ROOT / path).is_file(), path
    for name in re.findall(r"tests/sql/run (\S+)", block):
        assert (ROOT / "tests" / "sql" / name).is_file(), name
    listed = subprocess.run(["ctest", "--test-dir", BUILD, "-N", "-R", *names], capture_output=True, text=True, check=True).stdout
    assert re.search(r"Total Tests: [1-9]", listed), listed


# -- SQL --


def statements(page):
    return [one.strip() for block in blocks(page, "sql") for one in block.split(";\n") if one.strip()]


def test_the_queries_of_the_cookbook_run_as_an_auditor(private):
    assert private.command("import", "--quiet", str(SAMPLES))[0] == 0
    found = [sql for page in pages_with("sql") if page.name != "install.md" for sql in statements(page)]
    assert len(found) >= 9
    with contextlib.closing(private.connect("ruad_auditor")) as connection, connection.cursor() as cursor:
        for sql in found:
            cursor.execute(sql)
            assert cursor.description, sql


def test_a_login_made_as_install_says_can_migrate(folder):
    postgres = Postgres(folder)
    postgres.start()
    try:
        with contextlib.closing(psycopg2.connect(postgres.conninfo("postgres"))) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            for sql in statements(DOC / "install.md"):
                cursor.execute(sql)
        code, said = ruad("migrate", RUAD_DATABASE_URL=postgres.conninfo("ruad", "ruad"), RUAD_SERVER_USER="postgres")
        assert code == 0, said
    finally:
        postgres.stop(signal.SIGQUIT)
