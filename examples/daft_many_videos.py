"""Segments of many videos with Daft: python examples/daft_many_videos.py videos.csv videos.lance [partitions].

The CSV has a column `url`. The same script runs on a Ray cluster with DAFT_RUNNER=ray and RAY_ADDRESS=...; give it
several partitions for each worker then. TWELVELABS_STORE names the segment store that all workers share. Run it again
after an interruption: what was paid for is not paid for again.
"""

import sys

import daft

from daft_twelvelabs import embed_video

if len(sys.argv) not in (3, 4):
    sys.exit(__doc__)
source, target = sys.argv[1:3]
frame = daft.read_csv(source)
if len(sys.argv) == 4:
    frame = frame.into_partitions(int(sys.argv[3]))
frame = frame.with_column("video", embed_video(daft.col("url"), embedding_option=["visual"]))
frame.into_batches(100).write_lance(target, mode="overwrite")  # batches, since each of them becomes a part of the file

written = daft.read_lance(target)
failed = written.where(daft.col("video")["error"].not_null())
print(f"{written.count_rows()} rows, {failed.count_rows()} of them failed")
for row in failed.limit(3).to_pylist():
    print(row["url"], "|", row["video"]["error"]["message"])
