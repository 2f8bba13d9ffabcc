"""The cache on an S3 server: another clone takes the results from there and trains nothing."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer
from ruamel.yaml import YAML

from conftest import run
from imports import FAMILIES

pytestmark = pytest.mark.pipeline

BUCKET = "nicelab"
MODELS = tuple(f"model/{family}.safetensors" for family in FAMILIES)
CACHED = (
    "data/raw",
    "data/images.npz",
    *MODELS,
    "model/classifier.safetensors",
    "arrays",
    "report/report.html",
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Address of an S3 server on this machine, with an empty bucket."""
    keys = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    before = {name: os.environ.get(name) for name in keys}
    os.environ.update(keys)
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    address = f"http://{host}:{port}"
    boto3.client("s3", endpoint_url=address).create_bucket(Bucket=BUCKET)
    yield address
    running.stop()
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


def add_remote(root: Path, address: str) -> None:
    run(root, "dvc", "remote", "add", "--local", "--force", "--default", "s3", f"s3://{BUCKET}")
    run(root, "dvc", "remote", "modify", "--local", "s3", "endpointurl", address)
    run(root, "dvc", "remote", "modify", "--local", "s3", "verify", "true")


@pytest.fixture(scope="module")
def pushed(own: Path, server: str) -> Path:
    """The finished pipeline, with all that it keeps on the server."""
    add_remote(own, server)
    run(own, "dvc", "push", "-q")
    return own


@pytest.fixture
def other(pushed: Path, tmp_path: Path) -> Path:
    """A clone of it: what git knows, and the address of the remote."""
    root = tmp_path / "other"
    shutil.copytree(
        pushed, root, symlinks=True, ignore=shutil.ignore_patterns("cache", "tmp", ".git")
    )
    run(root, "git", "init", "-q")
    for path in CACHED:
        target = root / path
        shutil.rmtree(target) if target.is_dir() else target.unlink()
    return root


def object_of(root: Path, path: str) -> str:
    """Key of a pipeline output on the server."""
    lock = YAML(typ="safe", pure=True).load((root / "dvc.lock").read_text())
    md5 = next(
        out["md5"]
        for stage in lock["stages"].values()
        for out in stage.get("outs", [])
        if out["path"] == path
    )
    return f"files/md5/{md5[:2]}/{md5[2:]}"


def test_another_clone_pulls_the_model_and_trains_nothing(own: Path, other: Path) -> None:
    run(other, "dvc", "pull", "-q")
    for path in (*MODELS, "report/report.html"):
        assert (other / path).read_bytes() == (own / path).read_bytes()
    (other / "report" / "report.html").unlink()
    printed = run(other, "dvc", "repro", "--pull")
    assert "Running stage" not in printed
    shutil.rmtree(other / ".dvc" / "cache")
    (other / "report" / "report.html").unlink()
    run(other, "dvc", "repro", "--force", "--single-item", "report")
    assert (other / "report" / "report.html").read_bytes() == (
        own / "report" / "report.html"
    ).read_bytes()


def test_an_altered_object_is_refused(other: Path, server: str) -> None:
    """Byte for byte it must be what dvc.lock says; nothing of it is left in the clone."""
    key, s3 = object_of(other, "model/nice.safetensors"), boto3.client("s3", endpoint_url=server)
    whole = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    s3.put_object(Bucket=BUCKET, Key=key, Body=whole[:-1] + bytes([whole[-1] ^ 1]))
    done = subprocess.run(["dvc", "pull"], cwd=other, capture_output=True, text=True)
    s3.put_object(Bucket=BUCKET, Key=key, Body=whole)
    assert done.returncode != 0
    assert not (other / "model" / "nice.safetensors").exists()
    run(other, "dvc", "pull", "-q")
    assert (other / "model" / "nice.safetensors").read_bytes() == whole


def test_an_altered_cache_entry_is_found(other: Path) -> None:
    """`dvc status` drops it, and the next pull brings the right one."""
    run(other, "dvc", "pull", "-q")
    entry = other / ".dvc" / "cache" / object_of(other, "model/nice.safetensors")
    whole = entry.read_bytes()
    entry.chmod(0o644)
    entry.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert re.search(r"not in cache:\s+model/nice.safetensors", run(other, "dvc", "status"))
    assert not entry.exists()
    (other / "model" / "nice.safetensors").unlink()
    run(other, "dvc", "pull", "-q")
    assert (other / "model" / "nice.safetensors").read_bytes() == whole
