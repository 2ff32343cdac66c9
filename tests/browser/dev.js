// Starts `clawdet dev` for a test and ends it; where everything is stands in the dev.json it writes.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createWriteStream } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./wait.js";

/** Starts it in a folder of its own. Gives its endpoints and how to stop it. */
export async function startDev() {
  const binary = process.env.CLAWDET_BINARY;
  if (!binary) throw new Error("CLAWDET_BINARY is not set; run `cargo xtask test`");
  const folder = await mkdtemp(join(tmpdir(), "clawdet-browser-"));
  const data = join(folder, "data");
  const log = createWriteStream(join(folder, "dev.log"));
  const child = spawn(binary, ["dev", "--data-dir", data, "--port", "0"], { cwd: folder });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.pipe(log, { end: false });
    stream.on("data", (text) => (printed = (printed + text).slice(-4000)));
  }
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    child.kill("SIGKILL");
    await ended;
    log.end();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const endpoints = await until(60_000, "clawdet dev is ready", async () => {
      if (child.exitCode !== null) throw new Error(`it has ended (${child.exitCode}):\n${printed}`);
      return JSON.parse(await readFile(join(data, "dev.json"), "utf8").catch(() => "null"));
    });
    return { endpoints, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What the simulated Hetzner has. */
export async function servers({ hetzner }) {
  const headers = { Authorization: `Bearer ${hetzner.token}` };
  const answer = await fetch(`${hetzner.url}/servers?per_page=50`, { headers });
  if (!answer.ok) throw new Error(`list servers: ${answer.status}`);
  return (await answer.json()).servers;
}
