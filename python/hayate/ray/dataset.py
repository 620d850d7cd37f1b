"""generate_dataset: prompts in files to pictures in files, on all machines of a Ray cluster, each id once, resumed where it was broken off."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import quote

import pyarrow as pa
import pyarrow.dataset
import pyarrow.fs
import ray.data
from ray.data.checkpoint import CheckpointConfig
from ray.exceptions import RayActorError

from hayate import _core, errors
from hayate.errors import Error, NotFoundError, UsageError
from hayate.ray.painter import Painter, Row, default_batch_size, gpus_of, status_of
from hayate.request import Settings

READERS = {".parquet": ray.data.read_parquet, ".csv": ray.data.read_csv, ".jsonl": ray.data.read_json, ".json": ray.data.read_json}
LONGEST_NAME = 200  # of a picture's file, bytes

# Rows of the result, beside `id`, which is as it came. `image`: the bytes of the file, or null where pictures are files of their own; `file`: its name then.
SCHEMA = pa.schema([
    ("prompt", pa.string()), ("seed", pa.uint64()), ("width", pa.int32()), ("height", pa.int32()), ("image", pa.binary()),
    ("file", pa.string()), ("sha256", pa.string()), ("seconds", pa.float64()), ("status", pa.string()),
])  # fmt: skip


@dataclass
class Summary:
    """What is in the folder after a run."""

    pictures: int
    failed: int
    """Rows whose status is not "ok"."""
    folder: str
    """Of the Parquet files."""


class Actor:
    """A Painter in an actor of Ray Data."""

    def __init__(self, files: str | None, painter: dict[str, Any]):
        self.painter = Painter(**painter)
        self.files = files

    def __call__(self, table: pa.Table) -> pa.Table:
        rows = table.to_pylist()
        out = [{**drawn, "prompt": text_of(row.get("prompt")), "file": None} for row, drawn in zip(rows, self.painter.draw(rows))]
        for row, drawn in zip(rows, out):
            if self.files and drawn["image"] is not None:
                drawn["file"] = self._file_of(str(row["id"]), drawn)
        return pa.Table.from_pylist(out, schema=SCHEMA).add_column(0, "id", table["id"])

    def _file_of(self, row_id: str, row: Row) -> str | None:
        """Moves the picture out of the row into a file named by the id, which is the same however often it is drawn."""
        name = quote(row_id, safe="") + "." + self.painter.name.partition(".")[2]
        if len(name) > LONGEST_NAME:
            row["status"] = status_of(UsageError(f"an id of {len(row_id)} characters is too long for the name of a file"))
        else:
            write_whole(f"{self.files}/{name}", row["image"])
        row["image"] = None
        return name if row["status"] == "ok" else None


def text_of(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else repr(value)


def storage(uri: str) -> tuple[pa.fs.FileSystem, str]:
    """A folder's file system, and its path there."""
    try:
        return pa.fs.FileSystem.from_uri(uri)  # type: ignore[no-any-return]
    except (pa.ArrowInvalid, OSError) as error:
        raise UsageError(f"{uri!r} is neither an absolute path nor the address of a store: {error}") from error


def write_whole(uri: str, content: bytes) -> None:
    system, path = storage(uri)
    local = isinstance(system, pa.fs.LocalFileSystem)  # a store shows an object when it is complete; a file is moved to its name then
    target = f"{path}.{ray.get_runtime_context().get_worker_id()}.part" if local else path
    with system.open_output_stream(target) as stream:
        stream.write(content)
    if local:
        system.move(target, path)


def read_prompts(prompts: str) -> ray.data.Dataset:
    """Rows as they are in the files."""
    reader = next((READERS[end] for end in READERS if prompts.endswith(end)), None)
    if reader is None:
        raise UsageError(f"{prompts!r}: expected a file or pattern that ends in {', '.join(READERS)}")
    system, path = storage(prompts)
    if not any(c in path for c in "*?[") and system.get_file_info(path).type == pa.fs.FileType.NotFound:
        raise NotFoundError(f"{prompts} does not exist")
    return reader(prompts)


def check_ids(prompts: ray.data.Dataset) -> None:
    """Ids are what a run is resumed by: none may be missing, none twice."""
    if "id" not in prompts.columns():
        raise UsageError(f"the prompts have columns {prompts.columns()}; expected `id` and `prompt`")
    seen: set[str | int] = set()
    for batch in prompts.select_columns(["id"]).iter_batches(batch_format="pyarrow", batch_size=65536):
        table: Any = batch
        for value in table["id"].to_pylist():
            if not isinstance(value, (str, int)):
                raise UsageError(f"an id is {value!r}; expected text or a number")
            if value in seen:
                raise UsageError(f"the id {value!r} is there twice")
            seen.add(value)


def check_same_run(folder: str, settings: dict[str, Any]) -> None:
    """A folder is resumed only with what it was begun with: otherwise its pictures would not be of one kind."""
    uri = f"{folder}/settings.json"
    system, path = storage(uri)
    text = json.dumps(settings, indent=1, sort_keys=True, default=str)
    if system.get_file_info(path).type == pa.fs.FileType.NotFound:
        system.create_dir(storage(folder)[1], recursive=True)
        write_whole(uri, text.encode())
        return
    before = system.open_input_stream(path).read().decode()
    if before != text:
        raise UsageError(f"{folder} was begun with other settings:\n{before}\nnow:\n{text}")


@contextmanager
def data_context(**settings: Any) -> Iterator[None]:
    """Data sets made meanwhile have these settings of Ray Data."""
    context = ray.data.DataContext.get_current()
    before = {name: getattr(context, name) for name in settings}
    for name, value in settings.items():
        setattr(context, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(context, name, value)


def actors_that_fit(gpus: float, cpus: float) -> int:
    """One for each GPU, or for each `cpus` processors; a processor stays free for reading and writing."""
    have: dict[str, float] = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return max(1, int(have.get("GPU", 0) / gpus) if gpus else int((have.get("CPU", 0) - 1) / cpus))


def own_error(error: Exception) -> Error | None:
    """What a Painter raised when it was made, out of the text that Ray tells about its actor."""
    found = re.search(r"hayate\.errors\.(\w+): (.*)", str(error), re.DOTALL)
    return getattr(errors, found[1])(found[2].strip()) if found else None


# Parquet is read by tasks, which Ray repeats elsewhere when their node dies. Its newer reader asks actors for the footers of files, and one on a node that
# died a moment ago, which Ray takes for alive for some 15 s, ends the run (Ray 2.60).
@data_context(use_datasource_v2=False)
def generate_dataset(
    prompts: str, out: str, *, model: str = "builtin", device: str = "cpu", batch_size: int | None = None, rows_per_file: int | None = None, files: bool = False,
    image_format: str = "png", quality: int = 90, cpus_per_actor: float = 2, gpus_per_actor: float | None = None, actors: int | None = None,
    unique_ids: bool = False, settings: Settings | None = None, **options: Any,
) -> Summary:  # fmt: skip
    """Draws every row of `prompts` and writes `out`; call it again with the same arguments after a crash, and it goes on where it was.

    prompts: a .parquet, .csv or .jsonl file, a pattern, or an address that Ray reads. Columns: `id` (text or number, unique), `prompt`, and where a row
        has its own: negative_prompt, seed (otherwise made from the id), width, height, num_inference_steps, guidance_scale.
    out: a folder that all machines see (an absolute path or, say, s3://bucket/folder). out/pictures has Parquet files, out/files the pictures if
        `files` is true, out/checkpoint the ids that are written.
    batch_size: pictures drawn together; None: 4 on a GPU, 1 on a CPU. Bytes depend on it, not on what else is in a batch, as batches are filled up; on a
        CPU they also depend, in their last bits, on the place in a batch.
    rows_per_file: in a Parquet file, which is also what is lost of a broken run, for each actor; None: 16 batches.
    actors: how many at most; None: one for each GPU of the cluster (each two, for device "cuda:0,1"), or for each `cpus_per_actor` processors.
    unique_ids: true: do not check beforehand that no id is there twice, which takes memory for all ids.
    settings: of all rows, as Pipeline() takes them. options: as Pipeline.from_pretrained() takes them: rung, loras, ...

    A row that cannot be drawn is a row whose status says why. Raises hayate.Error for what is wrong with all of it.
    """
    batch_size = default_batch_size(device) if batch_size is None else batch_size
    painter = {
        "model": model, "device": device, "batch_size": batch_size, "image_format": image_format, "quality": quality, "settings": settings, **options
    }  # fmt: skip
    storage(out)
    if not unique_ids:
        check_ids(read_prompts(prompts))
    # Which ids are written is noted, and those are left out.
    with data_context(checkpoint_config=CheckpointConfig(id_column="id", checkpoint_path=f"{out}/checkpoint", delete_checkpoint_on_success=False)):
        rows = read_prompts(prompts)
        check_same_run(out, {"hayate": _core.version(), "files": files, **painter})
        gpus = gpus_per_actor if gpus_per_actor is not None else gpus_of(device)
        rows = rows.repartition(target_num_rows_per_block=rows_per_file or 16 * batch_size).map_batches(
            Actor, fn_constructor_args=(f"{out}/files" if files else None, painter), batch_size=None, batch_format="pyarrow",
            num_cpus=None if gpus else cpus_per_actor, num_gpus=gpus or None,
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=actors or actors_that_fit(gpus, cpus_per_actor)),
        )  # fmt: skip
        if files:
            system, path = storage(f"{out}/files")
            system.create_dir(path, recursive=True)
        try:
            rows.write_parquet(f"{out}/pictures")
        except RayActorError as error:
            raise own_error(error) or error from error
    return summary_of(f"{out}/pictures")


def summary_of(folder: str) -> Summary:
    system, path = storage(folder)
    status = pa.dataset.dataset(path, filesystem=system).scanner(columns=["status"])
    counts = [(len(batch), sum(value != "ok" for value in batch["status"].to_pylist())) for batch in status.to_batches()]
    return Summary(pictures=sum(n - bad for n, bad in counts), failed=sum(bad for _, bad in counts), folder=folder)
