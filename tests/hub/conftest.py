"""A model hub on 127.0.0.1, and processes that load from it set up as users do: by variables."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

Files = Mapping[str, bytes]


def sha(text: str) -> str:
    """Make a commit or blob id up."""
    return hashlib.sha1(text.encode()).hexdigest()


@dataclass
class Repo:
    """A model on the fake hub.

    Attributes:
        commits: files by commit.
        refs: commit by branch or tag.
        token: that a reader needs, if any.
        gated: refuse everybody, as a hub does before access is granted.
        moves_to: what main points to once it was looked up.
    """

    commits: dict[str, Files]
    refs: dict[str, str]
    token: str | None = None
    gated: bool = False
    moves_to: str | None = None


@dataclass
class FakeHub:
    """The server, with the four requests that snapshot_download makes, and a record of them."""

    repos: dict[str, Repo] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)  # of all requests
    tokens: set[str | None] = field(default_factory=set)  # Authorization headers seen
    status: int = 200  # anything else is the answer to every request

    def __enter__(self) -> FakeHub:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def add(self, name: str, files: Files, *, commit: str = "one", **options: object) -> Repo:
        """Put a model with one commit on the hub."""
        repo = Repo({sha(commit): files}, {"main": sha(commit)}, **options)  # type: ignore[arg-type]
        self.repos[name] = repo
        return repo

    def downloaded(self) -> set[str]:
        """Names of the files whose content or headers were asked for."""
        asked = [path.split("/resolve/")[1] for path in self.paths if "/resolve/" in path]
        return {path.split("/", 1)[1] for path in asked}  # behind the revision

    def answer(self, path: str, token: str | None) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body for a path."""
        self.paths.append(path)
        self.tokens.add(token)
        if self.status != 200:
            return self.status, {}, b"{}"
        parts = unquote(path).removeprefix("/api/models").strip("/").split("/")
        count = 1 if parts[0] in self.repos else 2  # names without an owner are the oldest ones
        name, (action, revision, *rest) = "/".join(parts[:count]), parts[count:]
        repo = self.repos.get(name)
        if repo is None or (repo.token is not None and token != f"Bearer {repo.token}"):
            return 401, {"X-Error-Code": "RepoNotFound"}, b"{}"  # for both, as the real one does
        if repo.gated:
            return 403, {"X-Error-Code": "GatedRepo"}, b"{}"
        commit = repo.refs.get(revision, revision)
        if commit not in repo.commits:
            return 404, {"X-Error-Code": "RevisionNotFound"}, b"{}"
        files = repo.commits[commit]
        if action == "revision":
            if repo.moves_to is not None:
                repo.refs["main"] = repo.moves_to
            siblings = [{"rfilename": file} for file in files]
            return 200, {}, json.dumps({"id": name, "sha": commit, "siblings": siblings}).encode()
        if action == "tree":
            tree = [
                {"type": "file", "path": file, "size": len(content), "oid": sha(repr(content))}
                for file, content in files.items()
            ]
            return 200, {}, json.dumps(tree).encode()
        content = files["/".join(rest)]
        return 200, {"X-Repo-Commit": commit, "ETag": f'"{sha(repr(content))}"'}, content

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, headers, body = hub.answer(
                    urlsplit(self.path).path, self.headers.get("authorization")
                )
                self.send_response(status)
                for key, value in (headers | {"Content-Length": str(len(body))}).items():
                    self.send_header(key, value)
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            do_HEAD = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        return Handler


SCRIPT = """
import json, sys
from onepass.errors import OnepassError
from onepass.hub.find import locate

name, options = json.loads(sys.argv[1])
try:
    checkpoint = locate(name, **options)
except OnepassError as error:
    print(json.dumps({"error": str(error), "type": type(error).__name__}))
else:
    root = checkpoint.directory
    files = [path for path in root.rglob("*") if path.is_file()]
    print(json.dumps({
        "directory": str(root),
        "name": checkpoint.name,
        "kind": checkpoint.kind,
        "revision": checkpoint.revision,
        "files": {str(path.relative_to(root)): path.read_text() for path in files},
    }))
"""


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as server:
        yield server


@pytest.fixture
def load(hub: FakeHub, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Run locate in a new process against the fake hub; variables are given as env."""

    def run(name: str, env: Mapping[str, str] | None = None, **options: object) -> dict[str, Any]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
        settings = {
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(tmp_path / "hf"),
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, json.dumps([name, options])],
            capture_output=True,
            text=True,
            env=clean | settings | dict(env or {}),
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
