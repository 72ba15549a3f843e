"""A queue in SQLite: python examples/tickets_sqlite_queue.py add|submit|collect [*.mp4]; each step in any process."""

import sqlite3
import sys
import time
from contextlib import closing

from twelvelabs_core import BadRequestError, Client, InputError, TaskFailedError, Ticket

TABLE = "CREATE TABLE IF NOT EXISTS jobs (video TEXT PRIMARY KEY, state TEXT DEFAULT 'new', ticket TEXT, error TEXT)"
# Only an error of the video itself is final. Any other one, such as of the network or the key, ends the run, changes no
# state, and the next run continues.


def submit(client: Client, queue: sqlite3.Connection) -> None:
    """Create the task of each new video. After a kill before the update, the next run gets the same ticket."""
    for (video,) in queue.execute("SELECT video FROM jobs WHERE state = 'new'").fetchall():
        try:
            row = ("submitted", client.submit(video).to_json(), None)
        except (InputError, BadRequestError) as error:
            row = ("failed", None, str(error))
        queue.execute("UPDATE jobs SET state = ?, ticket = ?, error = ? WHERE video = ?", (*row, video))


def collect(client: Client, queue: sqlite3.Connection) -> None:
    """Take the results as they become ready; another process may do the same at the same time."""
    while tickets := queue.execute("SELECT video, ticket FROM jobs WHERE state = 'submitted'").fetchall():
        for video, ticket in tickets:
            try:
                found = client.collect(Ticket.from_json(ticket))
            except TaskFailedError as error:
                queue.execute("UPDATE jobs SET state = 'failed', error = ? WHERE video = ?", (str(error), video))
                continue
            if found is not None:
                print(video, len(client.register(found)), "segments")
                queue.execute("UPDATE jobs SET state = 'done' WHERE video = ?", (video,))
        time.sleep(1.0)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in ("add", "submit", "collect"):
        sys.exit(__doc__)
    with closing(sqlite3.connect("queue.sqlite3", isolation_level=None)) as jobs, Client() as client:
        jobs.execute(TABLE)
        if sys.argv[1] == "add":
            jobs.executemany("INSERT OR IGNORE INTO jobs (video) VALUES (?)", [(name,) for name in sys.argv[2:]])
        else:
            {"submit": submit, "collect": collect}[sys.argv[1]](client, jobs)
        for row in jobs.execute("SELECT state, count(*) FROM jobs GROUP BY state"):
            print(*row)
