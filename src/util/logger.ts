/** Where a run tells what it does. Log lines go to standard error; standard output is for results. */
export interface Logger {
  info(message: string): void;
  warn(message: string): void;
  /** A line on how far the work is. A progress bar says the same, so where one is drawn the line is not. */
  step(message: string): void;
}

export const stderrLogger: Logger = {
  info: (message) => void process.stderr.write(`${message}\n`),
  warn: (message) => void process.stderr.write(`warning: ${message}\n`),
  step: (message) => void process.stderr.write(`${message}\n`),
};

export const silentLogger: Logger = { info: () => {}, warn: () => {}, step: () => {} };

/** The same logger with a title before each line, for one run among several. */
export function titled(title: string, logger: Logger): Logger {
  return {
    info: (message) => logger.info(`${title}: ${message}`),
    warn: (message) => logger.warn(`${title}: ${message}`),
    step: (message) => logger.step(`${title}: ${message}`),
  };
}
