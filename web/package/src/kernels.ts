// Starts the Go runtime together with the CPU kernels, a WebAssembly module that works on the Go
// module's memory. That memory exists only once Go's module is instantiated, with the kernels as its
// imports: so it gets functions that forward to them.
export async function instantiate(
  go: { importObject: WebAssembly.Imports }, runtime: Promise<Response>, kernels: Promise<Response>,
): Promise<WebAssembly.WebAssemblyInstantiatedSource> {
  const module = await WebAssembly.compileStreaming(kernels);
  const functions: WebAssembly.ModuleImports = {};
  let ready: Record<string, (...values: number[]) => number> = {};
  for (const { name } of WebAssembly.Module.exports(module)) functions[name] = (...values: number[]) => ready[name](...values);
  const source = await WebAssembly.instantiateStreaming(runtime, { ...go.importObject, kernels: functions });
  const memory = source.instance.exports.mem as WebAssembly.Memory;
  ready = (await WebAssembly.instantiate(module, { env: { memory } })).exports as typeof ready;
  return source;
}
