"use strict";
// Builds the bundle before the CLI packages it, so that `serverless deploy` is the only command.
// --param="bundle=FILE" uses an existing zip file instead.

const { spawnSync } = require("node:child_process");

module.exports = class Bundle {
  constructor(serverless) {
    this.serverless = serverless;
    this.hooks = {
      "before:package:createDeploymentArtifacts": () => this.build(),
      "before:deploy:function:initialize": () => this.refuseOneFunction(),
    };
  }

  refuseOneFunction() {
    // The CLI would upload the code and then fail, because it does not know the name of the function's role.
    throw new this.serverless.classes.Error(
      "a single function cannot be deployed; `serverless deploy` updates all of them",
    );
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
        `${python} ${command.join(" ")} failed (${reason}). Set PYTHON to the Python that builds the bundle, or ` +
          'use an existing bundle with --param="bundle=FILE".',
      );
    }
  }
};
