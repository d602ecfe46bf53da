"use strict";
// Values that depend on a param and are left out for some of its values. With conditions of CloudFormation, the template
// would still have to hold a valid value where there is none.

const NOTHING = { Ref: "AWS::NoValue" };
const param = (resolve, name) => resolve(`param:${name}`).then(String);

// The gateway answers preflight requests and replaces the function's CORS headers by these, so keep them equal to those
// in functions/search/cors.py. They also let a page read the gateway's own 413, 429 and 503.
//
// The gateway takes no other origins than http(s). Where there is one, such as an app's capacitor://localhost, it gets no
// CORS at all, and the function's own headers reach the client.
module.exports.gatewayCors = async ({ resolveVariable }) => {
  const origins = (await param(resolveVariable, "corsOrigins")).split(",");
  if (!origins.every((each) => each === "*" || /^https?:/.test(each))) return NOTHING;
  return {
    AllowOrigins: origins,
    AllowMethods: ["GET", "HEAD", "POST", "OPTIONS"],
    AllowHeaders: ["Content-Type", "X-Request-Id"],
    ExposeHeaders: ["Retry-After", "Server-Timing", "X-Request-Id"],
    MaxAge: 86400,
  };
};

// With any limit, Lambda polls an idle queue with five callers in place of two.
module.exports.reindexScaling = async ({ resolveVariable }) => {
  const most = Number(await param(resolveVariable, "reindexConcurrency"));
  return most ? { MaximumConcurrency: most } : NOTHING;
};

module.exports.permissionsBoundary = async ({ resolveVariable }) => {
  const arn = await param(resolveVariable, "permissionsBoundary");
  return arn === "none" ? NOTHING : arn;
};
