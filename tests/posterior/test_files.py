"""NetCDF round trips, whole or not at all."""

import numpy as np
import pytest
import xarray as xr

import bayesmix as bm


def test_round_trip_keeps_everything(faithful_dt, tmp_path):
    back = bm.load_fit(bm.save(faithful_dt, tmp_path / "fit.nc"))
    assert set(back.children) == set(faithful_dt.children)
    for name, group in faithful_dt.children.items():
        xr.testing.assert_equal(back[name].to_dataset(), group.to_dataset())
    assert back.attrs["spec"] == faithful_dt.attrs["spec"]
    np.testing.assert_array_equal(bm.responsibilities(back), bm.responsibilities(faithful_dt))
    assert str(bm.diagnose(back)) == str(bm.diagnose(faithful_dt))


def test_a_failed_save_leaves_the_old_file(faithful_dt, tmp_path, monkeypatch):
    path = bm.save(faithful_dt, tmp_path / "fit.nc")
    before = path.read_bytes()

    def fail(self, target, **_):
        target.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(xr.DataTree, "to_netcdf", fail)
    with pytest.raises(OSError, match="disk full"):
        bm.save(faithful_dt, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_not_a_fit_is_refused(tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        bm.load_fit(tmp_path / "none.nc")
    (tmp_path / "text.nc").write_text("hello")
    with pytest.raises(ValueError, match="cannot be read"):
        bm.load_fit(tmp_path / "text.nc")
    xr.Dataset({"a": 1}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    with pytest.raises(ValueError, match="not a posterior"):
        bm.load_fit(tmp_path / "other.nc")
