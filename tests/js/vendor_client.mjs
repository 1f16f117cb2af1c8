// Drives the vendor's official client against a running sandbox; only the host of its requests is changed.
//
// Usage: node vendor_client.mjs NODE_MODULES < ready-line
// Prints `ok NAME` for each promise that holds, and ends with 1 at the first that doesn't.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const load = createRequire(join(process.argv[2], "from-here.js"));
const { createClient, ApiKeyStrategy, AppStrategy } = load("@wix/sdk");
const { externalCalendars } = load("@wix/bookings");

const ready = JSON.parse(readFileSync(0, "utf8"));
const site = ready.sites[0];
const [lee, patel] = site.schedules;
const account = site.accounts.find((each) => each.provider === "apple");
const googleAccount = site.accounts.find((each) => each.provider === "google");

const plainFetch = globalThis.fetch;
const sent = [];
const toSandbox = async (url, options) => {
  const target = new URL(url);
  assert.equal(target.origin, "https://www.wixapis.com");
  sent.push({ headers: new Headers(options.headers), search: target.search });
  return plainFetch(ready.endpoint + target.pathname + target.search, options);
};

const api = createClient({
  auth: ApiKeyStrategy({ apiKey: ready.api_key, siteId: site.site_id }),
  modules: { externalCalendars },
  fetch: toSandbox,
}).externalCalendars;

async function step(name, promise) {
  await promise();
  console.log(`ok ${name}`);
}

async function refusal(call) {
  const error = await call().then(
    () => assert.fail("the call must be refused"),
    (reason) => reason,
  );
  assert.ok(error.requestId ?? error.details?.requestId, "an error carries its request id");
  return error.details;
}

const code = async (call) => (await refusal(call)).applicationError.code;
const day = (offset) => new Date(Date.now() + offset * 86_400_000).toISOString();

let provider;
let connection;

await step("listProviders", async () => {
  const { providers } = await api.listProviders();
  provider = Object.fromEntries(providers.map((each) => [each.name, each._id]));
  assert.deepEqual(Object.keys(provider).slice(0, 3), ["Google", "Outlook or Office 365", "Apple"]);
});

await step("connectByCredentials", async () => {
  ({ connection } = await api.connectByCredentials(provider.Apple, lee.id, account.email, account.password));
  assert.equal(connection.externalAccountEmail, account.email);
  assert.equal(connection.status, "CONNECTED");
});

await step("the consistency token is carried on", async () => {
  await api.listProviders();
  assert.ok(sent.at(-1).headers.get("x-wix-consistent"));
});

await step("getConnection", async () => {
  const answer = await api.getConnection(connection._id);
  assert.equal(answer.connection._id, connection._id);
  assert.equal(sent.at(-1).search, `?connectionId=${connection._id}`);
});

await step("listCalendars", async () => {
  const { calendars } = await api.listCalendars(connection._id);
  assert.deepEqual(calendars.map((each) => each.name), ["Work", "Personal", "Birthdays"]);
});

await step("updateSyncConfig", async () => {
  const answer = await api.updateSyncConfig(connection._id, {
    listEventFromCalendars: { enabled: true, calendars: { calendars: [{ _id: "a68yu6" }] } },
    syncToCalendar: { enabled: true, dedicatedCalendar: {} },
  });
  assert.deepEqual(answer.connection.syncConfig, {
    listEventFromCalendars: { enabled: true, calendars: { calendars: [{ _id: "a68yu6", name: "Personal" }] } },
    syncToCalendar: { enabled: true, dedicatedCalendar: {} },
  });
});

await step("listEvents, page by page", async () => {
  const filter = { from: day(-14), to: day(14), scheduleIds: [lee.id, patel.id], fieldsets: ["OWN_PI"] };
  const first = await api.listEvents({ ...filter, allDay: false, cursorPaging: { limit: 2 } });
  assert.equal(first.events.length, 2);
  assert.ok(first.events[0].title);
  assert.equal(first.pagingMetadata.hasNext, true);
  const next = await api.listEvents({ cursorPaging: { limit: 1000, cursor: first.pagingMetadata.cursors.next } });
  assert.ok(next.events.length > 0);
  assert.ok(next.events[0].start >= first.events[1].start);
});

await step("connectByOAuth", async () => {
  const { oauthUrl } = await api.connectByOAuth(provider.Google, patel.id, "https://harbor-dental.example/back");
  const form = new URLSearchParams({ account: googleAccount.email, outcome: "connected", decision: "allow" });
  const answer = await plainFetch(oauthUrl, { method: "POST", body: form, redirect: "manual" });
  assert.equal(answer.status, 303);
  const connectionId = new URL(answer.headers.get("location")).searchParams.get("connectionId");
  assert.equal((await api.getConnection(connectionId)).connection.externalAccountEmail, googleAccount.email);
});

await step("listConnections", async () => {
  assert.equal((await api.listConnections()).connections.length, 2);
  const { connections, failedProviderIds } = await api.listConnections({
    scheduleIds: [lee.id],
    partialFailure: true,
  });
  assert.deepEqual(connections.map((each) => each._id), [connection._id]);
  assert.deepEqual(failedProviderIds, []);
});

await step("disconnect", async () => {
  assert.equal((await api.disconnect(connection._id)).connection.status, "DISCONNECTED");
});

await step("application errors", async () => {
  const connect = (id, password) => () => api.connectByCredentials(id, lee.id, account.email, password);
  assert.equal(await code(connect(provider.Apple, "wrong")), "BAD_CREDENTIALS");
  assert.equal(await code(connect(provider.Google, "any")), "NOT_SUPPORTED_BY_PROVIDER");
  assert.equal(await code(() => api.disconnect(connection._id)), "CONNECTION_ALREADY_DISCONNECTED");
  assert.equal(await code(() => api.listCalendars(connection._id)), "CONNECTION_NOT_CONNECTED");
});

await step("validation errors", async () => {
  const { validationError } = await refusal(() => api.connectByOAuth(provider.Google, lee.id, "not a url"));
  assert.deepEqual(validationError.fieldViolations.map((each) => each.field), ["redirectUrl"]);
});

await step("standard errors", async () => {
  await refusal(() => api.getConnection("none"));
});

await step("an app's token", async () => {
  const { app_id: appId, app_secret: appSecret, instance_id: instanceId } = ready.app;
  globalThis.fetch = toSandbox;
  const app = createClient({
    auth: AppStrategy({ appId, appSecret, instanceId }),
    modules: { externalCalendars },
    fetch: toSandbox,
  }).externalCalendars;
  assert.equal((await app.listProviders()).providers.length, Object.keys(provider).length);
  assert.equal(sent.at(-1).headers.get("wix-site-id"), null);
});
