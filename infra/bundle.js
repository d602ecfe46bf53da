"use strict";
// Builds the zip before the CLI packages it, so that `serverless deploy` alone is enough.
// --param="bundle=FILE" takes a zip that is already there. And refuses params that do not exist: the CLI takes them
// without a word, and a misspelt galleryBucket would deploy an empty gallery.

const { spawnSync } = require("node:child_process");

module.exports = class Bundle {
  constructor(serverless, options) {
    this.serverless = serverless;
    this.checkParams(options.param || []);
    this.hooks = { "before:package:createDeploymentArtifacts": () => this.build() };
  }

  checkParams(given) {
    const known = Object.keys(this.serverless.configurationInput.params.default);
    const unknown = given.map((param) => param.split("=")[0]).filter((name) => !known.includes(name));
    if (unknown.length) {
      throw new this.serverless.classes.Error(`no such param: ${unknown.join(", ")}. There are ${known.join(", ")}.`);
    }
  }

  build() {
    const { package: packaging, provider } = this.serverless.service;
    if (packaging.artifact !== "build") return;
    const { architecture, runtime } = provider;
    packaging.artifact = `.build/garment-search-${architecture}.zip`;
    const python = process.env.PYTHON || "python3";
    const target = ["--arch", architecture, "--python", runtime.replace("python", "")];
    const command = ["scripts/bundle.py", ...target, "--out", packaging.artifact];
    const { error, status } = spawnSync(python, command, { cwd: this.serverless.serviceDir, stdio: "inherit" });
    if (error || status !== 0) {
      const reason = error ? error.message : `exit code ${status}`;
      throw new this.serverless.classes.Error(
        `${python} ${command.join(" ")} failed (${reason}). PYTHON says which Python builds the bundle; ` +
          '--param="bundle=FILE" takes one that is ready.',
      );
    }
  }
};
