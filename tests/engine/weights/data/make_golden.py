#!/usr/bin/env python3
"""Makes the golden files beside it: pip install numpy gguf; python3 make_golden.py

golden.gguf      one tensor of random blocks for each type, and its values as gguf-py (an independent implementation)
                 computes them, under the name with ".values"
new.pth, old.pth the same small checkpoint as PyTorch writes it since 1.6 (zip) and before (five pickles, then the data);
                 PyTorch itself is not needed: what its pickles import is stood in for by empty classes of those names
"""
import collections, pathlib, pickle, struct, sys, types, zipfile
import numpy as np
import gguf

here = pathlib.Path(__file__).parent
random = np.random.default_rng(1)


def write_gguf():
    writer = gguf.GGUFWriter(here / "golden.gguf", "test")
    writer.add_string("general.name", "golden")
    writer.add_uint32("test.number", 7)
    writer.add_array("test.words", [f"word {i}" for i in range(20)])
    writer.add_array("comfy.gguf.orig_shape.reshaped", [2, 1, 16, 8])
    scales = {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "IQ4_NL": [0], "Q2_K": [80, 82],
              "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}
    for name in ["F16", "BF16"] + list(scales):
        kind = getattr(gguf.GGMLQuantizationType, name)
        elements, size = gguf.GGML_QUANT_SIZES[kind]
        blocks = random.integers(0, 256, (2, 256 // elements, size), dtype=np.uint8)
        for offset in scales.get(name, []):  # sane numbers where the scales are
            halves = random.normal(0, 0.1, blocks.shape[:2]).astype(np.float16)
            blocks[:, :, offset:offset + 2] = halves[..., None].view(np.uint8)
        if name in ("F16", "BF16"):
            values = random.normal(0, 1, (2, 256)).astype(np.float32)
            raw = gguf.quants.quantize(values, kind).view(np.uint8)
        else:
            raw = blocks.reshape(2, -1)
        values = gguf.quants.dequantize(raw, kind).astype(np.float32)
        writer.add_tensor(name, raw, raw_shape=raw.shape, raw_dtype=kind)
        writer.add_tensor(name + ".values", values)
    writer.add_tensor("reshaped", np.arange(256, dtype=np.float32).reshape(16, 16))
    writer.add_tensor("trimmed", np.arange(4, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def stand_in(module, name):
    parts = module.split(".")
    for i in range(len(parts)):
        sys.modules.setdefault(".".join(parts[:i + 1]), types.ModuleType(".".join(parts[:i + 1])))
    made = type(name, (), {"__module__": module})
    setattr(sys.modules[module], name, made)
    return made


class Storage:
    kinds = {"float32": "FloatStorage", "float16": "HalfStorage", "int64": "LongStorage", "bf16": "BFloat16Storage"}

    def __init__(self, array, kind=None):
        self.array, self.kind = array, kind or str(array.dtype)


class Rebuild:
    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments

    def __reduce__(self):
        return self.function, self.arguments


def function(module, name):
    def made(*arguments):
        raise NotImplementedError
    made.__module__, made.__qualname__, made.__name__ = module, name, name
    stand_in(module, name)
    setattr(sys.modules[module], name, made)
    return made


types_of_storages = {kind: stand_in("torch", name) for kind, name in Storage.kinds.items()}
rebuild_tensor = function("torch._utils", "_rebuild_tensor_v2")
rebuild_parameter = function("torch._utils", "_rebuild_parameter")


def tensor(storage, offset, size, stride):
    return Rebuild(rebuild_tensor, storage, offset, size, stride, False, collections.OrderedDict())


class Pickler(pickle.Pickler):
    def __init__(self, file):
        super().__init__(file, protocol=2)
        self.keys = {}

    def persistent_id(self, value):
        if not isinstance(value, Storage):
            return None
        key = str(self.keys.setdefault(id(value), len(self.keys)))
        return "storage", types_of_storages[value.kind], key, "cpu", len(value.array)


def checkpoint():
    matrix = Storage(np.arange(6, dtype=np.float32) / 2)
    half = Storage(np.array([1.5, -2, 0.25], dtype=np.float16))
    brain = Storage(np.array([0x3f80, 0xc000], dtype=np.uint16), "bf16")
    steps = Storage(np.array([40000], dtype=np.int64))
    state = collections.OrderedDict()
    state["matrix"] = tensor(matrix, 0, (2, 3), (3, 1))
    state["transposed"] = tensor(matrix, 0, (3, 2), (1, 3))
    state["slice"] = tensor(matrix, 1, (2, 2), (3, 1))
    state["half"] = Rebuild(rebuild_parameter, tensor(half, 0, (3,), (1,)), True, collections.OrderedDict())
    state["brain"] = tensor(brain, 0, (2,), (1,))
    content = {"state_dict": state, "epoch": 12, "lr": 0.5, "name": "golden",
               "more": [tensor(steps, 0, (), ()), {"deep": tensor(half, 1, (1,), (1,))}], "none": None}
    return content, [matrix, half, brain, steps]


def write_new():
    content, storages = checkpoint()
    with zipfile.ZipFile(here / "new.pth", "w", zipfile.ZIP_STORED) as archive:
        def add(name, data):  # one date, so that the file is the same every time
            archive.writestr(zipfile.ZipInfo("golden/" + name), data)
        import io
        buffer = io.BytesIO()
        pickler = Pickler(buffer)
        pickler.dump(content)
        add("data.pkl", buffer.getvalue())
        add("byteorder", b"little")
        for storage in storages:
            add("data/" + str(pickler.keys[id(storage)]), storage.array.tobytes())
        add("version", b"3\n")


def write_old():
    content, storages = checkpoint()
    with open(here / "old.pth", "wb") as file:
        pickle.dump(0x1950a86a20f9469cfc6c, file, protocol=2)
        pickle.dump(1001, file, protocol=2)
        pickle.dump({"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}},
                    file, protocol=2)
        pickler = Pickler(file)
        pickler.dump(content)
        ordered = sorted(storages, key=lambda s: pickler.keys[id(s)])
        pickle.dump([str(pickler.keys[id(s)]) for s in ordered], file, protocol=2)
        for storage in ordered:
            file.write(struct.pack("<q", len(storage.array)) + storage.array.tobytes())


write_gguf()
write_new()
write_old()
