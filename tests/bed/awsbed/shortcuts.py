"""Work moto repeats for every request or key, done once: the answers stay the same."""

from __future__ import annotations

import functools
from typing import Any

from botocore.loaders import JSONFileLoader
from moto import backends
from moto.core import responses
from moto.kms import models as kms_models


def take() -> None:
    """Replace the slow parts; called once, before the first request."""
    modules = frozenset(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: modules
    responses.method_names_from_class = functools.cache(responses.method_names_from_class)
    JSONFileLoader.load_file = load_each_file_once(JSONFileLoader.load_file)
    kms_models.generate_private_key = private_key_if_needed(kms_models.generate_private_key)


def load_each_file_once(load: Any) -> Any:
    """moto and the SDK clients each read the same service models, some of them megabytes."""
    known: dict[str, Any] = {}

    def load_once(self: JSONFileLoader, file_path: str) -> Any:
        if file_path not in known:
            known[file_path] = load(self, file_path)
        return known[file_path]

    return load_once


def private_key_if_needed(generate: Any) -> Any:
    """moto makes an RSA pair (90 ms) for a symmetric key too, and never uses it."""

    def generate_if_needed(key_spec: str) -> Any:
        return None if key_spec == "SYMMETRIC_DEFAULT" else generate(key_spec)

    return generate_if_needed
