// Typed errors: `error.code` says what went wrong, and each code has its class.
export type Code = "unsupported" | "integrity" | "request" | "device_lost" | "out_of_memory" | "quota" | "network" | "aborted" | "failed";

export class UnmaskError extends Error {
  constructor(readonly code: Code, message: string) {
    super(message);
    this.name = new.target.name;
  }
}

export class UnsupportedError extends UnmaskError { constructor(message: string) { super("unsupported", message); } }
export class IntegrityError extends UnmaskError { constructor(message: string) { super("integrity", message); } }
export class RequestError extends UnmaskError { constructor(message: string) { super("request", message); } }
export class DeviceLostError extends UnmaskError { constructor(message: string) { super("device_lost", message); } }
export class OutOfMemoryError extends UnmaskError { constructor(message: string) { super("out_of_memory", message); } }
export class QuotaError extends UnmaskError { constructor(message: string) { super("quota", message); } }
export class NetworkError extends UnmaskError { constructor(message: string) { super("network", message); } }
export class AbortedError extends UnmaskError { constructor(message = "aborted") { super("aborted", message); } }

const classes: Partial<Record<Code, new (message: string) => UnmaskError>> = {
  unsupported: UnsupportedError, integrity: IntegrityError, request: RequestError, device_lost: DeviceLostError,
  out_of_memory: OutOfMemoryError, quota: QuotaError, network: NetworkError, aborted: AbortedError,
};

// errorOf makes the error that belongs to a code.
export function errorOf(code: string, message: string): UnmaskError {
  const known = classes[code as Code];
  return known ? new known(message) : new UnmaskError("failed", message);
}
