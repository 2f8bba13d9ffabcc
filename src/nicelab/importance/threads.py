"""Work shared by the threads of one process."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

AHEAD = 4  # results of each thread that may wait for those before them

Item, Result = TypeVar("Item"), TypeVar("Result")


def concurrently(work: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Results in the order of the items, as `map` gives them, however many threads there are.

    As many work at once as PyTorch uses (`OMP_NUM_THREADS`); it helps where the interpreter's lock
    is released. No more than `AHEAD` results of each thread are held.
    """
    threads = min(torch.get_num_threads(), len(items))
    if threads < 2:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        for first in range(0, len(items), AHEAD * threads):
            yield from pool.map(work, items[first : first + AHEAD * threads])
