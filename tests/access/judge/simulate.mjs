// One case a line on standard input, one verdict a line on standard output, by @cloud-copilot/iam-simulate.
// A process of its own: nothing of bedwatch is in it, and nothing of it is in bedwatch.

import { createInterface } from 'node:readline';
import { runSimulation } from '@cloud-copilot/iam-simulate';

const named = (policies = []) => policies.map((policy, at) => ({ name: `p${at}`, policy }));
const levels = (held = []) => held.map(({ orgIdentifier, policies }) => ({ orgIdentifier, policies: named(policies) }));

// E10: the root user has no policies, and needs none; the simulator wants to be given that.
const EVERYTHING = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
const identity = ({ request, identityPolicies }) => named(request.principal.endsWith(':root') ? [EVERYTHING] : identityPolicies);

async function judge(one) {
  const simulation = {
    request: {
      principal: one.request.principal,
      action: one.request.action,
      resource: { resource: one.request.resource, accountId: one.request.resourceAccountId },
      contextVariables: one.request.context,
    },
    identityPolicies: identity(one),
    serviceControlPolicies: levels(one.scps),
    resourceControlPolicies: levels(one.rcps),
    resourcePolicy: one.resourcePolicy,
    sessionPolicy: one.sessionPolicy,
    permissionBoundaryPolicies: one.permissionBoundary ? named([one.permissionBoundary]) : undefined,
    vpcEndpointPolicies: one.endpointPolicies ? named(one.endpointPolicies) : undefined,
  };
  const found = await runSimulation(simulation, { simulationMode: 'Strict' });
  if (found.resultType === 'error') return { decision: 'Error', error: JSON.stringify(found.errors).slice(0, 400) };
  return {
    decision: found.overallResult,
    ignored: found.result?.ignoredContextKeys ?? [],
    resource: found.result?.analysis?.resourceAnalysis?.result,
  };
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  let verdict;
  try {
    verdict = await judge(JSON.parse(line));
  } catch (error) {
    verdict = { decision: 'Error', error: String(error).slice(0, 300) };
  }
  if (!process.stdout.write(`${JSON.stringify(verdict)}\n`)) await new Promise((go) => process.stdout.once('drain', go));
}
