"""Build the release, check what is in it, and install it in a new environment: `make release-check`.

Builds the sdist, and the wheel from it, in `dist`; runs `twine check`; verifies the files of both; installs the wheel
with all extras in a new virtual environment, with the versions of `requirements.lock`, and imports every public name.
"""

import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Collection
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONFIGURATION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = CONFIGURATION["project"]
PACKAGES: list[str] = CONFIGURATION["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]

IMPORT_ALL = f"""
import importlib, pathlib, sys
from importlib.metadata import version
from twelvelabs_core.base.version import user_agent
for name in {PACKAGES!r}:
    package = importlib.import_module(name)
    assert pathlib.Path(package.__file__).is_relative_to(sys.prefix), package.__file__
    for public in package.__all__:
        getattr(package, public)
import twelvelabs_core.moments.evaluation, twelvelabs_core.moments.export
assert version("twelvelabs-rag") == {PROJECT["version"]!r}
assert user_agent() == "twelvelabs-rag/{PROJECT["version"]}"
"""


def main() -> None:
    """Check the release; exit with the first thing that is wrong."""
    check("checkout has files unknown to git", listed("--others", "--exclude-standard"))
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    wheel, sdist = build(dist)
    check_installation(wheel)
    print(f"{wheel.name} ({wheel.stat().st_size:,} bytes) and {sdist.name} ({sdist.stat().st_size:,} bytes) are ready.")


def build(dist: Path) -> tuple[Path, Path]:
    """Build wheel and sdist in a folder, without a package index, and verify what is in them."""
    run(uv(), "build", "--quiet", "--no-build-isolation", "--python", sys.executable, "--out-dir", dist, ROOT)
    (wheel,), (sdist,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
    run(sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)
    check_wheel(wheel)
    check_sdist(sdist)
    return wheel, sdist


def check_wheel(wheel: Path) -> None:
    """Verify that a wheel has the packages, as they are in the checkout, and nothing else but its metadata."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        text = archive.read(metadata).decode()
    info = metadata.removesuffix("METADATA")
    expected = sources(PACKAGES)
    check("wheel lacks", expected - names)
    check("wheel has", {name for name in names - expected if not name.startswith(info)})
    check("wheel lacks", {f"{info}licenses/LICENSE", *(f"{name}/py.typed" for name in PACKAGES)} - names)
    check(
        "metadata lack", {line for line in ("License-Expression: MIT", "Requires-Python: >=3.11") if line not in text}
    )


def check_sdist(sdist: Path) -> None:
    """Verify that an sdist has every file of the checkout, and nothing else but its metadata."""
    with tarfile.open(sdist) as archive:
        names = {member.name.partition("/")[2] for member in archive if not member.isdir()}
    expected = sources() | {"PKG-INFO"}
    check("sdist lacks", expected - names)
    check("sdist has", names - expected)


def check_installation(wheel: Path) -> None:
    """Install a wheel with all extras in a new environment, and import every public name from there."""
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "venv" / "bin" / "python"
        extras = ",".join(PROJECT["optional-dependencies"])
        locked = Path(folder) / "versions.txt"
        lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
        locked.write_text("\n".join(line.removesuffix(" \\") for line in lines if not line.startswith(" ")))
        run(uv(), "venv", "--quiet", "--python", sys.executable, python.parents[1])
        run(uv(), "pip", "install", "--quiet", "--python", python, "--constraint", locked, f"{wheel}[{extras}]")
        run(python, "-I", "-c", IMPORT_ALL, cwd=folder)


def sources(folders: Collection[str] = ()) -> set[str]:
    """Return the files of folders, or of the checkout, that git does not ignore."""
    return listed("--cached", "--others", "--exclude-standard", *folders)


def listed(*arguments: str) -> set[str]:
    """Return what `git ls-files` lists."""
    command = ["git", "ls-files", *arguments]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(answer.stdout.splitlines())


def check(what: str, names: Collection[str]) -> None:
    """Exit if there are such names."""
    if names:
        sys.exit(f"the {what}: {', '.join(sorted(names))}")


def run(*command: str | Path, cwd: str | None = None) -> None:
    """Run a command; exit if it fails."""
    if subprocess.run(command, cwd=cwd, check=False).returncode:
        sys.exit(f"failed: {' '.join(map(str, command))[:200]}")


def uv() -> str:
    """Return the path of uv, which `make` installs in `.venv`."""
    found = shutil.which("uv", path=str(Path(sys.prefix) / "bin")) or shutil.which("uv")
    return found or sys.exit("uv is missing: make .venv/bin/uv")


if __name__ == "__main__":
    main()
