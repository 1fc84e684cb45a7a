import { join } from "node:path";
import { Type } from "typebox";
import { EventFile } from "../../engine/event_file.ts";
import type { RunRecord } from "../run_log.ts";
import { defineHook, type Hook } from "./contracts.ts";

/**
 * Writes the log's numbers to `WORK_DIR/tensorboard/` (`tensorboard --logdir work_dirs`): `train/loss` and its
 * parts, `train/lr`, times and memory, `val/mIoU` and the other scores, `val_class_IoU/NAME`. A resumed run begins
 * another file in the same folder; TensorBoard joins them.
 */
export default defineHook({
  type: "tensorboard",
  description: "Writes the log's numbers as TensorBoard event files (log.tensorboard: true; native engine).",
  stage: "log",
  schema: Type.Object({}),
  create: (_options, { workDir }): Hook => {
    EventFile.requireEngine();
    let file: EventFile | undefined;
    return {
      onLog(record) {
        const scalars = scalarsOf(record);
        if (scalars.length === 0) return;
        file ??= EventFile.open(join(workDir, "tensorboard"));
        for (const [name, value] of scalars) file.scalar(name, value, record.iteration);
        file.flush();
      },
      close: () => file?.close(),
    };
  },
});

/** Names and values; what is no finite number cannot be drawn. */
function scalarsOf(record: RunRecord): [name: string, value: number][] {
  if (record.event === "train") return numbersOf("train", record, ["iteration"]);
  if (record.event !== "evaluate") return [];
  const { metrics, class_iou: classes, val_loss: loss } = record;
  return [
    ...numbersOf("val", metrics as object),
    ...numbersOf("val", { loss }),
    ...numbersOf("val_class_IoU", classes as object),
  ];
}

function numbersOf(group: string, values: object, except: readonly string[] = []): [string, number][] {
  return Object.entries(values)
    .filter((entry): entry is [string, number] => typeof entry[1] === "number" && Number.isFinite(entry[1]))
    .filter(([name]) => !except.includes(name))
    .map(([name, value]) => [`${group}/${name}`, value]);
}
