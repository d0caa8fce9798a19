import type { InputPlan, ResolvedConfig, StreamPlan } from "../../config/plan.ts";

/**
 * Inputs that administrators chose by hand, in place of those that would run. A choice holds until another one is made, the
 * inputs of its stream are others, or the server stops: it stands in no file.
 */
export class InputSelections {
  /** By the names of streams, the input that runs. */
  readonly #chosen = new Map<string, { readonly index: number; readonly input: InputPlan }>();

  /** From now on `applied` has that input. Returns: whether the configuration has such a stream and input. */
  choose(config: ResolvedConfig, name: string, index: number): boolean {
    const input = config.streams.find((stream) => stream.name === name)?.inputs[index];
    if (input === undefined) return false;
    this.#chosen.set(name, { index, input });
    return true;
  }

  /** A configuration with the choices in it; the streams without one are the very same. */
  applied(config: ResolvedConfig): ResolvedConfig {
    if (this.#chosen.size === 0) return config;
    return { ...config, streams: config.streams.map((stream) => this.#appliedTo(stream)) };
  }

  /** A configuration is in force: choices that it does not have any more are forgotten. */
  keepThoseOf({ streams }: ResolvedConfig): void {
    const known = new Map(streams.map((stream) => [stream.name, stream]));
    for (const name of this.#chosen.keys()) {
      const stream = known.get(name);
      if (stream === undefined || this.#placeIn(stream) === null) this.#chosen.delete(name);
    }
  }

  #appliedTo(stream: StreamPlan): StreamPlan {
    const place = this.#placeIn(stream);
    if (place === null) return stream;
    const inputs = stream.inputs.map((one, i) =>
      i === place ? { ...one, isSelected: true as const } : one,
    );
    return { ...stream, inputs };
  }

  #placeIn({ name, inputs }: StreamPlan): number | null {
    const chosen = this.#chosen.get(name);
    return chosen !== undefined && inputs[chosen.index]?.url === chosen.input.url ? chosen.index : null;
  }
}
