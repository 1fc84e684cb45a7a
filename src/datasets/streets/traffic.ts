import { ellipse, polygon, shade, type Point, type Rgb } from "./canvas.ts";
import type { World } from "./world.ts";

const bodies: readonly Rgb[] = [
  [196, 198, 200],
  [40, 42, 46],
  [150, 32, 34],
  [44, 70, 128],
  [110, 114, 118],
  [228, 228, 226],
  [62, 84, 66],
  [176, 150, 96],
];

/** The outline of a car's side: [share of its length from the near end, share of its height]. */
const profiles: readonly (readonly (readonly [number, number])[])[] = [
  [
    [0, 0.2],
    [0, 0.58],
    [0.12, 0.95],
    [0.32, 1],
    [0.58, 0.98],
    [0.76, 0.6],
    [0.98, 0.5],
    [1, 0.2],
  ],
  [
    [0, 0.2],
    [0, 0.62],
    [0.03, 0.98],
    [0.5, 1],
    [0.68, 0.94],
    [0.84, 0.6],
    [0.98, 0.52],
    [1, 0.2],
  ],
  [
    [0, 0.2],
    [0, 0.52],
    [0.16, 0.58],
    [0.3, 0.98],
    [0.6, 1],
    [0.76, 0.6],
    [0.98, 0.5],
    [1, 0.2],
  ],
];

/** A car whose near end is at depth z: that end, and the side that can be seen. */
export function paintCar(world: World, x: number, z: number, oncoming: boolean): void {
  const { canvas, random, light } = world;
  const width = random.between(1.65, 1.95);
  const length = random.between(3.6, 4.9);
  const height = random.between(1.35, 1.8);
  const color = world.vary(world.pick(bodies), 0.1);
  const profile = world.pick(profiles);
  const far = z + length;
  const [left, right] = [x - width / 2, x + width / 2];
  canvas.decorate(world.ground(left - 0.15, right + 0.15, z - 0.25, far), [8, 8, 12], 0.55);
  world.shadow(x, z + length / 2, width, height * 1.1);

  const seen = world.cameraX < left ? left : world.cameraX > right ? right : null;
  const at = (px: number, [share, up]: readonly [number, number]): Point =>
    world.project(px, up * height, z + share * length);
  // The far side of the body stands out above the near end where the roof is seen from the side.
  const hidden = seen === left ? right : left;
  canvas.paint(
    "car",
    polygon(profile.map((p) => at(hidden, p))),
    world.air(shade(color, light.front * 0.6), z),
  );
  // Boot, roof, panes and bonnet: the strips between the two sides, from the far end on.
  for (let k = profile.length - 2; k >= 0; k--) {
    const [p, q] = [profile[k]!, profile[k + 1]!];
    const pane = Math.min(p[1], q[1]) < 0.8 && Math.max(p[1], q[1]) > 0.9;
    const tone = pane
      ? shade([56, 64, 72], light.front)
      : shade(color, Math.min(p[1], q[1]) > 0.9 ? 1.1 : light.front);
    canvas.paint("car", polygon([at(left, p), at(right, p), at(right, q), at(left, q)]), world.air(tone, z));
  }
  if (seen !== null) paintSide(world, seen, z, length, height, color, profile);
  paintEnd(world, left, right, z, height, color, oncoming, profile);
}

function paintSide(
  world: World,
  x: number,
  z: number,
  length: number,
  height: number,
  color: Rgb,
  profile: readonly (readonly [number, number])[],
): void {
  const { canvas } = world;
  const brightness = world.wallLight(x > world.cameraX ? 1 : -1);
  const at = (share: number, up: number): Point => world.project(x, up * height, z + share * length);
  for (const share of [0.18, 0.8]) {
    const [cx, cy] = at(share, 0.19);
    const r = 0.3 * world.scale(z + share * length);
    const [nearX] = world.project(x, 0, z + share * length - 0.3);
    canvas.paint("car", ellipse([cx, cy], Math.max(Math.abs(nearX - cx), 0.4), r), [22, 22, 24]);
  }
  canvas.paint(
    "car",
    polygon(profile.map(([share, up]) => at(share, up))),
    world.air(shade(color, brightness), z),
  );
  const panes: Point[] = profile
    .filter(([, up]) => up > 0.55)
    .map(([share, up]) => at(0.12 + share * 0.76, up > 0.9 ? 0.92 : 0.64));
  canvas.decorate(polygon(panes), world.air(shade([48, 56, 64], brightness), z));
  for (const share of [0.18, 0.8]) {
    const [cx, cy] = at(share, 0.2);
    const [nearX] = world.project(x, 0, z + share * length - 0.26);
    canvas.decorate(
      ellipse([cx, cy], Math.max(Math.abs(nearX - cx), 0.3), 0.28 * world.scale(z + share * length)),
      [24, 24, 26],
    );
  }
}

function paintEnd(
  world: World,
  left: number,
  right: number,
  z: number,
  height: number,
  color: Rgb,
  oncoming: boolean,
  profile: readonly (readonly [number, number])[],
): void {
  const { canvas, light } = world;
  const brightness = light.front;
  const width = right - left;
  const waist = height * profile[1]![1];
  const inset = width * 0.12;
  const top = height * 0.97;
  for (const wheel of [left + 0.12, right - 0.34])
    canvas.paint("car", world.facing(wheel, wheel + 0.22, 0, height * 0.3, z), [20, 20, 22]);
  const cabin = world.shape([
    [left, waist, z],
    [right, waist, z],
    [right - inset, top, z + 0.5],
    [left + inset, top, z + 0.5],
  ]);
  canvas.paint("car", cabin, world.air(shade(color, brightness), z));
  const pane = world.shape([
    [left + 0.14, waist + 0.04, z],
    [right - 0.14, waist + 0.04, z],
    [right - inset - 0.1, top - 0.1, z + 0.45],
    [left + inset + 0.1, top - 0.1, z + 0.45],
  ]);
  canvas.decorate(
    pane,
    world.air(shade(light.name === "noon" ? [96, 112, 126] : [52, 60, 68], brightness), z),
  );
  canvas.paint(
    "car",
    world.facing(left, right, height * 0.18, waist, z),
    world.air(shade(color, brightness * 0.95), z),
  );
  canvas.decorate(
    world.facing(left, right, height * 0.18, height * 0.3, z),
    world.air(shade(color, brightness * 0.6), z),
  );
  const lamp: Rgb = oncoming ? [252, 250, 224] : [206, 26, 24];
  for (const x of [left + 0.08, right - 0.38])
    canvas.decorate(world.facing(x, x + 0.3, waist * 0.68, waist * 0.88, z), lamp);
  canvas.decorate(
    world.facing(left + width * 0.36, right - width * 0.36, height * 0.32, height * 0.4, z),
    [226, 226, 214],
  );
}

const skins: readonly Rgb[] = [
  [226, 180, 150],
  [186, 134, 100],
  [110, 76, 58],
  [240, 200, 176],
];
const clothes: readonly Rgb[] = [
  [52, 56, 78],
  [150, 48, 46],
  [70, 74, 76],
  [196, 180, 150],
  [58, 96, 84],
  [212, 208, 204],
  [38, 36, 40],
  [206, 150, 54],
];

/** Someone who stands or walks. */
export function paintPerson(world: World, x: number, z: number): void {
  const { canvas, random, light } = world;
  const height = random.uniform() < 0.15 ? random.between(1.05, 1.35) : random.between(1.55, 1.92);
  const color = (tone: Rgb) => world.air(shade(tone, light.front), z);
  const stride = random.between(0.04, 0.2);
  const broad = random.between(0.19, 0.27);
  const trousers = color(world.vary(world.pick(clothes), 0.15));
  const coat = color(world.vary(world.pick(clothes), 0.15));
  world.shadow(x, z, 0.4, height * 0.85);
  for (const leg of [-1, 1]) {
    const path = world.shape([
      [x + leg * 0.03 - 0.08, height * 0.5, z],
      [x + leg * 0.03 + 0.08, height * 0.5, z],
      [x + leg * stride + 0.07, 0, z],
      [x + leg * stride - 0.07, 0, z],
    ]);
    canvas.paint("person", path, leg < 0 ? trousers : shade(trousers, 0.85));
  }
  const torso = world.shape([
    [x - broad, height * 0.8, z],
    [x + broad, height * 0.8, z],
    [x + broad * 0.85, height * 0.44, z],
    [x - broad * 0.85, height * 0.44, z],
  ]);
  canvas.paint("person", torso, coat);
  for (const arm of [-1, 1]) {
    const hand = x + arm * (broad + random.between(0, 0.12));
    const path = world.shape([
      [x + arm * broad * 0.8, height * 0.8, z],
      [x + arm * (broad + 0.06), height * 0.78, z],
      [hand + 0.05, height * 0.48, z],
      [hand - 0.05, height * 0.48, z],
    ]);
    canvas.paint("person", path, shade(coat, 0.88));
  }
  const head = 0.115 * world.scale(z);
  const [cx, cy] = world.project(x, height * 0.9, z);
  canvas.paint("person", ellipse([cx, cy], head, head * 1.2), color(world.pick(skins)));
  canvas.decorate(
    ellipse([cx, cy - head * 0.55], head * 0.95, head * 0.7),
    color(world.vary([60, 44, 34], 0.4)),
  );
}
