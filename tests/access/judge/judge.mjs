// Compares bedwatch with an independent simulator on random cases; both are processes of their own.
//
//   node judge.mjs --bedwatch PATH [--cases 100000] [--seed 1] [--show 5]
//
// Each case is asked three times: of the simulator, of bedwatch with the whole context, and of bedwatch with
// some of the context unknown. The first two must agree; the third must not contradict the first: a flat answer
// must hold for every completion. Exit 0: they agree, but for the departures named in departures.mjs.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { Dice, hideable, make } from './cases.mjs';
import { DEPARTURES, neutral } from './departures.mjs';

const { values: given } = parseArgs({
  options: {
    bedwatch: { type: 'string' },
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    show: { type: 'string', default: '5' },
  },
});
if (!given.bedwatch) {
  console.error('which bedwatch? node judge.mjs --bedwatch target/release/bedwatch');
  process.exit(2);
}
const wanted = Number(given.cases);

/** A process that answers each line with a line. */
class Judge {
  constructor(command, args) {
    this.child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = createInterface({ input: this.child.stdout, crlfDelay: Infinity })[Symbol.asyncIterator]();
  }
  async ask(batch) {
    const answers = [];
    const reading = (async () => {
      while (answers.length < batch.length) {
        const { value, done } = await this.lines.next();
        if (done) throw new Error(`${this.child.spawnfile} ended after ${answers.length} of ${batch.length} answers`);
        answers.push(JSON.parse(value));
      }
    })();
    for (const one of batch) {
      if (!this.child.stdin.write(`${JSON.stringify(one)}\n`)) await once(this.child.stdin, 'drain');
    }
    await reading;
    return answers;
  }
  end() {
    this.child.stdin.end();
  }
}

const simulator = new Judge(process.execPath, [new URL('simulate.mjs', import.meta.url).pathname]);
const bedwatch = new Judge(given.bedwatch, ['access-eval', '--ndjson']);
const dice = new Dice(Number(given.seed));

const count = { asked: 0, refused: 0, agreed: 0, hidden: 0, sound: 0 };
const decided = {};
const conditional = { Allowed: 0, Conditional: 0, Uncertain: 0, ImplicitlyDenied: 0, ExplicitlyDenied: 0 };
const departed = new Map();
const wrong = [];
const refusals = new Map();

const depart = (departure) => departed.set(departure, (departed.get(departure) ?? 0) + 1);

/** Whether a flat answer under unknowns contradicts the answer with everything known. */
function contradicts(flat, whole) {
  if (flat === 'Allowed') return whole !== 'Allowed';
  if (flat === 'ExplicitlyDenied' || flat === 'ImplicitlyDenied') return whole === 'Allowed';
  return false;
}

while (count.asked < wanted) {
  const batch = Array.from({ length: Math.min(2000, wanted - count.asked) }, (_, at) => make(dice, String(count.asked + at)));
  const blind = batch.map((one) => {
    const keys = hideable(one);
    const hidden = keys.filter(() => dice.chance(0.4));
    const context = Object.fromEntries(Object.entries(one.request.context).filter(([key]) => !hidden.includes(key)));
    return { ...one, request: { ...one.request, context }, unknownContext: hidden };
  });
  const [theirs, ours, half] = await Promise.all([simulator.ask(batch), bedwatch.ask(batch), Promise.resolve()]).then(
    async ([a, b]) => [a, b, await bedwatch.ask(blind)],
  );
  const open = [];
  for (const [at, one] of batch.entries()) {
    const [their, our, part] = [theirs[at], ours[at], half[at]];
    if (their.decision === 'Error') {
      count.refused += 1;
      const why = their.error.replace(/\[\d+\]/g, '[]').slice(0, 160);
      refusals.set(why, (refusals.get(why) ?? 0) + 1);
      continue;
    }
    decided[their.decision] = (decided[their.decision] ?? 0) + 1;
    if (our.decision === their.decision) {
      count.agreed += 1;
    } else {
      const known = DEPARTURES.find(({ holds }) => holds?.(one, our, their));
      if (known) depart(known);
      else open.push({ one, our, their });
    }
    count.hidden += 1;
    conditional[part.decision] = (conditional[part.decision] ?? 0) + 1;
    if (contradicts(part.decision, our.decision)) wrong.push({ kind: 'unsound', one: blind[at], our: part, their: our });
    else count.sound += 1;
  }
  // What no predicate explains is asked again in words that the simulator reads as they are meant.
  const again = open.map(({ one, our }) => neutral(one, our));
  const second = await simulator.ask(again.map(({ said }) => said));
  for (const [at, { one, our, their }] of open.entries()) {
    const { took } = again[at];
    if (took.length > 0 && second[at].decision === our.decision) took.forEach(depart);
    else wrong.push({ kind: 'differs', one, our, their });
  }
  count.asked += batch.length;
  if (process.stderr.isTTY) process.stderr.write(`\r${count.asked} of ${wanted}, ${wrong.length} wrong `);
}
simulator.end();
bedwatch.end();

console.log(`cases ${count.asked} (seed ${given.seed}); the simulator refused ${count.refused}`);
console.log(`agreed ${count.agreed}: ${JSON.stringify(decided)} by the simulator`);
for (const [{ rule, says }, n] of departed) console.log(`departed ${n}: ${rule}: ${says}`);
console.log(`with unknown context ${count.hidden}: no contradiction in ${count.sound}; ${JSON.stringify(conditional)}`);
for (const [why, n] of refusals) console.log(`refused ${n}: ${why}`);
console.log(`wrong ${wrong.length}`);
for (const { kind, one, our, their } of wrong.slice(0, Number(given.show))) {
  console.log(`\n${kind}\n${JSON.stringify(one, null, 1)}\nbedwatch: ${JSON.stringify(our)}\nother: ${JSON.stringify(their)}`);
}
process.exit(wrong.length === 0 ? 0 : 1);
