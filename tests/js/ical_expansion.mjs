// What ical.js makes of calendars: a second implementation beside the sandbox's import.
//
// Usage: node ical_expansion.mjs NODE_MODULES < calendars
// `calendars` is a JSON object of {content, zone, start, end, owner} by name, times in seconds since the epoch; prints
// an object by the same names, each of [start, end, all-day, title] lists, or of an error's text.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const load = createRequire(join(process.argv[2], "from-here.js"));
const ICAL = load("ical.js");

const MAX_STEPS = 20_000;

// A zone of the IANA database, which ical.js does not bring, as node has it.
class IanaZone extends ICAL.Timezone {
  constructor(name) {
    super({ tzid: name });
    this.format = new Intl.DateTimeFormat("en", { timeZone: name, timeZoneName: "longOffset" });
  }

  offsetAt(milliseconds) {
    const part = this.format.formatToParts(milliseconds).find((each) => each.type === "timeZoneName").value;
    const [, sign, hours, minutes, seconds] = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(part);
    return (sign === "-" ? -1 : 1) * ((hours ?? 0) * 3600 + (minutes ?? 0) * 60 + Number(seconds ?? 0));
  }

  utcOffset(time) {
    const wall = wallClock(time);
    const [before, after] = [this.offsetAt(wall - 86_400_000), this.offsetAt(wall + 86_400_000)];
    return [before, after].find((offset) => this.offsetAt(wall - offset * 1000) === offset) ?? before;
  }
}

const wallClock = (time) =>
  new Date(0).setUTCFullYear(time.year, time.month - 1, time.day) +
  ((time.hour * 60 + time.minute) * 60 + time.second) * 1000;

function ianaZone(name) {
  try {
    return new IanaZone(name);
  } catch {
    return null;
  }
}

function registerZones(root) {
  ICAL.TimezoneService.reset();
  for (const each of root.getAllSubcomponents("vtimezone")) {
    ICAL.TimezoneService.register(new ICAL.Timezone(each));
  }
  for (const event of root.getAllSubcomponents("vevent")) {
    for (const name of event.getAllProperties().map((each) => each.getFirstParameter("tzid"))) {
      const zone = name && !ICAL.TimezoneService.has(name) && ianaZone(name);
      if (zone) ICAL.TimezoneService.register(zone, name);
    }
  }
}

const lower = (component, name) => String(component.getFirstPropertyValue(name) ?? "").toLowerCase();

function keepsBusy(event, owner) {
  const declines = (attendee) =>
    String(attendee.getFirstParameter("partstat")).toLowerCase() === "declined" &&
    [attendee.getFirstValue(), `mailto:${attendee.getFirstParameter("email")}`].some(
      (each) => String(each).toLowerCase() === `mailto:${owner}`,
    );
  return !(
    lower(event, "status") === "cancelled" ||
    lower(event, "transp") === "transparent" ||
    lower(event, "x-microsoft-cdo-busystatus") === "free" ||
    event.getAllProperties("attendee").some(declines)
  );
}

function* occurrences(root, until) {
  const events = root.getAllSubcomponents("vevent");
  const isException = (each) => each.hasProperty("recurrence-id");
  for (const component of events.filter((each) => !isException(each))) {
    const uid = component.getFirstPropertyValue("uid");
    const same = (each) => uid !== null && each.getFirstPropertyValue("uid") === uid;
    const event = new ICAL.Event(component, { exceptions: events.filter((each) => isException(each) && same(each)) });
    if (!event.isRecurring()) {
      yield { item: event, startDate: event.startDate, endDate: event.endDate };
      continue;
    }
    const lastMove = Math.max(0, ...Object.values(event.exceptions).map((each) => each.recurrenceId.toUnixTime()));
    const iterator = event.iterator();
    for (let step = 0, next = iterator.next(); next; next = iterator.next(), step += 1) {
      if (step === MAX_STEPS) throw new Error(`${uid} goes on for more than ${MAX_STEPS} steps`);
      if (next.toUnixTime() > Math.max(until, lastMove) + 86_400) break;
      yield event.getOccurrenceDetails(next);
    }
  }
}

function expand({ content, zone, start, end, owner }) {
  const found = [];
  const parsed = ICAL.parse(content);
  for (const root of (Array.isArray(parsed[0]) ? parsed : [parsed]).map((each) => new ICAL.Component(each))) {
    registerZones(root);
    const floating = ianaZone(root.getFirstPropertyValue("x-wr-timezone")) ?? ianaZone(zone);
    const seconds = (time) => {
      if (time.isDate) return wallClock(time) / 1000;
      const its = time.zone === ICAL.Timezone.localTimezone ? floating : time.zone;
      return wallClock(time) / 1000 - its.utcOffset(time);
    };
    for (const { item, startDate, endDate } of occurrences(root, end)) {
      const [from, to] = [seconds(startDate), seconds(endDate)];
      if (from < end && to >= start && keepsBusy(item.component, owner)) {
        found.push([from, to, startDate.isDate, item.summary]);
      }
    }
  }
  return found;
}

const answers = {};
for (const [name, asked] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  try {
    answers[name] = expand(asked);
  } catch (error) {
    answers[name] = String(error);
  }
}
console.log(JSON.stringify(answers));
