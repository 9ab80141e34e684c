"""What KMS refuses in a key policy: malformed documents, too long ones, and lockouts."""

from __future__ import annotations

import fnmatch
import json
from typing import TYPE_CHECKING, Any

from moto.backends import get_backend

from .iam import as_list, decide, identity_policies
from .identity import principal_arn
from .protocol import AwsError, Call

if TYPE_CHECKING:
    from .bed import Bed

LONGEST = 32_768  # bytes
VERSIONS = ("2012-10-17", "2008-10-17", None)


def check_policy(bed: Bed, call: Call, text: str, key: str = "*") -> None:
    """Raise what PutKeyPolicy and CreateKey would answer to this document."""
    if len(text.encode()) > LONGEST:
        raise AwsError("LimitExceededException", f"The key policy is longer than {LONGEST} bytes.", 400)
    statements = read_statements(text)
    for statement in statements:
        for arn in principals_of(statement):
            if not principal_exists(call, arn):
                raise malformed("Policy contains a statement with one or more invalid principals.")
    if call.params.get("BypassPolicyLockoutSafetyCheck"):
        return
    if not may_put_policy_again(bed, call, statements, key):
        raise malformed("The new key policy will not allow you to update the key policy in the future.")


def malformed(message: str) -> AwsError:
    return AwsError("MalformedPolicyDocumentException", message, 400)


def read_statements(text: str) -> list[dict[str, Any]]:
    try:
        document = json.loads(text)
    except ValueError:
        raise malformed("The new key policy is not valid JSON.") from None
    if not isinstance(document, dict) or document.get("Version") not in VERSIONS or not document.get("Statement"):
        raise malformed("Policy document must have a known Version and at least one Statement.")
    statements = as_list(document["Statement"])
    for statement in statements:
        whole = (
            isinstance(statement, dict)
            and statement.get("Effect") in ("Allow", "Deny")
            and ("Principal" in statement) != ("NotPrincipal" in statement)
            and ("Action" in statement) != ("NotAction" in statement)
            and ("Resource" in statement) != ("NotResource" in statement)
            and isinstance(statement.get("Condition", {}), dict)
            and all(":" in str(a) or a == "*" for a in as_list(statement.get("Action", "*")))
        )
        if not whole:
            raise malformed("Policy contains a statement that is not well formed.")
    return statements


def principals_of(statement: dict[str, Any]) -> list[str]:
    """The AWS principals a statement names; services are left out."""
    principal = statement.get("Principal", statement.get("NotPrincipal"))
    if isinstance(principal, dict):
        return [str(p) for p in as_list(principal.get("AWS", []))]
    return [str(principal)]


def principal_exists(call: Call, arn: str) -> bool:
    """Own roles and users must exist; of other accounts nothing is known here."""
    if not arn.startswith(f"arn:aws:iam::{call.account}:"):
        return arn == "*" or arn.startswith(("arn:aws:", "AROA", "AIDA")) or (arn.isdigit() and len(arn) == 12)
    kind = arn.split(":", 5)[5].split("/", 1)[0]
    backend = get_backend("iam")[call.account]["aws"]
    if kind == "role":
        return any(role.arn == arn for role in backend.roles.values())
    if kind == "user":
        return any(user.arn == arn for user in backend.users.values())
    return kind == "root"


def may_put_policy_again(bed: Bed, call: Call, statements: list[dict[str, Any]], key: str) -> bool:
    """The lockout check, for the plain cases: unknown conditions allow nothing and deny nothing."""
    identity = bed.identity(call)
    caller, allowed = principal_arn(identity), False
    for statement in statements:
        if not covers_put_policy(statement) or not conditions_hold(call, statement, caller):
            continue
        named = set(principals_of(statement))
        direct = bool(named & {"*", caller, identity["arn"]})
        root = bool(named & {call.account, f"arn:aws:iam::{call.account}:root"})
        if statement["Effect"] == "Deny":
            if direct or root:
                return False
        elif direct or (root and iam_allows(call, caller, key)):
            allowed = True
    return allowed


def covers_put_policy(statement: dict[str, Any]) -> bool:
    if "Principal" not in statement or "Action" not in statement:
        return False
    return any(fnmatch.fnmatchcase("kms:putkeypolicy", str(a).lower()) for a in as_list(statement["Action"]))


def conditions_hold(call: Call, statement: dict[str, Any], caller: str) -> bool:
    known = {"kms:calleraccount": call.account, "aws:principalaccount": call.account, "aws:principalarn": caller}
    for tests in statement.get("Condition", {}).values():
        for key, wanted in tests.items():
            value = known.get(key.lower())
            if value is None or not any(fnmatch.fnmatchcase(value, str(w)) for w in as_list(wanted)):
                return False
    return True


def iam_allows(call: Call, caller: str, key: str) -> bool:
    """Where the account is trusted, the caller's own policies decide; an unknown caller is an administrator."""
    try:
        documents = identity_policies(call, caller)
    except AwsError:
        return True
    return decide(documents, "kms:PutKeyPolicy", key) == "allowed"
