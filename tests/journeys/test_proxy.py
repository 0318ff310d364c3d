"""What proxy/nginx.conf does. Collected when NGINX is the path of an nginx, which is not part of
this project; without it, test_compose.py checks the text of the file alone.

NGINX=/usr/sbin/nginx .venv-dev/bin/python -m pytest tests/journeys/test_proxy.py
"""

import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import requests

from demo.processes import Process, free_port, wait_until
from demo.stack import ROOT

NGINX = os.environ["NGINX"]
PER_ADDRESS = 400
LARGEST = 10 * 1024 * 1024


class Web(BaseHTTPRequestHandler):
    """Stands for web: says what it got. /wait is answered once `may_answer` is set."""

    protocol_version = "HTTP/1.1"
    requests_seen: ClassVar[list[str]] = []
    may_answer: ClassVar[threading.Event] = threading.Event()

    def do_POST(self) -> None:
        self.requests_seen.append(self.path)
        size = len(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/wait":
            self.may_answer.wait(30)
        text = f"{size} {self.headers['X-Forwarded-For']} {self.headers['Host']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("proxy")


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    port = free_port()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    server.socket.listen(1000)
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    text = (ROOT / "proxy" / "nginx.conf").read_text()
    # A container has a /tmp of its own, and a name for web.
    text = re.sub(r"(?<= )/tmp", str(folder), text)
    text = text.replace("listen 8080", f"listen 127.0.0.1:{port}")
    text = text.replace("web:8080", f"127.0.0.1:{server.server_address[1]}")
    text = text.replace("/dev/stdout", f"{folder}/access.log")
    (folder / "nginx.conf").write_text(text)
    mode = "daemon off; user root;" if os.getuid() == 0 else "daemon off;"
    command = [NGINX, "-c", str(folder / "nginx.conf"), "-p", str(folder), "-g", mode]
    process = Process("nginx", command, os.environ, folder, folder / "nginx.log")
    process.start()
    wait_until(lambda: is_alive(port), for_s=20, what="nginx")
    yield port
    process.stop()
    server.shutdown()
    serving.join()
    server.server_close()


def is_alive(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/proxy/alive", timeout=2).status_code == 204
    except requests.RequestException:
        return False


def test_web_gets_the_request_when_all_of_it_is_there(port: int) -> None:
    Web.requests_seen.clear()
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(b"POST /slow HTTP/1.1\r\nHost: voice.example\r\nContent-Length: 3\r\n\r\nab")
        assert requests.post(f"http://127.0.0.1:{port}/quick", timeout=10).status_code == 200
        assert Web.requests_seen == ["/quick"]
        client.sendall(b"c")
        assert client.recv(99).startswith(b"HTTP/1.1 200")
    assert Web.requests_seen == ["/quick", "/slow"]


def test_a_body_over_the_limit_is_refused_and_one_at_the_limit_is_not(port: int) -> None:
    url = f"http://127.0.0.1:{port}/webhook/vapi"
    assert requests.post(url, data=b"x" * LARGEST, timeout=20).text.startswith(f"{LARGEST} ")
    Web.requests_seen.clear()
    assert requests.post(url, data=b"x" * (LARGEST + 1), timeout=20).status_code == 413
    assert Web.requests_seen == []


def test_a_header_over_the_limit_is_refused(port: int) -> None:
    url = f"http://127.0.0.1:{port}/webhook/vapi"
    assert requests.post(url, headers={"X-Long": "x" * 9000}, timeout=20).status_code == 400


def test_the_last_address_is_the_one_that_the_proxy_saw(port: int) -> None:
    url = f"http://127.0.0.1:{port}/webhook/vapi"
    forged = {"X-Forwarded-For": "203.0.113.7", "Host": "voice.example"}
    assert requests.post(url, headers=forged, timeout=20).text == (
        "0 203.0.113.7, 127.0.0.1 voice.example"
    )


def test_an_address_has_so_many_requests_at_a_time_and_no_more(port: int) -> None:
    head = b"POST /wait HTTP/1.1\r\nHost: voice.example\r\nContent-Length: 0\r\n\r\n"
    Web.requests_seen.clear()
    Web.may_answer.clear()
    with ExitStack() as stack:
        for _ in range(PER_ADDRESS):
            client = socket.create_connection(("127.0.0.1", port), timeout=10)
            stack.enter_context(client).sendall(head)
        wait_until(lambda: len(Web.requests_seen) == PER_ADDRESS, for_s=30, what="the requests")
        url = f"http://127.0.0.1:{port}/webhook/vapi"
        assert requests.post(url, timeout=20).status_code == 429
        Web.may_answer.set()
    wait_until(lambda: requests.post(url, timeout=20).status_code == 200, for_s=20, what="room")


def test_the_log_has_the_address_and_nothing_of_a_query(port: int, folder: Path) -> None:
    url = f"http://127.0.0.1:{port}/oauth/callback?code=a-secret-code&state=x"
    requests.post(url, timeout=10)
    log = folder / "access.log"
    wait_until(lambda: "/oauth/callback" in log.read_text(), for_s=10, what="the log")
    text = log.read_text()
    assert "a-secret-code" not in text
    assert re.search(r' 127\.0\.0\.1 "POST /oauth/callback" 200 ', text)
