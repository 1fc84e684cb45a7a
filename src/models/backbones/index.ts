import type { BackboneRecord } from "../../registry/component.ts";

export const backbones: readonly BackboneRecord[] = [];
