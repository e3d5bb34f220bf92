import type { Bench } from "../measure/stage.ts";
import type { Contender } from "../row.ts";
import { contender, type Place } from "./launch.ts";
import { findTool } from "./tools.ts";

/** nginx that answers everything by `return 307`. */
export function nginxRedirect(bench: Bench, upstreamUrl: string): Contender {
  return nginx(bench, `return 307 ${upstreamUrl}/v2/k8s-artifacts-prod/images$request_uri;`);
}

/** nginx that serves the files under `root`. */
export function nginxFiles(bench: Bench, root: string): Contender {
  return nginx(bench, `root ${root};`);
}

function nginx(bench: Bench, location: string): Contender {
  return contender(bench, {
    name: "nginx",
    role: "peer",
    find: () => findTool("nginx", "PERIPLUS_BENCH_NGINX", "install the package nginx"),
    argv: (program, place) => [
      program,
      "-e",
      `${place.dir}/error.log`,
      "-c",
      place.write("nginx.conf", config(place, location)),
    ],
  });
}

function config(place: Place, location: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${place.dir}/${name};`,
  );
  return `daemon off;
worker_processes 1;
${process.getuid?.() === 0 ? "user root;" : ""}
pid ${place.dir}/nginx.pid;
events { worker_connections 4096; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  default_type application/octet-stream;
  ${temporary.join("\n  ")}
  server {
    listen 127.0.0.1:${place.port} backlog=4096;
    location / { ${location} }
  }
}
`;
}
