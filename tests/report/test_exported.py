"""Tables of a page as CSV: what a page writes for eyes, as numbers for computers."""

import numpy as np
import pandas as pd
from markupsafe import Markup

from bayesmix.inputs.tables.write import write_csv
from bayesmix.report.blocks import Paragraph, Section, Table
from bayesmix.report.exported import as_frame, write_tables
from bayesmix.report.text import DASH, THIN, fixed, interval


def test_signs_of_the_page_are_numbers():
    rows = [["a", fixed(-1.25, 2), fixed(123456.0, 0), DASH], ["b", fixed(2.5, 2), "7", Markup("<b>12</b>.5%")]]
    found = as_frame(Table(("Name", "Mean", "n", Markup("<em>Share</em>")), rows, (False, True, True, True)))
    assert found["Mean"].tolist() == [-1.25, 2.5]
    assert found["n"].tolist() == [123456, 7]
    assert found["Share"].tolist() == ["", "12.5%"]
    assert THIN not in found.to_csv()


def test_intervals_are_two_columns_and_heads_differ():
    rows = [["u", "1", interval(-2.0, -1.0, 1), "3", interval(0.5, None, 1)]]
    heads = ("Row", "Mean", "90% interval", "Rank", "90% interval")
    found = as_frame(Table(heads, rows, (False, True, True, True, True)))
    ends = [f"90% interval, {side}" for side in ("lower", "upper")]
    assert list(found) == ["Row", "Mean", *ends, "Rank", *(f"Rank, {end}" for end in ends)]
    assert found[ends].iloc[0].tolist() == [-2.0, -1.0]
    assert found[f"Rank, {ends[0]}"].tolist() == [0.5]
    assert np.isnan(found[f"Rank, {ends[1]}"].astype(float)).all()


def test_headings_between_rows_are_a_column():
    table = Table(("Parameter", "Mean"), [["means"], ["x", "1"], ["y", "2"], ["scales"], ["x", "3"]], (False, True))
    assert as_frame(table).to_numpy().tolist() == [["means", "x", 1], ["means", "y", 2], ["scales", "x", 3]]


def test_every_table_has_a_file(tmp_path):
    table = Table(("Name",), [["=1+1"]], (False,))
    sections = [Section("a", "A", [table, Paragraph("p"), table]), Section("b", "B", [Paragraph("p")])]
    assert write_tables(sections, tmp_path / "tables") == ["a.csv", "a_2.csv"]
    assert (tmp_path / "tables" / "a.csv").read_text() == "Name\n'=1+1\n"


def test_no_text_is_a_formula_and_a_file_is_whole(tmp_path):
    frame = pd.DataFrame(
        {"=x": ["+1+2", "b"], "n": [-1.5, 2.0], "c": pd.Categorical(["@a", "a"]), "t": ["-1.5e3", "\t=1"]},
        index=pd.Index(["-k", "l"], name="=name"),
    )
    path = write_csv(frame, tmp_path / "t.csv")
    assert path.read_text() == "'=name,'=x,n,c,t\n'-k,'+1+2,-1.5,'@a,-1.5e3\nl,b,2.0,a,'\t=1\n"
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"]
