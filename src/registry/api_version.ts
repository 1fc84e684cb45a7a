/**
 * The version of what plug-ins build on: the exports of `segfuse` and the contracts of the components. It rises by one
 * where something is added; a plug-in that needs an addition says `export const apiVersion = …` and is refused, by
 * name, where segfuse is older. What a version has stays in the later ones.
 */
export const apiVersion = 1;
