// The least of ONNX's protobuf that a model of a few nodes needs: https://onnx.ai/onnx/repo-docs/onnx.proto.html

/** A field of bytes: a message, a string or packed numbers. */
function field(number, bytes) {
  return [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes];
}

function integer(number, value) {
  return [...varint(number * 8), ...varint(value)];
}

function varint(value) {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return [...bytes, value];
}

const text = (number, value) => field(number, new TextEncoder().encode(value));
const floats = (values) => new Uint8Array(Float32Array.from(values).buffer);

/** A node's attribute: numbers written as integers are integers, a Float32Array holds a float. */
function attribute([name, value]) {
  const content =
    typeof value === "number"
      ? [...integer(3, value), ...integer(20, 2)]
      : Array.isArray(value)
        ? [...value.flatMap((item) => integer(8, item)), ...integer(20, 7)]
        : [2 * 8 + 5, ...floats(value), ...integer(20, 1)];
  return field(5, [...text(1, name), ...content]);
}

/** An input or output of float32 values: name, type, sizes. */
function value(number, name, sizes) {
  const shape = sizes.flatMap((size) => field(1, integer(1, size)));
  const tensor = [...integer(1, 1), ...field(2, shape)];
  return field(number, [...text(1, name), ...field(2, field(1, tensor))]);
}

/**
 * A model with input x and output y of the same sizes.
 *
 * @param {number[]} sizes
 * @param {Record<string, { sizes: number[], values: ArrayLike<number> }>} constants
 * @param {[string, string[], string[], object?][]} nodes operator, inputs, outputs, attributes
 */
export function model(sizes, constants, nodes) {
  const graph = [
    ...nodes.flatMap(([operator, inputs, outputs, attributes = {}]) =>
      field(1, [
        ...inputs.flatMap((name) => text(1, name)),
        ...outputs.flatMap((name) => text(2, name)),
        ...text(4, operator),
        ...Object.entries(attributes).flatMap(attribute),
      ]),
    ),
    ...text(2, "graph"),
    ...Object.entries(constants).flatMap(([name, { sizes, values }]) =>
      field(5, [
        ...sizes.flatMap((size) => integer(1, size)),
        ...integer(2, 1),
        ...text(8, name),
        ...field(9, floats(values)),
      ]),
    ),
    ...value(11, "x", sizes),
    ...value(12, "y", sizes),
  ];
  // Format 8, operators of version 17.
  return Uint8Array.from([...integer(1, 8), ...field(7, graph), ...field(8, integer(2, 17))]);
}
