"""The write-ahead log beside a SQLite file, and whether it was written for this state of the file.

SQLite applies a log without that question. A file that was restored from a backup, beside the log of its later state,
would be damaged by it. The format is documented at https://sqlite.org/fileformat2.html.
"""

from pathlib import Path

HEADER_BYTES = 32
FRAME_BYTES = 24
COUNTER = slice(24, 28)  # in page 1: how often it was changed
PAGES = slice(28, 32)  # in page 1: the size of the file
READS_MAX = 5  # another process may write between two reads


def log_of(path: Path) -> Path:
    """Return the path of the log of a file."""
    return Path(f"{path}-wal")


def has_log(path: Path) -> bool:
    """Return whether committed transactions may be in the log of a file."""
    try:
        return log_of(path).stat().st_size > 0
    except FileNotFoundError:  # also where the last process that used the file deletes it now
        return False


def has_foreign_log(path: Path) -> bool:
    """Return whether the log of a file was written for another state of it; False in doubt."""
    try:
        return has_log(path) and _is_foreign(path)
    except FileNotFoundError:
        return False


def _is_foreign(path: Path) -> bool:
    for _ in range(READS_MAX):
        page_1, log = _first_bytes(path), _first_bytes(log_of(path))
        counters, pages = _read_log(log_of(path))
        if (page_1, log) != (_first_bytes(path), _first_bytes(log_of(path))):
            continue
        if not counters:  # the log changes neither page 1 nor, therefore, the size
            return pages not in (0, int.from_bytes(page_1[PAGES]))
        # The file is one change older than the first copy of page 1, or as new as a later one: SQLite copies the pages
        # of the log to the file now and then, and may be interrupted.
        return not counters[0] - 1 <= int.from_bytes(page_1[COUNTER]) <= counters[-1]
    return False


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEADER_BYTES)


def _read_log(path: Path) -> tuple[list[int], int]:
    """Return the counter of each copy of page 1 in a log, and the pages of the file after its last transaction."""
    counters: list[int] = []
    pages = 0
    with path.open("rb") as log:
        header = log.read(HEADER_BYTES)
        page_bytes, salts = int.from_bytes(header[8:12]), header[16:24]
        while len(frame := log.read(FRAME_BYTES)) == FRAME_BYTES and frame[8:16] == salts:
            start = log.tell()
            if int.from_bytes(frame[:4]) == 1:
                counters.append(int.from_bytes(log.read(HEADER_BYTES)[COUNTER]))
            pages = int.from_bytes(frame[4:8]) or pages
            log.seek(start + page_bytes)
    return counters, pages
