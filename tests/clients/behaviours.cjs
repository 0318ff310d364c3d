// Runs one behaviour of a client against the local org and prints what it saw, one JSON line a step.
// Usage: node <client>.cjs <behaviour> <org url> [JSON of more]
'use strict';

const [, , behaviour, orgUrl, more] = process.argv;

function say(step, saw) {
  process.stdout.write(`${JSON.stringify({ step, saw: saw === undefined ? null : saw })}\n`);
}

// What the client throws, as its caller sees it. A request that succeeds fails the behaviour.
async function refusal(request) {
  let answer;
  try {
    answer = await request();
  } catch (error) {
    return {
      name: error.name,
      errorCode: error.errorCode ?? null,
      message: error.message,
      content: error.data ?? error.content ?? null,
    };
  }
  throw new Error(`not refused: ${JSON.stringify(answer)}`);
}

// One of the org's own controls, which no client knows.
async function control(method, path, body) {
  const answer = await fetch(`${orgUrl}/_org/${path}`, { method, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`control ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function run(behaviours) {
  const chosen = behaviours[behaviour];
  if (!chosen) throw new Error(`no behaviour named ${behaviour}`);
  // A promise that nobody settles would let node leave as if all were well.
  let finished = false;
  process.on('exit', () => {
    if (!finished) process.exitCode = 1;
  });
  await chosen(orgUrl, JSON.parse(more ?? '{}'));
  finished = true;
}

module.exports = { say, refusal, control, run };
