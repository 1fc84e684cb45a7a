import type { ScheduleRecord } from "../../registry/component.ts";
import poly from "./poly.ts";

/** The learning rate schedules that come with segfuse. */
export const schedules: readonly ScheduleRecord[] = [poly];
