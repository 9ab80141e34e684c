// Random cases for the core engine: identity, resource, boundary, session, SCP, RCP, endpoint, conditions.
// Pure: the same seed gives the same cases, in the form of `bedwatch access-eval` (access.md §7).

/** A small generator of numbers that is the same everywhere (xorshift32). */
export class Dice {
  constructor(seed) {
    this.state = seed >>> 0 || 1;
  }
  next() {
    let x = this.state;
    x ^= x << 13;
    x >>>= 0;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x >>> 0;
    return this.state / 2 ** 32;
  }
  below(n) {
    return Math.floor(this.next() * n);
  }
  one(list) {
    return list[this.below(list.length)];
  }
  chance(p) {
    return this.next() < p;
  }
  some(list, most) {
    const count = 1 + this.below(Math.min(most, list.length));
    const picked = new Set();
    while (picked.size < count) picked.add(this.one(list));
    return [...picked];
  }
}

const HOME = '111122223333';
const AWAY = '444455556666';
const ORG = 'o-a1b2c3d4e5';

const SERVICES = [
  {
    name: 'kms',
    weight: 4,
    actions: ['kms:Decrypt', 'kms:Encrypt', 'kms:GenerateDataKey', 'kms:CreateGrant', 'kms:DescribeKey', 'kms:PutKeyPolicy'],
    patterns: ['kms:*', 'kms:De*', 'kms:?ecrypt', 'KMS:decrypt', 'kms:*Key', 'kms:GenerateDataKey*', 'kms:En*'],
    resource: (account) => `arn:aws:kms:us-east-1:${account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`,
    near: (account) => [
      `arn:aws:kms:us-east-1:${account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`,
      `arn:aws:kms:us-east-1:${account}:key/*`,
      `arn:aws:kms:*:${account}:key/1234abcd-*`,
      `arn:aws:kms:us-*-1:*:key/????abcd-*`,
      `arn:aws:kms:us-east-1:${account}:key/other`,
      `arn:aws:kms:eu-west-1:${account}:key/*`,
      `arn:aws:kms:us-east-1:${account}:alias/*`,
      `arn:aws:kms:us-east-1:${account}:*`,
    ],
    whole: '*',
    policy: true,
    rcp: true,
  },
  {
    name: 's3-object',
    weight: 3,
    actions: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
    patterns: ['s3:*', 's3:Get*', 's3:*Object', 'S3:getobject', 's3:Put?bject'],
    resource: () => 'arn:aws:s3:::orion-training/chat/zoe/part-1.jsonl',
    near: () => [
      'arn:aws:s3:::orion-training/chat/zoe/part-1.jsonl',
      'arn:aws:s3:::orion-training/*',
      'arn:aws:s3:::orion-*/*.jsonl',
      'arn:aws:s3:::orion-training/chat/${aws:username}/*',
      'arn:aws:s3:::orion-training/${aws:PrincipalTag/area}/*',
      "arn:aws:s3:::orion-training/${aws:PrincipalTag/area, 'chat'}/*",
      'arn:aws:s3:::orion-training',
      'arn:aws:s3:::other/*',
      'arn:aws:s3:::*/chat/???/part-?.jsonl',
    ],
    whole: 'arn:aws:s3:::orion-training/*',
    policy: true,
    rcp: true,
  },
  {
    name: 's3-bucket',
    weight: 1,
    actions: ['s3:ListBucket'],
    patterns: ['s3:*', 's3:List*', 's3:ListBucke?', '*:ListBucket'].slice(0, 3),
    resource: () => 'arn:aws:s3:::orion-training',
    near: () => [
      'arn:aws:s3:::orion-training',
      'arn:aws:s3:::orion-*',
      'arn:aws:s3:::orion-training/*',
      'arn:aws:s3:::*',
      'arn:aws:s3:::${aws:PrincipalTag/area}',
      'arn:*:s3:::orion-?raining',
    ],
    whole: 'arn:aws:s3:::orion-training',
    policy: true,
    rcp: true,
  },
  {
    name: 'bedrock',
    weight: 2,
    actions: ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream', 'bedrock:DeleteProvisionedModelThroughput'],
    patterns: ['bedrock:*', 'bedrock:Invoke*', 'bedrock:InvokeModel', 'bedrock:*Model*', 'Bedrock:invokemodel'],
    resource: (account) => `arn:aws:bedrock:us-east-1:${account}:provisioned-model/abcdefgh1234`,
    near: (account) => [
      `arn:aws:bedrock:us-east-1:${account}:provisioned-model/abcdefgh1234`,
      `arn:aws:bedrock:*:${account}:provisioned-model/*`,
      `arn:aws:bedrock:us-east-1:${account}:custom-model/*`,
      `arn:aws:bedrock:us-east-1::foundation-model/*`,
      `arn:aws:bedrock:us-east-1:${account}:*`,
    ],
    whole: '*',
    policy: false,
    rcp: false,
  },
  {
    name: 'trust',
    weight: 2,
    actions: ['sts:AssumeRole'],
    patterns: ['sts:*', 'sts:Assume*', 'STS:assumerole', 'sts:TagSession'],
    resource: (account) => `arn:aws:iam::${account}:role/ml/Tuner`,
    near: (account) => [
      `arn:aws:iam::${account}:role/ml/Tuner`,
      `arn:aws:iam::${account}:role/*`,
      `arn:aws:iam::*:role/ml/*`,
      `arn:aws:iam::${account}:role/Tuner`,
      `arn:aws:iam::${account}:user/*`,
    ],
    whole: null,
    policy: true,
    rcp: true,
  },
];
const DECK = SERVICES.flatMap((service) => Array(service.weight).fill(service));

const CALLERS = [
  { kind: 'user', weight: 4, arn: `arn:aws:iam::${HOME}:user/ml/zoe`, type: 'User', username: 'zoe' },
  {
    kind: 'session',
    weight: 6,
    arn: `arn:aws:sts::${HOME}:assumed-role/Trainer/job-7`,
    role: `arn:aws:iam::${HOME}:role/Trainer`,
    type: 'AssumedRole',
  },
  { kind: 'federated', weight: 1, arn: `arn:aws:sts::${HOME}:federated-user/bob`, type: 'FederatedUser' },
  { kind: 'root', weight: 1, arn: `arn:aws:iam::${HOME}:root`, type: 'Account' },
  { kind: 'service', weight: 1, arn: 'bedrock.amazonaws.com' },
];
const CALLER_DECK = CALLERS.flatMap((caller) => Array(caller.weight).fill(caller));

const KEYS = {
  'aws:SourceIp': { kind: 'ip', values: ['10.1.2.3', '10.200.0.9', '8.8.8.8', '2001:db8::7'] },
  'aws:SourceVpce': { kind: 'string', values: ['vpce-1', 'vpce-2', 'VPCE-1'] },
  'aws:PrincipalTag/team': { kind: 'string', values: ['ml', 'ML', 'ops', 'ml*'] },
  'aws:PrincipalTag/area': { kind: 'string', values: ['chat', 'orion-training', '*'] },
  'aws:PrincipalOrgID': { kind: 'string', values: [ORG, 'o-other12345'] },
  'aws:MultiFactorAuthPresent': { kind: 'bool', values: ['true', 'false'] },
  'aws:SecureTransport': { kind: 'bool', values: ['true', 'false'] },
  'aws:MultiFactorAuthAge': { kind: 'number', values: ['30', '300', '3600'] },
  'aws:CurrentTime': { kind: 'date', values: ['2026-11-21T12:00:00Z', '2026-12-31T23:59:59Z'] },
  'aws:SourceArn': {
    kind: 'arn',
    values: [
      `arn:aws:bedrock:us-east-1:${HOME}:model-customization-job/j1`,
      `arn:aws:bedrock:us-east-1:${AWAY}:model-customization-job/j2`,
      `arn:aws:s3:::orion-training`,
    ],
  },
  'aws:TagKeys': { kind: 'many', values: ['team', 'area', 'cost', 'Team'] },
  'aws:CalledVia': { kind: 'many', values: ['bedrock.amazonaws.com', 's3.amazonaws.com', 'athena.amazonaws.com'] },
};
const SERVICE_KEYS = {
  kms: {
    'kms:ViaService': { kind: 'string', values: ['bedrock.us-east-1.amazonaws.com', 's3.us-east-1.amazonaws.com'] },
  },
};

function conditionKeys(service) {
  return { ...KEYS, ...(SERVICE_KEYS[service.name] ?? {}) };
}

function scenario(dice, caller, service, owner) {
  const context = { 'aws:ResourceAccount': owner };
  for (const [key, { kind, values }] of Object.entries(conditionKeys(service))) {
    if (!dice.chance(0.6)) continue;
    context[key] = kind === 'many' ? dice.some(values, 3) : dice.one(values);
  }
  // What follows from the caller, said to both: the simulator does not derive it.
  if (caller.kind === 'service') {
    context['aws:PrincipalIsAWSService'] = 'true';
    context['aws:PrincipalServiceName'] = caller.arn;
    for (const key of Object.keys(context)) if (/PrincipalTag|PrincipalOrgID/.test(key)) delete context[key];
  } else {
    context['aws:PrincipalArn'] = caller.role ?? caller.arn;
    context['aws:PrincipalAccount'] = HOME;
    context['aws:PrincipalType'] = caller.type;
    context['aws:PrincipalIsAWSService'] = 'false';
    if (caller.username) context['aws:username'] = caller.username;
    if (service.name === 'kms') context['kms:CallerAccount'] = HOME;
  }
  return context;
}

const OPERATORS = {
  string: ['StringEquals', 'StringNotEquals', 'StringLike', 'StringNotLike', 'StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase'],
  ip: ['IpAddress', 'NotIpAddress'],
  bool: ['Bool'],
  number: ['NumericEquals', 'NumericNotEquals', 'NumericLessThan', 'NumericLessThanEquals', 'NumericGreaterThan', 'NumericGreaterThanEquals'],
  date: ['DateEquals', 'DateNotEquals', 'DateLessThan', 'DateLessThanEquals', 'DateGreaterThan', 'DateGreaterThanEquals'],
  arn: ['ArnEquals', 'ArnLike', 'ArnNotEquals', 'ArnNotLike', 'StringLike'],
};

function expected(dice, kind, values, operator, key) {
  switch (kind) {
    case 'ip':
      return dice.some(['10.0.0.0/8', '10.1.2.3', '10.1.0.0/16', '0.0.0.0/0', '8.8.8.8/32', '2001:db8::/32', '192.0.2.0/24'], 2);
    case 'bool':
      return [dice.one(['true', 'false', 'True'])];
    case 'number':
      return dice.some(['30', '300.0', '1000', '3600'], 2);
    case 'date':
      return [dice.one(['2026-11-21T12:00:00Z', '2026-12-01T00:00:00Z', '2020-01-01T00:00:00Z', '1798761599'])];
    case 'arn':
      return dice.some([...values, `arn:aws:bedrock:*:${HOME}:model-customization-job/*`, 'arn:aws:s3:::orion-*', 'arn:aws:bedrock:us-east-1:*:*/j?'], 2);
    default: {
      const pool = [...values, 'nobody'];
      if (/Like/.test(operator)) pool.push('*', `${values[0].slice(0, 2)}*`, '?' + values[0].slice(1), '${aws:PrincipalTag/team}*');
      else pool.push('${aws:PrincipalTag/team}', "${aws:PrincipalTag/team, 'ml'}");
      return dice.some(key === 'aws:PrincipalTag/team' ? pool.filter((one) => !one.includes('$')) : pool, 3);
    }
  }
}

function conditions(dice, service, caller) {
  const keys = conditionKeys(service);
  const found = {};
  const count = 1 + dice.below(2);
  for (let n = 0; n < count; n += 1) {
    if (dice.chance(0.15)) {
      const key = dice.one(Object.keys(keys));
      (found.Null ??= {})[key] = dice.one(['true', 'false']);
      continue;
    }
    if (dice.chance(0.12) && caller.kind !== 'service') {
      const [key, operator, value] = dice.one([
        ['aws:PrincipalArn', 'ArnLike', caller.role ?? caller.arn],
        ['aws:PrincipalArn', 'ArnNotEquals', `arn:aws:iam::${HOME}:role/*`],
        ['aws:PrincipalAccount', 'StringEquals', dice.one([HOME, AWAY])],
        ['aws:PrincipalType', 'StringNotEquals', 'User'],
        ['aws:ResourceAccount', 'StringEquals', '${aws:PrincipalAccount}'],
        ['aws:PrincipalIsAWSService', 'Bool', dice.one(['true', 'false'])],
      ]);
      (found[operator] ??= {})[key] = [value];
      continue;
    }
    const key = dice.one(Object.keys(keys));
    const { kind, values } = keys[key];
    const many = kind === 'many';
    let operator = dice.one(OPERATORS[many ? 'string' : kind]);
    let name = operator;
    if (many) name = `${dice.one(['ForAllValues', 'ForAnyValue'])}:${operator}`;
    if (!many && kind === 'string' && dice.chance(0.05)) name = `${dice.one(['ForAllValues', 'ForAnyValue'])}:${operator}`;
    if (dice.chance(0.2)) name += 'IfExists';
    const written = dice.chance(0.1) ? key.toLowerCase() : key;
    (found[name] ??= {})[written] = expected(dice, kind, values, operator, key);
  }
  return found;
}

const listed = (dice, list) => (list.length === 1 && dice.chance(0.5) ? list[0] : list);

function actions(dice, service, action) {
  const pool = [action, action, '*', ...service.patterns, ...service.actions, 'ec2:RunInstances'];
  const picked = listed(dice, dice.some(pool, 3));
  return dice.chance(0.1) ? { NotAction: picked } : { Action: picked };
}

function resources(dice, service, owner, plain) {
  const pool = [service.resource(owner), '*', '*', ...service.near(owner)].filter((one) => !plain || !one.includes('$'));
  const picked = listed(dice, dice.some(pool, 3));
  return dice.chance(0.08) ? { NotResource: picked } : { Resource: picked };
}

function principals(dice, service, caller, effect) {
  const pool = ['*', `arn:aws:iam::${HOME}:root`, HOME, `arn:aws:iam::${AWAY}:root`, `arn:aws:iam::${HOME}:user/ml/ada`, `arn:aws:iam::${HOME}:role/ml/Other`];
  if (caller.kind === 'user') pool.push(caller.arn, caller.arn, caller.arn, `arn:aws:iam::${HOME}:user/zoe`);
  if (caller.kind === 'session') {
    pool.push(caller.role, caller.role, caller.arn, `arn:aws:sts::${HOME}:assumed-role/Trainer/job-8`, caller.role.replace('role/', 'role/ml/'));
  }
  if (caller.kind === 'federated') pool.push(caller.arn, caller.arn, `arn:aws:sts::${HOME}:federated-user/eve`, ...['bob', 'eve'].map((name) => `arn:aws:iam::${HOME}:user/${name}`));
  const services = ['bedrock.amazonaws.com', 's3.amazonaws.com', 'bedrock.amazonaws.com'];
  if (effect === 'Deny' && dice.chance(0.05) && caller.kind !== 'service') {
    return { NotPrincipal: { AWS: dice.some(pool.slice(1), 3) } };
  }
  if (dice.chance(0.06)) return { Principal: '*' };
  if (caller.kind === 'service' ? dice.chance(0.75) : dice.chance(0.05)) {
    return { Principal: { Service: listed(dice, dice.some(services, 2)) } };
  }
  return { Principal: { AWS: listed(dice, dice.some(pool, 2)) } };
}

const VERSION = (dice) => (dice.chance(0.93) ? '2012-10-17' : '2008-10-17');

function document(dice, { side, service, caller, action, owner, allow = 0.75, most = 3 }) {
  const statements = [];
  const count = 1 + dice.below(most);
  for (let n = 0; n < count; n += 1) {
    const effect = dice.chance(allow) ? 'Allow' : 'Deny';
    const statement = { Sid: `S${n}`, Effect: effect };
    if (side === 'resource') Object.assign(statement, principals(dice, service, caller, effect));
    if (side === 'rcp') statement.Principal = '*';
    if (side === 'endpoint') statement.Principal = '*';
    if (side === 'rcp') statement.Action = listed(dice, dice.some([action, `${action.split(':')[0]}:*`, ...service.actions], 2));
    else Object.assign(statement, actions(dice, service, action));
    if (side === 'resource' && service.name === 'trust' && statement.NotAction) {
      delete statement.NotAction;
      statement.Action = action;
    }
    if (!(side === 'resource' && service.name === 'trust')) {
      const own = side === 'resource' && service.name.startsWith('s3');
      Object.assign(statement, own ? ownResources(dice, service) : resources(dice, service, owner, side === 'scp'));
    }
    if (dice.chance(effect === 'Deny' ? 0.7 : 0.35)) statement.Condition = conditions(dice, service, caller);
    statements.push(statement);
  }
  return { Version: side === 'rcp' || side === 'scp' ? '2012-10-17' : VERSION(dice), Statement: statements };
}

function ownResources(dice, service) {
  const pool = [service.resource(), service.whole, ...service.near()].filter((one) => one.startsWith('arn:aws:s3:::orion-training'));
  return { Resource: listed(dice, dice.some(pool, 2)) };
}

const FULL = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
const FULL_ENDPOINT = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }] };

/** The n-th case. */
export function make(dice, id) {
  const service = dice.one(DECK);
  const caller = dice.one(CALLER_DECK);
  const owner = dice.chance(0.25) ? AWAY : HOME;
  const action = dice.one(service.actions);
  const common = { service, caller, action, owner };
  const found = { id, identityPolicies: [] };
  const principal = caller.kind !== 'service';
  if (principal && caller.kind !== 'root' && dice.chance(0.85)) {
    const count = 1 + dice.below(2);
    for (let n = 0; n < count; n += 1) {
      found.identityPolicies.push(dice.chance(0.1) ? FULL : document(dice, { side: 'identity', ...common }));
    }
  }
  if (service.policy && (service.name === 'trust' || service.name === 'kms' || dice.chance(0.7))) {
    found.resourcePolicy = document(dice, { side: 'resource', ...common });
  }
  if (['user', 'session'].includes(caller.kind) && dice.chance(0.25)) {
    found.permissionBoundary = dice.chance(0.2) ? FULL : document(dice, { side: 'boundary', ...common, allow: 0.85 });
  }
  if (['session', 'federated'].includes(caller.kind) && dice.chance(0.25)) {
    found.sessionPolicy = dice.chance(0.2) ? FULL : document(dice, { side: 'session', ...common, allow: 0.85 });
  }
  if (principal && dice.chance(0.3)) {
    found.scps = ['r-root', 'ou-1', HOME].slice(0, 1 + dice.below(3)).map((orgIdentifier) => ({
      orgIdentifier,
      policies: dice.chance(0.6) ? [FULL, document(dice, { side: 'scp', ...common, allow: 0, most: 1 })] : [document(dice, { side: 'scp', ...common, allow: 0.8 })],
    }));
  }
  if (dice.chance(0.2)) {
    found.rcps = [{ orgIdentifier: 'r-root', policies: [document(dice, { side: 'rcp', ...common, allow: 0, most: 2 })] }];
  }
  if (principal && dice.chance(0.12)) {
    found.endpointPolicies = [dice.chance(0.4) ? FULL_ENDPOINT : document(dice, { side: 'endpoint', ...common, allow: 0.85 })];
  }
  found.request = {
    principal: caller.arn,
    action,
    resource: service.resource(owner),
    resourceAccountId: owner,
    context: scenario(dice, caller, service, owner),
  };
  return found;
}

/** The keys of the context that do not follow from who asks what: those that a second question may hide. */
export function hideable(one) {
  return Object.keys(one.request.context).filter((key) => !/^aws:(Principal(Arn|Account|Type|IsAWS|Service)|username|ResourceAccount)|^kms:CallerAccount/.test(key));
}
