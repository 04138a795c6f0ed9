// Every view has an address: #/slis/NAME?since=1h. The address is the state: views are opened from it and change it, so that back,
// reload and a copied link all lead to what was seen.

export interface Place {
  parts: string[];
  query: URLSearchParams;
}

export function here(): Place {
  const [path = '', search = ''] = location.hash.replace(/^#\/?/, '').split('?');
  return { parts: path.split('/').filter(Boolean).map(decode), query: new URLSearchParams(search) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function address(parts: string[], query: Record<string, string | undefined> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) search.set(name, value);
  const text = search.toString();
  return `#/${parts.map(encodeURIComponent).join('/')}${text ? `?${text}` : ''}`;
}

export function go(parts: string[], query: Record<string, string | undefined> = {}): void {
  location.hash = address(parts, query);
}

/** Changes the address's query without a new entry in the history and without opening the view anew. */
export function amend(query: Record<string, string | undefined>): void {
  const place = here();
  const all = Object.fromEntries(place.query);
  history.replaceState(null, '', address(place.parts, { ...all, ...query }));
}
