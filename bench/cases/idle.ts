/** A server that nobody has used yet. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Case, Contestant } from "../measured.ts";
import { outcomeOf } from "../load.ts";
import { proportionalKib, residentKib } from "../process-facts.ts";
import { floor } from "../servers/floor.ts";
import { nginxRtmp } from "../servers/nginx.ts";
import { nodeMediaServer } from "../servers/node-media-server.ts";
import type { StartServer } from "../servers/server.ts";
import { withServer } from "../servers/using.ts";
import { weir } from "../servers/weir.ts";
import type { Plan } from "./plan.ts";

/** The case. Ours has one media thread where that can be said. */
export function idleCases(plan: Plan): Case[] {
  const { installed, features, kit } = plan;
  const { nginx, nginxRtmpModule: module, nodeMediaServer: script } = installed;
  const contestants = [
    contestant("weir", weir({ top: features.oneThread === null ? [] : [features.oneThread] })),
    contestant("floor", floor(kit.rtmpfloor, 100)),
  ];
  if (nginx !== null && module !== null) contestants.push(contestant("nginx", nginxRtmp(nginx, module)));
  if (script !== null && plan.scale.isWhole) contestants.push(contestant("nms", nodeMediaServer(script)));
  const rows = [
    { what: "Idle process, resident", figure: "residentMib", unit: "MiB", digits: 1, aim: "<= 90 MB" },
    { what: "Idle process, by its share (PSS)", figure: "proportionalMib", unit: "MiB", digits: 1 },
  ];
  return [{ id: "idle", group: "idle", contestants, rows }];
}

function contestant(name: Contestant["name"], start: StartServer): Contestant {
  return {
    name,
    measure: () =>
      withServer(start, async ({ pids }) => {
        await sleep(3000);
        return outcomeOf(
          { residentMib: residentKib(pids) / 1024, proportionalMib: proportionalKib(pids) / 1024 },
          null,
        );
      }),
  };
}
