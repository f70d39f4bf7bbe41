// Blocks (JSON on standard input) -> a whole HTML page (standard output), drawn
// by slack-blocks-to-jsx. Its stylesheet is put inside, so the page loads nothing.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";

const require = createRequire(import.meta.url);
const { Message } = require("slack-blocks-to-jsx");
const style = readFileSync(require.resolve("slack-blocks-to-jsx/dist/style.css"), "utf8");

const { blocks, name } = JSON.parse(readFileSync(0, "utf8"));
// A fixed time keeps the picture the same from run to run.
const time = new Date("2026-01-05T09:00:00");
// Slack shows an app without an icon as a square.
const logo = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'%3E%3Crect width='36' height='36' fill='%234a7'/%3E%3C/svg%3E";
const message = renderToStaticMarkup(createElement(Message, { blocks, name, logo, time, theme: "light" }));

process.stdout.write(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${name}</title>
<style>${style}</style>
<style>body { margin: 16px; font-family: "DejaVu Sans", sans-serif; }</style>
<main>${message}</main>
</html>
`);
