"""One AWS request: which operation it asks for, its parameters, and its answer on the wire.

Requests are routed with botocore's service models through moto's routers; the
registry of this package's own operations (`op`) lives here too.
"""

from __future__ import annotations

import io
import json
import re
import uuid
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from moto.backends import get_backend
from moto.core.exceptions import ServiceException
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from moto.iam.models import get_account_id_from

from .values import when

# Codes every service may answer (ThrottlingException, AccessDenied) are in few models.
warnings.filterwarnings("ignore", message=".*does not match an error shape.*")


SIGNING_NAMES = {
    "bedrock": ("bedrock", "bedrock-runtime", "bedrock-agent", "bedrock-agent-runtime"),
    "monitoring": ("cloudwatch",),
    "access-analyzer": ("accessanalyzer",),
    "tagging": ("resourcegroupstaggingapi",),
    "servicequotas": ("service-quotas",),
}


class AwsError(ServiceException):
    def __init__(self, code: str, message: str, status: int | None = None, **fields: Any):
        super().__init__(code, message)
        self.status = status
        for name, item in fields.items():
            setattr(self, name, item)


@dataclass
class Call:
    service: str
    action: str
    operation: Any
    region: str
    account: str
    access_key: str
    request: Request
    uri_params: dict[str, Any]
    body: bytes | None
    environ: dict[str, Any]
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    _params: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        return f"{self.service}:{self.action}"

    @property
    def protocol(self) -> str:
        model = get_service_model(self.service)
        try:
            return determine_request_protocol(model, self.request.content_type)
        except NotImplementedError:
            return str(model.protocol)

    @property
    def params(self) -> dict[str, Any]:
        if self._params is None:
            self._params = self._parse()
        return self._params

    def _parse(self) -> dict[str, Any]:
        parser = PROTOCOL_PARSERS[self.protocol](self.operation, map_type=dict)
        self.rewind()
        try:
            parsed = parser.parse(
                {
                    "method": self.request.method,
                    "values": self.request.values,
                    "headers": self.request.headers,
                    "body": self.body or b"",
                    "url_path": self.request.path,
                    "url_params": self.uri_params,
                }
            )
        except Exception:  # a bad request: moto will say so itself
            parsed = {}
        self.rewind()
        return dict(parsed or {})

    def rewind(self) -> None:
        if self.body is not None:
            self.environ["wsgi.input"] = io.BytesIO(self.body)
            self.environ["CONTENT_LENGTH"] = str(len(self.body))

    def backend(self, service: str | None = None) -> Any:
        """moto's own backend of this account (and region, where it has them)."""
        per_account = get_backend(service or self.service)[self.account]
        return per_account[self.region] if self.region in per_account else per_account["aws"]

    def arn(self, resource: str, service: str | None = None, regional: bool = True) -> str:
        return f"arn:aws:{service or self.service}:{self.region if regional else ''}:{self.account}:{resource}"


Answer = tuple[int, list[tuple[str, str]], bytes]


def render(call: Call, result: Any) -> Answer:
    """A result dict or an AwsError, in the wire protocol of the service."""
    serializer = get_serializer_class(call.service, call.protocol)(operation_model=call.operation)
    out = serializer.serialize(result)
    status, headers, body = int(out["status_code"]), dict(out["headers"]), out["body"]
    if isinstance(result, AwsError):
        if result.status:
            status = result.status
        if call.protocol in ("json", "rest-json") and isinstance(body, str):
            # Both spellings: strict SDKs read `message`, old ones `Message`.
            doc = json.loads(body)
            doc.setdefault("message", result.message)
            body = json.dumps(doc)
    if isinstance(body, str):
        body = body.encode()
    headers.setdefault("x-amzn-RequestId", call.request_id)
    return status, [(k, str(v)) for k, v in headers.items()], body


Handler = Callable[["Bed", Call], Any]
HANDLERS: dict[str, Handler] = {}


def op(service: str, *actions: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        for action in actions:
            get_service_model(service).operation_model(action)  # a typo fails at import
            HANDLERS[f"{service}:{action}"] = handler
        return handler

    return register


class Raw(Exception):
    """Raised by a handler that already has a finished HTTP answer."""

    def __init__(self, answer: Answer):
        self.answer = answer


def read_call(environ: dict[str, Any]) -> Call | None:
    """The AWS operation a request asks for, or None if it is not a signed one."""
    scope = None
    auth = environ.get("HTTP_AUTHORIZATION", "")
    got = re.search(r"Credential=([^/,\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request", auth)
    if got:
        scope = got.groups()
    elif "X-Amz-Credential" in environ.get("QUERY_STRING", ""):
        credential = parse_qs(environ["QUERY_STRING"]).get("X-Amz-Credential", [""])[0].split("/")
        scope = (credential[0], credential[2], credential[3]) if len(credential) == 5 else None
    if scope is None:
        return None
    access_key, region, signing = scope
    services = SIGNING_NAMES.get(signing, (signing,))
    if signing == "s3" and environ.get("PATH_INFO", "").startswith("/v20180820/"):
        services = ("s3control",)
    body = None
    if signing != "s3":
        body = environ["wsgi.input"].read()
        environ["wsgi.input"] = io.BytesIO(body)
    request = Request(environ)
    for service in services:
        try:
            operation, uri_params = get_service_router(service).match(request)
        except Exception:
            # SDKs differ in the prefix of X-Amz-Target (CloudTrail has two):
            # only its last part names the operation.
            name = environ.get("HTTP_X_AMZ_TARGET", "").rsplit(".", 1)[-1]
            model = get_service_model(service) if name else None
            if model is None or name not in model.operation_names:
                continue
            operation, uri_params = model.operation_model(name), {}
        finally:
            if body is not None:
                environ["wsgi.input"] = io.BytesIO(body)
        return Call(
            service=service,
            action=str(operation.name),
            operation=operation,
            region=region,
            account=environ.get("HTTP_X_MOTO_ACCOUNT_ID") or get_account_id_from(access_key),
            access_key=access_key,
            request=request,
            uri_params=uri_params,
            body=body,
            environ=environ,
        )
    return None


def error_of(body: bytes) -> tuple[str, str]:
    try:
        doc = json.loads(body)
        code = str(doc.get("__type") or doc.get("code") or "Error").rsplit("#", 1)[-1]
        return code, str(doc.get("message") or doc.get("Message") or "")
    except ValueError:
        text = body.decode("utf-8", "replace")
        pick = lambda tag: (re.search(f"<{tag}>(.*?)</{tag}>", text, re.S) or [None, ""])[1]
        return pick("Code") or "Error", pick("Message")


def revive(value: Any, shape: Any) -> Any:
    """Give a JSON document the Python types its output shape wants (times above all)."""
    if shape is None or value is None:
        return value
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        members = dict(shape.members)
        for name, member in shape.members.items():  # wire names are as good
            members.setdefault(member.serialization.get("name", name), member)
        own = {m.serialization.get("name", n): n for n, m in shape.members.items()}
        return {
            (k if k in shape.members else own[k]): revive(v, members[k])
            for k, v in value.items()
            if v is not None and k in members
        }
    if kind == "list" and isinstance(value, (list, tuple)):
        return [revive(v, shape.member) for v in value]
    if kind == "map" and isinstance(value, dict):
        return {k: revive(v, shape.value) for k, v in value.items()}
    if kind == "timestamp":
        return when(value)
    if kind == "blob" and isinstance(value, str):
        return value.encode()
    return value
