"use strict";
// Refuses unknown params and wrong values. The CLI accepts any: a misspelt galleryBucket would deploy an empty gallery,
// site=false would deploy a CDN, and other values would fail only on Amazon. What the CLI's schema checks is not here.

const whole = (least, most) => [
  (text) => /^\d+$/.test(text) && least <= Number(text) && Number(text) <= most,
  `a whole number from ${least} to ${most}`,
];
const matching = (pattern, hint) => [(text) => pattern.test(text), hint];

// As in functions/settings.py: a browser's origin, or an app's such as capacitor://localhost.
const ORIGIN = String.raw`[a-z][a-z0-9+.-]*://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?`;
const RULES = {
  runtime: matching(/^python3\.1[23]$/, "python3.13 or python3.12"),
  endpoint: matching(/^(http-api|function-url)$/, "http-api or function-url"),
  searchConcurrency: whole(0, 1_000_000),
  throttleRate: whole(1, 1_000_000),
  throttleBurst: whole(1, 1_000_000),
  accessLog: matching(/^(none|stage)$/, "none or stage"),
  // The functions check these five, too, but only when they start.
  corsOrigins: matching(
    new RegExp(String.raw`^(\*|${ORIGIN}(,${ORIGIN})*)$`),
    "* or origins such as https://a.example,https://b.example, with no spaces and no slash at the end",
  ),
  refreshSeconds: whole(0, 86_400),
  maxPixels: whole(25_600, 500_000_000),
  imageBaseUrl: matching(/^(none|https?:\/\/[^/?#\s][^?#\s]*)$/, "none or an http(s) address without a query"),
  signedUrlSeconds: whole(1, 604_800),
  galleryBucket: matching(/^(none|[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])$/, "none or the name of a bucket, without s3://"),
  // It is part of the roles: without the last slash, photos would also grant photos-of-staff/, and * would grant all.
  galleryPrefix: matching(
    /^((?!\.{1,2}\/)[^/*?$\p{Cc}]+\/)*$/u,
    'nothing or a folder with a slash at the end, such as photos/, without "*", "?" and "$"',
  ),
  galleryVersionDays: whole(1, 3_650),
  indexVersionDays: whole(1, 3_650),
  events: matching(/^(queue|none)$/, "queue or none"),
  reindexConcurrency: [
    (text) => /^\d+$/.test(text) && Number(text) !== 1 && Number(text) <= 1_000,
    "0 for no limit, or a whole number from 2 to 1000",
  ],
  batchWindow: whole(1, 300),
  fill: matching(/^(none|map)$/, "none or map"),
  alarmEmail: matching(/^(none|[^@\s]+@[^@\s]+)$/, "none or an email address"),
  alarmP95Milliseconds: whole(1, 29_000),
  alarmRebuildHours: whole(1, 168),
  budget: whole(1, 1_000_000),
  rollbackMinutes: whole(0, 180),
  domainName: matching(/^(none|([a-z0-9-]+\.)+[a-z0-9-]+)$/, "none or a name such as search.shop.example"),
  certificateId: matching(/^(none|[A-Za-z0-9-]+)$/, "none or the part of its ARN after certificate/"),
  site: matching(/^(none|cdn)$/, "none or cdn"),
  permissionsBoundary: matching(
    /^(none|arn:aws[a-z-]*:iam::(\d{12}|aws):policy\/\S+)$/,
    "none or the ARN of a policy, such as arn:aws:iam::123456789012:policy/boundary",
  ),
  vectorBucket: matching(/^(none|new)$/, "none or new"),
  // It is part of the roles, too.
  feed: matching(
    /^(none|[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/(?!\.{1,2}\/)[^/*?$\p{Cc}]+)+\.[A-Za-z0-9]+)$/u,
    'none or the bucket and path of a file, without s3://, such as shop-feeds/products.csv, and without "*", "?" and "$"',
  ),
  unlisted: matching(/^(keep|hide)$/, "keep or hide"),
};

// It is part of the buckets' names, which have at most 63 characters.
const STAGE = /^[a-z0-9]([a-z0-9-]{0,29}[a-z0-9])?$/;

function problemsOf(stage, params) {
  const problems = Object.entries(RULES)
    .filter(([name, [fits]]) => !fits(String(params[name])))
    .map(([name, [, hint]]) => `${name} is "${params[name]}": give ${hint}`);
  if (!STAGE.test(stage)) {
    problems.push(`the stage is "${stage}": give at most 31 lower-case letters, digits and hyphens`);
  }
  if ((params.domainName === "none") !== (params.certificateId === "none")) {
    problems.push("give domainName and certificateId together");
  }
  if (params.endpoint === "function-url") {
    for (const name of ["domainName", "accessLog"]) {
      if (params[name] !== "none") problems.push(`a function URL has no ${name}: set it to none, or endpoint=http-api`);
    }
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
      throw new serverless.classes.Error(`no such param: ${unknown.join(", ")}. The params are ${known}.`);
    }
    const problems = problemsOf(stage, { ...defaults, ...stages[stage], ...given });
    if (problems.length) throw new serverless.classes.Error(problems.join("\n"));
  }
};
module.exports.problemsOf = problemsOf;
