/** Field numbers and types come from the .proto files, which so are documentation and truth in one. */
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';

/** `proto/` lies beside `src/` and beside `dist/`. */
const PROTO_DIRECTORY = new URL('../../proto/', import.meta.url);

/** Tags by field: what stands before a field's value on the wire. */
export type Tags<Field extends string> = Readonly<Record<Field, number>>;

/**
 * @param fields of the form `Message.field`, each for a name of the caller's
 * @throws Error when the file is missing or lacks a field
 */
export function readTags<Field extends string>(file: string, fields: Record<Field, string>): Tags<Field> {
  const text = readFileSync(new URL(file, PROTO_DIRECTORY), 'utf8');
  const { root, package: packageName } = protobuf.parse(text, { keepCase: true });
  const tags: Partial<Record<Field, number>> = {};
  for (const [name, path] of Object.entries(fields) as [Field, string][]) {
    const [message, fieldName] = path.split('.') as [string, string];
    const field = root.lookupType(`${packageName}.${message}`).fields[fieldName];
    if (field === undefined) throw new Error(`${file} has no field ${path}`);
    tags[name] = (field.id << 3) | wireTypeOf(field.resolve());
  }
  return tags as Tags<Field>;
}

/** Whatever has a length before it is of type 2: text, messages, and repeated numbers, which go packed. */
function wireTypeOf(field: protobuf.Field): number {
  const { basic, packed } = protobuf.types as Record<'basic' | 'packed', Readonly<Record<string, number>>>;
  if (field.repeated && packed[field.type] !== undefined) return 2;
  return basic[field.type] ?? (field.resolvedType instanceof protobuf.Enum ? 0 : 2);
}
