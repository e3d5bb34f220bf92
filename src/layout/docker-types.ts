/** Media types of what Docker's schema 2 manifests name. The zstd one is buildkit's; Docker itself never wrote it. */
export const dockerTypes = {
  config: "application/vnd.docker.container.image.v1+json",
  layer: "application/vnd.docker.image.rootfs.diff.tar",
  layerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  layerZstd: "application/vnd.docker.image.rootfs.diff.tar.zstd",
} as const;
