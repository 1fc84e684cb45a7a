import type { ScheduleRecord } from "../../registry/component.ts";

export const schedules: readonly ScheduleRecord[] = [];
