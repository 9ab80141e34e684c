"""Planting a seed account: signed SDK calls that reach the bed without a socket.

The seed's own data lives beside this package, in `seed/`. Planting leaves no trace
in the call counts and none in the event history.
"""

from __future__ import annotations

import importlib
import io
import random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from moto.backends import get_backend
from moto.moto_api._internal import mock_random
from moto.moto_api._internal.models import moto_api_backend

from .http_server import make_environ
from .live import Live
from .protocol import read_call

if TYPE_CHECKING:
    from .server import App

SEEDS = ("none", "orion")
ACCOUNT = "123456789012"
ACCESS_KEY = "SEEDPLANTER"


class Body(io.BytesIO):
    """What botocore asks of an HTTP response body."""

    def stream(self, amt: int = 65536, decode_content: bool | None = None) -> Any:
        while chunk := self.read(amt):
            yield chunk


class Planter:
    """SDK clients of the bed, in process, and the bed itself for what no API can set."""

    def __init__(self, app: App):
        self.app, self.bed = app, app.bed
        self.session = boto3.Session(aws_access_key_id=ACCESS_KEY, aws_secret_access_key="none")
        self.clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, region: str) -> Any:
        made = self.clients.get((service, region))
        if made is None:
            made = self.session.client(
                service,
                region_name=region,
                endpoint_url="http://127.0.0.1",
                config=Config(
                    retries={"max_attempts": 0},
                    s3={"addressing_style": "path"},
                    parameter_validation=False,
                    request_checksum_calculation="when_required",
                ),
            )
            made.meta.events.register("before-send", self.send)
            self.clients[service, region] = made
        return made

    def backend(self, service: str, region: str = "aws") -> Any:
        """moto's own state of a service in the seeded account."""
        return get_backend(service)[ACCOUNT][region]

    def send(self, request: Any, **_: Any) -> AWSResponse:
        """Hand a signed request to the bed as the HTTP server would."""
        url, body = urlsplit(request.url), request.body or b""
        if hasattr(body, "read"):
            body = body.read()
        body = body.encode() if isinstance(body, str) else bytes(body)
        headers = [(k, v.decode() if isinstance(v, bytes) else str(v)) for k, v in request.headers.items()]
        target = url.path + ("?" + url.query if url.query else "")
        environ = make_environ(request.method, target, [*headers, ("Host", url.netloc)], body)
        call = read_call(environ)
        assert call is not None, request.url
        status, answered, content = self.app.answer(call)
        return AWSResponse(request.url, status, dict(answered), Body(content))


def reset(app: App) -> None:
    """Back to an empty account."""
    with app.bed.lock:
        moto_api_backend.reset()
        app.bed.clear()


def plant(app: App, seed: str, scale: int = 0) -> None:
    """Plant a seed into an empty bed, `scale` more jobs with it; the same seed always gets the same identifiers."""
    if seed not in SEEDS:
        raise ValueError(f"seed must be one of {SEEDS}")
    if seed == "none":
        return
    bed = app.bed
    planter = app.planter = app.planter or Planter(app)
    with bed.lock:
        story = importlib.import_module("seed")
        mock_random.seed(bed.seed)
        state = random.getstate()
        random.seed(bed.seed)
        try:
            story.plant(planter)
            if scale:
                story.scale.plant(planter, scale)
        finally:
            random.setstate(state)
        bed.live = Live(bed, story.script(bed))
        bed.forget_calls()
