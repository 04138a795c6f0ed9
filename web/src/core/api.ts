// Questions to the server (docs/formats/view_api.md). A failed one is a Problem in words, whatever went wrong on the way.
import { t } from './i18n';

export class Problem extends Error {
  constructor(
    readonly what: string,
    readonly why = '',
    readonly toDo = '',
    readonly status = 0,
  ) {
    super(what);
  }
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', cache: 'no-store', ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Problem(t('error.gone'), t('error.gone_why'), t('error.gone_do'));
  }
  if (response.ok) return response;
  const said = (await response.json().catch(() => ({}))) as { error?: string; why?: string; to_do?: string };
  if (response.status === 403) throw new Problem(t('error.session'), said.error ?? '', t('error.session_do'), 403);
  throw new Problem(
    said.error ?? t('error.status', { status: response.status }),
    said.why ?? '',
    said.to_do ?? '',
    response.status,
  );
}

export type Query = Record<string, string | number | boolean | undefined>;

export function withQuery(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '' && value !== false) search.set(name, value === true ? '1' : String(value));
  }
  const text = search.toString();
  return text ? `${path}?${text}` : path;
}

export async function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  return (await (await ask(withQuery(path, query), { signal: signal ?? null })).json()) as T;
}

export async function getBytes(path: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  return (await ask(path, { signal: signal ?? null })).arrayBuffer();
}

export async function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const response = await ask(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
    signal: signal ?? null,
  });
  const text = await response.text();
  return (text ? JSON.parse(text) : {}) as T;
}

/** Hands the address's token in and takes it out of the address, history and screen; opens the view that the address names. */
export async function openSession(): Promise<void> {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const token = fragment.get('token');
  if (!token) return;
  const to = fragment.get('to') ?? '/slis';
  history.replaceState(null, '', `#${to.startsWith('/') ? to : '/slis'}`);
  try {
    await post('/api/session', { token });
  } catch (error) {
    // A token opens one session; the same address in a second tab of this browser finds that session open.
    if (!(error instanceof Problem) || error.status !== 403) throw error;
    await get('/api/status');
  }
}
