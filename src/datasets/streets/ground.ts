import { ellipse, shade, type Rgb } from "./canvas.ts";
import type { Side, World } from "./world.ts";

/** Metres from the camera at which surfaces begin; in front of what the picture shows. */
const near = 1.2;

/** Sky with clouds, and what closes the street in the distance. */
export function paintSky(world: World): void {
  const { canvas, random, light, horizon } = world;
  canvas.backdrop("sky", light.skyTop, light.skyLow, horizon);
  const clouds = light.name === "overcast" ? 9 : random.integer(6);
  for (let i = 0; i < clouds; i++) {
    const x = random.uniform() * canvas.width;
    const y = random.uniform() * horizon * 0.8;
    const size = random.between(0.03, 0.12) * canvas.width;
    for (let k = 0; k < 4; k++) {
      const center = [x + random.between(-1, 1) * size, y + random.between(-0.2, 0.2) * size] as const;
      canvas.decorate(ellipse(center, size * random.between(0.4, 1), size * 0.22), [248, 248, 250], 0.28);
    }
  }
  const far = world.end * 1.6;
  for (let x = -far; x < far; x += random.between(8, 18)) {
    const width = random.between(8, 26);
    if (random.uniform() < 0.45) {
      const [cx, cy] = world.project(x, 0, far);
      const radius = (world.scale(far) * width) / 2;
      canvas.paint(
        "vegetation",
        ellipse([cx, cy], radius, radius * 0.6),
        world.air(world.vary([70, 92, 58], 0.15), far),
      );
    } else {
      const color = world.air(world.vary([150, 138, 128], 0.2), far);
      canvas.paint(
        "building",
        world.facing(x - width / 2, x + width / 2, 0, random.between(5, 24), far),
        color,
      );
    }
  }
}

export interface Surfaces {
  readonly asphalt: Rgb;
  /** What lies beyond the pavement, by side. */
  readonly verge: Readonly<Record<Side, "pavement" | "vegetation">>;
}

/** Road, pavements, verges, markings and wear. */
export function paintGround(world: World, verge: Surfaces["verge"]): void {
  const { canvas, random, kerb, pavementEnd, end, light } = world;
  const asphalt = world.vary([98, 98, 104], 0.16);
  const paving = world.vary(
    world.pick<Rgb>([
      [168, 160, 150],
      [150, 150, 152],
      [176, 150, 132],
    ]),
    0.1,
  );
  const far = end * 1.6;
  for (const side of [-1, 1] as const) {
    const color = verge[side] === "vegetation" ? world.vary([92, 122, 62], 0.15) : shade(paving, 0.94);
    bands(world, verge[side], side * pavementEnd, side * 400, color, far);
  }
  bands(world, "pavement", -pavementEnd, pavementEnd, paving, far);
  bands(world, "road", -kerb, kerb, asphalt, far);
  for (const side of [-1, 1] as const)
    canvas.paint(
      "pavement",
      world.ground(side * kerb, side * (kerb + 0.22), near, far),
      world.air(shade(paving, 1.16), 20),
    );

  for (let z = 2; z < 26; z *= 1.22)
    for (const side of [-1, 1])
      canvas.decorate(world.ground(side * kerb, side * pavementEnd, z, z * 1.012), shade(paving, 0.8), 0.6);
  for (let i = 0; i < 14; i++) wear(world, asphalt);
  markings(world);
  for (const side of [-1, 1] as const) if (verge[side] === "vegetation") tufts(world, side);
  if (light.shadow > 0 && random.uniform() < 0.6) {
    const length = random.between(0.2, 1.4) * kerb;
    const x = light.sun * pavementEnd;
    canvas.decorate(
      world.ground(x, x - light.sun * (length + pavementEnd - kerb), near, end),
      [12, 14, 30],
      light.shadow,
    );
  }
}

/** A surface in strips of depth, each with its own share of the air's colour. */
function bands(
  world: World,
  type: "road" | "pavement" | "vegetation",
  x0: number,
  x1: number,
  color: Rgb,
  far: number,
): void {
  const edges = [near, 6, 14, 30, 60, far];
  for (let k = edges.length - 1; k > 0; k--) {
    const [z0, z1] = [edges[k - 1]!, edges[k]!];
    if (z0 < far)
      world.canvas.paint(type, world.ground(x0, x1, z0, Math.min(z1 * 1.01, far)), world.air(color, z0));
  }
}

/** A patch, a stain or a manhole. */
function wear(world: World, asphalt: Rgb): void {
  const { canvas, random, kerb } = world;
  const z = 2.5 * 14 ** random.uniform();
  const x = random.between(-kerb, kerb) * 0.86;
  const size = random.between(0.2, 0.9);
  const tone = shade(asphalt, random.between(0.68, 1.22));
  if (random.uniform() < 0.35) {
    const scale = world.scale(z);
    canvas.decorate(
      ellipse(world.project(x, 0, z), size * 0.5 * scale, (size * 0.5 * scale * world.cameraY) / z),
      tone,
      0.8,
    );
  } else {
    const half = Math.min(size, kerb - Math.abs(x));
    canvas.decorate(world.ground(x - half, x + half, z, z + random.between(0.4, 5)), tone, 0.55);
  }
}

/** Lane markings and, sometimes, a zebra crossing. They belong to the road. */
function markings(world: World): void {
  const { canvas, random, kerb, end } = world;
  const paint = shade([232, 230, 220], random.between(0.75, 1));
  const wide = 0.075;
  if (random.uniform() < 0.85) {
    const [dash, gap] = world.pick([
      [3, 4.5],
      [1.5, 2],
      [1000, 0],
    ] as const);
    for (let z = random.between(1.3, 5); z < end; z += dash + gap)
      canvas.decorate(world.ground(-wide, wide, z, Math.min(z + dash, end)), world.air(paint, z), 0.85);
  }
  if (random.uniform() < 0.4)
    for (const side of [-1, 1]) {
      const x = side * (kerb - 0.45);
      canvas.decorate(world.ground(x - wide, x + wide, near, end), paint, 0.7);
    }
  if (random.uniform() < 0.4) {
    const z = random.between(6, 26);
    for (let x = -kerb + 0.4; x < kerb - 0.5; x += 1)
      canvas.decorate(world.ground(x, x + 0.5, z, z + 3), world.air(paint, z), 0.85);
  }
}

/** Grass is not one colour. */
function tufts(world: World, side: Side): void {
  const { canvas, random, pavementEnd } = world;
  for (const tone of [0.72, 0.9, 1.25]) {
    const spots = Array.from({ length: 14 }, () => {
      const z = 3 * 12 ** random.uniform();
      const x = side * (pavementEnd + 0.5 + 14 * random.uniform());
      const size = world.scale(z) * random.between(0.15, 0.5);
      return ellipse(world.project(x, 0, z), size, size * 0.35);
    });
    canvas.decorate(spots, world.air(shade(world.vary([84, 112, 54], 0.1), tone), 12), 0.6);
  }
}
