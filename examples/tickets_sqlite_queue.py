"""A queue in SQLite: python examples/tickets_sqlite_queue.py add|submit|collect [*.mp4]; each step in any process."""

import sqlite3
import sys
import time
from contextlib import closing

import twelvelabs_core as tl

TABLE = "CREATE TABLE IF NOT EXISTS jobs (video TEXT PRIMARY KEY, state TEXT DEFAULT 'new', ticket TEXT, error TEXT)"
STATES = {"submit": "new", "collect": "submitted"}
# By state: errors of the video itself. After any other one, such as of the network, the next run tries again.
FINAL = {"new": (tl.InputError, tl.BadRequestError, tl.TaskFailedError), "submitted": (tl.TaskFailedError,)}


def step(client: tl.Client, video: str, state: str, ticket: str | None) -> tuple[str, str]:
    """Create a task, or take its result. Repeated after a kill, it pays nothing."""
    if state == "new":
        return "submitted", client.submit(video).to_json()
    found = client.collect(tl.Ticket.from_json(ticket or ""))
    if found is not None:
        print(video, len(client.register(found)), "segments")
    return "submitted" if found is None else "done", ticket or ""


def run(client: tl.Client, jobs: sqlite3.Connection, before: str) -> bool:
    """Do the step of each job in a state; return whether tasks are still processed."""
    is_waiting = False
    for video, ticket in jobs.execute("SELECT video, ticket FROM jobs WHERE state = ?", (before,)).fetchall():
        try:
            row = (*step(client, video, before, ticket), None)
            is_waiting |= row[0] == before
        except (tl.AuthenticationError, tl.ConfigurationError):
            raise  # each job would fail with it
        except tl.TwelveLabsError as error:
            row = ("failed" if isinstance(error, FINAL[before]) else before, ticket, str(error))
        jobs.execute("UPDATE jobs SET state = ?, ticket = ?, error = ? WHERE video = ?", (*row, video))
    return is_waiting


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in ("add", *STATES):
        sys.exit(__doc__)
    with closing(sqlite3.connect("queue.sqlite3", isolation_level=None)) as queue, tl.Client() as core:
        queue.execute(TABLE)
        queue.executemany("INSERT OR IGNORE INTO jobs (video) VALUES (?)", [(name,) for name in sys.argv[2:]])
        while sys.argv[1] in STATES and run(core, queue, STATES[sys.argv[1]]):
            time.sleep(1.0)
        for line in queue.execute("SELECT state, count(*) FROM jobs GROUP BY state"):
            print(*line)
