// Finds what the oldest browsers in package.json (`browserslist`) do not have: `npx eslint site`.
import compat from "eslint-plugin-compat";

export default [{ ...compat.configs["flat/recommended"], files: ["site/*.js"], languageOptions: { ecmaVersion: 2022 } }];
