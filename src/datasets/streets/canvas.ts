import { streetClasses, type StreetClass } from "./classes.ts";

export type Rgb = readonly [red: number, green: number, blue: number];
/** In pixels, x to the right and y down. */
export type Point = readonly [x: number, y: number];

/** A closed outline as SVG path data, and the rectangle around it. */
export interface Shape {
  readonly path: string;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Always drawn clockwise, so that overlapping shapes in one path add up and do not cancel. */
export function polygon(points: readonly Point[]): Shape {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const area = points.reduce((sum, [x, y], i) => {
    const [nextX, nextY] = points[(i + 1) % points.length]!;
    return sum + x * nextY - nextX * y;
  }, 0);
  const ordered = area < 0 ? [...points].reverse() : points;
  return {
    path: `M${ordered.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`).join("L")}Z`,
    left: Math.min(...xs),
    top: Math.min(...ys),
    right: Math.max(...xs),
    bottom: Math.max(...ys),
  };
}

export function ellipse([x, y]: Point, rx: number, ry: number): Shape {
  const box = { left: x - rx, top: y - ry, right: x + rx, bottom: y + ry };
  const arc = `A${rx.toFixed(2)} ${ry.toFixed(2)} 0 1 1`;
  const [left, right, middle] = [box.left.toFixed(2), box.right.toFixed(2), y.toFixed(2)];
  return { ...box, path: `M${left} ${middle}${arc} ${right} ${middle}${arc} ${left} ${middle}Z` };
}

export const mix = (a: Rgb, b: Rgb, t: number): Rgb => [
  a[0] + (b[0] - a[0]) * t,
  a[1] + (b[1] - a[1]) * t,
  a[2] + (b[2] - a[2]) * t,
];

export const shade = (color: Rgb, factor: number): Rgb => [
  color[0] * factor,
  color[1] * factor,
  color[2] * factor,
];

const css = (color: Rgb): string =>
  `rgb(${color.map((v) => Math.round(Math.min(Math.max(v, 0), 255))).join(",")})`;

/** Grey values between two classes in the label drawing, so that a blend of two would be no class. */
export const labelStep = 23;

/**
 * Two drawings of one scene, painted from far to near: the picture, and the label map with one flat colour a
 * class and hard edges.
 */
export class Canvas {
  private readonly picture: string[] = [];
  private readonly labels: { type: StreetClass; path: string }[] = [];
  private readonly definitions: string[] = [];

  constructor(
    readonly width: number,
    readonly height: number,
  ) {}

  /** A thing of a class: it is in the picture and in the label map. */
  paint(type: StreetClass, shape: Shape, color: Rgb): void {
    if (!this.shows(shape)) return;
    this.fill(shape.path, color, 1);
    this.mark(type, shape.path);
  }

  /** Texture, light or shadow on what is painted already: in the picture alone. */
  decorate(shapes: Shape | readonly Shape[], color: Rgb, opacity = 1): void {
    const visible = [shapes].flat().filter((shape) => this.shows(shape) && isLarge(shape));
    if (visible.length > 0) this.fill(visible.map((shape) => shape.path).join(""), color, opacity);
  }

  /** A vertical gradient over the whole picture, behind everything that follows. */
  backdrop(type: StreetClass, top: Rgb, bottom: Rgb, end: number): void {
    this.definitions.push(
      `<linearGradient id="backdrop" x1="0" y1="0" x2="0" y2="${end.toFixed(1)}" gradientUnits="userSpaceOnUse">` +
        `<stop offset="0" stop-color="${css(top)}"/><stop offset="1" stop-color="${css(bottom)}"/></linearGradient>`,
    );
    const path = `M0 0H${this.width}V${this.height}H0Z`;
    this.picture.push(`<path d="${path}" fill="url(#backdrop)"/>`);
    this.mark(type, path);
  }

  pictureSvg(): string {
    return this.document(`<defs>${this.definitions.join("")}</defs>${this.picture.join("")}`);
  }

  /** Grey value k · {@link labelStep} is class k. Without anti-aliasing no pixel is a blend of two. */
  labelSvg(): string {
    const paths = this.labels.map(({ type, path }) => {
      const k = streetClasses.findIndex((c) => c.name === type);
      return `<path d="${path}" fill="${css([k * labelStep, k * labelStep, k * labelStep])}"/>`;
    });
    return this.document(`<g shape-rendering="crispEdges">${paths.join("")}</g>`);
  }

  private fill(path: string, color: Rgb, opacity: number): void {
    const fade = opacity < 1 ? ` fill-opacity="${opacity.toFixed(2)}"` : "";
    this.picture.push(`<path d="${path}" fill="${css(color)}"${fade}/>`);
  }

  /** Neighbours in depth of one class become one path: parsing is what takes the time. */
  private mark(type: StreetClass, path: string): void {
    const last = this.labels.at(-1);
    if (last?.type === type) last.path += path;
    else this.labels.push({ type, path });
  }

  private shows({ left, top, right, bottom }: Shape): boolean {
    return right > 0 && left < this.width && bottom > 0 && top < this.height;
  }

  private document(content: string): string {
    const size = `width="${this.width}" height="${this.height}"`;
    return `<svg xmlns="http://www.w3.org/2000/svg" ${size} viewBox="0 0 ${this.width} ${this.height}">${content}</svg>`;
  }
}

/** Whether a decoration can be seen at all. */
const isLarge = ({ left, top, right, bottom }: Shape): boolean => right - left > 0.3 && bottom - top > 0.3;
