"""Peak resident memory of a process and its descendants, as the kernel keeps it (VmHWM), looked at ten times a second.

Not ru_maxrss: that begins with what the parent had at fork.
"""
import pathlib
import threading


def keep_largest(peaks, seen):
    for name, peak in seen.items():
        peaks[name] = max(peak, peaks.get(name, 0))


def processes():
    """Of every process its parent, name and peak: {pid: (ppid, name, bytes)}."""
    found = {}
    for entry in pathlib.Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":", 1) for line in entry.read_text().splitlines() if ":" in line)
        except OSError:
            continue  # it ended meanwhile
        if "VmHWM" in fields:
            found[int(entry.parent.name)] = (
                int(fields["PPid"]), fields["Name"].strip(), int(fields["VmHWM"].split()[0]) * 1024)
    return found


class Peaks:
    """While entered, watches pid and what it starts; .bytes is the largest of each name."""

    def __init__(self, pid):
        self.pid, self.bytes = pid, {}
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def look(self):
        found = processes()
        for pid, (_, name, peak) in found.items():
            line = pid
            while line != self.pid and line in found:
                line = found[line][0]
            if line == self.pid:
                keep_largest(self.bytes, {name: peak})

    def watch(self):
        while not self.stop.wait(0.1):
            self.look()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
