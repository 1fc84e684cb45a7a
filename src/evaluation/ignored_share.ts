/**
 * From this share of all pixels on, what labels ignore is told, before a run and in its report: more than borders and
 * odd objects make.
 */
export const largeIgnoredShare = 0.25;
