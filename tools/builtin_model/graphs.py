"""Gradients by CUDA graphs: a training step's thousands of kernels are launched as one piece, so that the GPU does not wait for Python."""

import torch

WARM_UP = 3  # calls that go ahead as they are: they compile, choose algorithms and fill caches, all of which a capture forbids


class Gradients:
    """Calls `loss(*inputs)` and leaves its gradients in the parameters; returns what else it returns. `inputs` are tensors that keep their shapes.

    With `graphed` the calls after the first few replay a graph; where it cannot be captured, this says so and goes on without. What a call
    returns and the gradients are good until the next call of any of these. Graphs are captured on the current stream, which must not be CUDA's default."""

    memory = None  # shared by all graphs, which never run at the same time

    def __init__(self, name, loss, parameters, graphed):
        self.name, self.loss, self.parameters, self.graphed, self.calls, self.graph = name, loss, parameters, graphed, 0, None

    def __call__(self, *inputs):
        self.calls += 1
        if self.graphed and not self.graph and self.calls > WARM_UP:
            self._capture(inputs)
        if not self.graph:
            return self._run(inputs)
        for kept, given in zip(self.inputs, inputs):
            kept.copy_(given)
        self.graph.replay()
        for p, gradient in zip(self.parameters, self.gradients):
            p.grad = gradient
        return self.results

    def _run(self, inputs):
        for p in self.parameters:
            p.grad = None
        whole, *results = self.loss(*inputs)
        whole.backward()
        return results

    def _capture(self, inputs):
        self.inputs = [t.clone() for t in inputs]
        try:
            graph = torch.cuda.CUDAGraph()  # thread_local: other threads, such as NCCL's, may use CUDA meanwhile
            with torch.cuda.graph(graph, pool=Gradients.memory, stream=torch.cuda.current_stream(), capture_error_mode="thread_local"):
                self.results = self._run(self.inputs)
        except Exception as e:  # whatever it is, training goes on
            self.graphed = False
            print(f"{self.name}: without a CUDA graph, capturing failed: {type(e).__name__}: {str(e).splitlines()[0]}", flush=True)
            return
        self.gradients, self.graph, Gradients.memory = [p.grad for p in self.parameters], graph, graph.pool()
        print(f"{self.name}: as a CUDA graph, {torch.cuda.memory_reserved() / 2**30:.1f} GiB of memory in all", flush=True)
