"""The WSGI application: faults, stubs, own handlers and moto, in that order, and the record of it."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from . import beside, comprehend, iam, kms, macie, runtime  # noqa: F401  their operations register on import
from .bed import Bed
from .bedrock import guardrails, lists, models, settings  # noqa: F401
from .control import CONTROL, CONTROL_PREFIX
from .empty import EMPTY_ANSWERS
from .faults import drop_connection, fault_answer
from .logs.operations import LiveTail, live_tail
from .matching import dig
from .protocol import HANDLERS, Answer, AwsError, Call, Raw, read_call, render, revive
from .trail import NOT_IN_EVENT_HISTORY, trail_event
from .values import plain

if TYPE_CHECKING:
    from .planter import Planter

log = logging.getLogger("awsbed")


class App:
    """WSGI entry point of one bed."""

    def __init__(self, bed: Bed):
        self.bed = bed
        self.planter: Planter | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith(CONTROL_PREFIX + "/") or path == CONTROL_PREFIX:
            return self.control(environ, start_response)
        call = read_call(environ)
        if call is None:
            return self.unknown(environ, start_response)
        started = time.perf_counter()
        calls = self.bed.calls
        with self.bed.lock:
            calls.enter()
        try:
            if self.bed.config["latency_ms"]:
                time.sleep(self.bed.config["latency_ms"] / 1000)
            status, headers, body = self.serve(call)
        except LiveTail as live:
            self.note(call, 200, started, b"")
            start_response(
                "200 OK",
                [("Content-Type", "application/vnd.amazon.eventstream"), ("x-amzn-RequestId", call.request_id)],
            )
            return live_tail(call, live)
        finally:
            with self.bed.lock:
                calls.in_flight -= 1
        self.note(call, status, started, body)
        if status == 0:
            drop_connection(environ)
            raise ConnectionError("awsbed: dropped on request")
        length = len(body)
        if call.request.method == "HEAD":  # moto's own length, the body is empty
            length = int(next((v for k, v in headers if k.lower() == "content-length"), length))
        headers = [(k, v) for k, v in headers if k.lower() not in ("content-length", "status")]
        start_response(f"{status} -", headers + [("Content-Length", str(length))])
        return [body]

    def unknown(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Not a signed call, or none that botocore knows: moto may still have a page for it."""
        with self.bed.lock:
            self.bed.calls.unrouted += 1
        try:
            return self.bed.moto(environ, start_response)
        except Exception as error:
            body = json.dumps({"__type": "NotImplementedByTestBed", "message": str(error)}).encode()
            start_response("501 -", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
            return [body]

    def serve(self, call: Call) -> Answer:
        cut = False
        for fault in list(self.bed.faults):
            with self.bed.lock:
                hit = fault.matches(call, self.bed.rng)
            if not hit:
                continue
            if fault.latency_ms:
                time.sleep(fault.latency_ms / 1000)
            if fault.kind == "drop":
                return 0, [], b""
            cut = cut or fault.kind == "truncated"
            answer = fault_answer(fault, call, self.bed)
            if answer is not None:
                return answer
        answer = self.answer(call)
        if cut:
            answer = (answer[0], answer[1], answer[2][: len(answer[2]) // 2])
        return answer

    def answer(self, call: Call) -> Answer:
        stub = self.stub_for(call)
        try:
            if stub is not None:
                if stub.get("error"):
                    raise AwsError(stub["error"]["code"], stub["error"].get("message", ""), stub["error"].get("status"))
                return render(call, revive(stub.get("result") or {}, call.operation.output_shape))
            handler = HANDLERS.get(call.name)
            if handler is not None:
                with self.bed.lock:
                    try:
                        result = handler(self.bed, call)
                    except KeyError as error:
                        raise AwsError("ValidationException", f"Missing required parameter: {error}", 400) from error
                return render(call, revive(result, call.operation.output_shape))
            if call.name in EMPTY_ANSWERS:
                return render(call, revive(EMPTY_ANSWERS[call.name], call.operation.output_shape))
            return self.bed.ask_moto(call)
        except Raw as raw:
            return raw.answer
        except AwsError as error:
            return render(call, error)
        except LiveTail:
            raise
        except Exception as error:
            log.exception("%s failed", call.name)
            return render(call, AwsError("InternalFailure", f"{type(error).__name__}: {error}", 500))

    def stub_for(self, call: Call) -> dict[str, Any] | None:
        for stub in self.bed.stubs:
            if stub["service"] != call.service or stub["operation"] != call.action:
                continue
            if stub.get("region") not in (None, call.region) or stub.get("times", 1) == 0:
                continue
            wanted = stub.get("when") or {}
            if all(str(dig(plain(call.params), k)) == str(v) for k, v in wanted.items()):
                if "times" in stub:
                    stub["times"] -= 1
                return stub
        return None

    def note(self, call: Call, status: int, started: float, body: bytes) -> None:
        """Count a call and write it into the event history."""
        bed, took = self.bed, (time.perf_counter() - started) * 1000
        with bed.lock:
            bed.calls.add(call, status, took)
            if bed.config["keep_requests"]:
                bed.calls.keep(call)
            if bed.config["record"] and status and not NOT_IN_EVENT_HISTORY.match(call.name):
                bed.history(call.account, call.region).add(trail_event(bed, call, status, body))

    # Control plane -------------------------------------------------------

    def control(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        route = environ["PATH_INFO"][len(CONTROL_PREFIX) :].strip("/")
        raw = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        query = {k: v[0] for k, v in parse_qs(environ.get("QUERY_STRING", "")).items()}
        try:
            handler = CONTROL.get((method, route))
            if handler is None:
                status, doc = 404, {"error": f"no {method} {route}", "routes": [f"{m} /_bed/{r}" for m, r in CONTROL]}
            else:
                status, doc = 200, handler(self, json.loads(raw or b"{}"), query)
        except Exception as error:  # a control call is a test's own: tell it everything
            log.exception("control call failed")
            status, doc = 400, {"error": f"{type(error).__name__}: {error}"}
        body = json.dumps(doc, default=str).encode()
        start_response(f"{status} -", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]
