/** Registers the corrected gradients with TensorFlow.js. */
export function registerGradients(): void {}
