"""What processes use: CPU seconds and memory, as the kernel counts them."""
import pathlib
import threading

from peaks import processes


def family(pid):
    """pid and its descendants: {pid: name}."""
    found, members = processes(), {}
    for one, (_, name, _) in found.items():
        line = one
        while line != pid and line in found:
            line = found[line][0]
        if line == pid:
            members[one] = name
    return members


def cpu_seconds(pids):
    """CPU seconds of processes with all their threads, in nanoseconds' precision."""
    nanoseconds = 0
    for pid in pids:
        for entry in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                nanoseconds += int(entry.read_text().split()[0])
            except OSError:
                continue  # it ended meanwhile
    return nanoseconds / 1e9


def memory(pid, file, field):
    """Bytes that /proc/PID/file says under field."""
    for line in pathlib.Path(f"/proc/{pid}/{file}").read_text(encoding="utf-8").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    return 0


def pss(pids):
    """The proportional set size of processes: what they share is divided among those who share it."""
    return sum(memory(pid, "smaps_rollup", "Pss") for pid in pids)


class Highest:
    """While entered, looks at the resident memory of the processes that pids() names at that time, as far as it is their own, without
    shared buffers and files; .bytes is the largest."""

    def __init__(self, pids):
        self.pids, self.bytes = pids, 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while True:
            for pid in self.pids():
                try:
                    self.bytes = max(self.bytes, memory(pid, "status", "RssAnon"))
                except OSError:
                    continue
            if self.stop.wait(0.02):
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
