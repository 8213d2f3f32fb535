import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { S3Options } from "../index.ts";

type Environment = Record<string, string | undefined>;
type Section = Record<string, string>;

/**
 * What this user's environment and `~/.aws` files say of S3: keys from `AWS_ACCESS_KEY_ID` and its companions, else
 * from the profile `AWS_PROFILE` (default `default`); region and endpoint likewise. No keys: anonymous.
 */
export function ambientS3(env: Environment = process.env): S3Options {
  const profile = env.AWS_PROFILE ?? "default";
  const config = section(env.AWS_CONFIG_FILE ?? join(homedir(), ".aws", "config"), [
    profile === "default" ? "default" : `profile ${profile}`,
  ]);
  const shared = section(env.AWS_SHARED_CREDENTIALS_FILE ?? join(homedir(), ".aws", "credentials"), [
    profile,
  ]);
  return {
    region: env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? config.region,
    endpoint: env.AWS_ENDPOINT_URL_S3 ?? env.AWS_ENDPOINT_URL ?? config.endpoint_url,
    credentials: environmentKeys(env) ?? profileKeys(shared) ?? profileKeys(config),
  };
}

function environmentKeys(env: Environment): S3Options["credentials"] {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, sessionToken: env.AWS_SESSION_TOKEN };
}

function profileKeys(profile: Section): S3Options["credentials"] {
  const { aws_access_key_id: accessKeyId, aws_secret_access_key: secretAccessKey } = profile;
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, sessionToken: profile.aws_session_token };
}

/** The settings of an INI file's section; none where the file is not there. */
function section(file: string, names: readonly string[]): Section {
  const found: Section = {};
  let inside = false;
  for (const line of linesOf(file)) {
    const head = /^\s*\[\s*(.*?)\s*\]/.exec(line);
    if (head) inside = names.includes(head[1]!);
    const setting = /^([A-Za-z_]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (inside && setting) found[setting[1]!.toLowerCase()] = setting[2]!;
  }
  return found;
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split(/\r?\n/);
  } catch {
    return [];
  }
}
