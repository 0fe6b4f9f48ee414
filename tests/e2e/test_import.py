"""ruad import: every kind of container, counted, idempotent, and honest about what could not be read."""

import contextlib
import json
import mailbox
import os
import subprocess
import time

import pytest
from conftest import wait_until
from reports import aggregate, gzipped, mail, plain, record, zipped
from supervised import IS_ROOT, Supervised, clean_environment, is_alive, processes_of

WHY = 'Quarantined mail is kept. Intake on the page and "ruad parse FILE" say why it could not be read.\n'


def xml(number, count=1):
    return aggregate(report_id=f"r-{number}", records=[record(count=count)])


class Imports:
    """ruad import into a separate database, and a folder for the imported files."""

    def __init__(self, folder, database):
        self.database = database
        self.files = folder / "files"
        self.files.mkdir()
        self.ruad = Supervised(folder, database_url=database.conninfo())

    def write(self, name, content):
        path = self.files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def run(self, *paths, **more):
        return self.ruad.command("import", *map(str, paths), **more)


@pytest.fixture(name="imports")
def fixture_imports(folder, database):
    return Imports(folder, database)


CONTAINERS = {
    "mail.eml": lambda: mail(gzipped(xml(1))),
    "report.xml": lambda: xml(1),
    "report.xml.gz": lambda: gzipped(xml(1))[2],
    "report.zip": lambda: zipped(xml(1), xml(2))[2],
    "named-as-something-else.pdf": lambda: gzipped(xml(1))[2],
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_file_is_told_by_its_bytes(imports, name):
    path = imports.write(name, CONTAINERS[name]())
    expected = ["r-1", "r-2"] if name == "report.zip" else ["r-1"]
    code, words, errors = imports.run(path)
    assert (code, errors) == (0, "")
    assert words == f"imported 1 file: {'2 reports' if name == 'report.zip' else '1 report'} stored, 0 duplicates, 0 conflicts, 0 quarantined\n"
    assert imports.database.reports() == expected
    assert imports.database.value("SELECT DISTINCT source || ' ' || name FROM dmarc.intake") == f"import {path}"


HOSTILE = "\033]0;owned\a\033[2J\u202egpj\u200b\u2028\u009b2J.eml"


def test_no_escape_of_a_file_reaches_the_terminal(imports):
    """Neither that of a name, nor of what parse prints of a report."""
    path = imports.write(HOSTILE, aggregate(org_name="\u202egoogle\u200b\u2028", report_id="\u2066x", records=[record()]))
    code, words, errors = imports.ruad.command("parse", str(path), str(path) + ".missing")
    assert code == 1
    seen = words + errors
    code, words, errors = imports.run(path, str(path) + "\nruad import: forged")
    assert code == 1 and errors.count("\n") == 1
    assert not set(seen + words + errors) & set("\033\a\u202e\u2066\u200b\u2028\u009b")
    document = json.loads(seen.splitlines()[0])
    assert (document["report_metadata"]["org_name"], document["file"]) == ("\u202egoogle\u200b\u2028", str(path))


def write_mbox(path, numbers):
    with contextlib.closing(mailbox.mbox(path)) as box:
        for number in numbers:
            message = mailbox.mboxMessage(mail(plain(xml(number))))
            box.add(message)
    return path


def test_an_mbox_is_its_mails(imports):
    path = write_mbox(imports.files / "box", range(30))
    code, words, _ = imports.run(path)
    assert code == 0
    assert words == "imported 1 file with 30 mails: 30 reports stored, 0 duplicates, 0 conflicts, 0 quarantined\n"
    assert imports.database.value("SELECT count(*) FROM dmarc.intake WHERE name = %s", f"{path}: mail 30") == 1


def test_parse_prints_every_mail_of_an_mbox(imports):
    path = write_mbox(imports.files / "box", [1, 2, 3])
    code, words, errors = imports.ruad.command("parse", str(path))
    lines = [json.loads(line) for line in words.splitlines()]
    assert code == 0 and errors == ""
    assert [line["file"] for line in lines] == [str(path)] * 3
    assert len({line["report_metadata"]["report_id"] for line in lines}) == 3


@pytest.mark.parametrize("workers", [1, 3])
def test_parse_prints_files_in_the_order_they_are_named(imports, workers):
    """Small files are read together, others alone: an mbox, a file of many records, one that is not there."""
    files = [imports.write(f"{number}.xml", xml(number)) for number in range(100)]
    files[7] = imports.write("unreadable.xml", b"<feedback><report")
    files[20] = write_mbox(imports.files / "box", [200, 201])
    files[33] = imports.files / "missing"
    files[50] = imports.write("large.xml", aggregate(report_id="large", records=[record()] * 500))
    code, words, errors = imports.ruad.command("-o", f"parser.workers={workers}", "parse", *map(str, files))
    lines = [json.loads(line) for line in words.splitlines()]
    assert (code, errors) == (1, f"ruad parse: {files[33]}: could not open: No such file or directory\n")
    assert [line["file"] for line in lines] == [str(file) for file in files for _ in range(2 if file == files[20] else 1)
                                                if file != files[33]]
    assert [line.get("code") for line in lines if line["kind"] != "aggregate"] == ["xml"]
    assert {len(line["record"]) for line in lines if line["file"] == str(files[50])} == {500}
    assert len({line["report_metadata"]["report_id"] for line in lines if line["kind"] == "aggregate"}) == 99


def test_an_mbox_and_a_report_come_by_standard_input(imports):
    box = write_mbox(imports.files / "box", [1, 2]).read_bytes()
    assert imports.run("-", input=None, stdin=open(imports.files / "box", "rb"))[1].startswith("imported 1 file with 2 mails")
    assert box.startswith(b"From ")
    report = imports.write("report.xml", xml(3))
    assert imports.run("-", stdin=open(report, "rb"))[1].startswith("imported 1 file: 1 report stored")
    assert imports.database.reports() == ["r-1", "r-2", "r-3"]


def test_a_maildir_is_its_mails_and_not_those_under_delivery(imports):
    box = mailbox.Maildir(imports.files / "Maildir")
    for number in (1, 2):
        box.add(mail(gzipped(xml(number))))
    box.add_folder("Archive").add(mail(gzipped(xml(3))))
    imports.write("Maildir/tmp/half", mail(gzipped(xml(4))))
    assert imports.run(imports.files / "Maildir")[0] == 0
    assert imports.database.reports() == ["r-1", "r-2", "r-3"]


def test_a_folder_is_all_below_it_and_a_second_time_all_duplicates(imports):
    for number in range(20):
        imports.write(f"a/{number % 3}/{number}.eml", mail(gzipped(xml(number))))
    imports.write("a/README", b"What is in here\n")
    counts = "imported 20 files: {} reports stored, {} duplicates, 0 conflicts, 0 quarantined, 1 skipped (neither mail nor report)\n"
    assert imports.run(imports.files)[:2] == (0, counts.format(20, 0))
    assert imports.run(imports.files)[:2] == (0, counts.format(0, 20))
    assert len(imports.database.reports()) == 20


def test_what_is_no_report_is_quarantined_and_a_contradiction_is_counted(imports):
    imports.write("1.eml", mail(gzipped(xml(1, count=1))))
    assert imports.run(imports.files)[0] == 0
    imports.write("1.eml", mail(gzipped(xml(1, count=2))))
    imports.write("2.eml", mail(("report.xml.gz", "application/gzip", gzipped(xml(2))[2][:-20])))
    code, words, _ = imports.run(imports.files)
    assert (code, words) == (0, f"imported 2 files: 0 reports stored, 0 duplicates, 1 conflict, 1 quarantined\n{WHY}")
    assert imports.database.query("SELECT status FROM dmarc.intake ORDER BY status") == [
        ("conflict",), ("quarantined",), ("stored",),
    ]


def test_what_cannot_be_read_from_disk_is_named_and_the_rest_is_stored(imports):
    path = imports.write("1.eml", mail(gzipped(xml(1))))
    code, words, errors = imports.run(imports.files / "nothing", path)
    assert code == 1
    assert words.endswith("1 report stored, 0 duplicates, 0 conflicts, 0 quarantined, 1 could not be read\n")
    assert errors == f"ruad import: {imports.files}/nothing: No such file or directory\n"


def test_without_the_database_it_is_try_again(imports):
    path = imports.write("1.eml", mail(gzipped(xml(1))))
    imports.ruad.settings["database_url"] = f"host={imports.files} dbname=none"
    code, words, errors = imports.run(path)
    assert (code, words) == (75, "")
    assert "connection to server" in errors


def test_wrong_usage_is_said(imports):
    assert imports.run()[0] == 2
    assert imports.run("--jobs=0", "x")[0] == 2
    code, _, errors = imports.run("--jbos=1", "x")
    assert code == 2 and "--jbos=1" in errors


@pytest.mark.skipif(not IS_ROOT, reason="needs root, whose right to read is what is tested")
def test_root_imports_what_only_others_may_read_and_no_program_inherits_that(imports):
    path = imports.write("secret/1.eml", mail(gzipped(xml(1))))
    path.chmod(0o600)
    path.parent.chmod(0o700)
    assert imports.run(path)[0] == 0
    assert imports.database.reports() == ["r-1"]


def test_quiet_says_nothing(imports):
    path = imports.write("1.eml", mail(gzipped(xml(1))))
    assert imports.run("--quiet", path) == (0, "", "")


def test_killed_and_run_again_every_report_is_there_once(imports):
    for number in range(300):
        imports.write(f"{number}.eml", mail(gzipped(xml(number))))
    with subprocess.Popen(
        [imports.ruad.ruad, "import", imports.files, *imports.ruad.options()], env=clean_environment()
    ) as process:
        wait_until(lambda: len(imports.database.reports()) > 5, "some are stored")
        process.kill()
    before = len(imports.database.reports())
    assert imports.run(imports.files)[0] == 0
    assert sorted(imports.database.reports()) == sorted(f"r-{number}" for number in range(300))
    assert before < 300


def test_memory_does_not_grow_with_the_mbox(imports):
    """300 MB of mails of 3 MB each: mail that waits to be stored is bounded, and the mbox is never completely in memory."""
    filler = b"x" * 75 + b"\n"
    path = imports.files / "big"
    with open(path, "wb") as box:
        for number in range(100):
            box.write(b"From a@b\n" + mail(plain(xml(number))).replace(b"\r\n", b"\n") + b"\n" + filler * 40000 + b"\n")
    usage = "import os,sys,resource; os.spawnv(os.P_WAIT, sys.argv[1], sys.argv[1:]); "
    usage += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    words = ["/usr/bin/python3", "-c", usage, imports.ruad.ruad, "import", path, *imports.ruad.options()]
    done = subprocess.run(words, env=clean_environment(), capture_output=True, text=True, check=True)
    assert "100 reports stored" in done.stdout
    assert int(done.stdout.split()[-1]) < 150 * 1024


def test_the_private_cluster_is_started_for_the_import_and_stopped(folder):
    supervised = Supervised(folder)
    path = folder / "1.eml"
    path.write_bytes(mail(gzipped(xml(1))))
    assert supervised.command("import", str(path))[:2] == (
        0, "imported 1 file: 1 report stored, 0 duplicates, 0 conflicts, 0 quarantined\n",
    )
    assert not [pid for pid in processes_of(supervised.state) if is_alive(pid)]
    try:
        supervised.started()
        assert supervised.query("SELECT report_id FROM dmarc.reports") == [("r-1",)]
        assert supervised.command("import", str(path))[1].startswith("imported 1 file: 0 reports stored, 1 duplicate")
        assert supervised.child("postgres")
        assert supervised.stop() == 0
    finally:
        supervised.close()


def test_a_killed_import_takes_its_cluster_along(folder):
    supervised = Supervised(folder)
    reading, writing = os.pipe()
    with subprocess.Popen(
        [supervised.ruad, "import", "-", *supervised.options()], env=clean_environment(), stdin=reading
    ) as process:
        os.close(reading)
        wait_until(lambda: (supervised.state / "postgres" / "postmaster.pid").exists(), "its cluster runs", 60)
        time.sleep(0.5)
        process.kill()
    os.close(writing)
    wait_until(lambda: not [pid for pid in processes_of(supervised.state) if is_alive(pid)], "all have ended", 30)


def test_an_empty_file_is_quarantined(folder):
    supervised = Supervised(folder)
    path = folder / "empty.eml"
    path.write_bytes(b"")
    assert supervised.command("import", str(path))[:2] == (
        0, f"imported 1 file: 0 reports stored, 0 duplicates, 0 conflicts, 1 quarantined\n{WHY}",
    )
