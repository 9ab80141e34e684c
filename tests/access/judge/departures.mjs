// Where bedwatch answers otherwise than the simulator on purpose, each with its rule in access.md.
//
// A departure with `neutral` says the same case in other words, which the simulator reads as access.md means it;
// it is granted only if the simulator's answer to those words is ours. One with `holds` is a predicate on the case and both
// verdicts, as narrow as it can be said. Whatever no departure explains is an error.

const list = (policy) => (policy ? [policy.Statement].flat() : []);
const isAway = ({ request }) => !request.principal.endsWith('.amazonaws.com') && !request.principal.includes(`:${request.resourceAccountId}:`);

/** The case with every policy document replaced. */
function rewritten(one, change) {
  const all = (policies) => policies?.map(change);
  const levels = (held) => held?.map((level) => ({ ...level, policies: all(level.policies) }));
  const lone = (policy) => (policy ? change(policy) : policy);
  return {
    ...one,
    identityPolicies: all(one.identityPolicies),
    endpointPolicies: all(one.endpointPolicies),
    resourcePolicy: lone(one.resourcePolicy),
    sessionPolicy: lone(one.sessionPolicy),
    permissionBoundary: lone(one.permissionBoundary),
    scps: levels(one.scps),
    rcps: levels(one.rcps),
  };
}

/** A document with the values of conditions replaced. */
function revalued(policy, change) {
  const statement = (held) => {
    if (!held.Condition) return held;
    const blocks = Object.entries(held.Condition).map(([operator, keys]) => [
      operator,
      Object.fromEntries(Object.entries(keys).map(([key, values]) => [key, [values].flat().flatMap((value) => change(operator, value))])),
    ]);
    return { ...held, Condition: Object.fromEntries(blocks) };
  };
  return { ...policy, Statement: list(policy).map(statement) };
}

/** A network as the simulator reads it right. */
function whole(network) {
  if (network === '0.0.0.0/0') return ['0.0.0.0/1', '128.0.0.0/1'];
  return /^[\d.]+$/.test(network) ? `${network}/32` : network;
}

/** What KMS lets another account do (KMS Developer Guide, "Allowing users in other accounts to use a KMS key"). */
const KMS_AWAY = ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey', 'kms:CreateGrant', 'kms:DescribeKey'];

/** Words that mean the same, for what the simulator reads otherwise: all that bear on a case are said at once. */
const WORDS = [
  {
    rule: 'S6',
    says: 'before 2012-10-17 a variable is text',
    neutral: (one) =>
      rewritten(one, (policy) =>
        policy.Version === '2012-10-17' ? policy : JSON.parse(JSON.stringify({ ...policy, Version: '2012-10-17' }).replaceAll('${', '${$}{')),
      ),
  },
  {
    rule: '1.3 dates',
    says: 'a date of digits only is in seconds, not milliseconds, since 1970',
    neutral: (one) =>
      rewritten(one, (policy) =>
        revalued(policy, (operator, value) => (/^Date/.test(operator) && /^\d+$/.test(value) ? new Date(Number(value) * 1000).toISOString() : value)),
      ),
  },
  {
    rule: '1.3 addresses',
    says: '0.0.0.0/0 is every address of version 4; a bare address is /32, and no address of version 6 is in it',
    neutral: (one) => rewritten(one, (policy) => revalued(policy, (operator, value) => (/^(Not)?IpAddress/.test(operator) ? whole(value) : value))),
  },
  {
    rule: 'E3',
    says: 'resource control policies do not reach Bedrock',
    neutral: (one) => (one.request.action.startsWith('bedrock:') ? { ...one, rcps: undefined } : one),
  },
];

export const DEPARTURES = [
  ...WORDS,
  {
    rule: 'E7',
    says: 'what names a session itself is not limited by the session policy',
    neutral: (one, ours) => {
      const free = { Effect: 'Allow', Action: '*', Resource: '*' };
      if (!one.sessionPolicy || ours.path !== 'Direct') return one;
      return { ...one, sessionPolicy: { ...one.sessionPolicy, Statement: [...list(one.sessionPolicy), free] } };
    },
  },
  {
    rule: 'P7',
    says: "NotPrincipal in a Deny that lists a part of the caller's chain is uncertain; under a boundary it always denies",
    holds: (one, ours) =>
      list(one.resourcePolicy).some((statement) => statement.NotPrincipal) &&
      (ours.decision === 'Uncertain' ||
        (ours.decision === 'ExplicitlyDenied' && Boolean(one.permissionBoundary))),
  },
  {
    rule: 'E8',
    says: 'KMS lets another account do a fixed list of operations only',
    holds: (one, ours) =>
      one.request.action.startsWith('kms:') && isAway(one) && !KMS_AWAY.includes(one.request.action) && ours.decision === 'ImplicitlyDenied',
  },
  {
    rule: '1.3 ForAnyValue…IfExists',
    says: 'ForAnyValue with IfExists on a missing key is uncertain',
    holds: (one, ours) => ours.decision === 'Uncertain' && /"ForAnyValue:[A-Za-z]*IfExists"/.test(JSON.stringify(one)),
  },
];

/** The case in words that the simulator reads as access.md means them, and the departures that it took. */
export function neutral(one, ours) {
  const took = [];
  let said = one;
  for (const departure of DEPARTURES.filter(({ neutral }) => neutral)) {
    const next = departure.neutral(said, ours);
    if (JSON.stringify(next) !== JSON.stringify(said)) took.push(departure);
    said = next;
  }
  return { said, took };
}
