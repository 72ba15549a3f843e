"""A Ray cluster of two workers on the loopback interface."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

# Ray would announce the address of the network interface in place of the loopback address, on all but these systems.
LOOPBACK = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}
NODE = {"num_cpus": 1, "object_store_memory": 100_000_000, "node_ip_address": "127.0.0.1"}


class RayCluster:
    """A running cluster.

    Attributes:
        address: Host and port, for `RAY_ADDRESS`.
    """

    def __init__(self, cluster: Any) -> None:
        self._cluster = cluster
        self.address: str = cluster.address

    def kill_a_worker(self) -> int:
        """Kill a process that runs Daft, if there is one yet; return how many were killed."""
        raylets = {
            process.process.pid for node in self._cluster.list_all_nodes() for process in node.all_processes["raylet"]
        }
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                name = path.with_name("cmdline").read_bytes()
                parent = int(path.read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it ended
            if parent in raylets and name.startswith(b"ray::") and b"UDFProject" in name:  # the plan that it runs
                os.kill(int(path.parent.name), signal.SIGKILL)
                return 1
        return 0


@contextmanager
def running() -> Iterator[RayCluster]:
    """Start a cluster whose workers have the environment of this process; end it with the block."""
    os.environ.update(LOOPBACK)
    cluster_utils = pytest.importorskip("ray.cluster_utils", reason="Ray is not installed")
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args={**NODE, "include_dashboard": False})
    try:
        cluster.add_node(**NODE)
        yield RayCluster(cluster)
    finally:
        cluster.shutdown()
