import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor } from "@tensorflow/tfjs";
import { SegfuseError } from "../errors.ts";
import { inPart } from "./operation_error.ts";

/** An operation that the forward pass recorded; see `Engine.addTapeNode` of TF.js. */
interface TapeNode {
  kernelName: string;
  inputs: Record<string, Tensor>;
  outputs: Tensor[];
  saved: Tensor[];
  gradient?: (dys: (Tensor | null)[]) => Record<string, () => Tensor>;
  /** The part of the network that it belongs to; see `within`. */
  part?: string;
}

interface TapeState {
  activeTape: TapeNode[] | null;
  gradientDepth: number;
}

/**
 * A forward and a backward pass: what `tf.variableGrads` computes, in half its memory. TF.js keeps all
 * activations and all their gradients until the backward pass ends; here an operation's saved tensors and
 * the gradient of its output are disposed of as soon as it has passed its gradients on.
 * May run inside the backward pass of another call (gradient checkpointing), not inside a forward pass.
 *
 * @param f computes the loss; its temporaries are disposed of
 * @param xs what to differentiate with respect to: tensors or variables that exist before `f` runs
 * @param dy ∂L/∂(f's result), of its shape; default: ones
 * @returns f's result and, in the order of `xs`, the gradients: null where the result does not depend on x.
 *   The caller's scope owns them.
 */
export function valueAndGradients<T extends Tensor = Scalar>(
  f: () => T,
  xs: readonly Tensor[],
  dy?: Tensor,
): { value: T; gradients: (Tensor | null)[] } {
  const { value, tape } = record(f);
  try {
    const nodes = relevant(tape, xs, value);
    const gradients = tf.tidy(() => {
      const byTensor = new Map<number, Tensor>([
        [value.id, dy === undefined ? tf.onesLike(value) : tf.clone(dy)],
      ]);
      for (const node of nodes.reverse()) {
        try {
          stepBack(node, byTensor);
        } catch (error) {
          throw inPart(error, node.part && `${node.part}, backward pass`);
        }
      }
      // An array of tensors and nulls passes through tidy as it is.
      return xs.map(({ id }) => byTensor.get(id) ?? null) as Tensor[];
    });
    return { value, gradients };
  } finally {
    release(tape);
  }
}

/** Runs `f` with a tape of its own. TF.js has one at a time, so an outer one is put back. */
function record<T extends Tensor>(f: () => T): { value: T; tape: TapeNode[] } {
  // TF.js declares these two private parts of a public state.
  const state = tf.engine().state as unknown as TapeState;
  if (state.gradientDepth > 0)
    throw new Error("a forward pass cannot contain another one with its gradients");
  const outer = state.activeTape;
  const tape: TapeNode[] = [];
  state.activeTape = tape;
  state.gradientDepth++;
  try {
    return { value: tf.tidy(f), tape };
  } catch (error) {
    release(tape);
    throw error;
  } finally {
    state.gradientDepth--;
    state.activeTape = outer;
  }
}

function release(tape: readonly TapeNode[]): void {
  for (const { saved } of tape) for (const tensor of saved) tensor.dispose();
}

/** The nodes that lead from some x to y, with those of their inputs that depend on an x. */
function relevant(tape: readonly TapeNode[], xs: readonly Tensor[], y: Tensor): TapeNode[] {
  const fromX = new Set(xs.map(({ id }) => id));
  const dependent = tape.filter(({ inputs, outputs }) => {
    const depends = Object.values(inputs).some((input) => input != null && fromX.has(input.id));
    if (depends) for (const { id } of outputs) fromX.add(id);
    return depends;
  });
  const toY = new Set([y.id]);
  const nodes: TapeNode[] = [];
  for (const node of dependent.reverse()) {
    if (!node.outputs.some(({ id }) => toY.has(id))) {
      release([node]);
      continue;
    }
    const inputs = Object.fromEntries(
      Object.entries(node.inputs).filter(([, input]) => input != null && fromX.has(input.id)),
    );
    for (const { id } of Object.values(inputs)) toY.add(id);
    nodes.push({ ...node, inputs });
  }
  return nodes.reverse();
}

/** Turns the gradients of a node's outputs into those of its inputs, and lets go of what it held. */
function stepBack(node: TapeNode, byTensor: Map<number, Tensor>): void {
  const dys = node.outputs.map(({ id }) => byTensor.get(id) ?? null);
  if (node.gradient === undefined) throw noGradient(node.kernelName);
  const names = Object.keys(node.inputs);
  const held = new Set<Tensor | null>([...dys, ...node.saved]);
  const dxs = tf.tidy(() => {
    const gradients = node.gradient!(dys);
    return names.map((name) => {
      const gradient = gradients[name];
      if (gradient === undefined) throw noGradient(`${node.kernelName} by ${name}`);
      const dx = gradient();
      // What is disposed of below, or given out twice, must not be the result as well.
      const own = held.has(dx) ? tf.clone(dx) : dx;
      held.add(own);
      return own;
    });
  });
  for (const [i, name] of names.entries()) {
    const x = node.inputs[name]!;
    const dx = dxs[i]!;
    if (!tf.util.arraysEqual(dx.shape, x.shape))
      throw new Error(
        `gradient of ${node.kernelName} by ${name}: shape [${dx.shape.join()}], not [${x.shape.join()}]`,
      );
    const sum = byTensor.get(x.id);
    byTensor.set(x.id, sum === undefined ? dx : tf.add(sum, dx));
    if (sum !== undefined) tf.dispose([sum, dx]);
  }
  for (const { id } of node.outputs) {
    byTensor.get(id)?.dispose();
    byTensor.delete(id);
  }
  release([node]);
}

function noGradient(found: string): SegfuseError {
  return new SegfuseError("SEGFUSE_OP_GRADIENT", "the network has an operation without a gradient", {
    expected: "operations that TensorFlow.js can differentiate on the way from a weight to the loss",
    found,
    advice: "other operations, tf.customGrad, or frozen weights before it",
  });
}
