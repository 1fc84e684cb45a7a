import { shade, type Rgb, type Shape } from "./canvas.ts";
import type { Side, World } from "./world.ts";

const facades: readonly Rgb[] = [
  [186, 160, 132],
  [150, 92, 74],
  [204, 196, 182],
  [128, 124, 122],
  [170, 134, 100],
  [104, 112, 124],
  [196, 172, 122],
  [142, 70, 60],
];

/** One building beside the street. */
export interface Building {
  readonly side: Side;
  /** Where its wall stands, from the middle of the road. */
  readonly x: number;
  readonly near: number;
  readonly far: number;
  readonly height: number;
  readonly color: Rgb;
}

/** A row of buildings with gaps between some. */
export function planBuildings(world: World, side: Side): Building[] {
  const { random, pavementEnd, end } = world;
  const row: Building[] = [];
  for (let z = random.between(-6, 3); z < end;) {
    const length = random.between(7, 20);
    row.push({
      side,
      x: pavementEnd + (random.uniform() < 0.3 ? random.between(0, 2.5) : 0),
      near: z,
      far: z + length,
      height: random.between(5.5, 9) + (random.uniform() < 0.5 ? random.between(2, 14) : 0),
      color: world.vary(world.pick(facades), 0.12),
    });
    z += length + (random.uniform() < 0.3 ? random.between(4, 9) : 0);
  }
  return row;
}

export function paintBuilding(world: World, { side, x, near, far, height, color }: Building): void {
  const { canvas, random, light } = world;
  const wall = side * x;
  const z0 = Math.max(near, 1.2);
  if (far <= z0) return;
  const back = side * (x + 14);
  if (near > 1.5) {
    canvas.paint(
      "building",
      world.facing(wall, back, 0, height, near),
      world.air(shade(color, light.front), near),
    );
    windows(world, { near, from: wall, to: back, height }, color, light.front);
    if (random.uniform() < 0.45) {
      const peak = height + random.between(1.5, 4);
      const gable = world.shape([
        [wall - side * 0.3, height, near],
        [(wall + back) / 2, peak, near],
        [back, height, near],
      ]);
      canvas.paint("building", gable, world.air(shade([110, 62, 50], light.front), near));
    }
  }
  // In two or three lengths, so that the far end takes more of the air's colour.
  const parts = far - z0 > 8 ? 3 : 1;
  for (let k = parts - 1; k >= 0; k--) {
    const a = z0 * (far / z0) ** (k / parts);
    const b = z0 * (far / z0) ** ((k + 1) / parts);
    canvas.paint(
      "building",
      world.along(wall, 0, height, a, b * 1.005),
      world.air(shade(color, world.wallLight(side)), (a + b) / 2),
    );
  }
  facade(world, { side, x, near, far, height, color }, z0);
}

/** Windows, shop fronts, doors, posters and a cornice on the wall along the street. */
function facade(world: World, { side, x, near, far, height, color }: Building, z0: number): void {
  const { canvas, random, light } = world;
  const wall = side * x;
  const brightness = world.wallLight(side);
  const middle = (z0 + far) / 2;
  const glass = glassColor(world, brightness);
  const floors = Math.max(1, Math.round(height / 3.1));
  const columns = Math.max(2, Math.round((far - near) / random.between(2, 3)));
  const pitch = (far - near) / columns;
  const shops = random.uniform() < 0.45;
  if (world.scale(middle) * 1.2 > 2.2) {
    const [dark, bright]: [Shape[], Shape[]] = [[], []];
    for (let floor = shops ? 1 : 0; floor < floors; floor++)
      for (let column = 0; column < columns; column++) {
        const z = near + (column + 0.28) * pitch;
        if (z < 1.3 || random.uniform() < 0.05) continue;
        const y = (floor * height) / floors + 0.9;
        const path = world.along(wall, y, y + (height / floors) * 0.52, z, z + pitch * 0.46);
        (random.uniform() < (light.name === "dusk" ? 0.3 : 0.12) ? bright : dark).push(path);
      }
    canvas.decorate(dark, world.air(glass, middle));
    canvas.decorate(bright, light.name === "dusk" ? [255, 214, 130] : world.air([206, 216, 226], middle));
  }
  if (shops) {
    const front = world.vary(
      world.pick<Rgb>([
        [60, 44, 40],
        [40, 60, 74],
        [120, 40, 44],
        [54, 66, 50],
      ]),
      0.2,
    );
    canvas.decorate(world.along(wall, 0.2, 2.6, z0, far), world.air(shade(front, brightness), middle), 0.9);
    const awning = world.vary(
      world.pick<Rgb>([
        [190, 60, 50],
        [60, 110, 80],
        [214, 190, 120],
      ]),
      0.15,
    );
    canvas.decorate(world.along(wall, 2.5, 3.1, z0, far), world.air(shade(awning, brightness), middle));
  } else if (random.uniform() < 0.35) {
    // A poster: as colourful as a sign, and part of the building.
    const z = random.between(Math.max(z0, 3), Math.max(far - 2, z0 + 1));
    const tone = world.pick<Rgb>([
      [200, 50, 50],
      [50, 90, 180],
      [230, 200, 60],
    ]);
    if (z + 2 < far)
      canvas.decorate(world.along(wall, 1.2, 2.7, z, z + 1.8), world.air(shade(tone, brightness), z));
  }
  canvas.decorate(
    world.along(wall, height - 0.45, height, z0, far),
    world.air(shade(color, brightness * 0.8), middle),
  );
}

/** Windows on the wall that faces the camera. */
function windows(
  world: World,
  { near, from, to, height }: { near: number; from: number; to: number; height: number },
  color: Rgb,
  brightness: number,
): void {
  if (world.scale(near) * 1.2 < 2.2) return;
  const side = Math.sign(to - from);
  const floors = Math.max(1, Math.round(height / 3.1));
  const paths: Shape[] = [];
  for (let floor = 0; floor < floors; floor++)
    for (let d = 1; d < 12; d += 2.6) {
      const y = (floor * height) / floors + 0.9;
      paths.push(world.facing(from + side * d, from + side * (d + 1.2), y, y + 1.5, near));
    }
  world.canvas.decorate(paths, world.air(glassColor(world, brightness), near));
  world.canvas.decorate(
    world.facing(from, to, height - 0.4, height, near),
    world.air(shade(color, brightness * 0.82), near),
  );
}

function glassColor(world: World, brightness: number): Rgb {
  return shade(
    world.vary(
      world.pick<Rgb>([
        [58, 66, 78],
        [44, 48, 54],
        [92, 108, 124],
      ]),
      0.15,
    ),
    brightness,
  );
}
