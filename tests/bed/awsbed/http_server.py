"""The HTTP/1.1 server: one thread a connection, kept alive, each answer in one write.

werkzeug's own server closes every connection after one request; SDKs keep theirs.
"""

from __future__ import annotations

import io
import logging
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote_to_bytes

log = logging.getLogger("awsbed.http")
SOCKET = "awsbed.socket"  # in the environ: the connection, for faults that cut it


def make_environ(method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> dict[str, Any]:
    """The WSGI environ of a request whose body has been read."""
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1") or "/",
        "RAW_URI": target,
        "REQUEST_URI": target,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in headers:
        key = name.upper().replace("-", "_")
        if key == "CONTENT_TYPE":
            environ[key] = value
        elif key not in ("CONTENT_LENGTH", "TRANSFER_ENCODING"):
            key = "HTTP_" + key
            environ[key] = f"{environ[key]},{value}" if key in environ else value
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ


class Handler(BaseHTTPRequestHandler):
    """One connection. The application comes from the server it belongs to."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "awsbed", ""
    disable_nagle_algorithm = True
    wbufsize = 65_536

    def answer(self) -> None:
        environ = make_environ(self.command, self.path, self.headers.items(), self.read_body())
        environ[SOCKET], environ["REMOTE_ADDR"] = self.connection, self.client_address[0]
        started: dict[str, Any] = {}

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            started.update(status=int(status.split()[0]), headers=headers)

        try:
            chunks = self.server.app(environ, start_response)
            self.write_answer(started["status"], started["headers"], chunks)
        except ConnectionError:  # cut by a fault, or by the client
            self.close_connection = True

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_PATCH = do_OPTIONS = answer

    def handle_expect_100(self) -> bool:
        """Say `100 Continue` at once; the client waits for it before it sends the body."""
        go_on = super().handle_expect_100()
        self.wfile.flush()
        return go_on

    def read_body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():  # trailers
            pass
        return bytes(body)

    def write_answer(self, status: int, headers: list[tuple[str, str]], chunks: Any) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("connection", "server", "date"):
                self.send_header(name, value)
        known_length = any(name.lower() == "content-length" for name, _ in headers)
        if not known_length:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in chunks:
            if known_length:
                self.wfile.write(chunk)
            elif chunk:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
                self.wfile.flush()
        if not known_length:
            self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:
        log.info(format, *args)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, host: str, port: int, app: Any):
        self.app = app
        super().__init__((host, port), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client that went away is no news
            log.exception("connection failed")
