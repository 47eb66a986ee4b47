import type { Options } from './index.js';

export * from './index.js';
/** As in `comeback-sdk`, but `wasm` must be given. */
export function init(options: Options & { wasm: NonNullable<Options['wasm']> }): Promise<void> | undefined;
