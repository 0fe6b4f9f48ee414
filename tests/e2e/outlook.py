"""Mails as Outlook saves them: .msg files (MS-OXMSG), which are compound files (MS-CFB) of version 3."""

import struct

END, NONE, FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
PROPERTIES = "__properties_version1.0"


class File:
    def __init__(self):
        self.sectors, self.fat = b"", []
        self.mini, self.mini_fat = b"", []
        self.entries = []

    @staticmethod
    def chain(fat, data, unit):
        """The first sector of a chain, and the data filled up."""
        count = -(-len(data) // unit)
        first = len(fat)
        fat += [first + n for n in range(1, count)] + [END] * (count > 0)
        return first if count else END, data.ljust(count * unit, b"\0")

    def add(self, data):
        first, data = self.chain(self.fat, data, 512)
        self.sectors += data
        return first

    def add_small(self, data):
        first, data = self.chain(self.mini_fat, data, 64)
        self.mini += data
        return first

    def numbers(self, numbers):
        return struct.pack(f"<{len(numbers)}I", *numbers).ljust(-(-len(numbers) // 128) * 512, b"\xff")

    def entry(self, name, kind, content):
        """A stream of bytes, or a storage of names and contents; its index."""
        index = len(self.entries)
        self.entries.append(None)
        child, start, size = NONE, 0, 0
        if kind == 2:
            start = self.add(content) if len(content) >= 4096 else self.add_small(content)
            size = len(content)
        else:
            names = sorted(content, key=lambda key: (len(key), key.upper()))
            children = [self.entry(key, 1 if isinstance(content[key], dict) else 2, content[key]) for key in names]
            for this, following in zip(children, children[1:] + [NONE]):  # a tree with one branch
                self.entries[this][2] = following
            child = children[0] if children else NONE
        self.entries[index] = [name, kind, NONE, child, start, size]
        return index

    def directory(self):
        out = b""
        for name, kind, right, child, start, size in self.entries:
            text = name.encode("utf-16-le")
            out += text.ljust(64, b"\0") + struct.pack("<HBBIII36xIQ", len(text) + 2, kind, 1, NONE, right, child, start, size)
        return out.ljust(-(-len(out) // 512) * 512, b"\0")

    def bytes(self, root):
        self.entry("Root Entry", 5, root)
        self.entries[0][4:] = [self.add(self.mini), len(self.mini)]
        mini_fat, directory = self.add(self.numbers(self.mini_fat)), self.add(self.directory())
        first, count = len(self.fat), 0
        while -(-(first + count) // 128) > count:
            count += 1
        fat = self.numbers(self.fat + [FAT] * count)
        header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + struct.pack(
            "<16xHHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, count, directory, 0, 4096, mini_fat,
            -(-len(self.mini_fat) // 128), END, 0)
        return header + self.numbers([first + n for n in range(count)] + [NONE] * (109 - count))[:436] + self.sectors + fat


def storage(head, texts, others=()):
    """A storage of properties: texts by number, and others by name in the file, with head before the list of all."""
    streams = {f"__substg1.0_{number:04X}001F": text.encode("utf-16-le") for number, text in texts.items() if text is not None}
    streams.update(others)
    rows = b""
    for name, value in streams.items():
        if name.startswith("__substg"):
            number, kind = int(name[12:16], 16), int(name[16:], 16)
            rows += struct.pack("<HHIII", kind, number, 6, NONE if kind == 0x0D else len(value) + 2 * (kind == 0x1F), 1)
    if len(head) == 8:  # PidTagAttachMethod: by value, or a message
        rows += struct.pack("<HHIII", 3, 0x3705, 6, 5 if "__substg1.0_3701000D" in streams else 1, 0)
    return {PROPERTIES: head + rows, **streams}


def message(attachments, header=None, text=None, top=True):
    """What a mail has. attachments: (name, media type or None, content), whose content is bytes or another mail."""
    storages = {}
    for number, (name, kind, content) in enumerate(attachments):
        data = {"__substg1.0_3701" + ("000D" if isinstance(content, dict) else "0102"): content}
        storages[f"__attach_version1.0_#{number:08X}"] = storage(bytes(8), {0x3707: name, 0x370E: kind}, data)
    if top:
        storages["__nameid_version1.0"] = {f"__substg1.0_{number:04X}0102": b"" for number in (2, 3, 4)}
    count = len(attachments)
    head = struct.pack("<8xIIII", 0, count, 0, count) + bytes(8 if top else 0)
    return storage(head, {0x001A: "IPM.Note", 0x007D: header, 0x1000: text}, storages)


def msg(*attachments, header=None, text=None):
    """The file of such a mail."""
    return File().bytes(message(attachments, header, text))
