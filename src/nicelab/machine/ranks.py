"""One process, or several that share each batch: `torchrun --nproc-per-node 2 stages/train.py`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from nicelab.errors import InputError

PATIENCE = timedelta(minutes=5)  # for an answer from the other processes

T = TypeVar("T")


@dataclass(frozen=True)
class Ranks:
    """This process's place among those that work together; alone by default."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that reads, writes and reports."""
        return self.rank == 0

    def share(self, entries: Tensor) -> Tensor:
        """This process's part of entries of shape (n, *): every `size`-th of them."""
        return entries[self.rank :: self.size]

    def total(self, x: Tensor) -> Tensor:
        """Sum over the processes, in place, the same in each."""
        if self.size > 1:
            dist.all_reduce(x)
        return x

    def merge(self, part: Tensor, n: int) -> Tensor:
        """The n numbers of which every process has its `share`, in their order, shape (n,)."""
        whole = part.new_zeros(n)
        whole[self.rank :: self.size] = part
        return self.total(whole)

    def same(self, item: T) -> T:
        """What the first process has, in every process."""
        items = [item]
        if self.size > 1:
            dist.broadcast_object_list(items, src=0)
        return items[0]

    def average_gradients(self, module: nn.Module) -> nn.Module:
        """The module, whose gradients become their mean over the processes."""
        if self.size == 1:
            return module
        return DistributedDataParallel(module, gradient_as_bucket_view=True)


ALONE = Ranks()


@contextmanager
def joined(device: torch.device) -> Iterator[tuple[Ranks, torch.device]]:
    """Join the processes that torchrun has started; gives this one's rank and device.

    They speak NCCL between GPUs, of which each process on a machine takes its own, and gloo
    between processors.

    Raises:
        InputError: another process died or did not answer in time.
    """
    if not dist.is_torchelastic_launched():
        yield ALONE, device
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, timeout=PATIENCE)
    ranks = Ranks(dist.get_rank(), dist.get_world_size())
    try:
        yield ranks, device
    except RuntimeError as error:
        if not (isinstance(error, dist.DistError) or "gloo" in str(error)):
            raise
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"process {ranks.rank} of {ranks.size} stopped, probably because another one died: "
            f"start again; a training goes on from its last epoch ({reason})"
        ) from None
    finally:
        dist.destroy_process_group()
