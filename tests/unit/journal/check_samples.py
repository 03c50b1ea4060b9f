#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_samples.py BLACKSTART FILE...: reads sample files by docs/journal.md alone, with nothing but
Python's standard library, and compares with what `blackstart samples FILE --json` prints."""
import json
import struct
import subprocess
import sys
import zlib

STEP, DIGITS, U64 = 1000, 11, (1 << 64) - 1
WORDS = ("good refused reset unreachable timeout|cannot resolve|wrong status|wrong content|too slow|"
         "error|not sent|bad certificate|certificate expired|certificate not yet valid|"
         "certificate for another name|no number|number too low|number too high|query failed|"
         "rate too low|rate not known yet")
WORDS = WORDS.split("|")[0].split() + WORDS.split("|")[1:]


def mix(x):
    x = (x + 0x9E3779B97F4A7C15) & U64
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & U64
    x = (x ^ x >> 27) * 0x94D049BB133111EB & U64
    return x ^ x >> 31


def planned(head, slot):
    if head["every"] == 0:
        return 0
    tenth = head["every"] // 10
    jitter = mix(mix(head["seed"] ^ head["probe"] << 40) ^ slot) % (2 * tenth) - tenth if tenth else 0
    return slot * head["every"] + jitter


def unfold(v):
    return v >> 1 ^ -(v & 1)


def numbers(data, at, n):
    result = []
    for _ in range(n):
        v = shift = 0
        while data[at] & 128:
            v |= (data[at] & 127) << shift
            shift, at = shift + 7, at + 1
        result.append(v | data[at] << shift)
        at += 1
    return result, at


class Bits:
    def __init__(self, data):
        self.all, self.at = int.from_bytes(data, "little"), 0

    def take(self, n):
        v = self.all >> self.at & (1 << n) - 1
        self.at += n
        return v


def digits(bits, length, most):
    if length == 0:
        return 0
    written = min(length, most) - 1
    return (1 << written | bits.take(written)) << length - 1 - written


def noise(head, bits, column, i):
    most = DIGITS if head["step"] == STEP else 64
    return (unfold(digits(bits, column[6][i], 64)), digits(bits, column[7][i], most),
            digits(bits, column[8][i], most))


def block_samples(head, payload):
    columns = payload[:head["packed"]]
    if head["packed"] != head["columns"]:
        columns = zlib.decompress(columns)
    column, at = [], 0
    for _ in range(9):
        values, at = numbers(columns, at, head["n"])
        column.append(values)
    assert at == len(columns) == head["columns"]
    bits = Bits(payload[head["packed"]:])
    slot, endpoint, plan, status, size, before = head["first"], 0, 0, 0, 0, None
    for i in range(head["n"]):
        slot += column[0][i]
        endpoint += unfold(column[1][i])
        plan += unfold(column[2][i])
        status += unfold(column[4][i])
        size += unfold(column[5][i])
        late, send, latency = noise(head, bits, column, i)
        if before is not None and before[0] == slot:
            late += before[1] + before[2]
        due = planned(head, slot) + plan
        sent = due + late * head["step"]
        before = (slot, late, send)
        yield {"trial": head["trial"], "probe": str(head["probe"]), "from": "", "host": str(endpoint),
               "slot": slot, "due_ns": due, "sent_ns": sent,
               "done_ns": sent + latency * head["step"], "result": WORDS[column[3][i]],
               "status": status, "bytes": size, "send_ns": min(send * head["step"], 0xFFFFFFFF)}


def file_samples(path):
    data = open(path, "rb").read()
    assert data[:8] == b"BSTSAMP2", path
    at = 8
    while at < len(data):
        mark, check, payload, trial, n, first, last, packed, columns, probe, flags, seed, every, _ = \
            struct.unpack_from("<4s8I2H3Q", data, at)
        body = data[at + 64:at + 64 + payload]
        assert mark == b"BLK2" and check == zlib.crc32(data[at + 8:at + 64] + body), f"{path}: {at}"
        yield from block_samples({"trial": trial, "n": n, "first": first, "packed": packed,
                                  "columns": columns, "probe": probe, "seed": seed, "every": every,
                                  "step": STEP if flags & 1 else 1}, body)
        at += 64 + payload


def order(s):
    return s["trial"], int(s["probe"]), s["slot"], int(s["host"])


for name in sys.argv[2:]:
    mine = sorted(file_samples(name), key=order)
    printed = subprocess.run([sys.argv[1], "samples", "--json", name], stdout=subprocess.PIPE, check=True)
    theirs = [json.loads(line) for line in printed.stdout.splitlines()]
    assert len(mine) > 100 and mine == theirs, f"{name}: {len(mine)} and {len(theirs)} samples, or others"
    print(f"{name}: {len(mine)} samples")
