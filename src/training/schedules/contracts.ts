import type { Static, TObject } from "typebox";
import { defineRecord, type Definition, type RecordBase } from "../../registry/record.ts";

/** Learning rate as a factor of the base: iteration 0..iterations-1 → rate. */
export interface Schedule {
  readonly iterations: number;
  rate(iteration: number, baseLr: number): number;
}

export interface ScheduleRecord<S extends TObject = TObject> extends RecordBase<"schedule", S> {
  create(options: Static<S>): Schedule;
}

export const defineSchedule = <S extends TObject>(d: Definition<ScheduleRecord<S>>): ScheduleRecord =>
  defineRecord("schedule", d);
