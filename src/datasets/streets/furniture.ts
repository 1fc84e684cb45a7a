import { ellipse, polygon, shade, type Point, type Rgb, type Shape } from "./canvas.ts";
import type { Side, World } from "./world.ts";

/** An upright bar, at least one pixel wide and on whole pixels where it is thin, so that it is in the label too. */
function post(
  world: World,
  x: number,
  z: number,
  y0: number,
  y1: number,
  thickness: number,
  color: Rgb,
): void {
  const width = Math.max(thickness * world.scale(z), 1);
  const [cx, bottom] = world.project(x, y0, z);
  const top = world.project(x, y1, z)[1];
  const left = width < 2 ? Math.round(cx - width / 2) : cx - width / 2;
  const right = left + (width < 2 ? Math.round(width) : width);
  const path = polygon([
    [left, bottom],
    [right, bottom],
    [right, top],
    [left, top],
  ]);
  world.canvas.paint("pole", path, world.air(color, z));
  if (width > 2.5) {
    const edge = left + width * 0.7;
    world.canvas.decorate(
      polygon([
        [edge, bottom],
        [right, bottom],
        [right, top],
        [edge, top],
      ]),
      [0, 0, 0],
      0.3,
    );
  }
}

const metal = (world: World): Rgb =>
  shade(
    world.vary(
      world.pick<Rgb>([
        [96, 100, 102],
        [58, 62, 60],
        [140, 142, 144],
      ]),
      0.1,
    ),
    world.light.front,
  );

/** A street lamp whose arm reaches over the road. */
export function paintLamp(world: World, side: Side, z: number): void {
  const { random, canvas, kerb } = world;
  const x = side * (kerb + 0.5);
  const height = random.between(5, 8);
  const color = metal(world);
  world.shadow(x, z, 0.16, height * 0.8);
  post(world, x, z, 0, height, 0.15, color);
  const arm = random.between(0.8, 1.8);
  const [x0, y0] = world.project(x, height, z);
  const [x1] = world.project(x - side * arm, height, z);
  const thickness = Math.max(0.12 * world.scale(z), 1);
  canvas.paint(
    "pole",
    polygon([
      [x0, y0],
      [x1, y0],
      [x1, y0 + thickness],
      [x0, y0 + thickness],
    ]),
    world.air(color, z),
  );
  const head = Math.max(0.14 * world.scale(z), 0.8);
  const lamp: Rgb = world.light.name === "dusk" ? [255, 232, 170] : [190, 190, 184];
  canvas.paint("pole", ellipse([x1, y0 + head * 0.5], head * 1.8, head), world.air(lamp, z));
}

/** A traffic sign on a post of its own. */
export function paintSign(world: World, side: Side, z: number): void {
  const { random, canvas, kerb, light } = world;
  const x = side * (kerb + random.between(0.35, 0.9));
  const y = random.between(2.1, 2.7);
  const size = Math.max(random.between(0.4, 0.6) * world.scale(z), 1.5);
  post(world, x, z, 0, y, 0.07, metal(world));
  const [cx, cy] = world.project(x, y, z);
  const rim = (color: Rgb) => world.air(shade(color, light.front), z);
  const kind = random.integer(4);
  const white: Rgb = [240, 240, 236];
  if (kind === 0) {
    canvas.paint("sign", ellipse([cx, cy], size, size), rim([206, 36, 40]));
    canvas.decorate(ellipse([cx, cy], size * 0.68, size * 0.68), rim(white));
  } else if (kind === 1) {
    canvas.paint("sign", ellipse([cx, cy], size, size), rim([30, 84, 172]));
    canvas.decorate(
      polygon([
        [cx - size * 0.5, cy - size * 0.14],
        [cx + size * 0.5, cy - size * 0.14],
        [cx + size * 0.5, cy + size * 0.14],
        [cx - size * 0.5, cy + size * 0.14],
      ]),
      rim(white),
    );
  } else if (kind === 2) {
    const triangle = (r: number): Point[] => [
      [cx, cy - r],
      [cx + r, cy + r * 0.75],
      [cx - r, cy + r * 0.75],
    ];
    canvas.paint("sign", polygon(triangle(size * 1.15)), rim([206, 36, 40]));
    canvas.decorate(polygon(triangle(size * 0.66)), rim(white));
  } else {
    const box = (w: number, h: number): Point[] => [
      [cx - w, cy - h],
      [cx + w, cy - h],
      [cx + w, cy + h],
      [cx - w, cy + h],
    ];
    canvas.paint(
      "sign",
      polygon(box(size * 1.15, size * 0.9)),
      rim(
        world.pick<Rgb>([
          [34, 92, 170],
          [236, 200, 60],
          [38, 110, 70],
        ]),
      ),
    );
    canvas.decorate(polygon(box(size * 0.75, size * 0.18)), rim(white));
  }
}

/** A traffic light. */
export function paintTrafficLight(world: World, side: Side, z: number): void {
  const { random, canvas, kerb } = world;
  const x = side * (kerb + 0.45);
  const y = random.between(2.6, 3.4);
  post(world, x, z, 0, y, 0.11, metal(world));
  const scale = world.scale(z);
  const [cx, cy] = world.project(x, y, z);
  const w = Math.max(0.26 * scale, 1);
  const h = Math.max(0.66 * scale, 2.2);
  canvas.paint(
    "traffic light",
    polygon([
      [cx - w, cy - h],
      [cx + w, cy - h],
      [cx + w, cy + h],
      [cx - w, cy + h],
    ]),
    world.air([30, 32, 32], z),
  );
  const on = random.integer(3);
  const lamps: readonly Rgb[] = [
    [250, 50, 40],
    [250, 190, 40],
    [60, 230, 120],
  ];
  for (const [k, lamp] of lamps.entries())
    canvas.decorate(
      ellipse([cx, cy + (k - 1) * h * 0.62], w * 0.72, h * 0.24),
      k === on ? lamp : shade(lamp, 0.22),
    );
}

/** A wooden or metal fence along the pavement. Its gaps count as fence. */
export function paintFence(world: World, side: Side, z0: number, z1: number): void {
  const { canvas, random, pavementEnd } = world;
  const x = side * (pavementEnd + 0.15);
  const height = random.between(0.9, 1.4);
  const color = shade(
    world.vary(
      world.pick<Rgb>([
        [146, 112, 78],
        [120, 122, 124],
        [176, 170, 158],
        [66, 84, 70],
      ]),
      0.12,
    ),
    world.wallLight(side),
  );
  const middle = (z0 + z1) / 2;
  canvas.paint("fence", world.along(x, 0, height, z0, z1), world.air(color, middle));
  const gaps: Shape[] = [];
  for (let z = z0; z < z1; z += Math.max(0.35, 2.2 / world.scale(z)))
    gaps.push(world.along(x, 0.12, height * 0.86, z, z + 0.13));
  canvas.decorate(gaps, world.air(shade(color, 0.5), middle), 0.8);
}
