"use strict";
// What a deployment has to know about the account: that it accepts the credentials and the reservation for the search,
// before the half minute of building, and which alarm rolls the deployment back.

// AWS keeps so many for the functions without a reservation.
const UNRESERVED = 100;

module.exports = class Account {
  constructor(serverless) {
    this.serverless = serverless;
    this.hooks = { "before:package:createDeploymentArtifacts": () => this.prepare() };
  }

  async prepare() {
    if (this.serverless.processedInput.commands[0] !== "deploy") return;
    await this.refuseWithoutCredentials();
    await this.refuseReservation();
    await this.rollBackOnAlarm();
  }

  get provider() {
    return this.serverless.getProvider("aws");
  }

  param(name) {
    return this.serverless.service.custom.account[name];
  }

  // The CLI itself looks for credentials only after the build.
  async refuseWithoutCredentials() {
    try {
      await this.provider.getAccountId();
    } catch (error) {
      throw new this.serverless.classes.Error(
        `AWS does not accept the credentials in use (${error.message}). Sign in with \`aws configure\` or ` +
          "`aws sso login`, and name the profile with AWS_PROFILE.",
      );
    }
  }

  async refuseReservation() {
    const wanted = Number(this.param("searchConcurrency"));
    if (!wanted) return;
    const { AccountLimit } = await this.provider.request("Lambda", "getAccountSettings", {});
    const limit = AccountLimit.ConcurrentExecutions;
    if (limit - wanted >= UNRESERVED) return;
    throw new this.serverless.classes.Error(
      `searchConcurrency is ${wanted}, and this account may run ${limit} functions at once, of which AWS lets ` +
        `${Math.max(0, limit - UNRESERVED)} be reserved. Deploy with PARAM_SEARCH_CONCURRENCY=0: the account's own ` +
        "limit then caps the bill. Or ask AWS for a higher limit.",
    );
  }

  // CloudFormation refuses an alarm that does not exist, so the first deployment has none.
  async rollBackOnAlarm() {
    const minutes = Number(this.param("rollbackMinutes"));
    if (!minutes || this.param("alarmEmail") === "none") return;
    const alarm = await this.alarmArn();
    if (!alarm) return;
    this.serverless.service.provider.rollbackConfiguration = {
      MonitoringTimeInMinutes: minutes,
      RollbackTriggers: [{ Arn: alarm, Type: "AWS::CloudWatch::Alarm" }],
    };
  }

  async alarmArn() {
    const stack = { StackName: this.provider.naming.getStackName(), LogicalResourceId: "SearchServerErrorsAlarm" };
    try {
      const { StackResourceDetail } = await this.provider.request("CloudFormation", "describeStackResource", stack);
      const names = { AlarmNames: [StackResourceDetail.PhysicalResourceId] };
      const { MetricAlarms } = await this.provider.request("CloudWatch", "describeAlarms", names);
      return MetricAlarms[0]?.AlarmArn;
    } catch (error) {
      if (/does not exist/.test(error.message)) return undefined; // the stack, or the alarm in it
      throw error;
    }
  }
};
