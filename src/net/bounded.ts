/** Puts an entry into a table as its newest. Past `max` entries the oldest goes. */
export function putNewest<K, V>(table: Map<K, V>, key: K, value: V, max: number): void {
  table.delete(key);
  table.set(key, value);
  if (table.size <= max) return;
  const oldest = table.keys().next();
  if (!oldest.done) table.delete(oldest.value);
}
