// Add rules of CSS to the page or to a shadow root. The browser need not know constructable style sheets (Safari 16.4).

/** Each rule begins at the start of a line; its further lines are indented. */
export function addStyles(root, rules) {
  if ("adoptedStyleSheets" in root) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(rules);
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  } else if (root === document) {
    // The page's policy allows no <style>, but its own sheet may be added to.
    const [sheet] = document.styleSheets;
    for (const rule of rules.trim().split(/\n(?=\S)/)) sheet.insertRule(rule, sheet.cssRules.length);
  } else {
    const style = document.createElement("style");
    style.textContent = rules;
    root.prepend(style);
  }
}
