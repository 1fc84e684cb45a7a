import type { Random } from "../../util/random.ts";
import { paintBuilding, planBuildings } from "./buildings.ts";
import { Canvas } from "./canvas.ts";
import { paintFence, paintLamp, paintSign, paintTrafficLight } from "./furniture.ts";
import { paintGround, paintSky } from "./ground.ts";
import { paintBush, paintTree } from "./plants.ts";
import { paintCar, paintPerson } from "./traffic.ts";
import { World, type Side } from "./world.ts";

/**
 * Something to paint. What stands beyond the pavement comes first, then fences along its edge, then what is on
 * the pavement and the road: seen from the street, nothing further out hides anything further in. Within a layer
 * far things come first.
 */
interface Thing {
  readonly layer: "beyond" | "edge" | "street";
  readonly depth: number;
  paint(): void;
}

const layers = ["beyond", "edge", "street"] as const;

/** A street as a driver sees it. Everything follows from the random stream. */
export function paintScene(width: number, height: number, random: Random): World {
  const world = new World(new Canvas(width, height), random);
  const park: Record<Side, boolean> = { [-1]: random.uniform() < 0.25, [1]: random.uniform() < 0.25 };
  paintSky(world);
  paintGround(world, {
    [-1]: park[-1] || random.uniform() < 0.2 ? "vegetation" : "pavement",
    [1]: park[1] || random.uniform() < 0.2 ? "vegetation" : "pavement",
  });
  const things: Thing[] = [];
  for (const side of [-1, 1] as const) {
    if (park[side]) addPark(world, side, things);
    else
      for (const b of planBuildings(world, side))
        things.push({ layer: "beyond", depth: b.near, paint: () => paintBuilding(world, b) });
    addFurniture(world, side, things);
    addParkedCars(world, side, things);
  }
  addTraffic(world, things);
  addPeople(world, things);
  things.sort((a, b) => layers.indexOf(a.layer) - layers.indexOf(b.layer) || b.depth - a.depth);
  for (const thing of things) thing.paint();
  return world;
}

/** A depth in [near, far] such that things are spread evenly over the picture rather than over the street. */
const depthIn = (random: Random, near: number, far: number): number =>
  near * (far / near) ** random.uniform();

function addPark(world: World, side: Side, things: Thing[]): void {
  const { random, pavementEnd, end } = world;
  for (let i = 0; i < 12; i++) {
    const z = depthIn(random, 7, end);
    const x = side * (pavementEnd + random.between(1.5, 18));
    things.push({ layer: "beyond", depth: z, paint: () => paintTree(world, x, z) });
  }
  for (let i = 0; i < 5; i++) {
    const z = depthIn(random, 6, end);
    const x = side * (pavementEnd + random.between(0.8, 6));
    things.push({ layer: "beyond", depth: z, paint: () => paintBush(world, x, z) });
  }
  if (random.uniform() < 0.75)
    for (let z = random.between(1.3, 8); z < 45; z += random.uniform() < 0.15 ? 9 : 4) {
      const start = z;
      things.push({ layer: "edge", depth: start, paint: () => paintFence(world, side, start, start + 4) });
    }
}

function addFurniture(world: World, side: Side, things: Thing[]): void {
  const { random, kerb, end } = world;
  if (random.uniform() < 0.75) {
    const distance = random.between(11, 24);
    for (let z = random.between(4, 14); z < Math.min(end, 90); z += distance) {
      const depth = z;
      things.push({ layer: "street", depth, paint: () => paintLamp(world, side, depth) });
    }
  }
  for (let i = 1 + random.integer(4); i > 0; i--) {
    const z = depthIn(random, 5, 45);
    things.push({ layer: "street", depth: z, paint: () => paintSign(world, side, z) });
  }
  if (random.uniform() < 0.65) {
    const z = depthIn(random, 5, 35);
    things.push({ layer: "street", depth: z, paint: () => paintTrafficLight(world, side, z) });
  }
  if (random.uniform() < 0.5)
    for (let z = random.between(7, 14); z < end; z += random.between(7, 18)) {
      const depth = z;
      const x = side * (kerb + random.between(0.9, 1.5));
      things.push({ layer: "street", depth, paint: () => paintTree(world, x, depth) });
    }
}

function addParkedCars(world: World, side: Side, things: Thing[]): void {
  const { random, kerb, end } = world;
  if (random.uniform() < 0.35) return;
  for (let z = random.between(4, 12); z < Math.min(end, 70); z += random.between(5.2, 7)) {
    if (random.uniform() < 0.4) continue;
    const depth = z;
    things.push({
      layer: "street",
      depth,
      paint: () => paintCar(world, side * (kerb - 1.1), depth, side < 0),
    });
  }
}

function addTraffic(world: World, things: Thing[]): void {
  const { random, kerb } = world;
  for (let i = random.integer(4); i > 0; i--) {
    const oncoming = random.uniform() < 0.5;
    const x = (oncoming ? -1 : 1) * kerb * random.between(0.28, 0.42);
    const z = depthIn(random, 7, 60);
    things.push({ layer: "street", depth: z, paint: () => paintCar(world, x, z, oncoming) });
  }
}

function addPeople(world: World, things: Thing[]): void {
  const { random, kerb, pavementEnd } = world;
  for (let i = 2 + random.integer(9); i > 0; i--) {
    const z = depthIn(random, 4.5, 45);
    const x =
      random.uniform() < 0.14
        ? random.between(-kerb, kerb)
        : (random.uniform() < 0.5 ? -1 : 1) * random.between(kerb + 0.5, pavementEnd - 0.2);
    things.push({ layer: "street", depth: z, paint: () => paintPerson(world, x, z) });
    if (random.uniform() < 0.3)
      things.push({ layer: "street", depth: z + 0.3, paint: () => paintPerson(world, x + 0.55, z + 0.3) });
  }
}
