import constant from "./constant.ts";
import cosine from "./cosine.ts";
import poly from "./poly.ts";
import step from "./step.ts";
import type { ScheduleRecord } from "./contracts.ts";

/** The learning rate schedules that come with segfuse. */
export const schedules: readonly ScheduleRecord[] = [poly, step, cosine, constant];
