import type { Scalar, Tensor, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import { within } from "../engine/within.ts";
import { SegfuseError } from "../errors.ts";
import type { SupervisedOutput } from "../heads/contracts.ts";
import type { Loss, LossRecord } from "../losses/contracts.ts";
import type { ComponentConfig } from "../registry/component_ref.ts";
import { makeComponent, type Lookup } from "../registry/make.ts";

/** The losses of one output of a network. */
export class Supervision {
  constructor(
    /** How logs begin: `decode`, `decode.edges`, `aux`. */
    readonly name: string,
    /** Where it stands in the config. */
    private readonly where: string,
    private readonly losses: readonly Loss[],
  ) {}

  /** Its losses by `NAME.LOSS`, weights included, into `parts`; those of one name are summed. */
  addTo(parts: Record<string, Scalar>, output: Tensor, labels: Tensor3D): void {
    for (const loss of this.losses) {
      const key = `${this.name}.${loss.name}`;
      const value = this.valueOf(loss, output, labels);
      parts[key] = parts[key] === undefined ? value : tf.add(parts[key], value);
    }
  }

  /** The sum of its losses, weights included. */
  total(output: Tensor, labels: Tensor3D): Scalar {
    return tf.tidy(() => tf.addN(this.losses.map((loss) => this.valueOf(loss, output, labels))));
  }

  private valueOf(loss: Loss, output: Tensor, labels: Tensor3D): Scalar {
    // Of losses on vectors a vector, as `makeLosses` has checked.
    return within(this.where, () => loss.forward(output as Tensor4D, labels));
  }
}

/**
 * Makes the losses of an output.
 *
 * @param output what they see
 * @throws SegfuseError `SEGFUSE_COMPONENT_OPTIONS` where a loss on maps is given a vector, or the other way round
 */
export function makeLosses(
  slots: readonly ComponentConfig[],
  output: Pick<SupervisedOutput, "kind" | "channels" | "name">,
  data: { numClasses: number; ignoreIndex: number },
  components: Lookup<{ loss: LossRecord }>,
): Loss[] {
  const { kind, channels = data.numClasses, name } = output;
  return slots.map((slot) => {
    const { input = "map" } = components.get("loss", slot.type);
    if (input !== kind)
      throw new SegfuseError("SEGFUSE_COMPONENT_OPTIONS", `the loss '${slot.type}' does not fit its output`, {
        where: `the losses of the head's output '${name}'`,
        expected: `a loss on ${kind === "map" ? "maps" : "vectors"}`,
        found: `one on ${input === "map" ? "maps" : "vectors"}`,
      });
    return makeComponent(components, "loss", slot, { numClasses: channels, ignoreIndex: data.ignoreIndex });
  });
}
