#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The firebreak authors
"""
Another writer of ledger files, written from docs/formats/ledger.md alone.

usage: ledger.py make FILE [PAGES]     a whole file: one record for each page, and a second one for the first page
       ledger.py damage KIND FILE      damages it: header, hole, foreign, checksum, nonsense, misplaced
       ledger.py newer FILE            a whole file of version 99
       ledger.py hold FILE COMMAND...  runs the command while this process owns the file, as a monitor would
"""
import fcntl
import struct
import subprocess
import sys

SLOT = 64
EPOCH = 1795344735123456789


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def sealed(data):
    data = data.ljust(60, b"\0")
    return data + struct.pack("<I", crc32c(data))


def header(version=1):
    return sealed(b"FBKLEDG\n" + struct.pack("<II", version, SLOT) + bytes(range(16)) + struct.pack("<QQ", EPOCH, 7))


def record(seq, gpa, state=1, count=1, sources=1, epoch=EPOCH):
    first = 1795344735000000001 + seq
    return sealed(b"FBR1" + struct.pack("<IQQQQQII", state, epoch, 7 + seq, gpa, first, first + 5000000 * (count - 1), count,
                                        sources))


def make(path, pages=3):
    slots = [header()] + [record(i, 0x40000000 + 0x5000 * i, state=1 + i % 4, sources=1 + i % 15) for i in range(pages)]
    slots.append(record(pages, 0x40000000, state=2, count=9, sources=2))
    with open(path, "wb") as f:
        f.write(b"".join(slots) + bytes(1000))


def damage(kind, path):
    with open(path, "r+b") as f:
        def put(slot, data):
            f.seek(slot * SLOT)
            f.write(data)
        if kind == "header":
            put(0, b"FBKLEDG\n" + b"x")
        elif kind == "hole":
            put(2, bytes(SLOT))
        elif kind == "foreign":
            put(2, b"\1" * SLOT)
        elif kind == "checksum":
            put(2, record(1, 0x40005000)[:63] + b"\0")
        elif kind == "nonsense":
            put(2, record(1, 0x40005001))
        elif kind == "misplaced":
            put(2, record(0, 0x40005000))
        else:
            sys.exit(__doc__)


def hold(path, command):
    with open(path, "rb") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        sys.exit(subprocess.call(command))


if __name__ == "__main__":
    words = sys.argv[1:]
    if words[:1] == ["make"] and len(words) in (2, 3):
        make(words[1], *map(int, words[2:]))
    elif words[:1] == ["damage"] and len(words) == 3:
        damage(words[1], words[2])
    elif words[:1] == ["newer"] and len(words) == 2:
        with open(words[1], "wb") as out:
            out.write(header(99))
    elif words[:1] == ["hold"] and len(words) > 2:
        hold(words[1], words[2:])
    else:
        sys.exit(__doc__)
