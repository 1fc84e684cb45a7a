/**
 * The version of what plug-ins build on: the exports of `segfuse` and the contracts of the components. It rises by one
 * where something is added; a plug-in that needs an addition says `export const apiVersion = …` and is refused, by
 * name, where segfuse is older. What a version has stays in the later ones, but for heads: those of version 1 made their
 * context themselves and are refused by name; since 2 it is a component, and heads see backbone levels.
 */
export const apiVersion = 2;
