"""nginx in front of a small server: TLS, limits, headers, and what is not passed on."""

from __future__ import annotations

import json
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from fullcircle.core import paths
from fullcircle.scoring.bundle import Bundle
from tests.deploy.files import NGINX, output, tool
from tests.serving.servers import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Project

DEADLINE = 20.0  # seconds until nginx must accept connections

MAIN = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/fullcircle.conf;
}}
"""


class Echo(BaseHTTPRequestHandler):
    """Answers with what arrived: path, headers, length of the body, and the connection it came by."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        received = {
            "path": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "length": len(self.rfile.read(length)),
            "connection": self.client_address[1],
        }
        body = json.dumps(received).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815  its name in the base class

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name in the base class
        pass


@dataclass(frozen=True, slots=True)
class Proxy:
    """A running nginx: its ports, and a client's trust in its certificate."""

    plain: int
    tls: int
    trust: ssl.SSLContext

    def client(self) -> HTTPSConnection:
        return HTTPSConnection("127.0.0.1", self.tls, context=self.trust, timeout=DEADLINE)

    def get(self, path: str, **headers: str) -> tuple[int, Any]:
        """Status, and what arrived at the server behind it; None if nothing did."""
        client = self.client()
        client.putrequest("GET", path, skip_host=False)
        for name, value in headers.items():
            client.putheader(name.replace("_", "-"), value)
        client.endheaders()
        answer = client.getresponse()
        body = answer.read()
        client.close()
        return answer.status, json.loads(body) if answer.status == 200 else None

    def post(self, body: bytes) -> tuple[int, Any]:
        client = self.client()
        with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):  # a 413 before it has read the body
            client.request("POST", "/predict", body)
        answer: HTTPResponse = client.getresponse()
        status, read = answer.status, answer.read()
        client.close()
        return status, json.loads(read) if status == 200 else None


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on."""
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [each.getsockname()[1] for each in taken]
    for each in taken:
        each.close()
    return ports


def replaced(text: str, pattern: str, new: str) -> str:
    """The text with the one match of a pattern replaced."""
    text, count = re.subn(pattern, new, text)
    assert count == 1, f"{pattern} is there {count} times"
    return text


def write_configuration(folder: Path, *, behind: int, plain: int, tls: int) -> Path:
    """fullcircle.conf with a certificate and ports of the test, and an nginx.conf that includes it."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subject = ["-subj", "/CN=model", "-addext", "subjectAltName=IP:127.0.0.1"]
    output(tool("openssl"), *request, *subject, "-keyout", key, "-out", certificate)
    text = re.sub(r" +listen \[::\]:.*\n", "", NGINX.read_text(encoding="utf-8"))
    text = replaced(text, r"listen 80;", f"listen 127.0.0.1:{plain};")
    text = replaced(text, r"listen 443 ssl;", f"listen 127.0.0.1:{tls} ssl;")
    text = replaced(text, r"server 127\.0\.0\.1:8080;", f"server 127.0.0.1:{behind};")
    text = replaced(text, r"(ssl_certificate +)\S+;", rf"\g<1>{certificate};")
    text = replaced(text, r"(ssl_certificate_key +)\S+;", rf"\g<1>{key};")
    (folder / "fullcircle.conf").write_text(text, encoding="utf-8")
    main = folder / "nginx.conf"
    main.write_text(MAIN.format(folder=folder), encoding="utf-8")
    return main


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """nginx with the configuration, before a server that echoes."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with nginx_before(server.server_port, tmp_path_factory.mktemp("nginx")) as made:
            yield made
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def nginx_before(behind: int, folder: Path) -> Iterator[Proxy]:
    """nginx with the configuration, before what listens on a port."""
    nginx = tool("nginx")
    plain, tls = free_ports(2)
    main = write_configuration(folder, behind=behind, plain=plain, tls=tls)
    process = subprocess.Popen([nginx, "-p", folder, "-e", folder / "error.log", "-c", main])
    try:
        wait_until_open(tls, process, folder / "error.log")
        yield Proxy(plain, tls, ssl.create_default_context(cafile=str(folder / "certificate.pem")))
    finally:
        process.terminate()
        process.wait(DEADLINE)
        shutil.rmtree(folder)


def wait_until_open(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until connections are accepted."""
    last = time.monotonic() + DEADLINE
    while time.monotonic() < last and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"nginx does not listen: {log.read_text(encoding='utf-8') if log.exists() else 'no log'}")


def test_nginx_accepts_the_configuration(tmp_path: Path) -> None:
    nginx = tool("nginx")
    plain, tls, behind = free_ports(3)
    main = write_configuration(tmp_path, behind=behind, plain=plain, tls=tls)
    printed = output(nginx, "-t", "-p", tmp_path, "-e", tmp_path / "error.log", "-c", main)
    assert "successful" in printed
    assert "[warn]" not in printed


def test_the_service_answers_behind_it(reproduced: Project, tmp_path: Path) -> None:
    bundle = reproduced.folder / paths.BUNDLE
    row = Bundle.load(bundle).golden
    assert row is not None
    env = {"PYTHONPATH": str(reproduced.folder / "src"), "FULLCIRCLE_API_KEYS": "key"}
    with serving(bundle, env=env) as server, nginx_before(server.port, tmp_path) as made:
        client = made.client()
        body = json.dumps({"rows": list(row.rows)})
        for key, status in (("other", 401), ("key", 200)):
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}", "X-Request-ID": "r-1"}
            client.request("POST", "/predict", body, headers)
            answer = client.getresponse()
            found = json.loads(answer.read())
            assert (answer.status, answer.headers["X-Request-ID"]) == (status, "r-1")
        client.close()
        assert found["scored"] == len(row.rows)
        assert made.get("/metrics")[0] in (403, 404)


def test_plain_http_is_redirected(proxy: Proxy) -> None:
    client = HTTPConnection("127.0.0.1", proxy.plain, timeout=DEADLINE)
    client.request("POST", "/predict?explain=1", b"{}", {"Host": "model.example.com"})
    answer = client.getresponse()
    answer.read()
    client.close()
    assert answer.status == 308  # unlike 301, keeps the method and the body
    assert answer.headers["Location"] == "https://model.example.com/predict?explain=1"


def test_a_request_arrives(proxy: Proxy) -> None:
    status, received = proxy.get("/v2/models/flights?x=1", Authorization="Bearer key")
    assert status == 200
    assert received["path"] == "/v2/models/flights?x=1"
    assert received["headers"]["authorization"] == "Bearer key"
    assert received["headers"]["x-forwarded-proto"] == "https"


def test_the_request_id_of_the_caller_is_passed(proxy: Proxy) -> None:
    _, received = proxy.get("/health/live", X_Request_ID="order-17.b_2")
    assert received["headers"]["x-request-id"] == "order-17.b_2"


@pytest.mark.parametrize("given", [None, "", "a b", "x" * 65, 'a","level":"error'])
def test_another_request_id_is_replaced(proxy: Proxy, given: str | None) -> None:
    _, received = proxy.get("/health/live", **({} if given is None else {"X_Request_ID": given}))
    assert re.fullmatch("[0-9a-f]{32}", received["headers"]["x-request-id"])


def test_the_address_of_the_caller_cannot_be_forged(proxy: Proxy) -> None:
    _, received = proxy.get("/health/live", X_Forwarded_For="10.1.2.3")
    assert received["headers"]["x-forwarded-for"] == "127.0.0.1"


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "//metrics", "/%6detrics", "/x/../metrics", "/metrics?a=1"])
def test_metrics_are_not_passed(proxy: Proxy, path: str) -> None:
    assert proxy.get(path) == (404, None)


def test_a_body_of_the_limit_arrives(proxy: Proxy) -> None:
    status, received = proxy.post(bytes(16 * 2**20))
    assert status == 200
    assert received["length"] == 16 * 2**20


def test_a_larger_body_is_refused(proxy: Proxy) -> None:
    assert proxy.post(bytes(16 * 2**20 + 1)) == (413, None)


def test_connections_to_the_service_are_kept(proxy: Proxy) -> None:
    found = {proxy.get("/health/live")[1]["connection"] for _ in range(5)}
    assert len(found) == 1


def test_browsers_keep_to_https(proxy: Proxy) -> None:
    client = proxy.client()
    client.request("GET", "/health/live")
    assert "max-age" in client.getresponse().headers["Strict-Transport-Security"]
    client.close()
