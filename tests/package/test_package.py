"""The Debian package, from its build to its purge, in a Debian of its own. The tests are one story: each goes on where the one before ended."""

import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))
from machine import Machine, in_chroot, wait_until  # noqa: E402
from reports import aggregate, gzipped, mail, record, with_fields  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = pathlib.Path(os.environ.get("RUAD_BUILD", ROOT / "build")) / "tests" / "package"
OLD_LINE = "# a line that only the version before has\n"
CONFIG = "/etc/ruad/ruad.conf"
KEPT = "/etc/apt/apt.conf.d/02autoremove-ruad"
SOCKETS = {"/run/ruad-lmtp.sock": "ruad-lmtp", "/run/ruad-http.sock": "ruad-http"}
UNITS = ["ruad.service", "ruad-lmtp.socket", "ruad-http.socket"]


def suite():
    """The release of Debian for which the package is: RUAD_SUITE, or that of this machine, for which it builds packages."""
    if "RUAD_SUITE" in os.environ:
        return os.environ["RUAD_SUITE"]
    return re.search(r"^VERSION_CODENAME=(\w+)$", pathlib.Path("/etc/os-release").read_text(), re.MULTILINE).group(1)


def build(folder):
    """The package of the commit, built below the folder."""
    shutil.rmtree(folder, ignore_errors=True)
    work = folder / "work"
    work.mkdir(parents=True)
    subprocess.run([ROOT / "server" / "dist" / "deb", folder], env={**os.environ, "TMPDIR": str(work)}, stdout=subprocess.DEVNULL, check=True)
    (built,) = folder.glob("ruad_*.deb")
    return built


def older(package, folder):
    """The same package as a version before, with other settings in its file."""
    content = folder / "older"
    shutil.rmtree(content, ignore_errors=True)
    subprocess.run(["dpkg-deb", "--raw-extract", package, content], check=True)
    control = content / "DEBIAN" / "control"
    control.write_text(re.sub(r"^Version: .*$", "Version: 0.0.1", control.read_text(), flags=re.MULTILINE))
    settings = content / CONFIG.lstrip("/")
    settings.write_text(OLD_LINE + settings.read_text())
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", content, folder / "older.deb"], stdout=subprocess.DEVNULL, check=True)
    return folder / "older.deb"


@pytest.fixture(name="package", scope="module")
def fixture_package():
    given = os.environ.get("RUAD_DEB")
    return pathlib.Path(given) if given else build(FOLDER / "built")


def prepare(root):
    """Install what the package depends on, except PostgreSQL: apt is to install it with the package. Services do not start."""
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    planned = re.findall(r"^Inst (\S+)", in_chroot(root, "apt-get", "--simulate", "install", "/ruad.deb"), re.MULTILINE)
    others = [name for name in planned if not re.fullmatch(r"ruad|postgresql(-\d+)?", name)]
    in_chroot(root, "apt-get", "-qq", "--yes", "--no-install-recommends", "install", *others)
    in_chroot(root, "apt-mark", "auto", *others)
    policy.unlink()


def remove(root):
    """Remove the folder of a Debian. What is mounted there comes first: an interrupted debootstrap leaves its /proc and /sys."""
    for line in reversed(pathlib.Path("/proc/self/mountinfo").read_text().splitlines()):
        place = line.split()[4].encode().decode("unicode_escape")
        if pathlib.Path(place).is_relative_to(root.resolve()):
            subprocess.run(["umount", place], check=True)
    shutil.rmtree(root, ignore_errors=True)


def base(package):
    """A Debian that needs no network to install the package. Kept for the next time."""
    root = FOLDER / f"base-{suite()}"
    if not (root / "complete").exists():
        remove(root)
        words = ["debootstrap", "--variant=minbase", "--include=systemd", suite(), root]
        subprocess.run(words, stdout=subprocess.DEVNULL, check=True)
        (root / "etc/dpkg/dpkg.cfg.d/tests").write_text("force-unsafe-io\n")  # its disk may be lost
        shutil.copy(package, root / "ruad.deb")
        in_chroot(root, "apt-get", "-qq", "update")
        prepare(root)
        (root / "complete").touch()
    shutil.copy(package, root / "ruad.deb")
    in_chroot(root, "apt-get", "-qq", "--yes", "--download-only", "install", "/ruad.deb")
    return root


@pytest.fixture(name="machine", scope="module")
def fixture_machine(package):
    root = FOLDER / "machine"
    remove(root)
    subprocess.run(["cp", "--archive", "--reflink=auto", base(package), root], check=True)
    shutil.copy(older(package, FOLDER), root / "older.deb")
    machine = Machine(root)
    try:
        machine.boot()
        yield machine
    finally:
        machine.shut_down()
        shutil.rmtree(root)


def report(number):
    return mail(gzipped(aggregate(report_id=f"r-{number}", records=[record(count=number)])))


def documented(page, first):
    """The commands of a page's block that begins with this line, for root."""
    text = (ROOT / "server" / "doc" / page).read_text()
    found = re.search(rf"^( *)```sh\n(\1{re.escape(first)}\n.*?)^\1```", text, re.DOTALL | re.MULTILINE)
    return found.group(2).replace("sudo ", "")


def stored(machine):
    """The report_id of each report in the private database."""
    words = ["psql", "-h", "/var/lib/ruad/run", "-U", "postgres", "-At", "ruad"]
    return sorted(machine.run(*words, "-c", "SELECT report_id FROM dmarc.reports").split())


def names(first, last):
    return sorted(f"r-{number}" for number in range(first, last + 1))


# -- the file --


@pytest.mark.skipif("RUAD_DEB" in os.environ, reason="RUAD_DEB is given, and nothing is built")
def test_a_commit_gives_the_same_bytes_in_another_folder(package):
    again = build(FOLDER / "built-again-in-a-folder-with-a-longer-name")
    assert again.name == package.name
    assert hashlib.sha256(again.read_bytes()).hexdigest() == hashlib.sha256(package.read_bytes()).hexdigest()


def test_lintian_finds_no_error_and_no_warning(package):
    words = ["lintian", "--allow-root", "--fail-on=error,warning", "--tag-display-limit=0", package]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_it_has_every_program_unit_manual_page_and_completion(package):
    """Each that the repository has: a new one cannot be forgotten."""
    dist = ROOT / "server" / "dist"
    named = {"cli": "ruad", "worker": "ruad-parse"}
    folders = [path.parent.name for path in ROOT.glob("server/*/main.c")]
    programs = {named.get(folder, f"ruad-{folder}") for folder in folders}
    manual = [path.stem for path in dist.glob("*.[1-8].in")]
    units = [path.name for path in dist.glob("*.socket")] + [path.stem for path in dist.glob("*.service.in")]
    assert len(programs) >= 7 and len(manual) >= 4 and sorted(units) == sorted(UNITS)
    wanted = {f"usr/libexec/ruad/{name}" for name in programs - {"ruad"}} | {"usr/bin/ruad"}
    wanted |= {f"usr/share/man/man{page[-1]}/{page}.gz" for page in manual}
    wanted |= {f"lib/systemd/system/{unit}" for unit in units}
    wanted |= {"usr/share/bash-completion/completions/ruad", "usr/share/zsh/vendor-completions/_ruad", "usr/lib/sysusers.d/ruad.conf"}
    listed = subprocess.run(["dpkg-deb", "--contents", package], stdout=subprocess.PIPE, text=True, check=True).stdout
    content = {line.split()[5].removeprefix("./") for line in listed.splitlines()}
    content |= {path.removeprefix("usr/") for path in content if path.startswith("usr/lib/systemd/")}  # where Debian 13 has units
    assert wanted - content == set()


# -- installation --


def test_after_the_installation_it_takes_mail_and_serves_the_page(machine):
    machine.run("apt-get", "-q", "--yes", "install", "/older.deb")
    wait_until(machine.is_ready, "ruad is ready")
    assert machine.deliver(report(1)).startswith("250 2.0.0 ")
    assert "<title>" in machine.get("/")
    assert machine.reports() == names(1, 1)
    assert machine.run("systemctl", "is-enabled", *UNITS[:1]).split() == ["enabled"]
    assert [machine.status("systemctl", "is-enabled", unit)[1].strip() for unit in UNITS[1:]] == ["disabled"] * 2


def test_the_profile_of_apparmor_and_the_place_for_rules_of_ones_own_are_there(machine):
    assert "profile ruad flags=(attach_disconnected, complain) {" in machine.path("/etc/apparmor.d/ruad").read_text()
    assert machine.path("/etc/apparmor.d/local/ruad").exists()
    assert "/etc/apparmor.d/ruad" in machine.run("dpkg-query", "--show", "--showformat=${Conffiles}", "ruad")
    assert "AppArmorProfile=-ruad" in machine.run("systemctl", "cat", "ruad").splitlines()


def test_the_number_in_the_reply_finds_the_mail_in_the_journal(machine):
    number = re.fullmatch(r"250 2\.0\.0 stored as mail (\d+)", machine.deliver(report(1))).group(1)
    words = ["journalctl", "--quiet", "--output=cat", f"RUAD_MAIL={number}"]
    said = wait_until(lambda: machine.run(*words), "the mail is logged")
    assert ": 0 stored, 1 duplicate" in said
    assert machine.run(*words[:-1], "RUAD_REPORT_ID=r-1", "RUAD_KIND=aggregate", "RUAD_OUTCOME=duplicate") == said


def test_the_queue_id_of_the_mail_server_finds_the_mail_in_the_journal(machine):
    received = "Received: from a by mx.example with ESMTP id 4dKcZ15R3Xz1y; Mon, 30 Nov 2026 10:00:00 +0000"
    number = machine.deliver(with_fields(report(1), received)).rsplit(" ", 1)[1]
    words = ["journalctl", "--quiet", "--output=cat", "--output-fields=RUAD_MAIL", "RUAD_QUEUE_ID=4dKcZ15R3Xz1y"]
    assert wait_until(lambda: machine.run(*words), "the mail is logged").split() == [number]


def test_systemd_has_nothing_to_say_about_the_units(machine):
    assert machine.run("systemd-analyze", "--man=no", "verify", *UNITS) == ""


def test_a_reload_reaches_the_programs(machine):
    machine.run("systemctl", "reload", "ruad")
    assert machine.is_active()


def test_the_documented_commands_let_systemd_hold_the_sockets(machine):
    machine.run("sh", "-ec", documented("mail-servers.md", "sudo systemctl enable ruad-lmtp.socket"))
    machine.run("sh", "-ec", documented("security.md", "sudo usermod -aG ruad-http www-data"))
    wait_until(machine.is_active, "ruad is active")
    for path, group in SOCKETS.items():
        assert machine.run("stat", "--format=%F %a %U %G", path).strip() == f"socket 660 ruad {group}"
    assert machine.deliver_to_socket(report(2))[0] == 250
    assert machine.reports("--unix-socket", machine.path("/run/ruad-http.sock")) == names(1, 2)


class Deliveries(threading.Thread):
    """Delivers numbered reports to the socket, one after another, as a mail server does: what is answered 4xx is sent again."""

    def __init__(self, machine, first):
        super().__init__()
        self.machine = machine
        self.number = first
        self.failure = None
        self.ended = threading.Event()

    def run(self):
        try:
            while not self.ended.is_set():
                code = self.machine.deliver_to_socket(report(self.number))[0]
                assert code in (250, 421, 451), code
                self.number += code == 250
        except Exception as error:  # what a mail server would have seen
            self.failure = error

    @property
    def last(self):
        return self.number - 1


@contextlib.contextmanager
def deliveries(machine, first):
    thread = Deliveries(machine, first)
    thread.start()
    try:
        yield thread
        time.sleep(1)
    finally:
        thread.ended.set()
        thread.join()
    assert thread.failure is None, repr(thread.failure)


def main_pid(machine):
    return machine.run("systemctl", "show", "--property=MainPID", "--value", "ruad").strip()


def test_an_upgrade_refuses_no_connection_and_brings_the_new_settings(machine):
    before = main_pid(machine)
    assert machine.path(CONFIG).read_text().startswith(OLD_LINE)
    with deliveries(machine, 3) as sent:
        machine.run("apt-get", "-q", "--yes", "install", "/ruad.deb")
        wait_until(machine.is_active, "ruad is active")
    assert main_pid(machine) != before
    assert not machine.path(CONFIG).read_text().startswith(OLD_LINE)
    assert sent.last > 3
    assert stored(machine) == names(1, sent.last)


def test_its_version_ends_with_the_release_of_debian(machine):
    release = machine.run("sh", "-c", '. /etc/os-release && echo "$VERSION_ID"').strip()
    assert machine.run("dpkg-query", "--show", "--showformat=${Version}", "ruad").endswith(f"~deb{release}")


def test_an_installation_over_itself_keeps_changed_settings_and_reports(machine):
    with machine.path(CONFIG).open("a") as settings:
        settings.write("[http]\nauth = none\n# mine\n")
    kept = stored(machine)
    machine.run("apt-get", "-q", "--yes", "--reinstall", "install", "/ruad.deb")
    wait_until(machine.is_active, "ruad is active")
    assert machine.path(CONFIG).read_text().endswith("# mine\n")
    assert stored(machine) == kept


def test_a_credential_of_systemd_sets_the_key_it_is_named_for(machine):
    secret = machine.path("/srv/secret")
    secret.write_text("of root alone\n")
    secret.chmod(0o600)
    more = machine.path("/etc/systemd/system/ruad.service.d")
    more.mkdir(parents=True)
    (more / "secret.conf").write_text("[Service]\nLoadCredential=http.proxy_secret:/srv/secret\n")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "ruad")
    wait_until(machine.is_active, "ruad is active")
    of_web = "tr '\\0' '\\n' < /proc/$(pidof ruad-web)/environ"
    assert "RUAD_HTTP_PROXY_SECRET=of root alone" in machine.run("sh", "-ec", of_web).splitlines()
    shutil.rmtree(more)
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "ruad")
    wait_until(machine.is_active, "ruad is active")


def test_systemd_restarts_a_ruad_that_hangs(machine):
    limit = machine.path("/etc/systemd/system/ruad.service.d")
    limit.mkdir(parents=True)
    (limit / "watchdog.conf").write_text("[Service]\nWatchdogSec=2s\n")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", "ruad")
    time.sleep(5)
    before = main_pid(machine)
    assert machine.run("systemctl", "show", "--property=NRestarts", "--value", "ruad").strip() == "0"
    machine.run("sh", "-c", f"kill -STOP {before}")
    wait_until(lambda: machine.is_active() and main_pid(machine) not in (before, "0"), "systemd has restarted it")
    kept = stored(machine)
    shutil.rmtree(limit)
    machine.run("systemctl", "daemon-reload")
    assert names(1, len(kept)) == kept


# -- PostgreSQL --


def test_apt_keeps_the_postgresql_that_the_private_database_needs(machine):
    version = machine.path("/var/lib/ruad/postgres/PG_VERSION").read_text().strip()
    machine.run("pg_dropcluster", "--stop", version, "main")  # or else postgresql-common keeps it for the sake of this one
    machine.run("/usr/share/postgresql-common/pg_updateaptconfig")
    machine.run("apt-get", "-q", "--yes", "remove", "postgresql")
    machine.run("dpkg-trigger", "--by-package=postgresql", "/usr/lib/postgresql")
    machine.run("dpkg", "--configure", "--pending")
    assert f'"^postgresql-{version}$"' in machine.path(KEPT).read_text()
    assert f"postgresql-{version} " not in machine.run("apt-get", "--simulate", "autoremove")
    machine.path(KEPT).rename(machine.path("/kept"))
    assert f"postgresql-{version} " in machine.run("apt-get", "--simulate", "autoremove")
    machine.path("/kept").rename(machine.path(KEPT))


def test_ruad_starts_when_the_missing_postgresql_is_installed(machine):
    version = machine.path("/var/lib/ruad/postgres/PG_VERSION").read_text().strip()
    machine.run("systemctl", "stop", *UNITS[1:], UNITS[0])
    said = machine.run("apt-get", "-q", "--yes", "remove", f"postgresql-{version}")
    assert f"ruad: the private database needs PostgreSQL {version}: install postgresql-{version}" in said
    assert machine.status("systemctl", "start", "ruad")[0] != 0
    machine.run("apt-get", "-q", "--yes", "install", f"postgresql-{version}")
    wait_until(machine.is_ready, "ruad is ready")
    assert machine.deliver(report(1)).startswith("250 ")


# -- removal --


def test_removal_keeps_settings_and_reports_and_closes_the_sockets(machine):
    machine.run("systemctl", "stop", "ruad")
    machine.run("systemctl", "start", *UNITS[1:], UNITS[0])
    machine.run("apt-get", "-q", "--yes", "remove", "ruad")
    assert machine.status("systemctl", "is-active", *UNITS)[1].split() == ["inactive"] * 3
    for path in (*SOCKETS, "/usr/bin/ruad", "/usr/libexec/ruad"):
        assert not machine.path(path).exists(), path
    assert machine.path(CONFIG).read_text().endswith("# mine\n")
    assert machine.path("/var/lib/ruad/postgres/PG_VERSION").exists()
    assert machine.path(KEPT).exists()


def test_a_purge_that_nobody_answers_keeps_the_reports(machine):
    machine.run("apt-get", "-q", "--yes", "purge", "ruad")
    for path in (CONFIG, KEPT, "/etc/systemd/system/sockets.target.wants/ruad-lmtp.socket"):
        assert not os.path.lexists(machine.path(path)), path
    assert machine.path("/var/lib/ruad/postgres/PG_VERSION").exists()
    machine.run("apt-get", "-q", "--yes", "install", "/ruad.deb")
    wait_until(machine.is_ready, "ruad is ready")
    kept = stored(machine)
    assert len(kept) > 3
    assert kept == names(1, len(kept))


def test_a_purge_that_is_answered_yes_deletes_everything(machine):
    machine.run("sh", "-c", "echo ruad ruad/remove_data boolean true | debconf-set-selections")
    machine.run("apt-get", "-q", "--yes", "purge", "ruad")
    assert not machine.path("/var/lib/ruad").exists()
    assert machine.run("find", "/etc", "/usr", "/run", "/var/lib/systemd", "-name", "*ruad*").split() == []
