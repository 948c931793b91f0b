"""The loader of models, against a registry served on loopback."""

import hashlib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from bitswap_cli.errors import ModelError
from bitswap_models import zoo

GOOD = b"the right file" * 1000
SHA256 = hashlib.sha256(GOOD).hexdigest()
Use = Callable[[str], None]


class Handler(BaseHTTPRequestHandler):
    """Serves `pages`; "/truncated" promises more bytes than it sends."""

    pages: ClassVar[dict[str, bytes]] = {}
    requests: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.requests.append(self.path)
        body = self.pages.get(self.path)
        if body is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.path == "/truncated" else body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    """Address of a loopback server, without a slash at its end."""
    Handler.pages = {"/good": GOOD, "/wrong": GOOD[::-1], "/truncated": GOOD, "/short": GOOD[:100]}
    Handler.pages["/long"] = GOOD + GOOD
    Handler.requests = []
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture
def no_server() -> str:
    """Address at which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no proxy between the tests and loopback."""
    monkeypatch.setenv("BITSWAP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "cache"


def registry_text(*urls: str, name: str = "far", sha256: str = SHA256) -> str:
    values = {"name": name, "sha256": sha256, "size": len(GOOD), "urls": list(urls)}
    return "\n".join(["[[model]]", *(f"{key} = {value!r}" for key, value in values.items()), ""])


@pytest.fixture
def use_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Use:
    def use(text: str) -> None:
        path = tmp_path / "registry.toml"
        path.write_text(text)
        monkeypatch.setenv("BITSWAP_REGISTRY", str(path))

    return use


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_good_file_is_downloaded_once(server: str, use_registry: Use, cache: Path) -> None:
    use_registry(registry_text(f"{server}/good"))
    file = zoo.resolve("far")
    assert file == zoo.ModelFile(cache / "far" / f"{SHA256}.safetensors", "far", SHA256)
    assert file.path.read_bytes() == GOOD
    assert zoo.resolve("far") == file
    assert zoo.find("far", SHA256) == file
    assert Handler.requests == ["/good"]


def test_cached_model_needs_no_registry(server: str, use_registry: Use) -> None:
    use_registry(registry_text(f"{server}/good"))
    file = zoo.resolve("far")
    use_registry("not = a [registry")
    assert zoo.resolve("far") == file


def test_damaged_file_in_the_cache_is_fetched_again(server: str, use_registry: Use) -> None:
    use_registry(registry_text(f"{server}/good"))
    file = zoo.resolve("far")
    file.path.write_bytes(b"damaged")
    assert zoo.installed("far") is None
    assert zoo.resolve("far").path.read_bytes() == GOOD


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("/wrong", f"SHA-256 is not {SHA256}"),
        ("/truncated", "broke off"),
        ("/short", "broke off after 100 of 14000 bytes"),
        ("/long", "larger than the 14000 bytes announced"),
        ("/absent", "HTTP 404"),
    ],
)
def test_bad_download_is_refused(
    server: str, use_registry: Use, cache: Path, page: str, reason: str
) -> None:
    use_registry(registry_text(server + page))
    with pytest.raises(ModelError, match=reason) as caught:
        zoo.resolve("far")
    assert "\n" not in str(caught.value)
    assert server + page in str(caught.value)
    assert files_in(cache) == []


def test_no_server(no_server: str, use_registry: Use, cache: Path) -> None:
    use_registry(registry_text(f"{no_server}/good"))
    with pytest.raises(ModelError, match="offline"):
        zoo.resolve("far")
    assert files_in(cache) == []


def test_mirrors_are_tried_in_order(server: str, no_server: str, use_registry: Use) -> None:
    bad = [f"{no_server}/good", f"{server}/absent", f"{server}/wrong", f"{server}/truncated"]
    use_registry(registry_text(*bad, f"{server}/good", f"{server}/never"))
    assert zoo.resolve("far").path.read_bytes() == GOOD
    assert Handler.requests == ["/absent", "/wrong", "/truncated", "/good"]


def test_every_mirror_is_named_when_all_fail(
    server: str, no_server: str, use_registry: Use
) -> None:
    use_registry(registry_text(f"{no_server}/good", f"{server}/absent"))
    with pytest.raises(ModelError, match=f"{no_server}/good: .*; {server}/absent: HTTP 404"):
        zoo.resolve("far")


def test_registry_at_an_address(
    server: str, no_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Handler.pages["/registry.toml"] = registry_text(f"{server}/good").encode()
    monkeypatch.setenv("BITSWAP_REGISTRY", f"{server}/registry.toml")
    assert zoo.resolve("far").sha256 == SHA256
    monkeypatch.setenv("BITSWAP_REGISTRY", f"{server}/absent.toml")
    with pytest.raises(ModelError, match="cannot read the model registry .*: HTTP 404"):
        zoo.resolve("other")
    monkeypatch.setenv("BITSWAP_REGISTRY", f"{no_server}/registry.toml")
    with pytest.raises(ModelError, match="offline"):
        zoo.resolve("other")


def test_an_older_version_is_found_by_its_hash(server: str, use_registry: Use) -> None:
    other = hashlib.sha256(GOOD[::-1]).hexdigest()
    use_registry(registry_text(f"{server}/wrong", sha256=other) + registry_text(f"{server}/good"))
    assert zoo.find("far").sha256 == other
    assert zoo.find("far", SHA256).path.read_bytes() == GOOD
    with pytest.raises(ModelError, match="another version .*--model"):
        zoo.find("far", "0" * 64)


@pytest.mark.parametrize(
    "text",
    [
        "[[model",
        "model = 1",
        "[model]\na = 1",
        "a = " + "[" * 5000,
        "a = " + "9" * 5000,
        "a = 1\n" * (1 << 20),
    ],
)
def test_malformed_registry(use_registry: Use, text: str) -> None:
    use_registry(text)
    with pytest.raises(ModelError, match="malformed"):
        zoo.registry()


@pytest.mark.parametrize(
    "text",
    [
        "",
        '[[model]]\nname = "x"\n',
        registry_text("https://host/x", name="../x"),
        registry_text("https://host/x", sha256="abc"),
        registry_text("https://host/x").replace("size = ", "size = -"),
        registry_text("https://host/x").replace("size = 14000", "size = true"),
        registry_text("https://host/x").replace("urls = [", "urls = [1, "),
    ],
)
def test_a_malformed_entry_spoils_only_itself(use_registry: Use, text: str) -> None:
    use_registry((text or "[[model]]\n") + registry_text("https://host/y", name="other"))
    told: list[str] = []
    assert [entry.name for entry in zoo.registry(told.append)] == ["other"]
    assert len(told) == 1 and "entry 1" in told[0]
    with pytest.raises(ModelError, match="unknown model 'far'.*entry 1"):
        zoo.find("far")


def test_an_address_of_an_unknown_scheme_spoils_only_itself(server: str, use_registry: Use) -> None:
    use_registry(registry_text("ftp://host/x", f"{server}/good"))
    assert zoo.find("far").path.read_bytes() == GOOD
    use_registry(registry_text("ftp://host/x", name="other"))
    with pytest.raises(ModelError, match="no http or https address"):
        zoo.find("other")


def test_registry_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITSWAP_REGISTRY", str(tmp_path / "none.toml"))
    with pytest.raises(ModelError, match="cannot read the model registry"):
        zoo.find("other")


def test_unknown_model() -> None:
    with pytest.raises(ModelError, match="unknown model 'nobody'.*bitswap models list"):
        zoo.resolve("nobody")


@pytest.mark.parametrize("name", ["", ".", "..", "a b", "a\n", "x" * 65])
def test_name_that_is_none(name: str) -> None:
    with pytest.raises(ModelError, match="not the name of a model"):
        zoo.find(name)


def test_find_never_takes_a_path(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(GOOD)
    with pytest.raises(ModelError, match="not the name of a model"):
        zoo.find(str(tmp_path / "model.safetensors"))


def test_path(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    path = folder / "model.safetensors"
    path.write_bytes(GOOD)
    assert zoo.resolve(str(path)) == zoo.ModelFile(path, "mine", SHA256)
    assert zoo.resolve(f"{folder}/") == zoo.ModelFile(path, "mine", SHA256)
    other = path.rename(folder / "a b.safetensors")
    assert zoo.resolve(str(other)).name == "a_b"
    with pytest.raises(ModelError, match="cannot read the model file .*none.safetensors"):
        zoo.resolve(str(tmp_path / "none.safetensors"))


def test_embedded_models_resolve_to_themselves() -> None:
    for name in zoo.embedded():
        assert zoo.resolve(name).path == zoo.EMBEDDED / name / "model.safetensors"


def test_installed_registry_is_well_formed() -> None:
    assert isinstance(zoo.registry(), list)


def test_no_http_client_is_loaded_where_nothing_is_downloaded() -> None:
    code = "import sys; from bitswap_models import zoo; zoo.embedded(), zoo.registry();"
    code += "zoo.downloaded(); print(*{'pooch', 'requests', 'urllib.request'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
