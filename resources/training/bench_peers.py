"""Meander beside its peers: the same networks with random weights, each program a process that waits for its turn, all measured in turn.

    python bench_peers.py sd15 meander:f32 openvino:f32 onnxruntime torch:f32:eager torch:f32:compiled
    python bench_peers.py dit-xl2 meander:bf16 openvino:default --rounds 9

One forward of every program, then the next of every program: whatever else the machine does meets all of them. Prints the minimum, the
median, and the ratio of each to the first (above 1: the first is faster), with processor, threads, versions and load; --markdown as a
table. A contestant that cannot start is named with its reason and left out.

    meander:f32|bf16        meander-run bench model --on-demand (--meander says where it is)
    openvino:default|f32    converted from the PyTorch network; default is what OpenVINO chooses on this processor
    onnxruntime             f32, exported from the PyTorch network
    torch:f32|bf16:eager|compiled[:channels-last]
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

SHAPES = {"sd15": dict(rows=1, cells=64), "dit-xl2": dict(rows=2, cells=32)}


# --- networks -------------------------------------------------------------------------------------------------------------------------


def network(name, rows, cells):
    """The module, called with tensors only, and its inputs."""
    import torch
    torch.manual_seed(0)
    if name == "sd15":
        from diffusers import UNet2DConditionModel
        net = UNet2DConditionModel(sample_size=cells, cross_attention_dim=768, attention_head_dim=8)
        inputs = (torch.randn(rows, 4, cells, cells), torch.full((rows,), 500.0), torch.randn(rows, 77, 768))
        call = lambda x, t, c: net(x, t, encoder_hidden_states=c, return_dict=False)[0]
    else:
        from diffusers import DiTTransformer2DModel
        net = DiTTransformer2DModel(num_attention_heads=16, attention_head_dim=72, in_channels=4, out_channels=8, num_layers=28, sample_size=cells,
                                    patch_size=2, num_embeds_ada_norm=1000)
        inputs = (torch.randn(rows, 4, cells, cells), torch.full((rows,), 500), torch.arange(1, rows + 1))
        call = lambda x, t, c: net(x, timestep=t, class_labels=c, return_dict=False)[0]

    class Plain(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, x, t, c):
            return call(x, t, c)

    return Plain().eval(), inputs


# --- contestants ----------------------------------------------------------------------------------------------------------------------


def torch_call(parts, a):
    import torch
    torch.set_num_threads(a.threads)
    torch.set_grad_enabled(False)
    net, inputs = network(a.network, a.rows, a.cells)
    kind = {"f32": torch.float32, "bf16": torch.bfloat16}[parts[0]]
    net = net.to(kind)
    inputs = tuple(i.to(kind) if i.is_floating_point() and i.dim() > 1 else i for i in inputs)
    if "channels-last" in parts:
        net = net.to(memory_format=torch.channels_last)
        inputs = (inputs[0].to(memory_format=torch.channels_last),) + inputs[1:]
    if "compiled" in parts:
        net = torch.compile(net)
    return f"PyTorch {torch.__version__}", lambda: net(*inputs)


def openvino_call(parts, a):
    import openvino as ov
    import torch
    torch.set_grad_enabled(False)
    net, inputs = network(a.network, a.rows, a.cells)
    model = ov.convert_model(net, example_input=inputs)
    model.reshape({model.inputs[i]: list(x.shape) for i, x in enumerate(inputs)})
    del net
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": a.threads}
    if parts[0] != "default":
        settings["INFERENCE_PRECISION_HINT"] = parts[0]
    compiled = ov.Core().compile_model(model, "CPU", settings)
    request = compiled.create_infer_request()
    for i, x in enumerate(inputs):
        request.set_input_tensor(i, ov.Tensor(x.numpy()))
    kind = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
    return f"OpenVINO {ov.__version__.split('-')[0]}, {kind}", request.infer


def onnxruntime_call(parts, a):
    import onnxruntime as ort
    import torch
    torch.set_grad_enabled(False)
    net, inputs = network(a.network, a.rows, a.cells)
    names = ["x", "t", "c"]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "network.onnx")
        torch.onnx.export(net, inputs, path, input_names=names, dynamo=False)
        del net
        options = ort.SessionOptions()
        options.intra_op_num_threads = a.threads
        session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    known = {i.name for i in session.get_inputs()}
    feed = {n: x.numpy() for n, x in zip(names, inputs) if n in known}
    return f"onnxruntime {ort.__version__}", lambda: session.run(None, feed)


def serve(a):
    """Ready, then one forward for every line that comes, answered by its seconds."""
    kind, *parts = a.serve.split(":")
    label, call = {"torch": torch_call, "openvino": openvino_call, "onnxruntime": onnxruntime_call}[kind](parts, a)
    call()
    call()
    print(json.dumps({"ready": label}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        call()
        print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)


class Contestant:
    def __init__(self, name, a):
        self.name, self.seconds, self.label, self.why = name, [], "", ""
        common = [a.network, "--rows", str(a.rows)]
        if name.startswith("meander:"):
            command = [a.meander, "bench", "model", "--network", *common, "--precision", name.split(":")[1], "--on-demand"]
        else:
            command = [sys.executable, __file__, *common, "--cells", str(a.cells), "--threads", str(a.threads), "--serve", name]
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, bufsize=1,
                                        env=dict(os.environ, OMP_NUM_THREADS=str(a.threads)))
        self.label = self.answer().get("ready", "")
        if not self.label:
            self.errors.seek(0)
            self.why = (self.errors.read().strip().splitlines() or ["it ended without a word"])[-1]

    def answer(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        return {}

    def forward(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.seconds.append(self.answer()["seconds"])

    def end(self):
        peak = 0
        try:
            with open(f"/proc/{self.process.pid}/status") as status:
                peak = next((int(line.split()[1]) for line in status if line.startswith("VmHWM")), 0)
        except OSError:
            pass
        self.process.stdin.close()
        self.process.wait()
        return peak / 2 ** 20


def processor():
    try:
        with open("/proc/cpuinfo") as info:
            return next(line.split(":")[1].strip() for line in info if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("network", choices=sorted(SHAPES))
    ap.add_argument("contestants", nargs="*", default=[])
    ap.add_argument("--rounds", type=int, default=7)
    ap.add_argument("--rows", type=int, help="rows of a forward; 1 for sd15, 2 for dit-xl2")
    ap.add_argument("--cells", type=int, help="height and width of the latents; only 64 for sd15 and 32 for dit-xl2 beside Meander")
    ap.add_argument("--threads", type=int, default=os.cpu_count())
    ap.add_argument("--meander", default=os.path.join(here, "../../build/release/bin/meander-run"))
    ap.add_argument("--markdown", action="store_true")
    ap.add_argument("--serve", help=argparse.SUPPRESS)
    a = ap.parse_args()
    a.rows = a.rows or SHAPES[a.network]["rows"]
    a.cells = a.cells or SHAPES[a.network]["cells"]
    if a.serve:
        return serve(a)
    running = []
    for name in a.contestants or ["meander:f32", "openvino:f32"]:
        c = Contestant(name, a)
        print(f"{name}: {c.label or 'left out, ' + c.why}", file=sys.stderr, flush=True)
        if c.label:
            running.append(c)
    for _ in range(a.rounds):
        for c in running:
            c.forward()
    if not running:
        sys.exit("Nothing could be measured.")
    first = running[0]
    load = ", ".join(f"{x:.2f}" for x in os.getloadavg())
    print(f"{a.network}, {a.rows} row(s), {a.cells} x {a.cells} latents, {a.rounds} rounds in turn, {a.threads} threads, {processor()}, load {load}\n")
    if a.markdown:
        print("| | minimum | median | over the first: minimum | median | peak |\n|---|---|---|---|---|---|")
    for c in running:
        low, middle = min(c.seconds), statistics.median(c.seconds)
        cells = [f"{c.name} ({c.label})", f"{low:.3f} s", f"{middle:.3f} s", f"{low / min(first.seconds):.2f}",
                 f"{middle / statistics.median(first.seconds):.2f}", f"{c.end():.1f} GB"]
        print("| " + " | ".join(cells) + " |" if a.markdown else "  ".join(cells))


if __name__ == "__main__":
    main()
