import type { HttpReply, HttpRequest } from "../../base/http-message.ts";
import { embeddedName } from "../page-paths.ts";

/** Longest name shown, in characters, as on the player page: names come from addresses. */
const MAX_SHOWN = 80;

/** Nothing of it runs. It stands where the player page would, so it may stand on other sites. */
const POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors *";

/** Control characters, and the marks that turn the direction of text. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** How often a browser asks again for what may be had later. */
const REFRESH_S = 5;

/**
 * What a person sees who opens a player page and may not: `reply`, in words of HTML. Never the player itself: whoever is
 * refused for the page around it would play inside of it. Anybody else has `reply` as it is.
 */
export function refusalPage(reply: HttpReply, request: HttpRequest): HttpReply {
  const name = reply.status < 400 ? null : embeddedName(request.path);
  if (name === null || !/\btext\/html\b/i.test(request.header("accept") ?? "")) return reply;
  const headers = reply.headers.filter(([key]) => key !== "content-type");
  return {
    ...reply,
    headers: [
      ...headers,
      ["content-type", "text/html; charset=utf-8"],
      ["content-security-policy", POLICY],
      ["x-content-type-options", "nosniff"],
      // The address may carry a token.
      ["referrer-policy", "same-origin"],
    ],
    body: [Buffer.from(render(shown(name), reply))],
  };
}

function render(name: string, { status, body }: HttpReply): string {
  const isLater = status === 429 || status >= 500;
  const title = isLater
    ? `The server cannot give ${name} now.`
    : `${name} may not be played from this page.`;
  const detail = isLater
    ? `It is busy or not ready (HTTP ${status}). Trying again by itself.`
    : `The server refuses it (HTTP ${status}).`;
  const note = Buffer.concat([...body])
    .toString()
    .trim();
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />${
      isLater ? `\n    <meta http-equiv="refresh" content="${REFRESH_S}" />` : ""
    }
    <title>${escape(title)}</title>
    <link rel="icon" href="/-/ui/shared/icon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/-/ui/shared/theme.css" />
    <link rel="stylesheet" href="/-/ui/player/player.css" />
  </head>
  <body>
    <main class="stage">
      <div class="message">
        <div class="card">
          <p class="title" role="heading" aria-level="1">${escape(title)}</p>
          <p class="detail">${escape(detail)}</p>
          <p class="note">${escape(note)}</p>
          <a class="retry" href="">Try again</a>
        </div>
      </div>
    </main>
  </body>
</html>
`;
}

function shown(name: string): string {
  const plain = name.replace(UNSEEN, "\ufffd");
  return plain.length <= MAX_SHOWN ? plain : `${plain.slice(0, MAX_SHOWN - 3)}...`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
