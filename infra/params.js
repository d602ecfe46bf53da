"use strict";
// Refuses params that do not exist, and values that would only fail on Amazon, or not at all: the CLI takes any. A
// misspelt galleryBucket would deploy an empty gallery, and site=false a CDN. What its own schema checks is not here.

const whole = (least, most) => [
  (text) => /^\d+$/.test(text) && least <= Number(text) && Number(text) <= most,
  `a whole number from ${least} to ${most}`,
];
const matching = (pattern, hint) => [(text) => pattern.test(text), hint];

const ORIGIN = String.raw`https?://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?`;
const RULES = {
  runtime: matching(/^python3\.1[23]$/, "python3.13 or python3.12"),
  searchConcurrency: whole(0, 1_000_000),
  throttleRate: whole(1, 1_000_000),
  throttleBurst: whole(1, 1_000_000),
  // The functions check these four as well, but only when they start.
  corsOrigins: matching(
    new RegExp(String.raw`^(\*|${ORIGIN}(,${ORIGIN})*)$`),
    "* or origins such as https://a.example,https://b.example, without spaces and slashes at their ends",
  ),
  refreshSeconds: whole(0, 86_400),
  imageBaseUrl: matching(/^(none|https?:\/\/[^/?#\s][^?#\s]*)$/, "none or an http(s) address without query"),
  signedUrlSeconds: whole(1, 604_800),
  galleryBucket: matching(/^(none|[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])$/, "none or a bucket's name, without s3://"),
  // It is a part of the roles: without its last slash, photos would open photos-of-staff/ too, and * everything.
  galleryPrefix: matching(
    /^((?!\.{1,2}\/)[^/*?$\p{Cc}]+\/)*$/u,
    'nothing or a folder with a slash at its end, such as photos/, without "*", "?" and "$"',
  ),
  batchWindow: whole(1, 300),
  fill: matching(/^(none|map)$/, "none or map"),
  alarmEmail: matching(/^(none|[^@\s]+@[^@\s]+)$/, "none or an address"),
  alarmP95Milliseconds: whole(1, 29_000),
  alarmRebuildHours: whole(1, 168),
  domainName: matching(/^(none|([a-z0-9-]+\.)+[a-z0-9-]+)$/, "none or a name such as search.shop.example"),
  certificateId: matching(/^(none|[A-Za-z0-9-]+)$/, "none or what follows certificate/ in its ARN"),
  site: matching(/^(none|cdn)$/, "none or cdn"),
  vectorBucket: matching(/^(none|new)$/, "none or new"),
};

// It is a part of the buckets' names, which have 63 characters at most.
const STAGE = /^[a-z0-9]([a-z0-9-]{0,29}[a-z0-9])?$/;

function problemsOf(stage, params) {
  const problems = Object.entries(RULES)
    .filter(([name, [fits]]) => !fits(String(params[name])))
    .map(([name, [, hint]]) => `${name} is "${params[name]}": give ${hint}`);
  if (!STAGE.test(stage)) {
    problems.push(`the stage is "${stage}": give at most 31 small letters, digits and hyphens`);
  }
  if ((params.domainName === "none") !== (params.certificateId === "none")) {
    problems.push("domainName and certificateId go together");
  }
  return problems;
}

module.exports = class Params {
  constructor(serverless, options) {
    const { default: defaults, ...stages } = serverless.configurationInput.params;
    const { stage } = serverless.service.provider;
    const given = Object.fromEntries((options.param || []).map((each) => each.match(/^([^=]*)=?(.*)$/s).slice(1)));
    const names = [given, ...Object.values(stages)].flatMap((each) => Object.keys(each));
    const unknown = [...new Set(names)].filter((name) => !Object.hasOwn(defaults, name));
    if (unknown.length) {
      const known = Object.keys(defaults).join(", ");
      throw new serverless.classes.Error(`no such param: ${unknown.join(", ")}. There are ${known}.`);
    }
    const problems = problemsOf(stage, { ...defaults, ...stages[stage], ...given });
    if (problems.length) throw new serverless.classes.Error(problems.join("\n"));
  }
};
module.exports.problemsOf = problemsOf;
