#!/usr/bin/env python3
"""Converts a file of random tensors with meander-run and reads the results with the readers of safetensors and gguf: names,
shapes, types and values. No test needs it.

    check_convert.py MEANDER-RUN        (made with safetensors 0.8, gguf 0.19)
"""
import json
import subprocess
import sys
import tempfile

import gguf
import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file

torch.manual_seed(3)
TENSORS = {"a.weight": torch.randn(48, 512), "a.bias": torch.randn(48), "conv.weight": torch.randn(8, 4, 3, 3),
           "odd.weight": 0.1 * torch.randn(5, 7), "deep.weight": torch.randn(4, 3, 2, 2, 2), "one": torch.tensor(2.5)}
# Largest error of an element of a matrix, relative to the root mean square.
BOUNDS = {"f32": 0, "f16": 2e-3, "bf16": 2e-2, "fp8": 0.25, "int8": 0.02, "q8_0": 0.02, "q4_0": 0.4, "q4_k": 0.35}


def relative(a, b):
    return float((a.double() - b.double()).abs().max() / b.double().pow(2).mean().sqrt())


with tempfile.TemporaryDirectory() as folder:
    source = f"{folder}/source.safetensors"
    save_file(TENSORS, source)
    for format in ("f32", "f16", "bf16", "fp8", "int8"):
        path = f"{folder}/{format}.safetensors"
        subprocess.run([sys.argv[1], "convert", source, path, "-f", format], check=True, capture_output=True)
        with safe_open(path, "pt") as f:
            got = {k: f.get_tensor(k) for k in f.keys()}
        worst = 0
        for name, t in TENSORS.items():
            value = got[name].float()
            module = name.removesuffix(".weight")
            if module + ".weight_scale" in got:
                value = value * got[module + ".weight_scale"]
                assert json.loads(bytes(got[module + ".comfy_quant"].tolist()))["format"] == "int8_tensorwise"
            assert value.shape == t.shape, name
            worst = max(worst, relative(value, t))
        print(format, f"{worst:.1e}")
        assert worst <= BOUNDS[format]
    for format in ("f32", "f16", "bf16", "q8_0", "q4_0", "q4_k"):
        path = f"{folder}/{format}.gguf"
        subprocess.run([sys.argv[1], "convert", source, path, "-f", format], check=True, capture_output=True)
        reader = gguf.GGUFReader(path)
        assert reader.get_field("general.architecture") is not None
        worst = 0
        for t in reader.tensors:
            value = torch.tensor(np.array(gguf.quants.dequantize(t.data, t.tensor_type)))
            worst = max(worst, relative(value.reshape(TENSORS[t.name].shape), TENSORS[t.name]))
        assert {t.name for t in reader.tensors} == set(TENSORS)
        print("gguf", format, f"{worst:.1e}")
        assert worst <= BOUNDS[format]
    reference = gguf.quants.quantize(TENSORS["a.weight"].numpy(), gguf.GGMLQuantizationType.Q8_0)
    reader = gguf.GGUFReader(f"{folder}/q8_0.gguf")
    own = next(t for t in reader.tensors if t.name == "a.weight").data
    print("bytes of Q8_0 that differ from gguf's:", int((own != reference.reshape(own.shape)).sum()), "of", own.size)
