"""Reads an archive as docs/archive-format.md says, and from nothing else: a second opinion on what is on the disk.

  archive_reader.py list STREAM               the segments of all hours, one JSON object a line, with what stands against them
  archive_reader.py extract STREAM NAME OUT   one segment as an MP4 file: the init segment of its file, then its chunks

STREAM is the folder of a stream. Python 3, standard library alone. Ends with code 1, and one line, where the archive is not
as the page says.
"""
import json
import os
import re
import struct
import sys
import zlib

HEADER = struct.Struct("<8sIIq36sI")
RECORD = struct.Struct("<IBBHQqqIIQIIHBBI")
CHUNK, END, FACT, START = 1, 2, 3, 4
GROUP_END, SEGMENT_START, SYNC, DISCONTINUITY, INDEPENDENT, CLOCK_STEP = 1, 2, 4, 8, 16, 32
NAMES = ("kind", "track", "flags", "ordinal", "start", "utc", "duration", "discontinuities", "offset", "size", "header",
         "samples", "file", "zero", "sequence")
HOUR_US = 3_600_000_000
# What a kind has of these; the others have to be 0.
USED = {
    CHUNK: {"track", "start", "duration", "offset", "size", "header", "samples"},
    END: {"start", "duration"},
    FACT: {"start"},
    START: {"start"},
}
FLAGS = {
    CHUNK: GROUP_END | SEGMENT_START | SYNC | DISCONTINUITY | INDEPENDENT,
    END: GROUP_END | DISCONTINUITY | INDEPENDENT,
    FACT: GROUP_END | CLOCK_STEP,
    START: GROUP_END | DISCONTINUITY | INDEPENDENT,
}


class Wrong(Exception):
    """The archive is not as the page says."""


def need(is_so, *words):
    if not is_so:
        raise Wrong(" ".join(map(str, words)))


def read_record(data, at):
    """One record, or None where there is none."""
    crc, *fields = RECORD.unpack_from(data, at)
    record = dict(zip(NAMES, fields))
    kind, flags = record["kind"], record["flags"]
    if crc != zlib.crc32(data[at + 4 : at + 64]) or kind not in USED or record["zero"] != 0 or flags & ~FLAGS[kind]:
        return None
    unused = {"track", "duration", "offset", "size", "header", "samples"} - USED[kind]
    if any(record[name] for name in unused) or record["start"] < 0 or record["utc"] < 0:
        return None
    if max(record["ordinal"], record["utc"], record["start"] + record["duration"], record["offset"] + record["size"]) >= 2**53:
        return None
    if kind == FACT and not flags & CLOCK_STEP:
        return None
    if kind == CHUNK:
        if record["track"] in (0, 100, 200) or record["samples"] == 0 or not 32 <= record["header"] <= 2_097_152:
            return None
        if not flags & SEGMENT_START and flags & (DISCONTINUITY | INDEPENDENT):
            return None
    return record


def records_of(path):
    """When the hour begins, in seconds, and the records of its whole groups."""
    with open(path, "rb") as file:
        data = file.read()
    need(len(data) >= 64, path, "is shorter than its header")
    magic, version, size, hour, zeros, crc = HEADER.unpack_from(data)
    need(magic == b"WEIRIDX1" and crc == zlib.crc32(data[:60]), path, "is no index")
    need(version == 1 and size == 64, path, "is of another version")
    need(hour % 3600 == 0 and not any(zeros), path, "has a header that is not as the page says")
    whole, group = [], []
    for at in range(64, len(data) - 63, 64):
        record = read_record(data, at)
        if record is None:
            break
        group.append(record)
        if record["flags"] & GROUP_END:
            whole += group
            group = []
    return hour, whole


def segments_of(path):
    """The segments of one hour, by the steps of the page's chapter on reading."""
    hour, records = records_of(path + ".idx")
    opened, before = None, None
    for record in records:
        if record["kind"] == CHUNK and record["flags"] & SEGMENT_START:
            opened = {"first": record, "chunks": [record]}
        elif record["kind"] == CHUNK:
            first = opened and opened["first"]
            if first and (first["ordinal"], first["file"]) == (record["ordinal"], record["file"]):
                opened["chunks"].append(record)
            else:
                opened = None
        elif record["kind"] == END:
            if opened and opened["first"]["ordinal"] == record["ordinal"]:
                segment = segment_of(path, opened, record)
                is_later = before is None or (segment["name"] > before["name"] and segment["ordinal"] > before["ordinal"])
                if record["start"] // HOUR_US == hour // 3600 and is_later:
                    before = segment
                    yield segment
            opened = None


def segment_of(path, opened, end):
    first = opened["first"]
    same = DISCONTINUITY | INDEPENDENT
    need(first["flags"] & same == end["flags"] & same, path, end["ordinal"], "has two opinions of its flags")
    number = first["file"]
    return {
        "name": end["start"] // 1000,
        "start": end["start"],
        "duration": end["duration"],
        "ordinal": end["ordinal"],
        "discontinuities": end["discontinuities"],
        "isBreak": bool(end["flags"] & DISCONTINUITY),
        "isIndependent": bool(end["flags"] & INDEPENDENT),
        "file": path + (f".{number}.mp4" if number else ".mp4"),
        "chunks": opened["chunks"],
    }


def hours_of(stream):
    """The paths of all hours without their ending, in their order."""
    found = []
    for folder, _, files in os.walk(stream):
        below = os.path.relpath(folder, stream)
        if re.fullmatch(r"\d{4}/\d\d/\d\d", below):
            found += [f"{folder}/{name[:2]}" for name in files if re.fullmatch(r"\d\d\.idx", name)]
    return sorted(found)


def boxes(data, at, end):
    """Type, beginning of the contents and end of each box."""
    while at < end:
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            size, head = struct.unpack_from(">Q", data, at + 8)[0], 16
        need(head <= size <= end - at, "a box", kind, "goes beyond its place")
        yield kind.decode("latin-1"), at + head, at + size
        at += size


def child(data, span, *path):
    """The first box of a path of types: beginning of its contents, and end."""
    for kind in path:
        span = next(((at, end) for type_, at, end in boxes(data, *span) if type_ == kind), None)
        need(span is not None, "there is no box", kind)
    return span


def init_of(data):
    """The init segment of a media file, and the timescales of its tracks by their numbers."""
    kinds, end_of_init = [], 0
    for kind, _, end in boxes(data, 0, len(data)):
        if kind == "moof":
            break
        kinds.append(kind)
        end_of_init = end
    need(kinds == ["ftyp", "moov"], "a media file begins with", kinds)
    scales = {}
    for kind, at, end in boxes(data, *child(data, (0, end_of_init), "moov")):
        if kind != "trak":
            continue
        tkhd, _ = child(data, (at, end), "tkhd")
        mdhd, _ = child(data, (at, end), "mdia", "mdhd")
        track, = struct.unpack_from(">I", data, tkhd + (20 if data[tkhd] == 1 else 12))
        scales[track], = struct.unpack_from(">I", data, mdhd + (20 if data[mdhd] == 1 else 12))
    return data[:end_of_init], scales


def check_chunk(data, chunk, scales):
    """That a chunk is where its record says, and what it says."""
    at, size, header = chunk["offset"], chunk["size"], chunk["header"]
    where = f"the chunk at {at}"
    need(at + size <= len(data), where, "is not all there")
    found = list(boxes(data, at, at + size))
    need([kind for kind, _, _ in found] == ["moof", "mdat"], where, "has other boxes")
    (_, moof, moof_end), (_, payload, _) = found
    need(payload == at + header, where, "has another header")
    need([kind for kind, _, _ in boxes(data, moof, moof_end)].count("traf") == 1, where, "has not one traf")
    traf = child(data, (moof, moof_end), "traf")
    tfhd, _ = child(data, traf, "tfhd")
    tfdt, _ = child(data, traf, "tfdt")
    track, = struct.unpack_from(">I", data, tfhd + 4)
    need(track == chunk["track"] and track in scales, where, "is of another track")
    need(data[tfdt] == 1, where, "has a tfdt of another version")
    ticks, = struct.unpack_from(">Q", data, tfdt + 4)
    need(ticks * 1_000_000 // scales[track] == chunk["start"], where, "begins at another time")
    samples = sum(struct.unpack_from(">I", data, trun + 4)[0] for kind, trun, _ in boxes(data, *traf) if kind == "trun")
    need(samples == chunk["samples"], where, "has", samples, "samples")


def read_all(stream):
    """All segments of a stream, with what the page says of a whole archive checked."""
    before, media = None, {}
    for path in hours_of(stream):
        for segment in segments_of(path):
            file = segment["file"]
            if file not in media:
                with open(file, "rb") as opened:
                    data = opened.read()
                media = {file: (data, *init_of(data))}
            data, init, scales = media[file]
            for chunk in segment["chunks"]:
                check_chunk(data, chunk, scales)
            need(segment["chunks"][0]["track"] in scales, file, "has no such track")
            gap = 0
            if before is not None:
                need(segment["ordinal"] == before["ordinal"] + 1, "ordinals leave out what is behind", before["ordinal"])
                breaks = before["discontinuities"] + (1 if segment["isBreak"] else 0)
                need(segment["discontinuities"] == breaks, "breaks are not counted at", segment["ordinal"])
                gap = segment["start"] - before["start"] - before["duration"]
                need(gap >= -1000, "segments lie on each other at", segment["ordinal"])
            before = segment
            yield segment, gap, data, init


def main(what, stream, *rest):
    for segment, gap, data, init in read_all(stream):
        if what == "extract" and segment["name"] == int(rest[0]):
            with open(rest[1], "wb") as out:
                out.write(init)
                for chunk in segment["chunks"]:
                    out.write(data[chunk["offset"] : chunk["offset"] + chunk["size"]])
            return
        if what == "list":
            fields = {name: value for name, value in segment.items() if name not in ("chunks", "file")}
            tracks = [[chunk["track"], chunk["samples"]] for chunk in segment["chunks"]]
            print(json.dumps({**fields, "gap": gap, "file": os.path.basename(segment["file"]), "chunks": tracks}))
    need(what == "list", "there is no segment", *rest[:1])


try:
    main(*sys.argv[1:])
except Wrong as wrong:
    sys.exit(str(wrong))
