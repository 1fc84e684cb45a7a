import { Type } from "typebox";
import { defineContext } from "./contracts.ts";

/** No context map: a head sees what the neck fused alone. */
export default defineContext({
  type: "none",
  description: "no context map; the head sees the fused maps alone",
  schema: Type.Object({}),
  create: () => null,
});
