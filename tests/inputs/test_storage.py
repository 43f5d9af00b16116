"""Coordinates of many names: what xarray itself would make, without its copies."""

import numpy as np
import xarray as xr

from bayesmix.inputs.storage import coordinates


def test_they_are_what_xarray_makes():
    names = {"obs": ("a", "long one", "c"), "class": ("",), "none": ()}
    made = xr.Dataset(coords=coordinates(names))
    expected = xr.Dataset(coords={d: np.array(texts, dtype=str) for d, texts in names.items()})
    xr.testing.assert_identical(made, expected)
    assert {d: made[d].dtype for d in names} == {"obs": "<U8", "class": "<U1", "none": "<U1"}
    assert made["obs"].sel(obs="c").item() == "c"


def test_the_strings_are_shared():
    texts = tuple(f"row {i}" for i in range(3))
    index = coordinates({"obs": texts}).to_index()
    assert all(a is b for a, b in zip(index, texts, strict=True))


def test_they_go_to_a_file_and_back(tmp_path):
    made = xr.Dataset({"x": ("obs", [1.0, 2.0])}, coords=coordinates({"obs": ("first", "second")}))
    made.to_netcdf(tmp_path / "names.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "names.nc", engine="h5netcdf") as back:
        xr.testing.assert_equal(back, made)
