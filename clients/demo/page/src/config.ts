/** Where everything is; the hub serves it as /demo-config.json. */
export interface DemoConfig {
  /** Origin of the back end. */
  readonly backend: string;
  /** Origin of the hub's browser door; empty = where the page came from. */
  readonly hub: string;
  /** host:port of the hub's gRPC door, for the command to copy. */
  readonly grpc: string;
  /** The hub takes faults on request. */
  readonly dev: boolean;
}

export async function loadConfig(): Promise<DemoConfig> {
  const response = await fetch("./demo-config.json", { cache: "no-store" });
  if (!response.ok) throw new Error(`The hub gave no configuration (HTTP ${response.status}).`);
  const config = (await response.json()) as Partial<DemoConfig>;
  return {
    backend: config.backend ?? "",
    hub: config.hub ?? "",
    grpc: config.grpc ?? "",
    dev: config.dev === true,
  };
}
