/** [height, width], in pixels of an image or cells of a map. */
export type Size = readonly [height: number, width: number];
