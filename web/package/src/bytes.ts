// Bytes as people read them.
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

export const hex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
