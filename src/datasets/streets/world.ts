import type { Random } from "../../util/random.ts";
import { Canvas, mix, polygon, shade, type Point, type Rgb, type Shape } from "./canvas.ts";

/** -1: left of the street, 1: right. */
export type Side = -1 | 1;

export interface Light {
  readonly name: "noon" | "overcast" | "evening" | "dusk";
  readonly skyTop: Rgb;
  readonly skyLow: Rgb;
  /** Brightness of what faces the sun, the camera, and away from the sun. */
  readonly lit: number;
  readonly front: number;
  readonly unlit: number;
  /** Opacity of shadows; 0: none. */
  readonly shadow: number;
  /** The side of the street that the sun stands on. */
  readonly sun: Side;
  /** The colour of the light and its strength, by channel. */
  readonly gain: Rgb;
  /** Metres after which a colour is half that of the air. */
  readonly haze: number;
}

/** The street and how it is seen. Metres: x to the right, y up, z away from the camera; the road's middle is x = 0. */
export class World {
  readonly cameraX: number;
  readonly cameraY: number;
  readonly focal: number;
  readonly horizon: number;
  /** Half the road's width; the outer edge of the pavement; where the street ends. */
  readonly kerb: number;
  readonly pavementEnd: number;
  readonly end: number;
  readonly light: Light;

  constructor(
    readonly canvas: Canvas,
    readonly random: Random,
  ) {
    const { width, height } = canvas;
    this.kerb = random.between(3.2, 6.2);
    this.pavementEnd = this.kerb + random.between(1.8, 4);
    this.end = random.between(55, 140);
    this.cameraX = random.between(-0.55, 0.55) * this.kerb;
    this.cameraY = random.between(1.25, 2.1);
    this.focal = width * random.between(0.5, 0.72);
    this.horizon = height * random.between(0.36, 0.52);
    this.light = drawLight(random);
  }

  project(x: number, y: number, z: number): Point {
    const scale = this.focal / z;
    return [this.canvas.width / 2 + (x - this.cameraX) * scale, this.horizon + (this.cameraY - y) * scale];
  }

  /** Pixels that a metre at depth z takes. */
  scale(z: number): number {
    return this.focal / z;
  }

  /** A quadrangle or other polygon of points in the world. */
  shape(points: readonly (readonly [number, number, number])[]): Shape {
    return polygon(points.map(([x, y, z]) => this.project(x, y, z)));
  }

  /** A horizontal rectangle at height y. */
  ground(x0: number, x1: number, z0: number, z1: number, y = 0): Shape {
    return this.shape([
      [x0, y, z0],
      [x1, y, z0],
      [x1, y, z1],
      [x0, y, z1],
    ]);
  }

  /** A rectangle that faces the camera. */
  facing(x0: number, x1: number, y0: number, y1: number, z: number): Shape {
    return this.shape([
      [x0, y0, z],
      [x1, y0, z],
      [x1, y1, z],
      [x0, y1, z],
    ]);
  }

  /** A rectangle that runs along the street. */
  along(x: number, y0: number, y1: number, z0: number, z1: number): Shape {
    return this.shape([
      [x, y0, z0],
      [x, y1, z0],
      [x, y1, z1],
      [x, y0, z1],
    ]);
  }

  /** A colour as it looks at depth z: the air's colour takes over with distance. */
  air(color: Rgb, z: number): Rgb {
    return mix(color, this.light.skyLow, 1 - 2 ** (-z / this.light.haze));
  }

  /** Brightness of a wall that runs along the street on `side` and faces the road. */
  wallLight(side: Side): number {
    return side === this.light.sun ? this.light.unlit : this.light.lit;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.random.integer(choices.length)]!;
  }

  /** A colour near another. */
  vary(color: Rgb, amount: number): Rgb {
    const all = 1 + this.random.between(-amount, amount);
    const own = () => all + this.random.between(-amount, amount) / 3;
    return [color[0] * own(), color[1] * own(), color[2] * own()];
  }

  /** The shadow that a thing of this size throws on the ground, away from the sun. */
  shadow(x: number, z: number, width: number, length: number): void {
    const { shadow, sun } = this.light;
    if (shadow === 0) return;
    const far = x - sun * length;
    const path = this.shape([
      [x - width / 2, 0, z - width / 2],
      [x + width / 2, 0, z + width / 2],
      [far + width / 2, 0, z + width],
      [far - width / 2, 0, z],
    ]);
    this.canvas.decorate(path, [10, 12, 25], shadow);
  }
}

function drawLight(random: Random): Light {
  const sun: Side = random.uniform() < 0.5 ? -1 : 1;
  const strength = random.between(0.85, 1.15);
  const kind = random.uniform();
  const gain = (color: Rgb): Rgb => shade(color, strength);
  const haze = random.between(90, 400);
  if (kind < 0.4)
    return {
      name: "noon",
      skyTop: [82 + 30 * random.uniform(), 140, 215],
      skyLow: [200, 220, 238],
      lit: 1.05,
      front: 0.85,
      unlit: 0.62,
      shadow: 0.42,
      sun,
      gain: gain([1, 1, 0.98]),
      haze,
    };
  if (kind < 0.7)
    return {
      name: "overcast",
      skyTop: [176, 182, 190],
      skyLow: [214, 216, 220],
      lit: 0.86,
      front: 0.82,
      unlit: 0.76,
      shadow: 0,
      sun,
      gain: gain([0.92, 0.94, 0.97]),
      haze: haze / 2,
    };
  if (kind < 0.88)
    return {
      name: "evening",
      skyTop: [110, 130, 185],
      skyLow: [250, 196, 140],
      lit: 1.12,
      front: 0.7,
      unlit: 0.5,
      shadow: 0.5,
      sun,
      gain: gain([1.02, 0.86, 0.7]),
      haze,
    };
  return {
    name: "dusk",
    skyTop: [40, 52, 96],
    skyLow: [150, 130, 150],
    lit: 0.66,
    front: 0.6,
    unlit: 0.52,
    shadow: 0,
    sun,
    gain: gain([0.62, 0.64, 0.8]),
    haze,
  };
}
