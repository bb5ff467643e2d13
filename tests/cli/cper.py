#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: The firebreak authors
"""
Another reader of error records, written from the tables of UEFI 2.10 appendix N and ACPI 6.5 chapter 18 alone: what it makes
of a record must be what `firebreak decode cper` makes of it, as JSON and, of an ARM error's information, in words.

usage: cper.py build FOLDER          records of every kind, with random and with chosen values
       cper.py compare RECORD JSON [WORDS]   exit status 1, and the difference, if they do not say the same
"""
import base64
import json
import os
import random
import struct
import sys
import uuid

MEMORY = uuid.UUID("a5bc1114-6f64-4ede-b863-3e83ed7c83b1")
MEMORY2 = uuid.UUID("61ec04fc-48e6-d813-25c9-8daa44750b12")
ARM = uuid.UUID("e19e3d16-bc11-11e4-9caa-c2051d5d46b0")
OTHER = uuid.UUID("d995e954-bbc1-430f-ad91-b44dcb3c6f35")

SEVERITIES = ["Recoverable", "Fatal", "Corrected", "Informational"]
MEMORY_TYPES = ["Unknown", "No Error", "Single-bit ECC", "Multi-bit ECC", "Single-symbol ChipKill ECC",
                "Multi-symbol ChipKill ECC", "Master Abort", "Target Abort", "Parity Error", "Watchdog Timeout",
                "Invalid Address", "Mirror Broken", "Memory Sparing", "Scrub Corrected Error", "Scrub Uncorrected Error",
                "Physical Memory Map-out Event"]
STATUS_TYPES = {1: "INTERNAL", 4: "MEM", 5: "TLB", 6: "CACHE", 7: "FUNCTION", 8: "SELFTEST", 9: "FLOW", 16: "BUS", 17: "MAP",
                18: "IMPROPER", 19: "UNIMPL", 20: "LOL", 21: "RESPONSE", 22: "PARITY", 23: "PROTOCOL", 24: "ERROR",
                25: "TIMEOUT", 26: "POISONED"}
NOTIFICATIONS = {"9a78788a-bbe8-11e4-809e-67611e5d46b0": "SEA", "2dce8bb1-bdd7-450e-b9ad-9cf4ebd4f890": "CMC",
                 "e8f56ffe-919c-4cc5-ba88-65abe14913bb": "MCE"}
RESERVED = "Unknown (Reserved)"


# --- reading -----------------------------------------------------------------------------------------------------------

def u(b, at, width):
    return int.from_bytes(b[at:at + width], "little")


def guid(b):
    return str(uuid.UUID(bytes_le=bytes(b)))


def named(value, names):
    name = names.get(value) if isinstance(names, dict) else names[value] if value < len(names) else None
    return {"value": value, "name": name or RESERVED}


def severity(v):
    return {"code": v, "name": SEVERITIES[v] if v < 4 else "Unknown"}


def revision(v):
    return {"major": v >> 8, "minor": v & 0xff}


def flags(v, names):
    return {name: bool(v >> i & 1) for i, name in enumerate(names)}


def timestamp(b):
    text = "".join("%02x" % x for x in b)
    second, minute, hour, day, month, year, century = (text[i:i + 2] for i in (0, 2, 4, 8, 10, 12, 14))
    if not (second + minute + hour + day + month + year + century).isdigit():
        return {}
    if int(second) > 60 or int(minute) > 59 or int(hour) > 23 or not 1 <= int(day) <= 31 or not 1 <= int(month) <= 12:
        return {}
    return {"timestamp": "%s%s-%s-%sT%s:%s:%s+00:00" % (century, year, month, day, hour, minute, second),
            "timestampIsPrecise": bool(b[3] & 1)}


def error_status(v):
    kind = v >> 8 & 0xff
    result = {"errorType": {"value": kind, "name": "ERR_" + STATUS_TYPES[kind] if kind in STATUS_TYPES else RESERVED}}
    result.update(flags(v >> 16, ["addressSignal", "controlSignal", "dataSignal", "detectedByResponder",
                                  "detectedByRequester", "firstError", "overflowDroppedLogs"]))
    return result


def bank(result, valid, value, whole, group, address):
    if valid >> whole & 1:
        result["bank"] = {"value": value}
    elif valid >> group & 1 or valid >> address & 1:
        result["bank"] = {"address": value & 0xff if valid >> address & 1 else 0,
                          "group": value >> 8 if valid >> group & 1 else 0}


def address(result, valid, b):
    message = "Memory error"
    if valid >> 1 & 1:
        result["physicalAddress"] = u(b, 16, 8)
        result["physicalAddressHex"] = "0x%016x" % u(b, 16, 8)
        message += " at 0x%x" % u(b, 16, 8)
    return message


def numbers(result, valid, b, table):
    for bit, at, width, name in table:
        if valid >> bit & 1:
            result[name] = u(b, at, width)


def memory(b):
    valid, result = u(b, 0, 8), {}
    if valid & 1:
        result["errorStatus"] = error_status(u(b, 8, 8))
    bank(result, valid, u(b, 38, 2), 6, 19, 20)
    if valid >> 14 & 1:
        result["memoryErrorType"] = named(b[72], MEMORY_TYPES)
    if valid >> 18 & 1 or valid >> 21 & 1:
        result["extended"] = {}
    if valid >> 18 & 1:
        result["extended"].update({"rowBit16": bool(b[73] & 1), "rowBit17": bool(b[73] & 2)})
    if valid >> 21 & 1:
        result["extended"]["chipIdentification"] = b[73] >> 5
    message = address(result, valid, b)
    numbers(result, valid, b, [
        (2, 24, 8, "physicalAddressMask"), (3, 32, 2, "node"), (4, 34, 2, "card"), (5, 36, 2, "moduleRank"),
        (7, 40, 2, "device"), (8, 42, 2, "row"), (9, 44, 2, "column"), (10, 46, 2, "bitPosition"), (11, 48, 8, "requestorID"),
        (12, 56, 8, "responderID"), (13, 64, 8, "targetID"), (15, 74, 2, "rankNumber"), (16, 76, 2, "cardSmbiosHandle"),
        (17, 78, 2, "moduleSmbiosHandle")])
    return {"message": message, "Memory": result}


def memory2(b):
    valid, result = u(b, 0, 8), {}
    if valid & 1:
        result["errorStatus"] = error_status(u(b, 8, 8))
    bank(result, valid, u(b, 38, 2), 6, 20, 21)
    if valid >> 13 & 1:
        result["memoryErrorType"] = named(b[61], MEMORY_TYPES)
    if valid >> 14 & 1:
        result["status"] = {"value": b[62], "state": "Uncorrected" if b[62] & 1 else "Corrected"}
    message = address(result, valid, b)
    numbers(result, valid, b, [
        (2, 24, 8, "physicalAddressMask"), (3, 32, 2, "node"), (4, 34, 2, "card"), (5, 36, 2, "module"), (7, 40, 4, "device"),
        (8, 44, 4, "row"), (9, 48, 4, "column"), (10, 52, 4, "rank"), (11, 56, 4, "bitPosition"), (12, 60, 1, "chipID"),
        (15, 64, 8, "requestorID"), (16, 72, 8, "responderID"), (17, 80, 8, "targetID"), (18, 88, 4, "cardSmbiosHandle"),
        (19, 92, 4, "moduleSmbiosHandle")])
    return {"message": message, "Memory2": result}


ARM_KINDS = ["Cache Error", "TLB Error", "Bus Error", "Micro-Architectural Error"]
OPERATIONS = ["Generic Error", "Generic Read", "Generic Write", "Data Read", "Data Write", "Instruction Fetch", "Prefetch"]


def arm_kind(value):
    if value == 0 or value & 1:
        return value if value < 4 else None
    for i in range(4):
        if value >> (i + 1) & 1:
            return i
    return None


def arm_information(v, kind):
    result = {}
    operations = OPERATIONS + [["Eviction", "Snooping", "Snooped", "Management"],
                               ["Local Management Operation", "External Management Operation"], []][kind]
    fields = [(0, 16, 3, "transactionType", ["Instruction", "Data Access", "Generic"]), (1, 18, 15, "operation", operations),
              (2, 22, 7, "level", int), (3, 25, 1, "processorContextCorrupt", bool), (4, 26, 1, "corrected", bool),
              (5, 27, 1, "precisePC", bool), (6, 28, 1, "restartablePC", bool)]
    if kind == 2:
        fields += [(7, 29, 3, "participationType", ["Local Processor Originated Request", "Local Processor Responded to Request",
                                                    "Local Processor Observed", "Generic"]),
                   (8, 31, 1, "timedOut", bool),
                   (9, 32, 3, "addressSpace", {0: "External Memory Access", 1: "Internal Memory Access",
                                               3: "Device Memory Access"}),
                   (10, 34, 0x1ff, "memoryAttributes", int), (11, 43, 1, "accessMode", ["Secure", "Normal"])]
    for bit, shift, mask, name, form in fields:
        if v >> bit & 1:
            field = v >> shift & mask
            result[name] = form(field) if form in (int, bool) else named(field, form)
    return {["cacheError", "tlbError", "busError"][kind]: result}


def arm_info(b):
    valid, kind = u(b, 2, 2), arm_kind(b[4])
    result = {"version": b[0], "length": b[1],
              "errorType": {"value": b[4], "name": RESERVED if kind is None else ARM_KINDS[kind]}}
    if valid & 1:
        result["multipleError"] = {"value": u(b, 5, 2), "type": "Multiple Errors" if u(b, 5, 2) else "Single Error"}
    if valid & 2:
        result["flags"] = flags(b[7], ["firstErrorCaptured", "lastErrorCaptured", "propagated", "overflow"])
    if valid & 4 and kind in (0, 1, 2):
        result["errorInformation"] = arm_information(u(b, 8, 8), kind)
    if valid & 8:
        result["virtualFaultAddress"] = u(b, 16, 8)
    if valid & 16:
        result["physicalFaultAddress"] = u(b, 24, 8)
    return result


REGISTERS = {
    0: (4, ["r%d" % i for i in range(13)] + ["r13_sp", "r14_lr", "r15_pc"]),
    4: (8, ["x%d" % i for i in range(31)] + ["sp"]),
    5: (8, ["elr_el1", "esr_el1", "far_el1", "isr_el1", "mair_el1", "midr_el1", "mpidr_el1", "sctlr_el1", "sp_el0", "sp_el1",
            "spsr_el1", "tcr_el1", "tpidr_el0", "tpidr_el1", "tpidrro_el0", "ttbr0_el1", "ttbr1_el1"]),
    7: (8, ["elr_el3", "esr_el3", "far_el3", "mair_el3", "sctlr_el3", "sp_el3", "spsr_el3", "tcr_el3", "tpidr_el3",
            "ttbr0_el3"]),
}
CONTEXTS = ["AArch32 General Purpose Registers", "AArch32 EL1 Context Registers", "AArch32 EL2 Context Registers",
            "AArch32 Secure Context Registers", "AArch64 General Purpose Registers", "AArch64 EL1 Context Registers",
            "AArch64 EL2 Context Registers", "AArch64 EL3 Context Registers", "Miscellaneous System Register Structure"]


def arm_context(kind, version, regs):
    width, names = REGISTERS.get(kind, (0, []))
    array = {"data": base64.b64encode(regs).decode()}
    if names and len(regs) >= width * len(names):
        array = {name: u(regs, i * width, width) for i, name in enumerate(names)}
    elif kind == 8 and len(regs) >= 10:
        mrs = u(regs, 0, 2)
        array = {"mrsEncoding": {"op2": mrs & 7, "crm": mrs >> 3 & 15, "crn": mrs >> 7 & 15, "op1": mrs >> 11 & 7,
                                 "o0": mrs >> 14 & 1}, "value": u(regs, 2, 8)}
    return {"version": version, "registerContextType": named(kind, CONTEXTS), "registerArraySize": len(regs),
            "registerArray": array}


def arm(b):
    valid, nr_infos, nr_contexts, length = struct.unpack_from("<IHHI", b)
    result = {"errorInfoNum": nr_infos, "contextInfoNum": nr_contexts, "sectionLength": length, "midrEl1": u(b, 24, 8),
              "errorInfo": [], "contextInfo": []}
    if valid & 2:
        result["errorAffinity"] = {"value": b[12], "type": "Vendor Defined" if b[12] < 4 else "Reserved"}
    if valid & 1:
        result["mpidrEl1"] = u(b, 16, 8)
        result["affinity3"] = b[20]
    if valid & 4:
        result["running"] = bool(b[32] & 1)
        if not b[32] & 1:
            result["psciState"] = u(b, 36, 4)
    at = 40
    for _ in range(nr_infos):
        result["errorInfo"].append(arm_info(b[at:at + b[at + 1]]))
        at += b[at + 1]
    for _ in range(nr_contexts):
        version, kind, size = struct.unpack_from("<HHI", b, at)
        result["contextInfo"].append(arm_context(kind, version, b[at + 8:at + 8 + size]))
        at += 8 + size
    if valid & 8 and length > at:
        result["vendorSpecificInfo"] = {"data": base64.b64encode(b[at:length]).decode()}
    return {"message": "ARM processor error", "ArmProcessor": result}


KINDS = {MEMORY: ("Platform Memory", memory), MEMORY2: ("Platform Memory 2", memory2), ARM: ("ARM", arm)}
SECTION_FLAGS = ["primary", "containmentWarning", "reset", "errorThresholdExceeded", "resourceNotAccessible", "latentError",
                 "propagated", "overflow"]


def section(b, kind, offset, length):
    body = b[offset:offset + length]
    if kind in KINDS:
        return KINDS[kind][1](body)
    return {"Unknown": {"data": base64.b64encode(body).decode()}}


def described(kind, offset, length, rev, valid, flag_bits, fru_id, fru_text, sev, time):
    result = {"sectionOffset": offset, "sectionLength": length, "revision": revision(rev),
              "flags": flags(flag_bits, SECTION_FLAGS),
              "sectionType": {"data": str(kind), "type": KINDS[kind][0] if kind in KINDS else "Unknown"},
              "severity": severity(sev)}
    if valid & 1:
        result["fruID"] = guid(fru_id)
    if valid & 2:
        result["fruText"] = fru_text.split(b"\0")[0].decode("latin-1")
    result.update(time)
    return result


def read_block(b):
    status, raw_at, raw_len, data_len, sev = struct.unpack_from("<IIIII", b)
    descriptors, sections, at = [], [], 20
    while at < 20 + data_len:
        kind = uuid.UUID(bytes_le=b[at:at + 16])
        entry_severity, rev, valid, flag_bits, length = struct.unpack_from("<IHBBI", b, at + 16)
        head = 72 if rev >= 0x300 else 64
        time = timestamp(b[at + 64:at + 72]) if head == 72 and valid & 4 else {}
        descriptors.append(described(kind, at + head, length, rev, valid, flag_bits, b[at + 28:at + 44], b[at + 44:at + 64],
                                     entry_severity, time))
        sections.append(section(b, kind, at + head, length))
        at += head + length
    block_status = flags(status, ["uncorrectable", "correctable", "multipleUncorrectable", "multipleCorrectable"])
    block_status["entryCount"] = status >> 4 & 0x3ff
    head = {"blockStatus": block_status, "sectionCount": len(sections), "severity": severity(sev), "recordLength": 20 + data_len}
    if raw_len:
        head.update({"rawDataOffset": raw_at, "rawDataLength": raw_len})
    return {"genericErrorStatus": head, "sectionDescriptors": descriptors, "sections": sections}


def read_record(b):
    rev, _, count, sev, valid, total = struct.unpack_from("<HIHIII", b, 4)
    head = {"revision": revision(rev), "sectionCount": count, "severity": severity(sev), "recordLength": total,
            "creatorID": guid(b[64:80]), "recordID": u(b, 96, 8), "persistenceInfo": u(b, 108, 8),
            "notificationType": {"guid": guid(b[80:96]), "type": NOTIFICATIONS.get(guid(b[80:96]), "Unknown")}}
    names = {1: "HW_ERROR_FLAGS_RECOVERED", 2: "HW_ERROR_FLAGS_PREVERR", 4: "HW_ERROR_FLAGS_SIMULATED"}
    head["flags"] = {"value": u(b, 104, 4), "name": names.get(u(b, 104, 4), "Unknown")}
    if valid & 1:
        head["platformID"] = guid(b[32:48])
    if valid & 2:
        head.update(timestamp(b[24:32]))
    if valid & 4:
        head["partitionID"] = guid(b[48:64])
    descriptors, sections = [], []
    for i in range(count):
        d = b[128 + 72 * i:200 + 72 * i]
        offset, length, section_rev, section_valid, _, flag_bits = struct.unpack_from("<IIHBBI", d)
        kind = uuid.UUID(bytes_le=d[16:32])
        descriptors.append(described(kind, offset, length, section_rev, section_valid, flag_bits, d[32:48], d[52:72],
                                     u(d, 48, 4), {}))
        sections.append(section(b, kind, offset, length))
    return {"header": head, "sectionDescriptors": descriptors, "sections": sections}


def read(b):
    return read_record(b) if b[:4] == b"CPER" else read_block(b)


# --- building ----------------------------------------------------------------------------------------------------------

def noise(rng, n):
    return bytes(rng.getrandbits(8) for _ in range(n))


def a_memory(rng, length=80):
    valid = rng.getrandbits(22) if length == 80 else rng.getrandbits(15)
    b = bytearray(struct.pack("<Q", valid) + noise(rng, length - 8))
    b[72] = rng.randrange(20)
    return bytes(b)


def a_memory2(rng):
    b = bytearray(struct.pack("<Q", rng.getrandbits(22)) + noise(rng, 88))
    b[61] = rng.randrange(20)
    return bytes(b)


def an_arm(rng):
    infos = b"".join(struct.pack("<BBHBHB", 0, 32, rng.getrandbits(5), rng.choice([0, 1, 2, 3, 4, 5, 8, 16, 32]),
                                 rng.getrandbits(2), rng.getrandbits(4)) + noise(rng, 24) for _ in range(rng.randint(1, 4)))
    contexts, nr_contexts = b"", rng.randrange(4)
    for _ in range(nr_contexts):
        kind = rng.choice([0, 4, 5, 7, 8, 9, 77])
        size = {0: 64, 4: 256, 5: 136, 7: 80, 8: 10}.get(kind, rng.randrange(20)) - rng.choice([0, 0, 0, 1])
        contexts += struct.pack("<HHI", rng.getrandbits(16), kind, max(size, 0)) + noise(rng, max(size, 0))
    vendor = noise(rng, rng.randrange(6))
    length = 40 + len(infos) + len(contexts) + len(vendor)
    return struct.pack("<IHHIBxxxQQII", rng.getrandbits(4), len(infos) // 32, nr_contexts, length, rng.getrandbits(3),
                       rng.getrandbits(40), rng.getrandbits(64), rng.getrandbits(1), rng.getrandbits(32)) + \
        infos + contexts + vendor


def a_section(rng):
    kind = rng.choice([MEMORY, MEMORY2, ARM, OTHER])
    body = {MEMORY: a_memory, MEMORY2: a_memory2, ARM: an_arm}.get(kind, lambda r: noise(r, r.randint(1, 40)))(rng)
    return kind, body


def a_time(rng):
    bcd = lambda low, high: int(str(rng.randint(low, high)), 16)
    return bytes([bcd(0, 60), bcd(0, 59), bcd(0, 23), rng.getrandbits(1), bcd(1, 31), bcd(1, 12), bcd(0, 99),
                  rng.choice([0x19, 0x20, 0xff])])


def text(rng):
    return rng.choice([b"DIMM 3", b"", b"a \"quoted\" \\ one", b"\x1b[31mred\x7f\xe9", b"x" * 20]).ljust(20, b"\0")


def a_block(rng):
    data, nr = b"", rng.randint(1, 5)
    for _ in range(nr):
        kind, body = a_section(rng)
        rev = rng.choice([0x201, 0x300])
        data += kind.bytes_le + struct.pack("<IHBBI", rng.randrange(5), rev, rng.getrandbits(3), rng.getrandbits(8), len(body))
        data += noise(rng, 16) + text(rng) + (a_time(rng) if rev == 0x300 else b"") + body
    raw = noise(rng, rng.choice([0, 16]))
    return struct.pack("<IIIII", rng.getrandbits(4) | rng.randint(0, nr) << 4, 20 + len(data) if raw else 0, len(raw), len(data),
                       rng.randrange(5)) + data + raw


def a_record(rng):
    nr = rng.randint(1, 5)
    bodies = [a_section(rng) for _ in range(nr)]
    place, at, rest = [0] * nr, 128 + 72 * nr, b""
    for i in rng.sample(range(nr), nr):
        gap = rng.randrange(4)
        place[i] = at + gap
        rest += bytes(gap) + bodies[i][1]
        at += gap + len(bodies[i][1])
    head = b"CPER" + struct.pack("<HIHIII", 0x101, 0xffffffff, nr, rng.randrange(5), rng.getrandbits(3), at) + a_time(rng)
    head += noise(rng, 48) + uuid.UUID(rng.choice(list(NOTIFICATIONS) + ["0" * 32])).bytes_le
    head += struct.pack("<QIQ", rng.getrandbits(64), rng.choice([1, 2, 4, 9]), rng.getrandbits(64)) + bytes(12)
    for (kind, body), offset in zip(bodies, place):
        head += struct.pack("<IIHBBI", offset, len(body), rng.getrandbits(16), rng.getrandbits(2), 0, rng.getrandbits(8))
        head += kind.bytes_le + noise(rng, 16) + struct.pack("<I", rng.randrange(5)) + text(rng)
    return head + rest


def build(folder):
    for i in range(60):
        rng = random.Random(i)
        with open(os.path.join(folder, "random-%02d.bin" % i), "wb") as f:
            f.write(a_record(rng) if i & 1 else a_block(rng))


INFORMATION = {"transactionType": "transaction type", "operation": "operation", "level": "level", "timedOut": "timed out",
               "processorContextCorrupt": "context corrupt", "corrected": "corrected", "precisePC": "precise PC",
               "restartablePC": "restartable at PC", "participationType": "participation", "addressSpace": "address space",
               "memoryAttributes": "memory attributes", "accessMode": "access mode"}


def information_words(parsed):
    for s in parsed["sections"]:
        for info in s.get("ArmProcessor", {}).get("errorInfo", []):
            for fields in info.get("errorInformation", {}).values():
                for key, v in fields.items():
                    value, meaning = (v["value"], v["name"]) if isinstance(v, dict) else (v, "")
                    if isinstance(v, bool):
                        value, meaning = int(v), "yes" if v else "no"
                    yield ("    %-18s 0x%x  %s" % (INFORMATION[key], value, meaning)).rstrip()


def compare_words(want, words):
    with open(words, encoding="ascii") as f:
        got = [line.rstrip() for line in f if line.startswith("    ")]
    want = list(information_words(want))
    if sorted(want) == sorted(got):
        return 0
    print("expected in words", want)
    print("got              ", got)
    return 1


def compare(record, text_file, words=None):
    with open(record, "rb") as f:
        want = read(f.read())
    if words and compare_words(want, words):
        return 1
    with open(text_file, encoding="ascii") as f:
        got = json.load(f)
    if want == got:
        return 0
    print("expected " + json.dumps(want, sort_keys=True))
    print("got      " + json.dumps(got, sort_keys=True))
    return 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["build"] and len(sys.argv) == 3:
        build(sys.argv[2])
    elif sys.argv[1:2] == ["compare"] and len(sys.argv) in (4, 5):
        sys.exit(compare(*sys.argv[2:]))
    else:
        sys.exit(__doc__)
