from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pydantic import ValidationError

from imports import ROOT
from nicelab.errors import InputError
from nicelab.images.levels import scale
from nicelab.images.shapes import MNIST
from nicelab.inpainting.corrupted import alike
from nicelab.inpainting.masks import mask
from nicelab.inpainting.problems import Masking, hide
from nicelab.pipeline.params import load
from small import image_set


def hidden(folder: Path = Path(), **kind: Any) -> torch.Tensor:  # noqa: ANN401
    return mask({"label": "a mask", **kind}).hidden(folder, 28, 28)


def test_the_sheets_box() -> None:
    found = hidden(box={"rows": [5, 11], "columns": [5, 19]})
    assert found.sum() == 7 * 15
    assert found[5:12, 5:20].all()


def test_rows_columns_and_halves() -> None:
    assert hidden(rows=[7, 20])[7:21].all()
    assert hidden(columns=[7, 20])[:, 7:21].all()
    assert hidden(rows=[7, 20]).sum() == hidden(columns=[7, 20]).sum() == 14 * 28
    top, left = hidden(half="top"), hidden(half="left")
    assert top[:14].all()
    assert left[:, :14].all()
    assert torch.equal(top, ~hidden(half="bottom"))
    assert torch.equal(left, ~hidden(half="right"))


def test_every_second_pixel_is_a_half_of_the_couplings() -> None:
    even = hidden(every_second="even").flatten()
    assert even[::2].all()
    assert not even[1::2].any()
    assert torch.equal(even, ~hidden(every_second="odd").flatten())


def test_random_shares() -> None:
    """Within 4 standard errors of the share, and the same each time."""
    one, two = (hidden(random={"share": 0.9, "seed": seed}) for seed in (0, 1))
    assert abs(one.double().mean() - 0.9) < 4 * (0.9 * 0.1 / 784) ** 0.5
    assert torch.equal(one, hidden(random={"share": 0.9, "seed": 0}))
    assert not torch.equal(one, two)


def test_a_picture_hides_where_it_is_white(tmp_path: Path) -> None:
    levels = np.zeros((28, 28), np.uint8)
    levels[3, 4], levels[5, 6] = 255, 100
    Image.fromarray(levels).save(tmp_path / "m.png")
    found = hidden(tmp_path, file="m.png")
    assert found[3, 4]
    assert found.sum() == 1


@pytest.mark.parametrize(("level", "what"), [(0, "hides nothing"), (255, "hides every pixel")])
def test_pictures_of_one_colour(tmp_path: Path, level: int, what: str) -> None:
    Image.fromarray(np.full((28, 28), level, np.uint8)).save(tmp_path / "m.png")
    with pytest.raises(InputError, match=f"m.png {what}: paint"):
        hidden(tmp_path, file="m.png")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"half": "top", "rows": [0, 1]},
        {"half": "middle"},
        {"rows": [5, 3]},
        {"rows": [-1, 3]},
        {"columns": [5, 28]},
        {"box": {"rows": [1, 2]}},
        {"box": {"rows": [5, 3], "columns": [0, 1]}},
        {"random": {"share": 1.0, "seed": 0}},
        {"circle": 3},
    ],
)
def test_bad_masks(given: dict) -> None:
    with pytest.raises(ValidationError):
        Masking(images=3, picture=2, masks={"one": {"label": "a mask", **given}})


def test_a_mask_needs_a_label() -> None:
    with pytest.raises(ValidationError, match="label"):
        Masking(images=3, picture=2, masks={"one": {"half": "top"}})


def test_the_papers_masks_are_in_the_parameter_file() -> None:
    """Dinh et al. (2014), section 5.2, and the released code; here each has one random draw."""
    masks = load(ROOT / "params.yaml", "mask", Masking).masks
    index = torch.arange(784)
    row, column = index // 28, index % 28
    paper = {
        "top_half": row < 14,
        "bottom_half": row >= 14,
        "even_pixels": index % 2 == 0,
        "odd_pixels": index % 2 == 1,
        "left_half": column < 14,
        "right_half": column >= 14,
        "middle_rows": (7 <= row) & (row <= 20),
        "middle_columns": (7 <= column) & (column <= 20),
    }
    for name, expected in paper.items():
        assert torch.equal(masks[name].hidden(ROOT / "masks", 28, 28).flatten(), expected)
    assert {"random_75", "random_90", "sheet_box", "scratch"} == masks.keys() - paper.keys()


def test_random_masks_differ_from_image_to_image() -> None:
    """Each hides its share, within 4 standard errors; other kinds are the same for all."""
    random = mask({"label": "random", "random": {"share": 0.75, "seed": 0}})
    hidden = random.each(Path(), 50, MNIST)
    assert hidden.shape == (50, 784)
    assert len(hidden.unique(dim=0)) == 50
    shares = hidden.double().mean(1)
    assert ((shares - 0.75).abs() < 4 * (0.75 * 0.25 / 784) ** 0.5).all()
    assert torch.equal(random.hidden(Path(), 28, 28).flatten(), random.each(Path(), 1, MNIST)[0])
    half = mask({"label": "half", "half": "top"}).each(Path(), 3, MNIST)
    assert len(half.unique(dim=0)) == 1


def test_images_are_grouped_by_their_mask() -> None:
    hidden = torch.tensor([[True, False], [False, True], [True, False]])
    found = {tuple(m.tolist()): which.tolist() for m, which in alike(hidden)}
    assert found == {(True, False): [0, 2], (False, True): [1]}


def config(**kind: Any) -> Masking:  # noqa: ANN401
    masks = {"one": {"label": "first", "half": "top"}, "other": {"label": "second", **kind}}
    return Masking(images=3, picture=2, masks=masks)


def test_masks_are_stretched_to_other_images() -> None:
    """A half stays a half, a box keeps its place, a pixel is hidden in all of its channels."""
    box = mask({"label": "a box", "box": {"rows": [7, 13], "columns": [0, 27]}})
    hidden = box.hidden(Path(), 8, 12)
    assert hidden.nonzero()[:, 0].unique().tolist() == [2, 3]
    assert hidden[2:4].all()
    thin = mask({"label": "a row", "rows": [27, 27]}).hidden(Path(), 4, 4)
    assert thin.nonzero()[:, 0].unique().tolist() == [3]
    scratch = mask({"label": "scratch", "file": "scratch.png"})
    assert 0 < scratch.hidden(ROOT / "masks", 8, 12).sum() < 96
    coloured = scratch.each(ROOT / "masks", 2, (3, 8, 12)).view(2, 3, 8, 12)
    assert (coloured == coloured[:1, :1]).all()


def test_problems() -> None:
    levels = np.random.default_rng(0).integers(0, 256, (5, 784), np.uint8)
    data = image_set(levels, labels=np.arange(5))
    found = hide(data, config(every_second="odd"), Path())
    assert found.names.tolist() == ["one", "other"]
    assert found.mask_labels.tolist() == ["first", "second"]
    assert found.hidden.shape == (2, 3, 784)
    np.testing.assert_array_equal(found.images, scale(levels[:3]))
    np.testing.assert_array_equal(found.labels, np.arange(3))
    with pytest.raises(InputError, match=r"mask\.masks\.other hides every pixel"):
        hide(data, config(rows=[0, 27]), Path())
    few = image_set(levels[:2], labels=np.arange(2))
    with pytest.raises(InputError, match=r"mask\.images must be <= the 2 test images, got 3"):
        hide(few, config(half="left"), Path())
