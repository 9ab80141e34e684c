"""Who is calling: the identity behind an access key, as CloudTrail and STS write it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.backends import get_backend

from .protocol import Call, Raw, op
from .values import iso, now, short_id

if TYPE_CHECKING:
    from .bed import Bed


def assumed_role(account: str, role: str, session: str) -> dict[str, Any]:
    """The `userIdentity` of a role session."""
    principal = "AROA" + short_id(account, role, length=17).upper()
    return {
        "type": "AssumedRole",
        "principalId": f"{principal}:{session}",
        "arn": f"arn:aws:sts::{account}:assumed-role/{role}/{session}",
        "accountId": account,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": principal,
                "arn": f"arn:aws:iam::{account}:role/{role}",
                "accountId": account,
                "userName": role,
            },
            "attributes": {"creationDate": iso(now()), "mfaAuthenticated": "false"},
        },
    }


def identity_of(bed: Bed, call: Call) -> dict[str, Any]:
    """What is known of the caller: told by a test, else moto's session or user, else an operator."""
    known = bed.identities.get(call.access_key) or bed.seen_identities.get(call.access_key)
    if known:
        return {"accessKeyId": call.access_key, "accountId": call.account, **known}
    sessions = get_backend("sts")[call.account]["aws"].assumed_roles
    role = next((r for r in sessions if r.access_key_id == call.access_key), None)
    if role is not None:
        made = {
            "type": "AssumedRole",
            "principalId": role.user_id,
            "arn": role.arn,
            "accountId": call.account,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "arn": role.role_arn,
                    "accountId": call.account,
                    "userName": role.role_arn.rsplit("/", 1)[-1],
                },
                "attributes": {"creationDate": iso(now()), "mfaAuthenticated": "false"},
            },
        }
    else:
        user = get_backend("iam")[call.account]["aws"].get_user_from_access_key_id(call.access_key)
        name = user.name if user is not None else "operator"
        made = {
            "type": "IAMUser",
            "principalId": "AIDA" + short_id(name, length=17).upper(),
            "arn": user.arn if user is not None else f"arn:aws:iam::{call.account}:user/{name}",
            "accountId": call.account,
            "userName": name,
        }
    bed.seen_identities[call.access_key] = made
    return {"accessKeyId": call.access_key, **made}


def principal_arn(identity: dict[str, Any]) -> str:
    """The IAM principal a policy would name: a session's role, else the caller itself."""
    issuer = (identity.get("sessionContext") or {}).get("sessionIssuer") or {}
    return str(issuer.get("arn") or identity["arn"])


@op("sts", "GetCallerIdentity")
def get_caller_identity(bed: Bed, call: Call) -> dict[str, Any]:
    """A told identity answers for itself; moto knows its own sessions and users."""
    known = bed.identities.get(call.access_key)
    if known is None:
        raise Raw(bed.ask_moto(call))
    return {
        "Arn": known["arn"],
        "Account": known.get("accountId", call.account),
        "UserId": known.get("principalId", call.access_key),
    }
