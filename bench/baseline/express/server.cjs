// The webhook of bench/baseline/webhook.py in Express: synchronous, and nothing is stored.
"use strict";

const cluster = require("node:cluster");
const { timingSafeEqual } = require("node:crypto");
const express = require("express");

const { VAPI_SERVER_SECRET, SALESFORCE_INSTANCE_URL, PORT, WEB_CONCURRENCY } = process.env;
const VERSION = "v59.0";
const TIMEOUT_MS = 15_000;
const SECRET = Buffer.from(VAPI_SERVER_SECRET);

let token;

async function connect() {
  const body = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: process.env.SALESFORCE_CLIENT_ID,
    client_secret: process.env.SALESFORCE_CLIENT_SECRET,
  });
  const answer = await fetch(`${SALESFORCE_INSTANCE_URL}/services/oauth2/token`, { method: "POST", body });
  if (!answer.ok) throw new Error(`token: ${answer.status}`);
  return (await answer.json()).access_token;
}

async function salesforce(path, fields) {
  token ??= await connect();
  const answer = await fetch(`${SALESFORCE_INSTANCE_URL}/services/data/${VERSION}/${path}`, {
    method: fields ? "POST" : "GET",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: fields && JSON.stringify(fields),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!answer.ok) throw new Error(`Salesforce: ${answer.status}`);
  return answer.json();
}

const quoted = (text) => `'${text.replace(/[\\']/g, "\\$&")}'`;

const first = async (soql) => (await salesforce(`query?q=${encodeURIComponent(soql)}`)).records[0];

const tools = {
  async lookupCustomer(number) {
    const contact = await first(`SELECT Id, Name FROM Contact WHERE Phone = ${quoted(number)} LIMIT 1`);
    return contact ? `The caller is ${contact.Name}.` : "The caller is not known.";
  },
  async getCaseStatus(number) {
    const found = await first(
      `SELECT CaseNumber, Status FROM Case WHERE Contact.Phone = ${quoted(number)} ORDER BY CreatedDate DESC LIMIT 1`,
    );
    return found ? `Case ${found.CaseNumber} is ${found.Status}.` : "There is no case.";
  },
  async createSalesforceCase(number, { issueType, description }) {
    const fields = { Subject: issueType, Description: description, SuppliedPhone: number, Origin: "Phone" };
    return `I have opened a case, ${(await salesforce("sobjects/Case", fields)).id}.`;
  },
};

async function answer({ id, function: { name, arguments: given } }, number) {
  try {
    return { toolCallId: id, result: await tools[name](number, given) };
  } catch (error) {
    console.error(error.message);
    return { toolCallId: id, error: "That did not work." };
  }
}

const app = express();
app.use(express.json({ limit: "10mb" }));
app.post("/webhook/vapi", async (request, response) => {
  const secret = Buffer.from(request.get("X-Vapi-Secret") ?? "");
  if (secret.length !== SECRET.length || !timingSafeEqual(secret, SECRET)) return response.sendStatus(401);
  const { message } = request.body;
  if (message.type !== "tool-calls") return response.json({});
  const number = message.call.customer.number;
  const results = await Promise.all(message.toolCallList.map((call) => answer(call, number)));
  return response.json({ results });
});

if (cluster.isPrimary) {
  for (let nth = 0; nth < Number(WEB_CONCURRENCY); nth += 1) cluster.fork();
} else {
  const server = app.listen(Number(PORT), "127.0.0.1");
  server.keepAliveTimeout = 75_000;
}
