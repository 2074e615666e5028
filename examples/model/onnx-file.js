// ONNX files, read and written: the part of the format that models need which have one graph and dense tensors.

import protobuf from "protobufjs";

const { root } = protobuf.parse(`
  syntax = "proto3";
  package onnx;
  message ModelProto { int64 ir_version = 1; GraphProto graph = 7; repeated OperatorSetIdProto opset_import = 8; }
  message OperatorSetIdProto { string domain = 1; int64 version = 2; }
  message GraphProto {
    repeated NodeProto node = 1; string name = 2; repeated TensorProto initializer = 5;
    repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12;
  }
  message NodeProto {
    repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4;
    repeated AttributeProto attribute = 5;
  }
  message AttributeProto {
    string name = 1; float f = 2; int64 i = 3; bytes s = 4; TensorProto t = 5;
    repeated float floats = 7; repeated int64 ints = 8; int32 type = 20;
  }
  message TensorProto {
    repeated int64 dims = 1; int32 data_type = 2; repeated float float_data = 4; repeated int32 int32_data = 5;
    repeated int64 int64_data = 7; string name = 8; bytes raw_data = 9;
  }
  message ValueInfoProto { string name = 1; TypeProto type = 2; }
  message TypeProto { TensorTypeProto tensor_type = 1; }
  message TensorTypeProto { int32 elem_type = 1; TensorShapeProto shape = 2; }
  message TensorShapeProto { repeated DimensionProto dim = 1; }
  message DimensionProto { int64 dim_value = 1; string dim_param = 2; }
`);
const Model = root.lookupType("onnx.ModelProto");

/** float32, in TensorProto and TensorTypeProto. */
const FLOAT = 1;

export const decode = (bytes) => Model.decode(bytes);
export const encode = (model) => Model.encode(model).finish();

/** An attribute's value by its name, a number or numbers; undefined where the node has none. */
export function attribute(node, name) {
  const found = node.attribute.find((other) => other.name === name);
  if (found === undefined) return undefined;
  const { type, f, i, ints } = found;
  if (type === 1) return f;
  return type === 2 ? Number(i) : ints.map(Number);
}

/** The numbers of a float32 tensor, in an array of their own. */
export function floats({ dataType, floatData, rawData }) {
  if (dataType !== FLOAT) throw new TypeError(`a tensor's data_type: expected 1 (float32), got ${dataType}`);
  return floatData.length > 0
    ? Float32Array.from(floatData)
    : new Float32Array(Uint8Array.from(rawData).buffer);
}

/** A node that is nothing but a float32 tensor. */
export function constant(name, dims, values) {
  const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const t = { dims, dataType: FLOAT, rawData };
  return { output: [name], opType: "Constant", attribute: [{ name: "value", t, type: 4 }] };
}

/** A graph's input or output, of float32 and of any shape. */
export const value = (name) => ({ name, type: { tensorType: { elemType: FLOAT } } });
