import { makeFakeImages, makeFakeRegistry } from "./image.fake.ts";
import { imageSuite } from "./image.suite.ts";

for (const partialLoad of [true, false])
  imageSuite(partialLoad ? "the fake" : "the fake that takes whole archives only", async () => {
    const login = { user: "marit", password: "sea" };
    const registry = makeFakeRegistry("registry.example:5000", login);
    const store = makeFakeImages({ registry });
    const other = makeFakeImages({ registry, partialLoad });
    return {
      store,
      other,
      registry: { address: registry.address, login },
      absentRegistry: "absent.example",
      async hold(id) {
        store.used.add(id);
        return async () => void store.used.delete(id);
      },
      unpack: async (id) => other.unpack(id),
      async close() {},
    };
  });
