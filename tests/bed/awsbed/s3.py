"""S3 where moto would mislead: default encryption, and bucket policies it cannot judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket

from .protocol import Call, Raw, op

if TYPE_CHECKING:
    from .bed import Bed


def leave_bucket_policies_unenforced() -> None:
    """moto applies bucket policies to object calls but takes a false Condition for
    a Deny, so a TLS-only bucket refuses everyone. Denials come from faults here."""
    FakeBucket.get_permission = lambda self, action, resource: PermissionResult.NEUTRAL  # type: ignore[method-assign]


@op("s3", "GetBucketEncryption")
def bucket_encryption(bed: Bed, call: Call) -> dict[str, Any]:
    """Since January 2023 every bucket has at least SSE-S3; moto still says 'none'."""
    answer = bed.ask_moto(call)
    if answer[0] == 404 and b"ServerSideEncryptionConfigurationNotFoundError" in answer[2]:
        return {
            "ServerSideEncryptionConfiguration": {
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
            }
        }
    raise Raw(answer)


@op("s3", "GetBucketVersioning")
def bucket_versioning(bed: Bed, call: Call) -> dict[str, Any]:
    """moto names the root element after the operation; a strict SDK wants VersioningConfiguration."""
    status, headers, body = bed.ask_moto(call)
    raise Raw((status, headers, body.replace(b"GetBucketVersioningResponse", b"VersioningConfiguration")))
