// Starts the Go runtime together with the CPU kernels, a WebAssembly module that works on the Go
// module's memory. That memory exists only once Go's module is instantiated, with the kernels as its
// imports: so it gets functions that forward to them.

// withRelaxed is a module with one function that uses relaxed SIMD's f32x4.relaxed_madd.
const withRelaxed = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32, 1, 32, 2, 253, 133, 2, 11,
]);

export async function instantiate(
  go: { importObject: WebAssembly.Imports }, runtime: Promise<Response>,
): Promise<WebAssembly.WebAssemblyInstantiatedSource> {
  const kernels = fetch(WebAssembly.validate(withRelaxed) ? "kernels-relaxed.wasm" : "kernels.wasm");
  const module = await WebAssembly.compileStreaming(kernels);
  const functions: WebAssembly.ModuleImports = {};
  let ready: Record<string, (...values: number[]) => number> = {};
  for (const { name } of WebAssembly.Module.exports(module)) functions[name] = (...values: number[]) => ready[name](...values);
  const source = await WebAssembly.instantiateStreaming(runtime, { ...go.importObject, kernels: functions });
  const memory = source.instance.exports.mem as WebAssembly.Memory;
  ready = (await WebAssembly.instantiate(module, { env: { memory } })).exports as typeof ready;
  return source;
}
