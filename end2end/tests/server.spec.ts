import { expect, test } from "./fixtures";

test("a server that was killed answers again on the same data", async ({ server, request }) => {
  expect((await request.get("/healthz")).ok()).toBe(true);
  await server.kill();
  await expect(request.get("/healthz")).rejects.toThrow();
  await server.start();
  expect((await request.get("/healthz")).ok()).toBe(true);
});
