import type { Random } from "../../util/random.ts";
import type { DeferredSample, Sample, Transform } from "../contracts.ts";
import { defer, settle } from "../sample.ts";

/** A transform that resizes or cuts: it says what is to be done, and pixels are computed as late as can be. */
export abstract class GeometricTransform implements Transform {
  abstract applyDeferred(sample: DeferredSample, random: Random): DeferredSample | Sample;

  apply(sample: Sample, random: Random): Sample {
    const result = this.applyDeferred(defer(sample), random);
    return "source" in result ? settle(result) : result;
  }
}
