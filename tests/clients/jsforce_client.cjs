// What jsforce does against the local org, its code untouched: configuration alone leads it there.
'use strict';

const { Connection, OAuth2 } = require('jsforce');
const { control, refusal, run, say } = require('./behaviours.cjs');

const VERSION = '68.0';
const CLIENT = { clientId: 'demo-client', clientSecret: 'demo-secret' };

async function signedIn(url, client = CLIENT) {
  const connection = new Connection({ oauth2: { loginUrl: url, ...client }, version: VERSION });
  await connection.authorize({ grant_type: 'client_credentials' });
  return connection;
}

run({
  async login(url) {
    const connection = await signedIn(url);
    say('user', connection.userInfo);
    say('instance', connection.instanceUrl);
    say('identity', await connection.identity());
    say('limits', await connection.limits());
    say('usage', connection.limitInfo);
  },

  async login_refused(url) {
    const wrong = { clientId: 'demo-client', clientSecret: 'wrong' };
    say('refused', await refusal(() => signedIn(url, wrong)));
  },

  async describe(url) {
    const connection = await signedIn(url);
    const described = await connection.sobject('Case').describe();
    const key = described.fields.find((field) => field.name === 'Call_Key__c');
    say('case', { name: described.name, prefix: described.keyPrefix });
    say('key', { externalId: key.externalId, unique: key.unique, length: key.length });
    const everything = await connection.describeGlobal();
    say('objects', everything.sobjects.map((sobject) => sobject.name));
  },

  async one_record(url) {
    const cases = (await signedIn(url)).sobject('Case');
    const created = await cases.create({ Subject: 'Leaking tap', Origin: 'Phone' });
    say('created', created);
    const { CaseNumber, Subject } = await cases.retrieve(created.id);
    say('read', { CaseNumber, Subject });
    say('updated', await cases.update({ Id: created.id, Subject: 'Leaking pipe' }));
    say('read again', (await cases.retrieve(created.id)).Subject);
    say('deleted', await cases.destroy(created.id));
    say('gone', await refusal(() => cases.retrieve(created.id)));
  },

  async many_records(url) {
    const contacts = (await signedIn(url)).sobject('Contact');
    const people = [{ LastName: 'Ash' }, { FirstName: 'Nameless' }, { LastName: 'Birch' }];
    const created = await contacts.create(people);
    say('created', created);
    const ids = created.filter((one) => one.success).map((one) => one.id);
    const changes = ids.map((Id) => ({ Id, Title: 'Tree' }));
    say('updated', await contacts.update(changes));
    say('read', (await contacts.retrieve(ids)).map((one) => [one.LastName, one.Title]));
    say('deleted', await contacts.destroy(ids));
    say('all or none', await contacts.create(people, { allOrNone: true }));
  },

  async upsert(url) {
    const connection = await signedIn(url);
    const cases = connection.sobject('Case');
    const record = { Call_Key__c: 'call-1', Subject: 'First' };
    say('first', await cases.upsert(record, 'Call_Key__c'));
    say('second', await cases.upsert({ ...record, Subject: 'Second' }, 'Call_Key__c'));
    const records = ['call-1', 'call-2'].map((Call_Key__c) => ({ Call_Key__c, Subject: 'Third' }));
    say('many', await cases.upsert(records, 'Call_Key__c'));
    say('found', await cases.find({ Subject: 'Third' }, ['Call_Key__c']).sort('Call_Key__c'));
  },

  async upsert_by_a_name_that_several_have(url) {
    const contacts = (await signedIn(url)).sobject('Contact');
    await contacts.create({ LastName: 'One', Email: 'same@acme.example' });
    await contacts.create({ LastName: 'Two', Email: 'same@acme.example' });
    const record = { Email: 'same@acme.example', LastName: 'Three' };
    say('refused', await refusal(() => contacts.upsert(record, 'Email')));
  },

  async query(url) {
    const connection = await signedIn(url);
    const answer = await connection.query(
      "SELECT Name, Account.Name, (SELECT CaseNumber FROM Cases ORDER BY CaseNumber) FROM Contact" +
        " WHERE Name = 'Jane Miller'",
    );
    say('answer', answer);
    const built = await connection
      .sobject('Contact')
      .find({ LastName: 'Novak', $or: [{ Phone: { $ne: null } }, { FirstName: { $like: 'Q%' } }] })
      .select('Name, Account.Name')
      .include('Cases')
      .select('CaseNumber')
      .where({ IsClosed: false })
      .end()
      .sort('-Name')
      .limit(5);
    say('built', built);
    say('count', await connection.sobject('Contact').count({ LastName: 'Novak' }));
    const hostile = await connection.sobject('Contact').findOne({ LastName: "O'Brien" }, 'FirstName');
    say('quoted', hostile.FirstName);
    const groups = await connection.query('SELECT Status, COUNT(Id) n FROM Case GROUP BY Status');
    say('groups', groups.records.length);
  },

  async query_more(url) {
    const connection = await signedIn(url);
    const headers = { 'Sforce-Query-Options': 'batchSize=200' };
    const soql = "SELECT Subject FROM Case WHERE Subject LIKE 'bulk %'";
    const first = await connection.query(soql, { autoFetch: false, headers });
    const { totalSize, done, nextRecordsUrl, records } = first;
    say('first', { totalSize, done, length: records.length, next: Boolean(nextRecordsUrl) });
    const rest = await connection.queryMore(nextRecordsUrl);
    say('rest', { done: rest.done, length: rest.records.length });
    const subjects = [];
    await new Promise((resolve, reject) => {
      const query = connection.query(soql, { headers });
      query.on('record', (record) => subjects.push(record.Subject));
      query.on('end', resolve);
      query.on('error', reject);
      query.run({ autoFetch: true, maxFetch: 10000 });
    });
    say('all', new Set(subjects).size);
    say('lost', await refusal(() => connection.queryMore('01gDn0000000zzzAAA-2000')));
  },

  async search(url) {
    const connection = await signedIn(url);
    const sosl = 'FIND {4155550101} IN PHONE FIELDS RETURNING Contact(Name, Phone), Account(Id)';
    say('found', await connection.search(sosl));
    say('refused', await refusal(() => connection.search('FIND {x RETURNING Contact')));
  },

  async file(url) {
    const connection = await signedIn(url);
    const [parent] = (await connection.query('SELECT Id FROM Case LIMIT 1')).records;
    const created = await connection.sobject('ContentVersion').create({
      Title: 'call',
      PathOnClient: 'call.txt',
      VersionData: Buffer.from('Hello, caller.').toString('base64'),
      FirstPublishLocationId: parent.Id,
    });
    say('created', created.success);
    const body = await new Promise((resolve, reject) => {
      const chunks = [];
      const blob = connection.sobject('ContentVersion').record(created.id).blob('VersionData');
      blob.on('data', (chunk) => chunks.push(chunk));
      blob.on('end', () => resolve(Buffer.concat(chunks).toString()));
      blob.on('error', reject);
    });
    say('body', body);
  },

  async refused(url, { soql, sobject, record }) {
    const connection = await signedIn(url);
    const request = soql
      ? () => connection.query(soql)
      : () => connection.sobject(sobject).create(record);
    say('refused', await refusal(request));
  },

  async not_found(url, { id }) {
    const cases = (await signedIn(url)).sobject('Case');
    say('read', await refusal(() => cases.retrieve(id)));
    say('updated', await refusal(() => cases.update({ Id: id, Subject: 'x' })));
    say('deleted', await refusal(() => cases.destroy(id)));
  },

  async limit_reached(url) {
    const connection = await signedIn(url);
    await control('PUT', 'faults', { daily_left: 0 });
    say('refused', await refusal(() => connection.query('SELECT Id FROM Case')));
  },

  async expired_token(url, { refreshToken }) {
    const oauth2 = new OAuth2({ loginUrl: url, ...CLIENT });
    const granted = refreshToken
      ? await oauth2.refreshToken(refreshToken)
      : await oauth2.requestToken({ grant_type: 'client_credentials' });
    const connection = new Connection({
      oauth2,
      instanceUrl: url,
      version: VERSION,
      accessToken: granted.access_token,
      ...(refreshToken ? { refreshToken } : { refreshFn: logInAgain(oauth2) }),
    });
    const refreshed = [];
    connection.on('refresh', (token) => refreshed.push(token));
    await control('PUT', 'faults', { expire_tokens: true });
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => connection.query('SELECT Id FROM User LIMIT 1')),
    );
    say('answers', answers.map((answer) => answer.totalSize));
    say('refreshed', refreshed.length);
    say('new token', connection.accessToken !== granted.access_token);
  },

  async expired_bare_token(url, { accessToken }) {
    const connection = new Connection({ instanceUrl: url, accessToken, version: VERSION });
    say('works', (await connection.query('SELECT Id FROM User LIMIT 1')).totalSize);
    await control('PUT', 'faults', { expire_tokens: true });
    say('refused', await refusal(() => connection.query('SELECT Id FROM User LIMIT 1')));
  },

  async refused_refresh_token(url) {
    const connection = new Connection({
      oauth2: { loginUrl: url, ...CLIENT },
      instanceUrl: url,
      version: VERSION,
      accessToken: 'stale',
      refreshToken: 'never issued',
    });
    say('refused', await refusal(() => connection.query('SELECT Id FROM User')));
  },
});

function logInAgain(oauth2) {
  return (connection, callback) => {
    oauth2.requestToken({ grant_type: 'client_credentials' }).then(
      (granted) => callback(null, granted.access_token, granted),
      (error) => callback(error),
    );
  };
}
