/** The classes of `synthetic_streets` with Cityscapes' colours. A class's number is its place. */
export const streetClasses = [
  { name: "road", color: [128, 64, 128] },
  { name: "pavement", color: [244, 35, 232] },
  { name: "building", color: [70, 70, 70] },
  { name: "fence", color: [190, 153, 153] },
  { name: "pole", color: [153, 153, 153] },
  { name: "traffic light", color: [250, 170, 30] },
  { name: "sign", color: [220, 220, 0] },
  { name: "vegetation", color: [107, 142, 35] },
  { name: "sky", color: [70, 130, 180] },
  { name: "person", color: [220, 20, 60] },
  { name: "car", color: [0, 0, 142] },
] as const satisfies readonly { name: string; color: readonly [number, number, number] }[];

export type StreetClass = (typeof streetClasses)[number]["name"];
