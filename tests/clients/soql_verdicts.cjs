// Says of each statement on stdin (a JSON string a line) which parser accepts it, a JSON line each.
// jetstream: @jetstreamapp/soql-parser-js. salesforce: the grammar that Salesforce publishes for its
// own tools in @salesforce/soql-common; what its lexer can't read counts as refused.
'use strict';

const { createInterface } = require('node:readline');
const { isQueryValid } = require('@jetstreamapp/soql-parser-js');
const { SOQLParser } = require('@salesforce/soql-common/lib/soql-parser');

const grammar = SOQLParser({ isApex: false, isMultiCurrencyEnabled: false, apiVersion: 68.0 });
let unreadable = false;
// The only way in which its lexer says so.
console.error = () => {
  unreadable = true;
};

function salesforce(statement) {
  unreadable = false;
  return grammar.parseQuery(statement).getSuccess() && !unreadable;
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const statement = JSON.parse(line);
  const verdict = { jetstream: isQueryValid(statement), salesforce: salesforce(statement) };
  process.stdout.write(`${JSON.stringify(verdict)}\n`);
});
