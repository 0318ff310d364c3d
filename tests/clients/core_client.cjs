// What @salesforce/core (the library under the sf CLI) does against the local org, untouched.
// It keeps what it knows of orgs in its HOME, which the test gives it empty.
'use strict';

const { AuthInfo, Connection, Org } = require('@salesforce/core');
const { control, refusal, run, say } = require('./behaviours.cjs');

async function withToken(url, accessToken) {
  const accessTokenOptions = { accessToken, instanceUrl: url, loginUrl: url };
  const authInfo = await AuthInfo.create({ username: accessToken, accessTokenOptions });
  return { authInfo, connection: await Connection.create({ authInfo }) };
}

// A login that can be repeated: the only ones this library renews by itself.
async function withGrant(url, { privateKeyFile, refreshToken }) {
  const client = { clientId: 'demo-client', loginUrl: url };
  const oauth2Options = privateKeyFile
    ? { ...client, privateKeyFile }
    : { ...client, clientSecret: 'demo-secret', refreshToken };
  const username = privateKeyFile ? 'voice.integration@local.example' : undefined;
  const authInfo = await AuthInfo.create({ username, oauth2Options });
  return { authInfo, connection: await Connection.create({ authInfo }) };
}

run({
  async login(url, { accessToken }) {
    const { authInfo, connection } = await withToken(url, accessToken);
    const fields = authInfo.getFields();
    say('fields', { username: fields.username, orgId: fields.orgId, url: fields.instanceUrl });
    say('newest version', await connection.retrieveMaxApiVersion());
    say('version used', connection.getApiVersion());
    const org = await Org.create({ connection });
    say('organization', await org.retrieveOrganizationInformation());
  },

  async login_by_grant(url, more) {
    const { authInfo, connection } = await withGrant(url, more);
    await authInfo.save();
    say('username', authInfo.getUsername());
    say('saved', (await AuthInfo.listAllAuthorizations()).map((one) => one.username));
    say('works', (await connection.query('SELECT Id FROM User LIMIT 1')).totalSize);
  },

  async login_refused(url, more) {
    say('refused', await refusal(() => withGrant(url, more)));
  },

  async describe(url, { accessToken }) {
    const { connection } = await withToken(url, accessToken);
    const described = await connection.describe('Case');
    const key = described.fields.find((field) => field.name === 'Call_Key__c');
    say('case', { name: described.name, prefix: described.keyPrefix });
    say('key', { externalId: key.externalId, unique: key.unique, length: key.length });
    say('objects', (await connection.describeGlobal()).sobjects.map((sobject) => sobject.name));
  },

  async one_record(url, { accessToken }) {
    const cases = (await withToken(url, accessToken)).connection.sobject('Case');
    const created = await cases.create({ Subject: 'Leaking tap', Origin: 'Phone' });
    say('created', created);
    const { CaseNumber, Subject } = await cases.retrieve(created.id);
    say('read', { CaseNumber, Subject });
    say('updated', await cases.update({ Id: created.id, Subject: 'Leaking pipe' }));
    say('read again', (await cases.retrieve(created.id)).Subject);
    say('deleted', await cases.destroy(created.id));
    say('gone', await refusal(() => cases.retrieve(created.id)));
  },

  async upsert(url, { accessToken }) {
    const cases = (await withToken(url, accessToken)).connection.sobject('Case');
    const record = { Call_Key__c: 'call-1', Subject: 'First' };
    say('first', await cases.upsert(record, 'Call_Key__c'));
    say('second', await cases.upsert({ ...record, Subject: 'Second' }, 'Call_Key__c'));
  },

  async query(url, { accessToken }) {
    const { connection } = await withToken(url, accessToken);
    const soql =
      'SELECT Name, Account.Name, (SELECT CaseNumber FROM Cases ORDER BY CaseNumber) FROM Contact' +
      " WHERE Name = 'Jane Miller'";
    say('answer', await connection.query(soql));
    say('single', (await connection.singleRecordQuery(soql)).Account.Name);
    const novaks = "SELECT Id FROM Contact WHERE LastName = 'Novak'";
    say('several', await refusal(() => connection.singleRecordQuery(novaks)));
    const nobody = "SELECT Id FROM Contact WHERE LastName = 'Nobody'";
    say('nobody', await refusal(() => connection.singleRecordQuery(nobody)));
  },

  async query_more(url, { accessToken }) {
    const { connection } = await withToken(url, accessToken);
    const soql = "SELECT Subject FROM Case WHERE Subject LIKE 'bulk %'";
    const headers = { 'Sforce-Query-Options': 'batchSize=200' };
    const first = await connection.query(soql, { autoFetch: false, headers });
    say('first', { done: first.done, length: first.records.length, total: first.totalSize });
    const rest = await connection.queryMore(first.nextRecordsUrl);
    say('rest', { done: rest.done, length: rest.records.length });
    const all = await connection.autoFetchQuery(soql, { headers });
    say('all', new Set(all.records.map((record) => record.Subject)).size);
  },

  async search(url, { accessToken }) {
    const { connection } = await withToken(url, accessToken);
    const sosl = 'FIND {4155550101} IN PHONE FIELDS RETURNING Contact(Name, Phone), Account(Id)';
    say('found', await connection.search(sosl));
    say('refused', await refusal(() => connection.search('FIND {x RETURNING Contact')));
  },

  async refused(url, { accessToken, soql, sobject, record }) {
    const { connection } = await withToken(url, accessToken);
    const request = soql
      ? () => connection.query(soql)
      : () => connection.sobject(sobject).create(record);
    say('refused', await refusal(request));
  },

  async not_found(url, { accessToken, id }) {
    const cases = (await withToken(url, accessToken)).connection.sobject('Case');
    say('read', await refusal(() => cases.retrieve(id)));
    say('updated', await refusal(() => cases.update({ Id: id, Subject: 'x' })));
    say('deleted', await refusal(() => cases.destroy(id)));
  },

  async expired_token(url, more) {
    const { connection } = await withGrant(url, more);
    const before = connection.accessToken;
    await control('PUT', 'faults', { ...more.faults, expire_tokens: true });
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => connection.query('SELECT Id FROM User LIMIT 1')),
    );
    say('answers', answers.map((answer) => answer.totalSize));
    say('new token', connection.accessToken !== before);
  },

  async expired_bare_token(url, { accessToken }) {
    const { connection } = await withToken(url, accessToken);
    await control('PUT', 'faults', { expire_tokens: true });
    say('refused', await refusal(() => connection.query('SELECT Id FROM User LIMIT 1')));
  },
});
