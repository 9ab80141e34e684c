"""awsbed: a local AWS test bed for Amazon Bedrock security tooling.

moto's server runs in this process behind a thin WSGI front end. Every signed
request is routed to an operation with botocore's service models and then meets,
in this order:

  1. faults    rules set through /_bed/faults (throttle, 5xx, latency, dropped
               connection, expired token, AccessDenied, garbled body);
  2. stubs     planted answers set through /_bed/stubs (any service, any operation);
  3. handlers  the operations of this package (see `protocol.op`), because moto
               lacks them or answers them in a way a strict SDK rejects;
  4. moto      everything else, unchanged.

Each call is counted (/_bed/calls) and written down as a CloudTrail event that
LookupEvents then returns, as in a real account.
"""
