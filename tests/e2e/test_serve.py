"""ruad serve: the private database, and its children: how they are kept running, stopped and isolated from each other."""

import calendar
import contextlib
import grp
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time

import psycopg2
import pytest
from conftest import STORED, wait_until
from reports import aggregate, gzipped, mail, record
from supervised import IS_ROOT, USER, Supervised, as_user, clean_environment, free_port, is_alive, processes_of

needs_root = pytest.mark.skipif(not IS_ROOT, reason="needs root, to be several users")


BROKEN = ("report.xml", "text/xml", b"<feedback>")


def report(number):
    return mail(gzipped(aggregate(report_id=f"r-{number}", records=[record(count=number)])))


def test_first_start_makes_a_cluster_and_the_next_finds_its_data(supervised):
    supervised.started()
    assert supervised.deliver(report(3)) == STORED
    assert supervised.get("/api/v1/summary") == 200
    assert supervised.stop() == 0
    assert not processes_of(supervised.folder)
    assert not (supervised.state / "postgres" / "postmaster.pid").exists()

    supervised.started()
    assert supervised.query("SELECT report_id, messages FROM dmarc.reports") == [("r-3", 3)]
    assert supervised.deliver(report(3))[0] == 250
    assert supervised.query("SELECT status FROM dmarc.intake ORDER BY mail") == [("stored",), ("duplicate",)]
    assert "initdb" not in supervised.log()


def test_private_database_has_checksums_utf8_and_no_tcp(running):
    settings = ("listen_addresses", "data_checksums", "server_encoding", "fsync")
    values = [running.query(f"SHOW {name}")[0][0] for name in settings]
    assert values == ["", "on", "UTF8", "on"]
    assert running.query("SELECT datcollate FROM pg_database WHERE datname = 'ruad'") == [("C.UTF-8",)]
    assert (running.state / "run").stat().st_mode & 0o777 == 0o750


def local_settings(supervised, text):
    """Write the admin's settings of the private database before the first start."""
    supervised.state.mkdir(exist_ok=True)
    if IS_ROOT:
        shutil.chown(supervised.state, USER, USER)
    path = supervised.state / "postgresql.local.conf"
    path.write_text(text)
    path.chmod(0o644)
    return path


def test_private_database_is_sized_for_the_machine(running):
    mib = 1024 * 1024
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    sizes = "shared_buffers", "effective_cache_size", "work_mem", "maintenance_work_mem", "max_wal_size"
    shared, cache, work, maintenance, wal = (
        running.query(f"SELECT pg_size_bytes(current_setting('{name}'))")[0][0] for name in sizes
    )
    # a control group may allow less than the machine has
    assert 16 * mib <= shared <= min(2048 * mib, max(memory // 8, 16 * mib))
    assert shared < cache <= min(32768 * mib, max(memory // 2, 64 * mib))
    assert 2 * mib <= work <= 64 * mib
    assert 16 * mib <= maintenance <= 256 * mib
    assert 256 * mib <= wal <= 2048 * mib
    assert running.query("SHOW jit") == [("off",)]
    assert running.query("SHOW max_connections") == [("132",)]


def test_postgresql_applies_each_of_the_settings_of_ruad(running):
    rows = running.query(
        "SELECT name, applied, error FROM pg_file_settings WHERE sourcefile LIKE '%/postgresql.ruad.conf' ORDER BY name"
    )
    written = (running.state / "postgres" / "postgresql.ruad.conf").read_text().splitlines()
    names = sorted(line.split(" = ")[0] for line in written if " = " in line and not line.startswith("#"))
    assert rows == [(name, True, None) for name in names]
    assert len(names) == 9


def test_local_settings_win_over_those_of_ruad_and_not_over_what_shuts_it_off(supervised):
    text = "work_mem = '7MB'\njit = on\nlisten_addresses = '*'\nlog_min_error_statement = error\n"
    path = local_settings(supervised, text)
    supervised.started()
    names = "work_mem", "jit", "listen_addresses", "log_min_error_statement"
    values = [supervised.query(f"SHOW {name}")[0][0] for name in names]
    assert values == ["7MB", "on", "", "panic"]
    assert supervised.stop() == 0
    assert path.read_text() == text

    own = supervised.state / "postgres" / "postgresql.ruad.conf"
    before = own.read_text()
    own.write_text("max_connections = none")
    path.unlink()
    supervised.started()
    assert supervised.query("SHOW jit") == [("off",)]
    assert own.read_text() == before
    assert own.stat().st_mode & 0o777 == 0o600


def test_wrong_local_settings_are_refused_in_the_words_of_postgresql(supervised):
    for text, words in (
        ("jit = on\nno_such_name = 1\n", 'unrecognized configuration parameter "no_such_name" in file "{path}" line 2'),
        ("work_mem = much\n", 'invalid value for parameter "work_mem": "much"; configuration file "{path}" contains errors'),
        ("work_mem = '4MB\n", 'syntax error in file "{path}" line 1'),
        ("include 'absent.conf'\n", 'could not open configuration file "{path.parent}/absent.conf": No such file'),
    ):
        path = local_settings(supervised, text)
        code, _, errors = supervised.command("serve")
        assert code == 78, errors
        assert "PostgreSQL refuses its settings: " + words.format(path=path) in errors
    path.write_text("")
    path.chmod(0)
    code, _, errors = supervised.command("serve")
    assert code == 78
    assert f'cannot read "{path}": Permission denied' in errors
    path.chmod(0o644)
    supervised.started()


def test_roles_of_ruad_reach_its_own_database_alone(running):
    for database in "postgres", "template1":
        with pytest.raises(psycopg2.OperationalError, match="no pg_hba.conf entry"):
            psycopg2.connect(host=f"{running.state}/run", user="ruad_web", dbname=database)
    assert running.query("SELECT datname FROM pg_database WHERE has_database_privilege('ruad_web', oid, 'CONNECT') AND datallowconn") == [("ruad",)]


def test_every_role_has_its_time_outs_and_a_connection_limit(running):
    limits = running.query("SELECT rolname, rolconnlimit FROM pg_roles WHERE rolname LIKE 'ruad\\_%' ORDER BY 1")
    assert limits == [("ruad_auditor", 8), ("ruad_editor", 20), ("ruad_enrich", 4), ("ruad_ingest", 32), ("ruad_notify", 4), ("ruad_owner", 16),
                      ("ruad_viewer", 8), ("ruad_web", 30)]
    for role, wanted in ("ruad_auditor", ["5min", "5s", "5min"]), ("ruad_ingest", ["15min", "30s", "5min"]):
        names = "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"
        assert [running.query(f"SHOW {name}", role=role)[0][0] for name in names] == wanted


def test_auditor_reads_views_and_nothing_else(running):
    assert running.query("SELECT count(*) FROM dmarc.records", role="ruad_auditor") == [(0,)]
    for sql in ("SELECT * FROM ruad.mail", "CREATE TABLE public.t (a int)", "SET ROLE ruad_owner"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            running.query(sql, role="ruad_auditor")


@needs_root
def test_other_users_are_no_role_of_ruad_though_they_reach_the_socket(running):
    def connect_as_nobody(role, database="ruad"):
        words = ["psql", "-XAtc", "SELECT current_user", f"host={running.state}/run user={role} dbname={database}"]
        done = subprocess.run([*as_user("nobody"), *words], capture_output=True, text=True, check=False)
        return done.stdout.strip() or done.stderr

    assert "Permission denied" in connect_as_nobody("ruad_auditor")
    running.state.chmod(0o755)
    (running.state / "run").chmod(0o755)
    for role in ("postgres", "ruad_owner", "ruad_ingest", "ruad_web", "ruad_auditor"):
        assert "eer authentication failed" in connect_as_nobody(role), role
    assert "no pg_hba.conf entry" in connect_as_nobody("nobody")
    assert "no pg_hba.conf entry" in connect_as_nobody("ruad_auditor", "postgres")


def test_children_have_only_what_is_theirs(running):
    environments = {}
    for name in ("ruad-ingest", "ruad-web"):
        raw = pathlib.Path(f"/proc/{running.child(name)}/environ").read_bytes().split(b"\0")
        environments[name] = dict(word.decode().split("=", 1) for word in raw if word)
    assert "user='ruad_ingest'" in environments["ruad-ingest"]["RUAD_DATABASE_URL"]
    assert "user='ruad_web'" in environments["ruad-web"]["RUAD_DATABASE_URL"]
    assert "RUAD_PARSER_WORKERS" in environments["ruad-ingest"]
    assert not [name for name in environments["ruad-web"] if name.startswith(("RUAD_PARSER", "RUAD_RETENTION", "RUAD_SERVER"))]
    for name in ("ruad-ingest", "ruad-web"):
        links = [os.readlink(path) for path in pathlib.Path(f"/proc/{running.child(name)}/fd").iterdir()]
        assert str(running.state / "lock") not in links


@needs_root
def test_nothing_runs_as_root(running):
    kept = [running.process.pid, *(running.child(name) for name in ("ruad-ingest", "ruad-web"))]
    for pid in [*kept, *processes_of(running.state)]:
        try:
            words = pathlib.Path(f"/proc/{pid}/status").read_text()
        except FileNotFoundError:
            assert pid not in kept
            continue  # a session of PostgreSQL that ended meanwhile
        status = dict(line.split(":\t", 1) for line in words.splitlines())
        assert "0" not in status["Uid"].split() and "0" not in status["Gid"].split()
        assert status["CapEff"] == status["CapPrm"] == "0" * 16
        assert "0" not in status["Groups"].split()


@needs_root
def test_started_by_another_user_it_stays_that_user(supervised):
    supervised.state.mkdir()
    shutil.chown(supervised.state, USER)
    supervised.settings["server_user"] = "nosuchuser"
    supervised.started(before=as_user(USER))
    assert supervised.deliver(report(1))[0] == 250
    assert supervised.stop() == 0


@needs_root
def test_an_unknown_user_is_refused_with_the_command_that_makes_it(supervised):
    supervised.settings["server_user"] = "nosuchuser"
    supervised.start()
    assert supervised.process.wait(30) == 78
    assert 'server.user "nosuchuser": no such user (create it: adduser' in supervised.log()


def test_domains_of_the_settings_decide_which_reports_count(supervised):
    own = "SELECT domain, own FROM dmarc.domains ORDER BY domain"
    supervised.settings["server_domains"] = "Ours.example *.bücher.example"
    supervised.started()
    for domain in "ours.example", "theirs.example", "news.xn--bcher-kva.example":
        assert supervised.deliver(mail(gzipped(aggregate(domain=domain, records=[record()]))))[0] == 250
    assert supervised.query(own) == [("news.xn--bcher-kva.example", True), ("ours.example", True), ("theirs.example", False)]
    assert supervised.stop() == 0
    del supervised.settings["server_domains"]
    supervised.started()
    assert {is_own for _, is_own in supervised.query(own)} == {True}


def test_a_second_one_on_the_same_state_is_refused(running):
    other = Supervised(running.folder)
    code, _, errors = other.command("serve")
    assert code == 75  # the first one may be stopping: systemd tries again
    assert f'another ruad (process {running.process.pid}) runs on "{running.state}"' in errors


def test_a_taken_port_is_named(supervised):
    with socket.create_server(("127.0.0.1", supervised.lmtp_port)):
        code, _, errors = supervised.command("serve")
    assert code == 75
    assert f'lmtp.listen: address "127.0.0.1:{supervised.lmtp_port}": cannot listen: Address already in use' in errors


@pytest.mark.parametrize("name", ["ruad-ingest", "ruad-web", "postgres"])
def test_a_killed_child_is_started_again(running, name):
    assert running.deliver(report(1))[0] == 250
    old = running.child(name)
    os.kill(old, signal.SIGKILL)
    wait_until(lambda: running.child(name) not in (None, old), f"{name} is back", 20)
    running.wait_until_ready()
    wait_until(lambda: running.deliver(report(2))[0] == 250, "mail is taken", 30)
    assert sorted(running.query("SELECT report_id FROM dmarc.reports")) == [("r-1",), ("r-2",)]


def test_nothing_outlives_a_killed_one_and_the_next_starts(running):
    children = [running.child(name) for name in ("ruad-ingest", "ruad-web", "postgres")]
    assert running.deliver(report(1))[0] == 250
    running.process.kill()
    running.process.wait()
    running.started()  # at once: it waits for the old PostgreSQL
    assert not [pid for pid in children if is_alive(pid)]
    assert running.query("SELECT report_id FROM dmarc.reports") == [("r-1",)]


def test_ctrl_c_stops_in_order(running):
    os.killpg(running.process.pid, signal.SIGINT)
    assert running.process.wait(60) == 0
    assert not processes_of(running.folder)
    assert "was ended by signal" not in running.log()


def test_hangup_changes_nothing(running):
    running.process.send_signal(signal.SIGHUP)
    assert running.deliver(report(1))[0] == 250


def test_an_interrupted_initdb_leaves_nothing_that_harms(supervised):
    left = supervised.state / "postgres.new" / "base"
    left.mkdir(parents=True)
    (left / "1").write_text("half")
    if IS_ROOT:
        subprocess.run(["chown", "-R", f"{USER}:{USER}", supervised.state], check=True)
    supervised.started()
    assert not (supervised.state / "postgres.new").exists()


def test_a_stale_pid_file_with_the_number_of_another_program_is_no_obstacle(running):
    assert running.stop() == 0
    with subprocess.Popen(["sleep", "600"]) as other:
        stale = running.state / "postgres" / "postmaster.pid"
        stale.write_text(f"{other.pid}\n{running.state}/postgres\n0\n5432\n{running.state}/run\n\n  0 0\nready   \n")
        running.started()
        assert running.deliver(report(1))[0] == 250
        other.kill()


def test_a_cluster_of_another_version_is_refused_with_both_versions(running):
    assert running.stop() == 0
    version = running.state / "postgres" / "PG_VERSION"
    real = version.read_text()
    version.write_text("99\n")
    code, _, errors = running.command("serve")
    version.write_text(real)
    assert code == 78
    assert "needs PostgreSQL 99, but only PostgreSQL" in errors


def test_a_state_dir_too_long_for_a_socket_is_refused(supervised):
    supervised.settings["server_state_dir"] = "/tmp/" + "x" * 90
    code, _, errors = supervised.command("serve")
    assert code == 78
    assert "too long: the socket in it would have a path of 118 bytes, and 107 are allowed" in errors


@contextlib.contextmanager
def systemd(supervised):
    """A socket at which systemd would hear of it, and the environment that names it."""
    path = supervised.folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        path.chmod(0o777)
        listener.settimeout(60)
        yield listener, clean_environment(NOTIFY_SOCKET=str(path))


def test_systemd_hears_when_it_is_ready_and_when_it_stops(supervised):
    with systemd(supervised) as (listener, environment):
        supervised.started(env=environment)
        assert listener.recv(1000).startswith(b"READY=1\n")
        assert supervised.stop() == 0
        assert listener.recv(1000).startswith(b"STOPPING=1\n")


def test_systemd_hears_what_became_of_the_mail(supervised):
    with systemd(supervised) as (listener, environment):
        supervised.started(env=environment)
        assert listener.recv(1000) == b"READY=1\nSTATUS=ready: mails stored 0, waiting 0, quarantined 0"
        assert supervised.deliver(report(1))[0] == 250
        assert supervised.deliver(mail(BROKEN))[0] == 250
        minute = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
        said = listener.recv(1000).decode()
        while "stored 2" not in said:
            said = listener.recv(1000).decode()
        status, _, at = said.partition(", last report ")
        assert status == "STATUS=ready: mails stored 2, waiting 0, quarantined 1"
        assert abs(timegm(minute) - timegm(at.removesuffix(" UTC"))) <= 120
        listener.settimeout(12)
        with pytest.raises(TimeoutError):  # nothing has changed
            listener.recv(1000)


def timegm(text):
    return calendar.timegm(time.strptime(text, "%Y-%m-%d %H:%M"))


def test_the_watchdog_of_systemd_hears_from_the_main_loop_twice_in_its_limit(supervised):
    with systemd(supervised) as (listener, environment):
        supervised.start(env={**environment, "WATCHDOG_USEC": "1000000"})
        while not listener.recv(1000).startswith(b"READY=1\n"):
            pass
        start = time.monotonic()
        assert [listener.recv(1000) for _ in range(4)] == [b"WATCHDOG=1"] * 4
        assert 1 < time.monotonic() - start < 4
        supervised.process.send_signal(signal.SIGSTOP)
        listener.settimeout(1.5)
        with pytest.raises(TimeoutError):
            while True:
                listener.recv(1000)
        supervised.process.send_signal(signal.SIGCONT)
        assert listener.recv(1000) == b"WATCHDOG=1"
        assert supervised.stop() == 0


def test_a_watchdog_of_another_process_hears_nothing(supervised):
    with systemd(supervised) as (listener, environment):
        supervised.start(env={**environment, "WATCHDOG_USEC": "200000", "WATCHDOG_PID": str(os.getpid())})
        assert listener.recv(1000).startswith(b"READY=1\n")
        listener.settimeout(1)
        with pytest.raises(TimeoutError):
            listener.recv(1000)
        assert supervised.stop() == 0


def test_sockets_of_systemd_are_used_instead_of_its_own(supervised):
    """Descriptors 3 and 4 of the process that LISTEN_PID names, as sd_listen_fds(3) says."""
    supervised.settings["lmtp_listen"] = supervised.settings["http_listen"] = f"127.0.0.1:{free_port()}"
    wrapper = "import os,sys; [os.dup2(int(fd), 3 + i) for i, fd in enumerate(sys.argv[1:3])]; "
    wrapper += "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2', LISTEN_FDNAMES='http:lmtp'); "
    wrapper += "os.execv(sys.argv[3], sys.argv[3:])"
    with (
        socket.create_server(("127.0.0.1", supervised.http_port)) as http,
        socket.create_server(("127.0.0.1", supervised.lmtp_port)) as lmtp,
    ):
        fds = [os.dup(http.fileno()), os.dup(lmtp.fileno())]
        high = [os.dup2(fd, 60 + i) for i, fd in enumerate(fds)]
        supervised.start(before=[sys.executable, "-c", wrapper, *map(str, high)], pass_fds=high)
        for fd in (*fds, *high):
            os.close(fd)
        wait_until(lambda: supervised.get("/readyz") == 200, "ready", 60)
        assert supervised.deliver(report(1))[0] == 250
        assert supervised.stop() == 0


def test_unix_sockets_have_mode_0660_and_go_with_it(supervised):
    path = supervised.folder / "lmtp.sock"
    supervised.settings["lmtp_listen"] = f"unix:{path} 127.0.0.1:{supervised.lmtp_port}"
    supervised.started()
    assert path.is_socket() and path.stat().st_mode & 0o777 == 0o660
    assert path.owner() == (USER if IS_ROOT else path.parent.owner())
    assert supervised.stop() == 0


def test_each_unix_socket_has_its_group(supervised):
    """Where we are root, groups that the user of ruad is not in; otherwise those that we are in."""
    groups = [grp.getgrnam(name).gr_gid for name in ("mail", "www-data")] if IS_ROOT else [*os.getgroups(), os.getgid()]
    lmtp, page = groups[0], groups[-1]
    supervised.settings["lmtp_listen"] = f"unix:{supervised.folder}/lmtp.sock"
    supervised.settings["lmtp_group"] = grp.getgrgid(lmtp).gr_name
    supervised.settings["http_listen"] = f"unix:{supervised.folder}/http.sock"
    supervised.settings["http_group"] = grp.getgrgid(page).gr_name
    supervised.started()
    assert (supervised.folder / "lmtp.sock").stat().st_gid == lmtp
    assert (supervised.folder / "http.sock").stat().st_gid == page
    assert (supervised.state / "run").stat().st_gid == (pwd.getpwnam(USER).pw_gid if IS_ROOT else os.getgid())
    assert supervised.stop() == 0


def test_a_group_that_does_not_exist_is_an_error_in_the_settings(supervised):
    supervised.settings |= {"lmtp_listen": f"unix:{supervised.folder}/lmtp.sock", "lmtp_group": "nosuchgroup"}
    supervised.start()
    assert supervised.process.wait(30) == 78
    assert 'lmtp.listen: group "nosuchgroup": no such group' in supervised.log()


@pytest.mark.parametrize("form", ["words", "uri"])
def test_with_a_database_of_ones_own_mail_is_answered_451_until_it_is_there(folder, own_database, form):
    own_database.postgres.stop()
    url = own_database.conninfo()
    if form == "uri":
        url = f"postgresql:///{own_database.name}?host={own_database.postgres.folder}&user=postgres"
    supervised = Supervised(folder, database_url=url)
    try:
        supervised.start()
        wait_until(lambda: supervised.child("ruad-ingest"), "it is started without its database")
        code, words = supervised.deliver(report(1))
        assert code == 451, words
        assert supervised.command("health")[0] == 1
        own_database.postgres.start()
        supervised.wait_until_ready()
        wait_until(lambda: supervised.deliver(report(1))[0] == 250, "mail is taken", 30)
        assert own_database.reports() == ["r-1"]
        assert not supervised.state.exists()
        environment = pathlib.Path(f"/proc/{supervised.child('ruad-ingest')}/environ").read_bytes()
        assert b"role=ruad_ingest" in environment.replace(b"%3D", b"=")
        assert supervised.stop() == 0
    finally:
        supervised.close()
