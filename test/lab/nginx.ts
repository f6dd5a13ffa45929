// A real nginx in front of a location server: TLS on port 443 with a certificate of its own making, WebSocket upgrade.
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';

export interface NginxOptions {
  /** For configuration, certificate and whatever nginx wants to write. */
  readonly folder: string;
  readonly listen: string;
  /** `127.0.0.1:7443`. */
  readonly upstream: string;
}

/** As docs/reverse-proxy.md says, and no more. */
const configuration = ({ folder, listen, upstream }: NginxOptions): string => `
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server {
    listen ${listen} ssl;
    ssl_certificate ${folder}/cert.pem;
    ssl_certificate_key ${folder}/key.pem;
    location /ginnel {
      proxy_pass http://${upstream};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_read_timeout 90s;
    }
  }
}
`;

/** The caller kills it. */
export function startNginx(options: NginxOptions): ChildProcess {
  const { folder } = options;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/nginx.conf`, configuration(options));
  const files = ['-keyout', `${folder}/key.pem`, '-out', `${folder}/cert.pem`];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', [...request, ...files, '-days', '2', '-subj', '/CN=home.example.net'], {
    stdio: 'ignore',
  });
  return spawn('nginx', ['-e', `${folder}/error.log`, '-c', `${folder}/nginx.conf`], { stdio: 'inherit' });
}
