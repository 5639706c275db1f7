import { expect, test } from "vitest";
import { refusal, statusOf } from "./refusal.ts";

/** Words of real engines: Docker 20.10 and 28, Podman 4.3. */
test.each([
  [404, "No such container: x", "missing"],
  [404, "No such image: sha256:5a", "missing"],
  [500, "5a: image not known", "missing"],
  [500, "statfs /nowhere/x: no such file or directory", "missing"],
  [400, 'invalid mount config for type "bind": bind source path does not exist: /x', "missing"],
  [400, 'runc create failed: exec: "nosuch": executable file not found in $PATH: unknown', "missing"],
  [500, 'runc: exec: "/etc/passwd": permission denied: OCI permission denied', "denied"],
  [409, 'Conflict. The container name "/x" is already in use by container "5a"', "conflict"],
  [500, 'container create: the container name "x" is already in use by 5a', "conflict"],
  [500, "network name fed-ocean-dev already used: network already exists", "conflict"],
  [500, "driver failed programming: Bind for 127.0.0.1:80 failed: port is already allocated", "conflict"],
  [500, "cannot listen on the TCP port: listen tcp4 :39999: bind: address already in use", "conflict"],
  [500, "cannot remove container 5a as it is running: container state improper", "conflict"],
  [500, "write /var/lib/docker/x: no space left on device", "unreachable"],
  [500, "Get https://r.example/v2/: dial tcp: lookup r.example: no such host", "unreachable"],
  [500, "toomanyrequests: You have reached your pull rate limit", "limited"],
  [500, 'Get "https://r.lan/v2/": http: server gave HTTP response to HTTPS client', "unreachable"],
  [500, 'Get "https://r.lan/v2/": x509: certificate signed by unknown authority', "unreachable"],
  [500, "pull access denied for x, repository does not exist or may require 'docker login'", "denied"],
  [400, "something that nobody has seen", "invalid"],
  [500, "something that nobody has seen", "unreachable"],
])("%i %s is %s", (status, message, code) => {
  const fault = refusal("docker: deed", status, message);
  expect(fault).toMatchObject({ code, message: `docker: deed: ${message}` });
  expect(statusOf(fault)).toBe(status);
});

test("a full disk is told as one, and what is no refusal has no status", () => {
  expect(refusal("x", 500, "no space left on device").details).toEqual({ status: 500, disk: "full" });
  expect(refusal("x", 500, "http: server gave HTTP response to HTTPS client").hint).toContain("insecure-registries");
  expect(refusal("x", 500, "x509: no way").hint).toContain("certs.d");
  expect(refusal("x", 500, "").message).toBe("x: status 500");
  expect(statusOf(new Error("x"))).toBeUndefined();
});
