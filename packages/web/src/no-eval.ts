import { z } from "zod";

// The page's policy forbids code from text. Zod would try for it and be refused, which browsers report as a violation.
z.config({ jitless: true });
