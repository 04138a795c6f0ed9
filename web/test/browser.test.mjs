// The page in Chromium against the real server and real data; node's own runner. Parts run one after the other: they share one home.
import { after, before } from 'node:test';
import { setUp, tearDown } from './lab.mjs';

before(setUp, { timeout: 180_000 });
after(tearDown);
await import('./screens.mjs');
await import('./keyboard.mjs');
await import('./hostile.mjs');
await import('./live.mjs');
await import('./figures.mjs');
