import { ellipse, shade, type Rgb } from "./canvas.ts";
import type { World } from "./world.ts";

/** A tree: trunk and crown are vegetation, as in Cityscapes. */
export function paintTree(world: World, x: number, z: number): void {
  const { canvas, random, light } = world;
  const scale = world.scale(z);
  const height = random.between(4.5, 9);
  const spread = random.between(1.3, 2.6);
  const trunk = random.between(0.12, 0.22);
  world.shadow(x, z, spread * 1.4, height * 0.8);
  canvas.paint(
    "vegetation",
    world.facing(x - trunk, x + trunk, 0, height * 0.6, z),
    world.air(shade([84, 66, 50], light.front), z),
  );
  const leaf = world.vary(
    world.pick<Rgb>([
      [70, 104, 48],
      [92, 120, 52],
      [58, 88, 56],
      [128, 118, 52],
    ]),
    0.12,
  );
  const blobs = scale * spread > 8 ? 16 : 8;
  for (let i = 0; i < blobs; i++) {
    const dx = random.between(-1, 1) * spread * 0.75;
    const dy = random.between(-0.5, 0.5) * height * 0.55;
    const size = scale * spread * random.between(0.3, 0.62);
    const [cx, cy] = world.project(x + dx, height * 0.72 + dy, z);
    // Lighter above and towards the sun.
    const brightness =
      light.front * (1 + 0.22 * (dy / height) + 0.18 * light.sun * Math.sign(dx)) * random.between(0.8, 1.15);
    canvas.paint("vegetation", ellipse([cx, cy], size, size * 0.85), world.air(shade(leaf, brightness), z));
  }
  if (scale * spread < 8) return;
  // Clutter of leaves in a few tones.
  for (const tone of [0.6, 0.85, 1.4]) {
    const leaves = Array.from({ length: 14 }, () => {
      const angle = 2 * Math.PI * random.uniform();
      const reach = 0.8 * Math.sqrt(random.uniform());
      const dx = spread * 0.8 * reach * Math.cos(angle);
      const size = scale * random.between(0.06, 0.16);
      const center = world.project(x + dx, height * (0.72 + 0.3 * reach * Math.sin(angle)), z);
      return ellipse(center, size, size);
    });
    canvas.decorate(leaves, world.air(shade(leaf, light.front * tone), z), 0.7);
  }
}

/** A hedge or a bush at the edge of the pavement. */
export function paintBush(world: World, x: number, z: number): void {
  const { canvas, random, light } = world;
  const scale = world.scale(z);
  const leaf = world.vary([74, 98, 50], 0.2);
  for (let i = 0; i < 7; i++) {
    const size = scale * random.between(0.25, 0.55);
    const [cx, cy] = world.project(x + random.between(-0.7, 0.7), random.between(0.25, 0.9), z);
    canvas.paint(
      "vegetation",
      ellipse([cx, cy], size, size * 0.8),
      world.air(shade(leaf, light.front * random.between(0.7, 1.25)), z),
    );
  }
}
